"""Piano roll: rows in semitones, hits, misses and extras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.symbolic.note_matches import match_notes

SCORE = [na.Note(0.0, 1.0, 60), na.Note(1.0, 2.0, 64), na.Note(2.0, 3.0, 67)]
PLAYED = [na.Note(0.01, 1.0, 60), na.Note(1.2, 2.0, 64), na.Note(2.02, 2.5, 67.3)]


def boxes(collection):
    """Onset, offset, lower and upper edge of each note."""
    corners = [path.vertices for path in collection.get_paths()]
    return [(*np.sort(v[:, 0])[[0, -1]], *np.sort(v[:, 1])[[0, -1]]) for v in corners]


def test_rows_are_true_semitones():
    notes = [na.Note(0.0, 1.0, 60), na.Note(1.0, 1.5, 72.25), na.Note(2.0, 4.0, 40)]
    axes = na.display.plot_notes(notes)
    assert boxes(axes.collections[0]) == [
        (n.onset, n.offset, n.pitch - 0.5, n.pitch + 0.5) for n in notes
    ]
    labels = dict(
        zip(axes.get_yticks(), (t.get_text() for t in axes.get_yticklabels()), strict=True)
    )
    assert labels[60] == "C4"
    assert labels[72] == "C5"
    assert axes.get_xlim() == (0, 4)
    low, high = axes.get_ylim()
    assert low < 39.5 < 72.75 < high


def test_hits_misses_and_extras_are_told_apart():
    axes = na.display.plot_notes(PLAYED, SCORE)
    hits, missed, extra = axes.collections
    assert [box[0] for box in boxes(hits)] == [0.01, 2.02]
    assert [box[0] for box in boxes(missed)] == [1.0]
    assert [box[0] for box in boxes(extra)] == [1.2]
    texts = [text.get_text() for text in axes.get_legend().get_texts()]
    assert texts == ["2 hits", "1 missed", "1 extra"]
    assert extra.get_hatch()
    assert missed.get_linestyle() != hits.get_linestyle()


def test_a_wider_tolerance_finds_more():
    axes = na.display.plot_notes(PLAYED, SCORE, tolerance=0.3)
    assert axes.get_legend().get_texts()[0].get_text() == "3 hits"


def test_kinds_have_rows_where_the_transcription_tells_them_apart():
    hats = [na.Note(0.1 * t, 0.1 * t + 0.05, key, channel=9) for t, key in enumerate((36, 42, 46))]
    kinds = ["kick", "closed hihat", "open hihat"]
    for notes, rows in ((hats, kinds), (hats[:2], ["kick", "hihat"])):
        axes = na.display.plot_notes(notes, hats)
        assert [t.get_text() for t in axes.get_yticklabels()] == rows
        drawn = np.concatenate([c.get_offsets() for c in axes.collections])
        assert sorted(drawn[:, 1]) == [0, 1, len(rows) - 1]


@pytest.mark.parametrize(("pitches", "stripes"), [((36, 42), (0, 1, 1)), ((36, 42, 46), (0, 1, 2))])
def test_a_kind_has_its_own_salience_or_that_of_its_part(pitches, stripes):
    hats = [na.Note(t, t + 0.1, key, channel=9) for t, key in enumerate((36, 42, 46))]
    salience = na.transcription.Salience(
        np.eye(3)[: len(pitches)], np.array(pitches, float), np.arange(3.0)
    )
    mesh = na.display.plot_notes(hats, salience=salience).collections[0]
    assert tuple(np.argmax(mesh.get_array()[::2], axis=1)) == stripes


def test_drums_have_a_row_for_each_part():
    hits = [na.Note(t, t + 0.1, p, channel=9) for t, p in ((0, 38), (0.5, 36), (1, 35), (1.5, 99))]
    axes = na.display.plot_notes(hits, hits[:3])
    assert [t.get_text() for t in axes.get_yticklabels()] == ["kick", "snare", "drum 99"]
    assert axes.collections[0].get_offsets().tolist() == [[0, 1], [0.5, 0], [1, 0]]
    assert axes.collections[2].get_offsets().tolist() == [[1.5, 2]]


def test_the_salience_lies_at_its_pitches():
    values = np.zeros((3, 10))
    values[1, 4] = 1.0
    salience = na.transcription.Salience(values, np.array([40.0, 64.2, 64.8]), np.arange(10) / 10)
    mesh = na.display.plot_notes(SCORE, salience=salience).collections[0]
    levels, edges = np.ma.filled(mesh.get_array(), -np.inf), mesh.get_coordinates()
    row, column = np.unravel_index(np.nanargmax(levels), levels.shape)
    assert (edges[row, 0, 1], edges[row + 1, 0, 1]) == pytest.approx((63.7, 64.5))
    assert (edges[0, column, 0], edges[0, column + 1, 0]) == pytest.approx((0.35, 0.45))


def test_a_tone_of_the_spectrogram_lies_at_its_note():
    stft = na.Stft(8000, 1024)
    y = np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)[None]
    axes = na.display.plot_notes([na.Note(0, 1, 69)], V=na.audio.analyse(y, stft), transform=stft)
    mesh = axes.collections[0]
    row = int(np.argmax(mesh.get_array()[:, 15]))
    assert mesh.get_coordinates()[row, 0, 1] < 69.2
    assert mesh.get_coordinates()[row + 1, 0, 1] > 68.8
    with pytest.raises(na.ParameterError, match="needs its transform"):
        na.display.plot_notes(SCORE, V=np.ones((3, 4)))


def test_no_notes_are_drawn_too():
    axes = na.display.plot_notes([], [])
    axes.figure.draw_without_rendering()
    assert axes.get_ylim()[1] - axes.get_ylim()[0] >= 12


onsets = st.lists(
    st.tuples(st.integers(0, 40), st.integers(60, 62), st.booleans()), max_size=8
).map(
    lambda rows: [
        na.Note(t / 20, t / 20 + 0.1, 36 if drum else p, channel=9 if drum else 0)
        for t, p, drum in rows
    ]
)


@settings(max_examples=10, deadline=None)
@given(reference=onsets, estimated=onsets)
def test_matches_are_those_of_the_measures(reference, estimated):
    pairs = match_notes(reference, estimated, tolerance=0.06)
    for side in zip(*pairs, strict=True):
        assert len(set(side)) == len(side)
    for i, j in pairs:
        assert reference[i].pitch == estimated[j].pitch
        assert abs(reference[i].onset - estimated[j].onset) <= 0.06
    scores = na.evaluate_transcription(reference, estimated, tolerance=0.06)
    pitched = [n for n in reference if n.channel == 0]
    if pitched and any(n.channel == 0 for n in estimated):
        hits = sum(reference[i].channel == 0 for i, _ in pairs)
        assert hits / len(pitched) == pytest.approx(scores.onset_r)
