"""What a score says is there is found, in time and pitch, and nothing where it says nothing."""

import dataclasses
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.memory import PROCESS

SR = 8000
SAMPLES = Path(na.__file__).parents[1] / "audio_samples"


def tone(note, seconds, fall=1.0, vibrato=0.0):
    """A note of ten partials [shape=(sample,)], `vibrato` semitones to either side."""
    t = np.arange(int(seconds * SR)) / SR
    pitch = note.pitch + vibrato * np.sin(2 * np.pi * 5.5 * t)
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitch - 69) / 12)) / SR
    sound = sum(h**-fall * np.sin(h * phase) for h in range(1, 11))
    edge = np.minimum(t - note.onset, note.offset - t)
    return sound * np.clip(edge / 0.02, 0, 1)


def note(onset, offset, pitch, track="", **rest):
    return na.Note(onset, offset, pitch, 0.8, track, **rest)


DUET = [
    note(0.1, 1.0, 60, "low"),
    note(1.0, 1.9, 57, "low"),
    note(0.1, 0.7, 67, "high"),
    note(0.7, 1.3, 64, "high"),
    note(1.3, 1.9, 69, "high"),
]


@pytest.fixture(scope="module")
def duet():
    """Sources by track, 2 s."""
    return {
        track: sum(tone(n, 2, fall, vibrato) for n in DUET if n.track == track)
        for track, fall, vibrato in (("low", 0.8, 0.0), ("high", 1.5, 0.3))
    }


def apart(y, notes, **settings):
    settings = {"aligned": True, "max_iter": 10} | settings
    return na.ScoreSeparator(score=notes, **settings)(y, SR)


def test_voices_with_vibrato_come_apart(duet):
    stems = apart(sum(duet.values()), DUET, max_iter=20)
    assert set(stems) == set(duet)
    for name, source in duet.items():
        assert na.metrics.si_sdr(source[None], stems[name]) > 8


def test_stems_add_up_to_the_mix_and_are_the_same_again(duet):
    y = np.stack([duet["low"] + 0.2 * duet["high"], duet["high"]]).astype(np.float32)
    stems = apart(y, DUET)
    assert np.abs(stems.residual()).max() < 1e-6 * np.abs(y).max()
    assert all(stem.dtype == np.float32 and stem.shape == y.shape for stem in stems.values())
    again = apart(y, DUET)
    assert all((again[name] == stem).all() for name, stem in stems.items())


def test_nothing_sounds_where_the_score_has_no_note(duet):
    stems = apart(sum(duet.values()), DUET, tolerance=0.05)
    H, hop = stems.decomposition.H, stems.transform.hop / SR
    for name, group in stems.groups.items():
        mine = [n for n in DUET if n.track == name]
        times = np.arange(H.shape[1]) * hop
        near = np.any(
            [(times > n.onset - 0.05 - hop) & (times < n.offset + 0.1 + hop) for n in mine], axis=0
        )
        assert not H[list(group.components)][:, ~near].any()


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("track", {"left", "right"}),
        ("program", {"cello", "flute"}),
        ("channel", {"channel 1", "channel 3"}),
        ("hand", {"left", "right"}),
        ("note", {"1 C4", "2 G4", "3 E4"}),
    ],
)
def test_what_gets_a_stem_of_its_own(duet, by, names):
    notes = [
        note(0.1, 1.0, 60, "right", program=42),
        note(0.1, 0.7, 67, "right", program=42),
        note(0.7, 1.3, 64, "left", program=73, channel=2),
    ]
    stems = apart(duet["low"] + duet["high"], notes, by=by, max_iter=1)
    assert set(stems) == names


def test_hands_of_two_tracks_are_told_by_pitch_and_of_one_by_middle_c():
    two = [note(0, 1, 70, "a"), note(0, 1, 72, "b")]
    one = [note(0, 1, 59), note(0, 1, 60)]
    y = np.random.default_rng(0).standard_normal(SR)
    for notes in (two, one):
        stems = apart(y, notes, by="hand", max_iter=0)
        assert set(stems) == {"left", "right"}


def test_free_sounds_take_what_the_score_does_not_say(duet):
    rng = np.random.default_rng(0)
    y = duet["low"] + 0.3 * rng.standard_normal(2 * SR)
    stems = apart(y, [n for n in DUET if n.track == "low"], n_free=2)
    assert list(stems) == ["low", "rest"]
    assert (
        na.metrics.si_sdr(duet["low"][None], stems["low"]) > na.metrics.si_sdr(duet["low"], y) + 3
    )


def test_a_score_of_one_stem_leaves_a_rest(duet):
    low = [n for n in DUET if n.track == "low"]
    y = sum(duet.values())
    stems = apart(y, low)
    assert list(stems) == ["low", "rest"]
    for stem, source in zip(stems, duet.values(), strict=True):
        before = na.metrics.si_sdr(source[None], y[None])
        assert na.metrics.si_sdr(source[None], stems[stem]) > before + 3
    assert na.ScoreSeparator(score=low).size()[1] == 2
    with pytest.raises(na.ParameterError, match="n_free is 0 and 'low' is the only stem"):
        apart(duet["low"], low, n_free=0)
    with pytest.raises(na.ParameterError, match="the only stem is called rest"):
        apart(duet["low"], [dataclasses.replace(n, track="rest") for n in low])


def test_a_track_called_rest_sounds_in_its_notes_only(duet):
    notes = [dataclasses.replace(n, track="rest") for n in DUET if n.track == "low"]
    early, late = [note(0.1, 0.7, 67, "high")], [note(1.5, 1.9, 57, "rest")]
    stems = apart(sum(duet.values()), [*early, *late, *notes[:1]])
    H = stems.decomposition.H[list(stems.groups["rest"].components)]
    times = np.arange(H.shape[1]) * stems.transform.hop / SR
    assert not H[:, (times > 1.22) & (times < 1.3)].any()


@pytest.mark.parametrize("by", ["track", "program", "note"])
def test_the_size_is_an_upper_bound(duet, by):
    # The same pitch of one track on several programs and channels, and of drums.
    notes = [note(0.1, 1.9, 60, "a", program=p, channel=c) for p in (0, 40) for c in (0, 1, 9)] + [
        note(0.1, 1.9, 64, "b")
    ]
    separator = na.ScoreSeparator(score=notes, by=by, aligned=True, max_iter=1)
    stems = separator(duet["low"], SR)
    components, n_stems = separator.size()
    assert stems.decomposition.n_components <= components
    assert len(stems) <= n_stems


@pytest.mark.filterwarnings("ignore::UserWarning")  # noise does not match the score
@pytest.mark.parametrize(("seconds", "aligned"), [(40, False), (10, True)])
def test_the_memory_is_an_upper_bound(seconds, aligned):
    notes = [note(2 * i, 2 * i + 2, 60 + i % 2, "ab"[i % 2]) for i in range(seconds // 2)]
    notes += [dataclasses.replace(n, program=p) for n in notes for p in (1, 2, 3)]
    y = np.random.default_rng(0).standard_normal((1, seconds * 4000)).astype(np.float32)
    separator = na.ScoreSeparator(score=notes, aligned=aligned, max_iter=1)
    separator(y[:, :2000], 4000)  # what is compiled or imported is the process's
    tracemalloc.start()
    try:
        separator(y, 4000)
        used = y.nbytes + tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert used <= separator.memory(y, 4000) - PROCESS


def test_drums_are_sounds_of_any_spectrum(duet):
    rng = np.random.default_rng(0)
    t = np.arange(2 * SR) / SR
    hits = rng.standard_normal(2 * SR) * np.exp(-(t % 0.5) / 0.03)
    notes = [note(0.5 * i, 0.5 * i + 0.1, 38, "drum", channel=9) for i in range(4)]
    stems = apart(duet["low"] + hits, [n for n in DUET if n.track == "low"] + notes)
    assert na.metrics.si_sdr(hits[None], stems["drum"]) > 8


def test_a_score_out_of_time_is_moved_to_the_recording(duet):
    late = [
        na.Note(0.5 + n.onset * 1.2, 0.5 + n.offset * 1.2, n.pitch, n.velocity, n.track)
        for n in DUET
    ]
    y = sum(duet.values())
    found = na.symbolic.align(late, y, SR)
    off = [abs(a.onset - b.onset) for a, b in zip(found, DUET, strict=True)]
    assert max(off) < 0.15
    stems = apart(y, late, aligned=False)
    assert all(na.metrics.si_sdr(duet[name][None], stems[name]) > 8 for name in duet)


def test_an_excerpt_finds_its_place_in_the_score():
    rng = np.random.default_rng(3)
    pitches = rng.permutation(np.arange(55, 75))
    tune = [note(0.4 * i, 0.4 * i + 0.4, int(p), "x") for i, p in enumerate(pitches)]
    y = sum(tone(n, 8) for n in tune)[int(3.2 * SR) : int(5.2 * SR)]
    found = na.symbolic.align(tune, y, SR)
    inside = [n.onset - f.onset for n, f in zip(tune, found, strict=True) if 3.6 <= n.onset < 5]
    assert np.abs(np.array(inside) - 3.2).max() < 0.25


def test_stems_without_notes_in_the_recording_are_told(duet):
    late = [note(5.0 + i, 6.0 + i, 60, name) for i, name in enumerate("vwxyz")]
    message = r"no note is left of v, w, x and 2 more"
    with pytest.warns(na.errors.AudioWarning, match=message):
        apart(sum(duet.values()), [*DUET, *late], max_iter=1)


def test_the_mismatch_is_kept(duet):
    stems = apart(sum(duet.values()), DUET, aligned=False, max_iter=1)
    assert 0 < stems.decomposition.metadata["score_mismatch"] < 0.62
    assert "score_mismatch" not in apart(duet["low"], DUET, max_iter=1).decomposition.metadata


def test_other_music_is_told():
    rng = np.random.default_rng(0)
    with pytest.warns(na.errors.AudioWarning, match="right one"):
        na.symbolic.align(DUET, rng.standard_normal(4 * SR), SR)


def test_notes_beyond_the_end_are_told_and_passed_over(duet):
    late = note(5.0, 6.0, 60, "late")
    with pytest.warns(na.errors.AudioWarning, match=r"1 of the 6 notes .* 2\.00 s"):
        stems = apart(sum(duet.values()), [*DUET, late])
    assert list(stems) == ["low", "high", "late"]
    assert np.abs(stems["late"]).max() < 0.05 * np.abs(stems.mixture).max()
    assert np.abs(stems.residual()).max() < 1e-9


@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("length", [1, 300, 2 * SR])
def test_silence_and_next_to_nothing_work(length, aligned):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", na.errors.AudioWarning)
        stems = apart(np.zeros((2, length), np.float32), DUET, aligned=aligned)
    assert all(not stem.any() and stem.shape == (2, length) for stem in stems.values())


def test_what_cannot_work_is_refused(tmp_path):
    with pytest.raises(na.ParameterError, match="score is missing"):
        na.ScoreSeparator()
    with pytest.raises(na.ParameterError, match="it must be notes"):
        na.ScoreSeparator(score=[1])
    with pytest.raises(na.ContentError, match="no notes"):
        na.ScoreSeparator(score=[])
    with pytest.raises(na.ParameterError, match="by is 'stem'"):
        na.ScoreSeparator(score=DUET, by="stem")
    with pytest.raises(na.ParameterError, match="tolerance"):
        na.ScoreSeparator(score=DUET, tolerance=-1)
    with pytest.raises(na.AudioFileError, match="No such file"):
        na.ScoreSeparator(score=tmp_path / "none.mid")


@pytest.mark.slow
def test_the_trio_comes_apart_with_the_score_out_of_time():
    separator = na.ScoreSeparator(score=SAMPLES / "trio" / "score.mid")
    stems = separator(SAMPLES / "trio" / "mixture.flac")
    assert set(stems) == {"oboe", "guitar", "bassoon"}
    for name, stem in stems.items():
        source = na_read(SAMPLES / "trio" / "sources" / f"{name}.flac")
        assert na.metrics.si_sdr(source, stem) > 8


def na_read(path):
    from nmfaudio.audio.io import read

    return read(path).samples
