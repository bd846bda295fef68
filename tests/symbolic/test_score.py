"""Hands, key, spelling and voices, and scores as MusicXML."""

import xml.etree.ElementTree as ElementTree
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import Beats, find_key, notate, spell, split_hands, write_musicxml
from nmfaudio.symbolic.note_values import written_pieces
from nmfaudio.symbolic.voices import divide_voices

MINUET = [62, 67, 69, 71, 72, 74, 67, 67, 76, 72, 74, 76, 78, 79, 67, 67]  # G major
MINOR = [57, 60, 64, 68, 69, 71, 72, 76, 68, 71, 64, 69, 60, 57, 68, 69]  # A minor, with G#


def played(pitches, step=0.5):
    return [na.Note(i * step, (i + 0.9) * step, pitch) for i, pitch in enumerate(pitches)]


def two_handed(seed=0, count=60, compound=False):
    rng = np.random.default_rng(seed)
    beats = Beats(np.arange(40) * 0.6 + 0.2, per_bar=3, compound=compound)
    notes = []
    for place in np.sort(rng.integers(0, 30 * 4, count)) / 4:
        onset = float(beats.seconds(place) + rng.uniform(0, 0.02))
        for pitch in (rng.integers(38, 52), rng.integers(64, 84)):
            notes.append(na.Note(onset, onset + float(rng.uniform(0.1, 2)), int(pitch)))
    return notes, beats


@pytest.mark.parametrize("shift", range(-5, 7))
@pytest.mark.parametrize("pitches", [MINUET, MINOR])
def test_key_and_spelling_are_equivariant(pitches, shift):
    key, moved = (find_key(played([p + k for p in pitches])) for k in (0, shift))
    assert moved.tonic == (key.tonic + shift) % 12
    assert moved.mode == key.mode
    letters = [spell(pitches, key.sharps), spell([p + shift for p in pitches], moved.sharps)]
    steps = [["CDEFGAB".index(name.step) + 7 * name.octave for name in names] for names in letters]
    assert len({high - low for low, high in zip(*steps, strict=True)}) == 1


@pytest.mark.parametrize("sharps", [-3, 0, 4])
def test_spellings_have_their_pitches(sharps):
    pitches = list(np.random.default_rng(0).integers(21, 109, 200))
    names = spell(pitches, sharps)
    assert [name.pitch for name in names] == pitches


@pytest.mark.parametrize("sharps", range(-5, 7))
def test_scales_have_the_accidentals_of_their_key_signature(sharps):
    tonic = 60 + 7 * sharps % 12
    names = spell([tonic + step for step in (0, 2, 4, 5, 7, 9, 11, 12)] * 3, sharps)
    altered = {name.step for name in names if name.alter}
    assert altered == set("FCGDAEB"[:sharps] if sharps > 0 else "BEADGCF"[:-sharps])
    assert {name.alter for name in names} <= {0, np.sign(sharps)}


@pytest.mark.parametrize("first", range(60, 72))
def test_spelling_does_not_depend_on_the_first_note(first):
    chromatic = [60, 62, 64, 65, 67, 69, 71] * 8
    names = spell([first, *chromatic], 0)[1:]
    assert {name.alter for name in names} == {0}


def test_leading_notes_are_raised():
    names = spell(MINOR, find_key(played(MINOR)).sharps)
    assert {name.step + "#" * name.alter for name in names if name.pitch % 12 == 8} == {"G#"}


def test_keys():
    assert find_key(played(MINUET)).name == "G major"
    assert find_key(played(MINOR)).name == "A minor"
    assert find_key([]).name == "C major"
    assert [na.symbolic.Key(k, "major").sharps for k in range(12)] == [
        *(0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5)
    ]


def test_hands_of_two_registers():
    notes, _ = two_handed()
    assert split_hands(notes) == [int(note.pitch < 58) for note in notes]


@pytest.mark.parametrize("shift", [-14, -4, 3, 5, 14])
def test_hands_are_equivariant(shift):
    notes, _ = two_handed()
    moved = [replace(note, pitch=note.pitch + shift) for note in notes]
    assert split_hands(moved) == split_hands(notes)


def test_hands_follow_a_melody_below_middle_c():
    low = [(31, 53), (36, 55), (31, 57), (38, 55), (36, 53), (31, 52)]
    notes = [na.Note(i * 0.4, i * 0.4 + 0.4, p) for i, pair in enumerate(low * 4) for p in pair]
    assert split_hands(notes) == [1, 0] * 24


def test_voices_have_one_chord_at_a_time():
    rng = np.random.default_rng(1)
    onsets = np.sort(rng.integers(0, 60, 80))
    spans = [(Fraction(int(a), 4), Fraction(int(a + rng.integers(1, 9)), 4)) for a in onsets]
    found = divide_voices(spans, list(range(80)), Fraction(1))
    for voice in (1, 2):
        chords = sorted(
            {(a, end) for (a, _), (v, end) in zip(spans, found, strict=True) if v == voice}
        )
        assert all(one[1] <= two[0] for one, two in pairwise(chords))


def test_a_single_melody_has_one_voice():
    spans = [(Fraction(i), Fraction(2 * i + 1, 2)) for i in range(4)]
    found = divide_voices(spans, [60, 62, 64, 65], Fraction(1))
    assert found == [(1, Fraction(end)) for end in ("1", "2", "3", "7/2")]


def test_pieces_of_a_span_add_up():
    for length in range(1, 120):
        pieces = written_pieces(Fraction(1, 4), Fraction(1 + length, 12), Fraction(3), Fraction(1))
        assert all(a[1] == b[0] for a, b in pairwise(pieces))
        if pieces:
            assert (pieces[0][0], pieces[-1][1]) == (Fraction(1, 4), Fraction(1 + length, 12))


def test_a_score_keeps_what_was_played():
    notes, beats = two_handed()
    score = notate(notes, beats)
    assert {note.played for note in score.notes} <= set(notes)
    assert all(note.name.pitch == note.played.pitch for note in score.notes)
    with pytest.raises(na.ParameterError, match="a score needs at least one"):
        notate([na.Note(0, 1, 36, channel=9)], beats)


STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def notes_of_musicxml(path):
    """(staff, voice, onset, duration, letter, pitch) of each note, from the XML alone."""
    part = ElementTree.parse(path).getroot().find("part")
    found, open_ties, bar_begin, divisions = [], {}, Fraction(0), 1
    for measure in part.findall("measure"):
        divisions = int(measure.findtext("attributes/divisions") or divisions)
        now = last = longest = Fraction(0)
        for element in measure:
            length = Fraction(int(element.findtext("duration") or 0), divisions)
            if element.tag in ("backup", "forward"):
                now += length if element.tag == "forward" else -length
            if element.tag == "note":
                chord = element.find("chord") is not None
                onset = last if chord else now
                last, now = onset, now if chord else now + length
                if element.find("pitch") is not None:
                    _collect(element, bar_begin + onset, length, found, open_ties)
            longest = max(longest, now)
        bar_begin += longest
    return Counter(tuple(note) for note in found)


def _collect(element, onset, length, found, open_ties):
    step = element.findtext("pitch/step")
    octave = int(element.findtext("pitch/octave"))
    pitch = 12 * (octave + 1) + STEPS[step] + int(element.findtext("pitch/alter") or 0)
    staff, voice = int(element.findtext("staff")), int(element.findtext("voice"))
    ties = {tie.get("type") for tie in element.findall("tie")}
    note = [staff, voice, onset, length, step, pitch]
    if "stop" in ties:
        note = open_ties.pop((staff, voice, pitch))
        assert note[2] + note[3] == onset
        note[3] += length
    else:
        found.append(note)
    if "start" in ties:
        open_ties[staff, voice, pitch] = note


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of partitura's imports
@pytest.mark.parametrize("compound", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_musicxml_has_the_notes_of_the_score(tmp_path, seed, compound):
    partitura = pytest.importorskip("partitura")
    score = notate(*two_handed(seed, compound=compound))
    path = write_musicxml(tmp_path / "score.musicxml", score)
    true = Counter(
        (n.staff, n.voice + 4 * (n.staff - 1), n.onset, n.duration, n.name.step, n.name.pitch)
        for n in score.notes
    )
    assert notes_of_musicxml(path) == true
    read = partitura.load_musicxml(path).note_array()
    rows = sorted(zip(read["onset_quarter"], read["duration_quarter"], read["pitch"], strict=True))
    expected = sorted((n.onset, n.duration, n.name.pitch) for n in score.notes)
    np.testing.assert_allclose(np.array(rows, float), np.array(expected, float), atol=1e-5)
    bars = ElementTree.parse(path).getroot().findall("part/measure")
    assert [bar.get("number") for bar in bars] == [str(n + 1) for n in range(score.bars)]
    attributes = bars[0].find("attributes")
    numerator, denominator = score.beats.time_signature
    assert attributes.findtext("time/beats") == str(numerator)
    assert attributes.findtext("time/beat-type") == str(denominator)
    assert attributes.findtext("key/fifths") == str(score.key.sharps)
    assert attributes.findtext("staves") == "2"


def test_the_extra_is_named(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "partitura", None)
    with pytest.raises(na.MissingExtraError, match="MusicXML files need partitura"):
        write_musicxml(tmp_path / "a.musicxml", notate(*two_handed()))
    assert list(tmp_path.iterdir()) == []
