"""Tiny trees in the layouts of public data sets, and their notes."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.io import savemat

import nmfaudio as na

NOTES = [na.Note(0.5, 1.0, 60, 0.5), na.Note(1.0, 1.5, 64, 0.5)]
TIMES = [(0.5, 1.0, 60), (1.0, 1.5, 64)]


def sound(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    na.write(path, np.zeros((1, 80)), 8000)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def midi(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    na.write_notes(path, NOTES)


def maps(root):
    for kind in ("txt", "mid"):
        base = root / "ENSTDkCl" / "MUS" / f"MAPS_MUS-{kind}_ENSTDkCl"
        sound(Path(f"{base}.wav"))
        rows = "".join(f"{on}\t{off}\t{pitch}\n" for on, off, pitch in TIMES)
        text(Path(f"{base}.txt"), f"OnsetTime\tOffsetTime\tMidiPitch\n{rows}\n")
    midi(root / "ENSTDkCl" / "MUS" / "MAPS_MUS-mid_ENSTDkCl.mid")
    return ["MAPS_MUS-mid_ENSTDkCl", "MAPS_MUS-txt_ENSTDkCl"]


def maestro(root):
    for name in ("b", "a"):
        sound(root / "2004" / f"{name}.wav")
        midi(root / "2004" / f"{name}.midi")
    rows = "2004/a.midi,validation\n2004/b.midi,test\n"
    text(root / "maestro-v3.0.0.csv", f"midi_filename,split\n{rows}")
    return ["b", "a"]  # test, then validation


def smd(root):
    midi(root / "midi" / "Bach_BWV849-01_001_20090916-SMD.mid")
    sound(root / "wav_44100_stereo" / "Bach_BWV849-01_001_20090916-SMD.wav")
    return ["Bach_BWV849-01_001_20090916-SMD"]


def guitarset(root):
    name = "00_BN1-129-Eb_comp"
    row, column = TIMES
    events = [{"time": row[0], "duration": row[1] - row[0], "value": row[2], "confidence": None}]
    columns = {"time": [column[0]], "duration": [column[1] - column[0]], "value": [column[2]]}
    annotations = [
        {"namespace": "note_midi", "data": events, "annotation_metadata": {"data_source": "0"}},
        {"namespace": "pitch_contour", "data": [{"time": 0, "duration": 0, "value": {}}]},
        {"namespace": "note_midi", "data": columns, "annotation_metadata": {"data_source": "1"}},
    ]
    text(root / "annotation" / f"{name}.jams", json.dumps({"annotations": annotations}))
    sound(root / "audio_mono-mic" / f"{name}_mic.wav")
    sound(root / "audio_mono-pickup_mix" / f"{name}_mix.wav")
    return [name]


def slakh(root):
    midi(root / "test" / "Track00007" / "all_src.mid")
    sound(root / "test" / "Track00007" / "mix.flac")
    midi(root / "test" / "Track00007" / "MIDI" / "S00.mid")
    return ["Track00007"]


def musicnet(root):
    for split in ("train", "test"):
        rows = "".join(f"{44100 * on:.0f},{44100 * off:.0f},1,{p}\n" for on, off, p in TIMES)
        text(root / f"{split}_labels" / "1727.csv", f"start_time,end_time,instrument,note\n{rows}")
        sound(root / f"{split}_data" / "1727.wav")
    return ["1727", "1727"]


def urmp(root):
    folder = root / "Dataset" / "01_Jupiter_vn_vc"
    for number, (on, off, pitch) in enumerate(TIMES, 1):
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        text(folder / f"Notes_{number}_vn_01_Jupiter.txt", f"{on}\t\t{hertz}\t\t{off - on}\n")
    sound(folder / "AuMix_01_Jupiter_vn_vc.wav")
    return ["01_Jupiter_vn_vc"]


def bach10(root):
    folder = root / "Bach10_v1.1" / "01-AchGottundHerr"
    parts = np.empty((4, 1), object)
    for row in parts:
        row[0] = np.empty((0, 1), object)
    for part, frames, pitch in ((0, range(49, 99), 60), (3, range(99, 149), 64)):
        parts[part, 0] = np.empty((1, 1), object)
        parts[part, 0][0, 0] = np.array([frames, [pitch] * len(frames)], float)
    for name in ("", "-violin", "-clarinet", "-saxphone", "-bassoon"):
        sound(folder / f"01-AchGottundHerr{name}.wav")
    midi(folder / "01-AchGottundHerr.mid")  # the score
    text(folder / "01-AchGottundHerr.txt", "500\t0\t60\t1\r\n")
    savemat(folder / "01-AchGottundHerr-GTNotes.mat", {"GTNotes": parts})
    return ["01-AchGottundHerr"]


def enst(root):
    text(root / "drummer_1" / "annotation" / "001_hits.txt", "0.5 bd\n1.0 c1\n1.25 rc2\n1.5 sd-\n")
    sound(root / "drummer_1" / "audio" / "wet_mix" / "001_hits.wav")
    return ["drummer_1/001_hits"]


def idmt_drums(root):
    event = "<event><pitch></pitch><onsetSec>{}</onsetSec><instrument>{}</instrument></event>"
    events = "".join(event.format(t, name) for t, name in ((0.5, "KD"), (1.0, "HH")))
    xml = f"<instrumentRecording><transcription>{events}</transcription></instrumentRecording>"
    text(root / "annotation_xml" / "WaveDrum01_07#MIX.xml", xml)
    sound(root / "audio" / "WaveDrum01_07#MIX.wav")
    return ["WaveDrum01_07#MIX"]


def mdb_drums(root):
    base = root / "MDB Drums"
    name = "MusicDelta_Punk"
    text(base / "annotations" / "subclass" / f"{name}_subclass.txt", "0.5\tKD\n1.0 \t SDG\n")
    text(base / "annotations" / "class" / f"{name}_class.txt", "0.5\tKD\n1.0\tSD\n")
    sound(base / "audio" / "full_mix" / f"{name}_MIX.wav")
    sound(base / "audio" / "drum_only" / f"{name}_Drum.wav")
    return [name]


def pairs(root):
    midi(root / "waltz.mid")
    sound(root / "waltz.flac")
    text(root / "sub" / "notes.csv", "anything")
    return ["waltz"]


PITCHED = (maps, maestro, smd, guitarset, slakh, musicnet, urmp, bach10, pairs)
DRUMS = {enst: [36, 49, 51, 38], idmt_drums: [36, 42], mdb_drums: [36, 38]}


@pytest.mark.parametrize("build", [*PITCHED, *DRUMS], ids=lambda build: build.__name__)
def test_every_layout_is_recognised_by_its_files(build, tmp_path):
    names = build(tmp_path)
    pieces = na.load_dataset(tmp_path)
    assert [piece.name for piece in pieces] == names
    assert pieces == na.load_dataset(str(tmp_path), build.__name__)
    for piece in pieces:
        assert all(path.is_file() for path in piece.recordings.values())
        notes = piece.notes
        if build in DRUMS:
            assert [note.pitch for note in notes] == DRUMS[build]
            assert {note.channel for note in notes} == {9}
            assert notes[0].onset == 0.5
        else:
            found = [(note.onset, note.offset, note.pitch) for note in notes]
            np.testing.assert_allclose(found, TIMES, atol=4e-3)
        assert na.evaluate_transcription(piece, piece).n_reference == len(notes)


def test_splits_and_recordings_have_their_names(tmp_path):
    maestro(tmp_path / "m")
    assert [piece.split for piece in na.load_dataset(tmp_path / "m")] == ["test", "validation"]
    musicnet(tmp_path / "n")
    assert [piece.split for piece in na.load_dataset(tmp_path / "n")] == ["test", "train"]
    slakh(tmp_path / "s")
    assert na.load_dataset(tmp_path / "s")[0].split == "test"
    guitarset(tmp_path / "g")
    (piece,) = na.load_dataset(tmp_path / "g")
    assert list(piece.recordings) == ["mic", "mix"]
    assert [note.track for note in piece.notes] == ["0", "1"]
    mdb_drums(tmp_path / "d")
    (piece,) = na.load_dataset(tmp_path / "d")
    assert piece.audio.parent.name == "drum_only"
    bach10(tmp_path / "b")
    (piece,) = na.load_dataset(tmp_path / "b")
    assert list(piece.recordings) == ["mix", "violin", "clarinet", "saxophone", "bassoon"]
    assert [note.track for note in piece.notes] == ["violin", "bassoon"]
    urmp(tmp_path / "u")
    assert [note.track for note in na.load_dataset(tmp_path / "u")[0].notes] == ["1_vn", "2_vn"]


def test_pieces_without_audio_are_left_out_with_a_warning(tmp_path):
    maestro(tmp_path)
    (tmp_path / "2004" / "b.wav").unlink()
    with pytest.warns(na.errors.AudioWarning, match="1 of 2 pieces have no audio, such as b"):
        pieces = na.load_dataset(tmp_path)
    assert [piece.name for piece in pieces] == ["a"]
    (tmp_path / "2004" / "a.wav").unlink()
    with pytest.raises(na.ContentError, match="and no audio"):
        na.load_dataset(tmp_path)


@pytest.mark.parametrize(
    ("build", "pattern", "content"),
    [
        (musicnet, "test_labels/*.csv", "onset,pitch\n1,2\n"),
        (guitarset, "annotation/*.jams", '{"annotations": [{"namespace": "note_midi"}]}'),
        (guitarset, "annotation/*.jams", "[1]"),
        (guitarset, "annotation/*.jams", "{"),
        (idmt_drums, "annotation_xml/*.xml", "<a><event/></a>"),
        (idmt_drums, "annotation_xml/*.xml", "<a>"),
        (enst, "drummer_1/annotation/*.txt", "0.5 gong\n"),
        (enst, "drummer_1/annotation/*.txt", "bd 0.5\n"),
        (enst, "drummer_1/annotation/*.txt", "0.5\n"),
        (urmp, "Dataset/*/Notes_1*.txt", "1 440 -2\n"),
        (bach10, "*/*/*-GTNotes.mat", b""),
        (bach10, "*/*/*-GTNotes.mat", "not MATLAB" * 100),
        (mdb_drums, "*/annotations/subclass/*.txt", b"\xff\xfe\n"),
    ],
)
def test_wrong_annotations_are_named_in_one_line(build, pattern, content, tmp_path):
    build(tmp_path)
    (path,) = tmp_path.glob(pattern)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    piece = na.load_dataset(tmp_path)[0]
    with pytest.raises(na.AudioFileError) as caught:
        _ = piece.notes
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_that_are_no_data_sets_are_refused(tmp_path):
    with pytest.raises(na.ContentError, match="no pieces of any known layout"):
        na.load_dataset(tmp_path)
    pairs(tmp_path)
    with pytest.raises(na.ContentError, match="no pieces of slakh"):
        na.load_dataset(tmp_path, "slakh")
    with pytest.raises(na.ParameterError, match="must be one of maps"):
        na.load_dataset(tmp_path, "nsynth")
    with pytest.raises(na.AudioFileError, match="is not a folder"):
        na.load_dataset(tmp_path / "missing")


class Track:
    """A track of mirdata: paths in its dict, annotations that are read when they are used."""

    def __init__(self, root, name):
        self.audio_hex_path = str(root / f"{name}_hex.wav")
        self.audio_mic_path = str(root / f"{name}_mic.wav")
        self.jams_path = str(root / f"{name}.jams")
        self.midi_path = None
        self.split = "test" if name == "b" else None

    @property
    def notes_all(self):
        text = Path(self.jams_path).read_text()
        return SimpleNamespace(
            intervals=np.array([[0.5, 1.0], [1.0, 1.5]]),
            interval_unit="s",
            pitches=np.array(json.loads(text)),
            pitch_unit="midi",
            confidence=None,
            confidence_unit=None,
        )


def test_tracks_of_mirdata_are_pieces(tmp_path):
    for name in "ab":
        sound(tmp_path / f"{name}_hex.wav")
        sound(tmp_path / f"{name}_mic.wav")
    text(tmp_path / "a.jams", "[60.0, 64.0]")
    text(tmp_path / "b.jams", "[60.0]")
    tracks = {name: Track(tmp_path, name) for name in "abc"}
    with pytest.warns(na.errors.AudioWarning, match="guitars: 1 of 3 pieces have no audio"):
        one, other = na.load_dataset(SimpleNamespace(name="guitars", load_tracks=lambda: tracks))
    assert (one.name, one.split, other.name, other.split) == ("a", "", "b", "test")
    assert list(one.recordings) == ["mic", "hex"]
    assert one.annotations == (tmp_path / "a.jams",)
    assert [(note.onset, note.offset, note.pitch) for note in one.notes] == TIMES
    with pytest.raises(na.AudioFileError, match="guitars/b: is not the annotation"):
        _ = other.notes
    (tmp_path / "b.jams").unlink()
    with pytest.raises(na.AudioFileError, match="guitars/b: No such file"):
        _ = other.notes


def test_data_sets_of_mirdata_without_notes_are_refused(tmp_path):
    def missing():
        raise FileNotFoundError("Did you run .download()?")

    def multitracks():
        raise AttributeError("This dataset does not have tracks")

    for load, error, message in (
        (missing, na.AudioFileError, "x: Did you run"),
        (multitracks, na.ContentError, "x: This dataset does not have tracks; choose"),
        (dict, na.ContentError, "x: has no tracks"),
        (lambda: {"a": object()}, na.ContentError, "x: its tracks have no notes"),
    ):
        with pytest.raises(error, match=message):
            na.load_dataset(SimpleNamespace(name="x", load_tracks=load))
    with pytest.raises(na.ParameterError, match="mirdata knows its own"):
        na.load_dataset(SimpleNamespace(name="x", load_tracks=dict), "maps")
