"""Staging: nothing partial under a final name, nothing left over, whatever happens."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest

from nmfaudio._common.files import check_targets, staging
from nmfaudio._common.files.staging import PREFIX, staged, staged_path, transaction
from nmfaudio.errors import OutputError


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def fill(names, text="new"):
    for name in names.values():
        name.write_text(text)


def test_all_files_appear_at_the_end_in_folders_that_are_made(tmp_path):
    targets = [tmp_path / "a" / "b" / "x.wav", tmp_path / "a" / "y.wav"]
    with staged(targets, overwrite=False) as names:
        fill(names)
        assert [path.parent for path in names.values()] == [path.parent for path in targets]
        assert all(path.name.startswith(PREFIX) for path in names.values())
        assert not any(target.exists() for target in targets)
    assert tree(tmp_path) == ["a", "a/b", "a/b/x.wav", "a/y.wav"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_is_raised_leaves_everything_as_it_was(tmp_path, error):
    (tmp_path / "old.wav").write_text("old")
    targets = [tmp_path / "new" / "x.wav", tmp_path / "old.wav"]

    def fail():
        with staged(targets, overwrite=True) as names:
            fill(names)
            raise error

    with pytest.raises(error):
        fail()
    assert tree(tmp_path) == ["old.wav"]
    assert (tmp_path / "old.wav").read_text() == "old"


@pytest.mark.parametrize("error", [OSError(28, "x"), KeyboardInterrupt()])
def test_a_failing_rename_takes_the_new_files_back(tmp_path, monkeypatch, error):
    replace = os.replace

    def fail_on_second(source, target):
        if target.name == "2.wav":
            raise error
        replace(source, target)

    monkeypatch.delattr(os, "link")  # as on file systems without hard links
    monkeypatch.setattr(os, "replace", fail_on_second)
    expected = OutputError if isinstance(error, OSError) else KeyboardInterrupt
    with (
        pytest.raises(expected) as caught,
        staged([tmp_path / "1.wav", tmp_path / "2.wav"], overwrite=False) as names,
    ):
        fill(names)
    assert tree(tmp_path) == []
    if expected is OutputError:
        assert "2.wav: cannot be written: No space left on device" in str(caught.value)


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path):
    target = tmp_path / "x.wav"

    def be_late():
        with staged([target], overwrite=False) as names:
            fill(names)
            target.write_text("theirs")

    with pytest.raises(OutputError, match="exists; use"):
        be_late()
    assert tree(tmp_path) == ["x.wav"]
    assert target.read_text() == "theirs"


def test_a_file_that_appears_at_the_last_moment_is_not_overwritten(tmp_path, monkeypatch):
    targets = [tmp_path / "1.wav", tmp_path / "2.wav"]
    link = os.link

    def too_late(source, target):
        if target == targets[1]:
            targets[0].unlink()  # a new file of the other writer takes the place of ours, too
            targets[0].write_text("theirs")
            target.write_text("theirs")
        link(source, target)

    monkeypatch.setattr(os, "link", too_late)
    with (
        pytest.raises(OutputError, match=r"2\.wav: exists; use"),
        staged(targets, overwrite=False) as names,
    ):
        fill(names)
    assert tree(tmp_path) == ["1.wav", "2.wav"]
    assert {target.read_text() for target in targets} == {"theirs"}


def test_overwriting_replaces(tmp_path):
    target = tmp_path / "x.wav"
    target.write_text("old")
    with staged([target], overwrite=True) as names:
        fill(names)
    assert target.read_text() == "new"


def test_what_is_refused_before_any_work(tmp_path):
    (tmp_path / "old.wav").write_text("old")
    (tmp_path / "folder").mkdir()
    cases = {
        "exists; use": [tmp_path / "old.wav"],
        "Is a directory": [tmp_path / "folder"],
        "two results have this name": [tmp_path / "x.wav", tmp_path / "folder" / ".." / "x.wav"],
        "Not a directory": [tmp_path / "old.wav" / "x.wav"],
        "File name too long": [tmp_path / ("x" * 300)],
        "null": [tmp_path / "a\0b"],
    }
    for message, targets in cases.items():
        with pytest.raises(OutputError, match=message) as caught:
            check_targets(targets)
        assert len(str(caught.value).splitlines()) == 1
    check_targets([tmp_path / "old.wav", tmp_path / "no" / "such" / "x.wav"], overwrite=True)
    assert tree(tmp_path) == ["folder", "old.wav"]


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(OutputError, match=r"x\.wav: cannot be written: Permission denied"):
        check_targets([tmp_path / "x.wav"])


def test_a_link_that_exists_counts_as_existing(tmp_path):
    (tmp_path / "x.wav").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="exists; use"):
        check_targets([tmp_path / "x.wav"])


def test_a_killed_writer_leaves_no_final_file_and_is_cleaned_up_after(tmp_path):
    script = textwrap.dedent("""
        import sys, time
        from pathlib import Path
        from nmfaudio._common.files.staging import staged
        with staged([Path(sys.argv[1]) / "x.wav"], overwrite=False) as names:
            for name in names.values():
                name.write_text("half")
            print("ready", flush=True)
            time.sleep(60)
    """)
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        writer.stdout.readline()
        with staged([tmp_path / "y.wav"], overwrite=False) as names:
            fill(names)
        assert any(name.startswith(PREFIX) for name in tree(tmp_path)), "a live one's was removed"
        writer.send_signal(signal.SIGKILL)
    assert [name[: len(PREFIX)] for name in tree(tmp_path)] == [PREFIX, "y.wav"]
    with staged([tmp_path / "z.wav"], overwrite=False) as names:
        fill(names)
    assert tree(tmp_path) == ["y.wav", "z.wav"]


def test_only_our_own_machines_leftovers_are_removed(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    stale = f"{PREFIX}{dead.pid}-{staging._machine()}-{'0' * 16}.tmp"
    foreign = f"{PREFIX}{dead.pid}-{'0' * 8}-{'0' * 16}.tmp"
    similar = f"{PREFIX}notes.txt"
    for name in (stale, foreign, similar):
        (tmp_path / name).write_text("")
    with staged([tmp_path / "x.wav"], overwrite=False) as names:
        fill(names)
    assert tree(tmp_path) == sorted([foreign, similar, "x.wav"])


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        with staged([tmp_path / "x.wav"], overwrite=False) as names:
            for target, name in names.items():
                os.close(staging.create(name, target))
    finally:
        os.umask(before)
    assert (tmp_path / "x.wav").stat().st_mode & 0o777 == 0o640


def test_relative_targets_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with staged([Path("x.wav"), Path("a/x.wav")], overwrite=False) as names:
        fill(names)
    assert tree(tmp_path) == ["a", "a/x.wav", "x.wav"]


def test_files_of_a_transaction_appear_together_or_not_at_all(tmp_path):
    targets = [tmp_path / "a" / "1.wav", tmp_path / "2.wav"]

    def write(fail):
        with transaction():
            for target in targets:
                with transaction(), staged([target], overwrite=False) as names:
                    fill(names, target.name)
                assert staged_path(target).read_text() == target.name
                with suppress(ValueError), staged([tmp_path / "3.wav"], overwrite=False) as names:
                    fill(names)
                    raise ValueError
            assert not any(target.exists() for target in targets)
            if fail:
                raise KeyError

    with pytest.raises(KeyError):
        write(fail=True)
    assert tree(tmp_path) == []
    write(fail=False)
    assert tree(tmp_path) == ["2.wav", "a", "a/1.wav"]
    assert [staged_path(target) for target in targets] == targets
