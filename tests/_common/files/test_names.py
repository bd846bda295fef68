"""Names: every text makes one safe file name, every path one printable line."""

import io
import os
import unicodedata
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nmfaudio._common.files import distinct_names, safe_name, show
from nmfaudio._common.files.names import AUDIO_SUFFIXES, file_key, no_audio_files

anything = st.text(st.characters(), max_size=200)  # lone surrogates included


@given(anything)
def test_a_safe_name_stays_inside_its_folder(text):
    name = safe_name(text)
    assert Path("folder", name).parent == Path("folder")
    assert Path(name).name == name
    assert name not in (".", "..")
    assert not name.startswith((".", "-"))
    assert name.isprintable()
    assert 0 < len(name.encode()) <= 120


@given(anything)
def test_a_safe_name_is_left_alone(text):
    assert safe_name(safe_name(text)) == safe_name(text)


@given(st.lists(st.text("aA/_\\ée\u0301ß-2x", max_size=4) | anything, max_size=8))
def test_file_names_are_distinct_on_every_file_system(texts):
    names = distinct_names(texts)
    assert len({file_key(name) for name in names}) == len(texts)
    assert distinct_names(texts) == names
    for name, text in zip(names, texts, strict=True):
        assert safe_name(name) == name
        assert name == safe_name(text) or name.rpartition("-")[2].isdecimal()


def test_later_names_are_numbered():
    assert distinct_names(["a/b", "a_b", "A_B", "a_b-2"]) == ["a_b", "a_b-3", "A_B-4", "a_b-2"]
    assert distinct_names(["é", unicodedata.normalize("NFD", "é")]) == ["é", "é-2"]
    first, second = distinct_names(["x" * 130, "x" * 131])
    assert (first, second) == ("x" * 120, "x" * 118 + "-2")


def test_ordinary_names_are_left_alone():
    for name in ("drums", "Ständchen 2", "鼓", "kick.v2", "a_b-c"):
        assert safe_name(name) == name


def test_names_that_are_devices_elsewhere_are_changed():
    for name in ("con", "NUL", "com1", "aux.wav", "con ."):
        assert safe_name(name).startswith("_")


def test_known_cases():
    assert safe_name("../../etc/passwd") == "_.._etc_passwd"
    assert safe_name("a\nb\x1b[31m") == "a_b_[31m"
    assert safe_name("...") == "unnamed"
    assert safe_name("") == "unnamed"


@given(st.binary(max_size=60))
def test_any_bytes_are_shown_as_one_printable_line(raw):
    line = show(raw)
    assert line.isprintable()
    assert line.splitlines() == ([line] if line else [])
    assert line == show(os.fsdecode(raw))


def test_show_keeps_what_can_be_printed():
    assert show(Path("Übung 1.wav")) == "Übung 1.wav"
    assert show(b"caf\xe9\n.wav") == r"caf\xe9\n.wav"


def test_a_file_object_is_shown_by_its_name(tmp_path):
    with open(tmp_path / "x.bin", "wb") as file:
        assert show(file) == str(tmp_path / "x.bin")
    assert show(io.BytesIO()) == "<stream>"


FORMATS = {
    "WAV": ".wav .wave",
    "FLAC": ".flac",
    "MP3": ".mp3",
    "OGG": ".ogg .oga .opus",
    "AIFF": ".aiff .aif .aifc",
    "CAF": ".caf",
    "W64": ".w64",
    "RF64": ".rf64",
    "AU": ".au .snd",
    "VOC": ".voc",
    "NIST": ".sph .nist",
}


CONTAINERS = [".m4a", ".m4b", ".aac", ".mka", ".weba", ".wma"]  # tests/audio/io/test_pyav.py


def test_suffixes_are_those_of_formats_that_can_be_read():
    import soundfile

    assert sorted([*" ".join(FORMATS.values()).split(), *CONTAINERS]) == sorted(AUDIO_SUFFIXES)
    assert FORMATS.keys() <= soundfile.available_formats().keys()
    assert all(suffix in no_audio_files("folder") for suffix in AUDIO_SUFFIXES)
