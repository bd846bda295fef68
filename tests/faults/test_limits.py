"""Limits of a process are errors of their own kind, and leave nothing partial."""

import resource
import textwrap

import numpy as np
import pytest
import soundfile
from processes import QUICK, start, tree


def outcome(script, *arguments, **options):
    """Lines that a script prints."""
    process = start("-c", textwrap.dedent(script), *arguments, **options)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return out.splitlines()


def test_too_many_files_for_a_group(tmp_path):
    script = """
        import sys
        from pathlib import Path
        from nmfaudio.audio.io import open_group
        from nmfaudio.errors import OutputError
        targets = [Path(sys.argv[1], str(i)) for i in range(100)]
        try:
            with open_group(targets, 8000, 1, 5, format="wav"):
                pass
        except OutputError as error:
            print(error)
    """
    (line,) = outcome(script, tmp_path, limits=[(resource.RLIMIT_NOFILE, 64)])
    assert line.endswith("cannot be written: Too many open files")
    assert tree(tmp_path) == []


def test_no_file_is_left_to_open(song):
    script = """
        import os, sys
        import nmfaudio as na
        from nmfaudio.audio.io import open_track
        from nmfaudio.errors import AudioFileError
        na.read(sys.argv[1])  # everything is imported now
        files = []
        while len(files) < 64:
            try:
                files.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        for function in (na.read, open_track):
            try:
                function(sys.argv[1])
            except AudioFileError as error:
                print(error)
    """
    lines = outcome(script, song, limits=[(resource.RLIMIT_NOFILE, 64)])
    assert lines == [f"{song}: Too many open files"] * 2


def test_a_track_needs_no_memory_for_its_length(tmp_path):
    """Five minutes of silence are 106 MB in memory."""
    with soundfile.SoundFile(tmp_path / "x.flac", "w", 44_100, 2) as file:
        for _ in range(5 * 60):
            file.write(np.zeros((44_100, 2), np.int16))
    script = """
        import resource, sys
        import numpy as np
        import nmfaudio as na
        from nmfaudio.audio.io import open_group, open_track
        na.read(sys.argv[1], stop=1)  # everything is imported now
        with open("/proc/self/statm") as file:
            size = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2**26,) * 2)
        try:
            na.read(sys.argv[1])
        except MemoryError:
            print("too long")
        with open_track(sys.argv[1]) as track:
            length = track.shape[1]
            print(length, sum(track[:, a : a + 2**18].shape[1] for a in range(0, length, 2**18)))
    """
    assert outcome(script, tmp_path / "x.flac") == ["too long", "13230000 13230000"]


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [100, 200, 4000])
def test_any_address_space_gives_all_or_nothing(tmp_path, song, megabytes):
    """Stems are complete or absent; between these limits OpenBLAS waits for memory for ever."""
    process = start(
        *("-m", "nmfaudio", "separate", *QUICK, song, "-o", tmp_path / "out"),
        limits=[(resource.RLIMIT_AS, megabytes * 2**20)],
    )
    process.communicate()
    done = process.returncode == 0
    (tmp_path / "out").mkdir(exist_ok=True)
    names = [name for name in tree(tmp_path / "out") if name.endswith(".wav")]
    assert len(names) == (2 if done else 0)
    for name in names:
        assert soundfile.info(tmp_path / "out" / name).frames == soundfile.info(song).frames
