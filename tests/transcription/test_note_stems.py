"""A note's sound is its own, and all sounds together are the recording."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from transcription.scenes import NOTES, SR, STFT, played, tone, transcription

import nmfaudio as na
from nmfaudio.audio.masking import Masking, apply_masks
from nmfaudio.kernels.threads import set_threads
from nmfaudio.transcription.note_stems import stems_memory

GRIDS = {
    "stft": {},
    "convolutive": {"structure": na.structures.Convolutive()},
    "mel": {"transform": na.Mel(SR, n_mels=40, n_fft=512)},
    "power": {"transform": na.Stft(SR, 512, power=2.0)},
    "another rate": {"sr": 11025},
    "a lower rate": {"sr": 6000},
}


@pytest.mark.parametrize("by", ["note", "pitch", "hand", "track"])
@pytest.mark.parametrize("grid", GRIDS)
def test_stems_sum_to_the_recording(by, grid):
    found = transcription(**GRIDS[grid])
    stems = found.stems(by=by)
    assert np.abs(stems.residual()).max() <= 4e-7
    assert sum(group.energy_share for group in stems.groups.values()) == pytest.approx(1)
    assert list(stems)[-1] == "rest"


@pytest.mark.parametrize("samples", [1, 2, 300, 5000, 256 * 128 + 77])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_a_recording_of_any_length(samples, channels):
    y = np.random.default_rng(1).standard_normal((channels, samples)).astype(np.float32)
    stems = transcription(y=y).stems(by="note")
    assert all(stem.shape == y.shape for stem in stems.values())
    assert np.abs(stems.residual()).max() <= 2e-6


def test_names():
    found = transcription()
    assert list(found.stems(by="note")) == ["1 C4", "2 C5", "3 C4", "rest"]
    assert list(found.stems(by="pitch")) == ["C4", "C5", "rest"]
    assert list(found.stems(by="hand")) == ["left", "right", "rest"]
    assert list(found.stems(by="track")) == ["low", "high", "rest"]
    drums = [replace(note, pitch=key, channel=9) for note, key in zip(NOTES, (36, 42, 90))]  # noqa: B905
    named = transcription(drums, y=found.mixture, pitches=(36, 42, None)).stems()
    assert list(named) == ["kick", "hihat", "drum 90", "rest"]
    with pytest.raises(na.ParameterError, match=r"'voice'.*note, pitch, hand, track"):
        found.stems(by="voice")


def test_without_notes_all_is_rest():
    found = transcription((), y=np.zeros(4000))
    assert list(found.stems(by="note")) == ["rest"]
    loud = transcription((), y=np.ones(4000)).stems()
    np.testing.assert_allclose(loud["rest"], loud.mixture, atol=1e-6)


def test_a_track_called_rest_is_part_of_it():
    found = transcription([replace(note, track="rest") for note in NOTES])
    assert list(found.stems(by="track")) == ["rest"]


def test_each_note_is_heard_where_it_is_played():
    """The sound of each note is nearer to its true sound than half of that is loud."""
    sounds = played(NOTES) / 3
    notes = [replace(note, track="") for note in NOTES]
    found = transcription(notes, y=sounds.sum(axis=0))
    V = STFT.features(STFT.forward(found.mixture))
    W = found.decomposition.W
    d = na.nmf(V, W=W, H=found.decomposition.H, update_W=False, max_iter=200)
    stems = replace(found, decomposition=d).stems(by="note")
    for sound, stem in zip(sounds, stems.values(), strict=False):
        assert np.abs(stem[0] - sound).max() < np.abs(sound).max()
        assert np.square(stem[0] - sound).sum() < 0.05 * np.square(sound).sum()


def test_notes_of_a_pitch_follow_one_another():
    found = transcription([na.Note(0.1, 1.0, 60), na.Note(0.6, 1.0, 60)])
    first, second, _ = found.stems(by="note").values()
    window, change = STFT.n_fft / 2 / SR + 0.02, 0.57
    t = np.arange(first.shape[1]) / SR
    assert not second[0, t < change - window].any()
    assert not first[0, t > change + window].any()
    assert first[0, (t > 0.2) & (t < 0.5)].any()
    assert second[0, (t > 0.7) & (t < 0.9)].any()


def test_blocks_and_local_inverses_change_nothing():
    """The same as masks made for the whole recording at once."""
    y = np.random.default_rng(2).standard_normal(256 * 128 * 2 + 5000)
    notes = [na.Note(0.2, 3.0, 60), na.Note(2.0, 3.9, 72), na.Note(5.0, 8.0, 60)]
    found = transcription(notes, y=y)
    frames = found.decomposition.H.shape[1]
    times = STFT.times(frames)
    W, H = found.decomposition.factors
    mine = np.zeros((2, frames), bool)
    for note in notes:
        row = 0 if note.pitch == 60 else 1
        mine[row] |= (times >= note.onset - 0.03) & (times < note.offset + 0.3)
    parts = [np.outer(W[:, k], H[k] * mine[k]) for k in (0, 1)]
    parts.append(W @ H - sum(parts))
    masks = [*Masking().masks(parts)]
    whole = apply_masks(lambda t: [m[:, t] for m in masks], 3, found.mixture, STFT)
    for own, expected in zip(found.stems(by="pitch").values(), whole, strict=True):
        np.testing.assert_allclose(own, expected, atol=2e-5)


def test_silence_and_dead_models_stay_finite():
    found = transcription(y=np.zeros(4000))
    d = replace(found.decomposition, factors=tuple(0 * F for F in found.decomposition.factors))
    loud = transcription(y=np.ones(4000))
    for one in (found, replace(found, decomposition=d), replace(loud, decomposition=d)):
        stems = one.stems(by="note")
        assert all(np.isfinite(stem).all() for stem in stems.values())
        assert np.abs(stems.residual()).max() <= 1e-6
    # What the model does not explain at all belongs to no note.
    assert not any(stem.any() for name, stem in stems.items() if name != "rest")


def test_components_of_a_stem_sum_to_it():
    stems = transcription().stems(by="pitch")
    sums = {}
    for name, y in stems.components():
        name = name.rpartition("-")[0]
        sums[name] = sums.get(name, 0) + y
    assert set(sums) == set(stems)
    for name, y in sums.items():
        np.testing.assert_allclose(y, stems[name], atol=1e-6)
    assert stems.groups["C4"].components == (0,)
    assert 200 < stems.groups["C4"].centre_hz < 400 < stems.groups["C5"].centre_hz


def test_nothing_is_written_to():
    found = transcription()
    before = [F.copy() for F in (*found.decomposition.factors, found.mixture)]
    found.stems(by="note")
    after = (*found.decomposition.factors, found.mixture)
    assert all(map(np.array_equal, before, after))


QUARTERS = (59.5, 60.0, 60.5)


def quarter_tones():
    """A recording of a tone at each of three pitches a quarter tone apart, and what they are."""
    notes = [na.Note(0.1 + i, 0.8 + i, pitch) for i, pitch in enumerate(QUARTERS)]
    sounds = played(notes, 3.2)
    y = sounds.sum(axis=0)
    stft = na.Stft(SR, 2048)
    V = stft.features(stft.forward(y))
    spectra = [stft.features(stft.forward(tone(pitch))).mean(axis=1) for pitch in QUARTERS]
    W = np.array([*spectra, np.full(len(V), 0.01)]).T
    found = na.nmf(V, W=W, update_W=False, max_iter=200, rng=0)
    whole = transcription(notes, y=y, transform=stft, pitches=(*QUARTERS, None))
    return sounds, replace(whole, decomposition=found)


@pytest.mark.parametrize("by", ["note", "pitch"])
def test_quarter_tones_are_pitches_of_their_own(by):
    sounds, found = quarter_tones()
    stems = found.stems(by=by)
    names = ["C4-50", "C4", "C4+50"]
    assert [name.split()[-1] for name in stems] == [*names, "rest"]
    for k, (sound, stem) in enumerate(zip(sounds, stems.values(), strict=False)):
        assert np.square(stem[0] - sound).sum() < 0.05 * np.square(sound).sum()
        assert stems.groups[[*stems][k]].components == (k,)


def test_a_note_has_the_nearest_components():
    """Also where none has exactly its pitch, but none that are more than half a semitone off."""
    notes = [replace(NOTES[0], pitch=pitch) for pitch in (59.7, 71.6, 72.6, 66)]
    groups = transcription(notes).stems(by="note").groups
    assert [group.components for group in groups.values()] == [(0,), (1,), (), (), (0, 1, 2)]


def test_stems_have_the_same_bytes_for_any_number_of_threads():
    found, made = transcription(sr=11025), []
    for count in (1, 2, 5):
        set_threads(count)
        try:
            made.append([stem.tobytes() for stem in found.stems(by="note").values()])
        finally:
            set_threads(None)
    assert made[0] == made[1] == made[2]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("count", [1, 60])
def test_stems_need_little_memory_beside_themselves(grid, count):
    """As much as is said beforehand at most, and no multiple of the stems that sound at once."""
    sr = GRIDS[grid].get("sr", SR)
    y = np.random.default_rng(1).standard_normal((2, 8 * sr))
    notes = [na.Note(0.1 * i, 0.1 * i + 0.8, 60 + 12 * (i % 2)) for i in range(count)]
    found = transcription(notes, y=y, **GRIDS[grid])
    found.stems(by="note")  # loads what is loaded once
    tracemalloc.start()
    try:
        found.stems(by="note")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    own = (count + 1) * found.mixture.nbytes
    assert own < peak <= stems_memory(found, "note") < 2 * own + 12e6
    assert peak < own + 8e6
