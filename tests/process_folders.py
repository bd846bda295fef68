"""Folders of processes in ``/proc`` with their control groups, for the tests of what reads them."""


def build_process(tmp_path, groups, mounts, files):
    """Build the folder of a process from its groups, its mounts and the files of the groups."""
    folder = tmp_path / "process"
    folder.mkdir()
    (folder / "cgroup").write_text("".join(f"{line}\n" for line in groups))
    (folder / "mountinfo").write_text(
        "".join(
            f"30 23 0:26 {root} {tmp_path}{mount} rw shared:4 - {kind} {kind} {options}\n"
            for root, mount, kind, options in mounts
        )
    )
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder
