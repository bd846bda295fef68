"""Whichever call of the system is refused: the result is whole, or an error and no file."""

import errno
import os
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from faults.refusing import refused
from fuzz.readers import READERS, sound_files
from processes import ROOT, tree

import nmfaudio as na
from nmfaudio.audio.io import open_group, write_group
from nmfaudio.audio.io.extra_tags import cover_text
from nmfaudio.errors import AudioFileError, OutputError
from nmfaudio.symbolic import Beats

REASON = os.strerror(errno.EIO)
Y = np.sin(np.arange(3000) / 3).astype(np.float32) / 2
NOTES = [na.Note(0.0, 0.5, 60), na.Note(0.5, 1.0, 64)]
BEATS = Beats(np.arange(5) / 2, 4, 0)
MODEL = na.nmf(np.ones((3, 4)), 1, max_iter=1)


def group(folder):
    with open_group([folder / "a", folder / "b"], 8000, 1, 3000, format="flac") as files:
        files.append([Y[None], 2 * Y[None]])


def covered(format, folder):
    path = folder / "x"
    tags = {path: {"cover": cover_text(b"\xff\xd8\xff" + bytes(999))}}
    write_group({path: Y}, 8000, format=format, tags=tags)


WRITERS = {
    "WAV": lambda folder: na.write(folder / "x.wav", Y, 8000),
    "FLAC": lambda folder: na.write(folder / "x.flac", Y, 8000),
    "Ogg": lambda folder: na.write(folder / "x.ogg", Y, 8000),
    "MP3": lambda folder: na.write(folder / "x.mp3", Y, 8000),
    "blocks": group,
    "MIDI": lambda folder: na.write_notes(folder / "x.mid", NOTES),
    "table": lambda folder: na.write_notes(folder / "x.csv", NOTES),
    "JAMS": lambda folder: na.write_notes(folder / "x.jams", NOTES, beats=BEATS),
    "model": lambda folder: MODEL.save(folder / "x.npz"),
}


for kind in ("wav", "flac", "ogg", "mp3"):
    WRITERS[f"cover in {kind}"] = partial(covered, kind)


def content(folder):
    return {name: (folder / name).read_bytes() for name in tree(folder)}


def refusals(function, kind):
    """Refuse each call of a function in turn; yield the call and the message, empty for none."""
    for at in range(1, 400):
        message = ""
        with refused(at) as refusal:
            try:
                function()
            except kind as error:
                message = str(error)
        if not refusal.refused:
            return
        yield refusal.refused, message
    pytest.fail("there is no end")


@pytest.mark.filterwarnings("ignore::nmfaudio.errors.AudioWarning")
@pytest.mark.parametrize("name", READERS)
def test_readers_name_the_reason(name, tmp_path):
    if name == "containers":
        pytest.importorskip("av")
    reader = READERS[name]
    for number, data in enumerate(sound_files(name)):
        path = tmp_path / f"{number}.{reader.suffix}"
        path.write_bytes(data)
        with refused(short=True):
            reader(path, data)
        for call, message in refusals(partial(reader, path, data), AudioFileError):
            # A file for messages of the decoder of MP3 may be missing.
            is_needless = call == "close" or (data[:1] in b"\xffI" and call in ("open", "fstat"))
            assert REASON in message or is_needless, (call, message)


@pytest.mark.parametrize("name", WRITERS)
def test_writers_leave_nothing(name, tmp_path):
    write = WRITERS[name]
    write(tmp_path / "sound")
    with refused(short=True):
        write(tmp_path / "short")
    expected = content(tmp_path / "sound")
    assert content(tmp_path / "short") == expected
    folder = tmp_path / "refused"
    for call, message in refusals(lambda: write(folder), OutputError):
        assert REASON in message or not message, (call, message)
        assert content(folder) == ({} if message else expected), call
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_commands_bear_refused_calls():
    command = [sys.executable, str(ROOT / "tests/faults/system_calls.py"), "150"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
