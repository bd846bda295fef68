"""Quantised notes are on the grid, stay on it, and keep the tempo of the performance."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.symbolic import Beats, quantise
from nmfaudio.symbolic.quantisation import estimate_swing, fit_grid

BEATS = Beats(0.4 + np.cumsum(0.5 + 0.1 * np.sin(np.arange(24) / 3)))


def at(places, length=0.2):
    """Notes at places in beats."""
    onsets = BEATS.seconds(np.array(places, float))
    return [na.Note(float(t), float(t) + length, 60 + i % 12) for i, t in enumerate(onsets)]


def random_notes(seed):
    rng = np.random.default_rng(seed)
    onsets = np.sort(rng.uniform(0, 11, 60))
    return [
        na.Note(float(t), float(t + rng.exponential(0.4)), int(rng.integers(30, 90)))
        for t in onsets
    ]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "options", [{}, {"grid": "1/8"}, {"swing": 0.64}, {"triplets": False}, {"grid": "1/32"}]
)
def test_quantising_is_idempotent(seed, options):
    once = quantise(random_notes(seed), BEATS, **options)
    twice = quantise(once, BEATS, **options)
    for name in ("onset", "offset"):
        times = [[getattr(note, name) for note in notes] for notes in (once, twice)]
        np.testing.assert_allclose(*times, atol=1e-9)


def test_only_times_change():
    notes = random_notes(1)
    quantised = quantise(notes, BEATS)
    assert all(note.offset > note.onset for note in quantised)
    kept = [
        sorted(replace(n, onset=0, offset=0).pitch for n in each) for each in (notes, quantised)
    ]
    assert kept[0] == kept[1]


def test_onsets_are_on_a_grid_that_follows_the_tempo():
    quantised = quantise(random_notes(2), BEATS, triplets=False, swing=0.5)
    places = BEATS.position([note.onset for note in quantised if note.onset > 0]) * 4
    np.testing.assert_allclose(places, np.round(places), atol=1e-9)


def test_played_notes_reach_the_nearest_place():
    places = np.array([0, 1, 1.25, 2, 2.5, 3.75, 4])
    rng = np.random.default_rng(0)
    played = at(places + rng.uniform(-0.05, 0.05, len(places)) * (places > 0))
    onsets = [note.onset for note in quantise(played, BEATS)]
    np.testing.assert_allclose(BEATS.position(onsets), places, atol=1e-9)


def test_triplets_are_found_where_they_are():
    places = [0, 1 / 3 + 0.02, 2 / 3 - 0.02, 1, 1.26, 1.5, 1.74, 2, 2.5]
    found = BEATS.position([note.onset for note in quantise(at(places), BEATS)])
    true = [0, 1 / 3, 2 / 3, 1, 1.25, 1.5, 1.75, 2, 2.5]
    np.testing.assert_allclose(found, true, atol=1e-9)
    assert fit_grid(at(places), BEATS, swing=0.5).ternary == {0: 3}
    assert fit_grid(at(places), BEATS, triplets=False).ternary == {}


@pytest.mark.parametrize("place", [0.5, 0.58, 0.62, 2 / 3])
def test_swing_is_estimated_and_kept(place):
    rng = np.random.default_rng(3)
    swung = [beat + p for beat in range(20) for p in (0, place)]
    notes = at(np.array(swung) + rng.normal(0, 0.01, 40) * (np.array(swung) > 0))
    assert estimate_swing(notes, BEATS) == pytest.approx(place, abs=0.012)
    onsets = BEATS.position([note.onset for note in quantise(notes, BEATS)])
    late = onsets[1::2] % 1
    np.testing.assert_allclose(late, late[0], atol=1e-9)
    assert late[0] == pytest.approx(place, abs=0.012)


def test_a_grid_divides_the_beat():
    with pytest.raises(na.ParameterError, match="need a note value that divides it"):
        quantise(at([0, 1]), Beats(BEATS.times, compound=True), "1/4")
    with pytest.raises(na.ParameterError, match=r"the swing is 0\.9; it must be from"):
        quantise(at([0, 1]), BEATS, swing=0.9)
    compound = Beats(BEATS.times, compound=True)
    thirds = quantise(at([0.3, 0.7, 1.1]), compound, "1/8")
    found = compound.position([note.onset for note in thirds])
    np.testing.assert_allclose(found, [1 / 3, 2 / 3, 1], atol=1e-9)
