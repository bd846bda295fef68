"""Peaks of how strongly parts of a drum kit are heard."""

import numpy as np
import pytest

import nmfaudio as na

STEP = 0.01
TIMES = np.arange(300) * STEP


def salience(*hits, noise=0.0):
    """Rows with hits of (row, frame, height), each fading quickly."""
    rows = np.zeros((3, len(TIMES)))
    for row, frame, height in hits:
        rows[row, frame:] += height * 0.5 ** np.arange(len(TIMES) - frame)
    return rows + noise * np.random.default_rng(0).random(rows.shape)


PARTS = ("kick", "snare", "triangle")
HITS = [(0, 10, 1.0), (0, 60, 0.5), (1, 60, 2.0), (2, 100, 0.1), (0, 250, 0.9)]


def where(notes):
    return [(PARTS.index(note.track), round(note.onset / STEP)) for note in notes]


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_planted_hits_are_found_within_a_frame(noise):
    found = na.symbolic.pick_hits(salience(*HITS, noise=noise), PARTS, TIMES, threshold=0.3)
    planted = sorted(HITS, key=lambda hit: hit[1])
    loud = [hit for hit in planted if hit[0] != 2 or not noise]  # the softest is near the noise
    for row, frame, _ in loud:
        assert any(r == row and abs(t - frame) <= 1 for r, t in where(found))
    if not noise:
        assert len(found) == len(HITS)


def test_hits_are_notes_of_drums():
    found = na.symbolic.pick_hits(salience(*HITS), PARTS, TIMES)
    assert sorted(note.pitch for note in found) == [36, 36, 36, 38, 39]
    assert {note.channel for note in found} == {9}
    assert list(found) == sorted(found, key=lambda note: (note.onset, note.pitch))
    kicks = [note.velocity**2 for note in found if note.track == "kick"]
    assert kicks == pytest.approx([1.0, 0.5, 0.9], rel=0.02)


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e30])
def test_the_unit_makes_no_difference(scale):
    known = salience(*HITS, noise=0.02)
    assert where(na.symbolic.pick_hits(known * scale, PARTS, TIMES)) == where(
        na.symbolic.pick_hits(known, PARTS, TIMES)
    )


def test_nothing_has_no_hits():
    assert na.symbolic.pick_hits(np.zeros((3, len(TIMES))), PARTS, TIMES) == ()
    assert na.symbolic.pick_hits(np.zeros((0, len(TIMES))), (), TIMES) == ()
    assert na.symbolic.pick_hits(np.zeros((3, 0)), PARTS, np.zeros(0)) == ()


def test_a_higher_threshold_keeps_some_of_the_hits():
    noisy = salience(*HITS, noise=0.2)
    found = [
        set(where(na.symbolic.pick_hits(noisy, PARTS, TIMES, threshold=x)))
        for x in (0, 0.1, 0.4, 2)
    ]
    assert found[0] > found[1] > found[2] > found[3] == set()


def test_parts_have_thresholds_of_their_own():
    own = na.symbolic.pick_hits(salience(*HITS), PARTS, TIMES, threshold={"kick": 0.8})
    assert where(own) == [(0, 10), (1, 60), (2, 100), (0, 250)]  # without the soft kick


def test_noise_makes_loud_hits_no_softer():
    quiet = salience((0, 50, 1.0), (0, 150, 0.3))
    noisy = quiet.copy()
    noisy[0, 5:40:7] = 0.02
    assert set(where(na.symbolic.pick_hits(noisy, PARTS, TIMES))) == set(
        where(na.symbolic.pick_hits(quiet, PARTS, TIMES))
    )


def test_of_hits_close_together_the_highest_counts():
    close = salience((0, 50, 0.5), (0, 54, 1.0))
    assert where(na.symbolic.pick_hits(close, PARTS, TIMES)) == [(0, 54)]
    assert where(na.symbolic.pick_hits(close, PARTS, TIMES, min_interval=0.02)) == [
        (0, 50),
        (0, 54),
    ]


def test_what_a_hit_leaves_is_no_hit():
    row = np.zeros((1, len(TIMES)))
    row[0, 50], row[0, 57] = 1.0, 0.4
    assert len(na.symbolic.pick_hits(row, ["kick"], TIMES)) == 1
    assert len(na.symbolic.pick_hits(row, ["kick"], TIMES, decay=0.02)) == 2
    assert len(na.symbolic.pick_hits(row, ["kick"], TIMES, decay=0)) == 2


def test_between_frames():
    row = np.zeros((1, len(TIMES)))
    row[0, 50], row[0, 51] = 1.0, 0.5
    (hit,) = na.symbolic.pick_hits(row, ["kick"], TIMES)
    assert hit.onset == pytest.approx(0.5 + STEP / 3)


def test_the_salience_stays_as_it_was():
    known = salience(*HITS).astype(np.float32)
    before = known.copy()
    na.symbolic.pick_hits(known, PARTS, TIMES)
    assert (known == before).all()


@pytest.mark.parametrize(
    "settings", [{"threshold": -1.0}, {"min_interval": np.nan}, {"decay": -0.1}]
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(na.ParameterError, match=next(iter(settings))):
        na.symbolic.pick_hits(salience(), PARTS, TIMES, **settings)


def test_rows_must_have_names():
    with pytest.raises(na.errors.ShapeError, match="2 parts"):
        na.symbolic.pick_hits(salience(), PARTS[:2], TIMES)


def test_a_plateau_is_one_hit_for_as_long_as_nothing_else_may_be_one():
    salience = np.zeros((1, 60))
    salience[0, 10:16] = 1.0
    hits = na.symbolic.pick_hits(
        salience, ["kick"], np.arange(60) * 0.01, min_interval=0.1, decay=0
    )
    assert [round(hit.onset / 0.01) for hit in hits] == [10]


@pytest.mark.parametrize(
    ("values", "times"), [([[1.0, np.nan]], [0, 1]), ([[1.0, -1.0]], [0, 1]), ([[1.0, 0]], [1, 0])]
)
def test_salience_that_cannot_be_is_refused(values, times):
    with pytest.raises(na.ParameterError):
        na.symbolic.pick_hits(np.array(values), ["kick"], np.array(times, float))
