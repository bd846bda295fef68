"""Two processes that write into one folder, and one that is killed: files are whole or absent.

``NMFAUDIO_RACES`` is the number of races of two writers; the default is for every day.
"""

import json
import os
import textwrap

import numpy as np
import pytest
import soundfile
from processes import QUICK, start, tree

from nmfaudio.audio.io import read, write

WRITER = textwrap.dedent("""
    import sys
    from pathlib import Path
    import numpy as np
    from nmfaudio.audio.io import open_group
    from nmfaudio.errors import OutputError
    value, overwrite, *targets = sys.argv[1:]
    block = np.full((1, 20_000), float(value), np.float32)
    try:
        with open_group(
            [Path(target) for target in targets], 8000, 1, 40_000,
            format="wav", overwrite=overwrite == "yes",
        ) as group:
            group.append([block] * len(targets))
            print("half", flush=True)
            sys.stdin.readline()
            group.append([block] * len(targets))
        print("done")
    except OutputError as error:
        print(error)
""")

RACES = int(os.environ.get("NMFAUDIO_RACES", "24"))
RACE = textwrap.dedent("""
    import json, os, random, sys, time
    from pathlib import Path
    import numpy as np
    from nmfaudio.audio.io import open_group
    from nmfaudio.errors import OutputError
    chance = random.Random(0)

    def write(targets, value, overwrite, start):
        while time.monotonic() < start:
            pass
        try:
            with open_group(targets, 8000, 1, 999, format="wav", overwrite=overwrite) as group:
                group.append([np.full((1, 999), value, np.float32)] * len(targets))
        except OutputError:
            return 5
        return 0

    def race(folder):
        rules = [chance.random() < 0.5 for _ in range(2)]
        begin, children = time.monotonic() + 0.01, []
        for value, overwrite in zip((0.25, 0.5), rules):
            start = begin + chance.random() * 0.002
            if (pid := os.fork()) == 0:
                code = 1
                try:
                    code = write([folder / name for name in "abc"], value, overwrite, start)
                finally:
                    os._exit(code)
            children.append(pid)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        return {"overwrite": rules, "codes": codes}

    write([Path(sys.argv[1], "first", "x")], 0, False, 0)  # loads all that is needed
    for number in range(int(sys.argv[2])):
        print(json.dumps(race(Path(sys.argv[1], str(number)))))
""")


class Writer:
    """Process that writes files of one value, and waits when half of them is written."""

    def __init__(self, value, *targets, overwrite=False):
        self.process = start("-c", WRITER, value, "yes" if overwrite else "no", *targets)
        self.first = self.process.stdout.readline().strip()

    def finish(self):
        """Write the other half, and return the last line."""
        out, err = self.process.communicate("\n")
        assert self.process.returncode == 0, err
        return out.strip()

    def kill(self):
        self.process.kill()
        self.process.communicate()


def assert_constant(path, value):
    np.testing.assert_array_equal(read(path).samples, np.full((1, 40_000), np.float32(value)))


def test_other_names_in_the_same_folder(tmp_path):
    first = Writer(0.25, tmp_path / "new" / "a")
    second = Writer(0.5, tmp_path / "new" / "b")
    assert (first.first, second.first) == ("half", "half")
    assert second.finish() == "done"
    assert tree(tmp_path)[-1] == "new/b"
    assert first.finish() == "done"
    assert tree(tmp_path) == ["new/a", "new/b"]
    assert_constant(tmp_path / "new" / "a", 0.25)
    assert_constant(tmp_path / "new" / "b", 0.5)


def test_of_two_with_the_same_names_one_writes_all(tmp_path):
    targets = [tmp_path / "a", tmp_path / "b"]
    first, second = Writer(0.25, *targets), Writer(0.5, *targets)
    assert second.finish() == "done"
    assert first.finish().endswith("a: exists; use overwrite=True or another name")
    assert tree(tmp_path) == ["a", "b"]
    for path in targets:
        assert_constant(path, 0.5)


def test_of_two_that_overwrite_the_last_remains(tmp_path):
    targets = [tmp_path / "a", tmp_path / "b"]
    first, second = (Writer(value, *targets, overwrite=True) for value in (0.25, 0.5))
    assert (second.finish(), first.finish()) == ("done", "done")
    assert tree(tmp_path) == ["a", "b"]
    for path in targets:
        assert_constant(path, 0.25)


def test_a_killed_writer_leaves_no_file_under_a_final_name(tmp_path):
    writer = Writer(0.25, tmp_path / "a", tmp_path / "b")
    writer.kill()
    assert all(name.startswith(".nmfaudio-") for name in tree(tmp_path))
    write(tmp_path / "c.wav", np.ones(9), 8000)  # the next one cleans up
    assert tree(tmp_path) == ["c.wav"]


@pytest.mark.slow
def test_no_race_loses_a_file(tmp_path):
    out, errors = start("-c", RACE, tmp_path, RACES).communicate()
    races = [json.loads(line) for line in out.splitlines()]
    assert len(races) == RACES, errors
    lost = []
    for number, race in enumerate(races):
        folder = tmp_path / str(number)
        done = [v for v, code in zip((0.25, 0.5), race["codes"], strict=True) if code == 0]
        assert done
        assert set(race["codes"]) <= {0, 5}
        if tree(folder) != ["a", "b", "c"]:
            lost.append((number, race, tree(folder)))
            continue
        values = [read(folder / name).samples for name in "abc"]
        assert all((each == each[0, 0]).all() and each.shape == (1, 999) for each in values)
        assert {float(each[0, 0]) for each in values} <= set(done)
    assert lost == []


@pytest.mark.slow
def test_the_command_twice_at_once(tmp_path, song):
    def separate(folder):
        return start("-m", "nmfaudio", "separate", *QUICK, song, "-o", folder)

    separate(tmp_path / "alone").communicate()
    expected = {
        name: (tmp_path / "alone" / name).read_bytes()
        for name in tree(tmp_path / "alone")
        if name.endswith(".wav")
    }
    assert len(expected) == 2
    for attempt in range(2):
        folder = tmp_path / str(attempt)
        both = [separate(folder), separate(folder)]
        for process in both:
            process.communicate()
        assert 0 in [process.returncode for process in both]
        assert {process.returncode for process in both} <= {0, 5}
        found = [name for name in tree(folder) if name.endswith(".wav")]
        assert {name: (folder / name).read_bytes() for name in found} == expected
        for name in found:
            assert soundfile.info(folder / name).frames == soundfile.info(song).frames
