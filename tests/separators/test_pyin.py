"""`pyin` equals that of librosa, whose defaults it has."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.kernels.threads import set_threads
from nmfaudio.separators.pulse_trains import pulse_trains
from nmfaudio.separators.pyin import pyin

SR = 8000


@pytest.fixture(scope="module")
def recording():
    """A gliding voice with a pause, over noise."""
    rng = np.random.default_rng(0)
    times = np.arange(0, 4, 0.01)
    hertz = np.where(np.abs(times - 2) < 0.3, 0, 200 * 2 ** np.sin(2 * times))
    voice = na.separators.Pitch(times, hertz).pulse_train(4 * SR, SR)
    return voice + 0.5 * rng.standard_normal(len(voice))


@pytest.mark.parametrize(("lowest", "highest", "frame"), [(65.4, 1046.5, 1024), (100, 600, 512)])
def test_it_equals_that_of_librosa(recording, lowest, highest, frame):
    import librosa

    times, hertz = pyin(recording, SR, lowest=lowest, highest=highest, frame_length=frame)
    reference, voiced, _ = librosa.pyin(
        recording, fmin=lowest, fmax=highest, sr=SR, frame_length=frame
    )
    assert 0.2 < voiced.mean() < 0.95
    # librosa leaves out the first sample's energy at lag 1, which decides calls as close as 1e-6.
    assert np.isclose(hertz, np.where(voiced, reference, 0)).mean() > 0.97
    np.testing.assert_allclose(times, librosa.times_like(reference, sr=SR, hop_length=frame // 4))


def test_silence_has_no_pitch():
    hertz = pyin(np.zeros(SR), SR, lowest=65, highest=1000, frame_length=1024)[1]
    assert not hertz.any()


def test_it_does_not_depend_on_the_number_of_threads(recording):
    results = []
    try:
        for count in (1, 3):
            set_threads(count)
            found = pyin(recording, SR, lowest=65, highest=1000, frame_length=1024)
            results.append(found[1].tobytes())
    finally:
        set_threads(None)
    assert results[0] == results[1]


def test_pulse_trains_fade_along_a_hann_window():
    """The gate is the convolution of the voiced samples with the window."""
    voiced = np.zeros(4000, bool)
    voiced[[*range(500), *range(1000, 1100), *range(2000, 4000)]] = True

    def pitch_at(times):
        return np.full(len(times), 100.0), voiced[np.rint(times * SR).astype(int)]

    def steady(times):
        return np.full(len(times), 100.0), np.ones(len(times), bool)

    wave, ungated = (pulse_trains(pitch, 4000, SR)[0] for pitch in (pitch_at, steady))
    window = np.hanning(2 * int(0.02 * SR) + 3)
    gate = np.convolve(voiced, window / window.sum(), "same")
    inside = slice(200, 3800)
    assert not wave[inside][gate[inside] < 1e-12].any()
    np.testing.assert_allclose(wave[inside], (gate * ungated)[inside], rtol=1e-4, atol=1e-4)


def test_transpositions_at_once_equal_those_one_by_one():
    pitch = na.separators.Pitch([0.0, 0.5], [200.0, 300.0])
    together = pulse_trains(pitch.at, SR // 2, SR, cents=(-20.0, 0.0, 30.0))
    for wave, cents in zip(together, (-20.0, 0.0, 30.0), strict=True):
        np.testing.assert_array_equal(wave, pitch.pulse_train(SR // 2, SR, cents=cents))
