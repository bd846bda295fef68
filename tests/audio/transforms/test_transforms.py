"""Laws of every transform, whatever axis its features live on."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.masking import Masking, analyse, apply_masks
from nmfaudio.audio.masks import binary_masks, soft_masks
from nmfaudio.audio.transforms import TRANSFORMS, Transform, rows_in, transform_from
from nmfaudio.errors import ParameterError, ShapeError
from nmfaudio.stems.masks import group_masks

SR = 8000
CASES = {
    "stft": na.Stft(SR, 512),
    "mel": na.Mel(SR, n_mels=30, n_fft=512),
    "mel-partial": na.Mel(SR, n_mels=12, fmin=300, fmax=2000, n_fft=1024, hop=300, power=2),
    "erb": na.Erb(SR, n_bands=24, n_fft=512),
    "erb-partial": na.Erb(SR, n_bands=5, fmin=500, fmax=900, n_fft=512, window="hamming", power=2),
    "cqt": na.Cqt(SR, fmin=220, n_bins=44),
    "cqt-fine": na.Cqt(SR, fmin=500, n_bins=24, bins_per_octave=24, window="blackman", power=2),
    "vqt": na.Cqt(SR, fmin=60, n_bins=66, gamma=20),
    "cqt-one": na.Cqt(SR, fmin=1000, n_bins=1, n_fft=512, hop=100),
}
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}

every_transform = pytest.mark.parametrize("transform", CASES.values(), ids=CASES)
every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
rng = np.random.default_rng(0)
SAMPLE = Path(__file__).parents[3] / "audio_samples" / "piano" / "mixture.flac"
NOISE = rng.standard_normal((2, 5000))


def tone(hertz, seconds=1.0, sr=SR):
    return np.sin(2 * np.pi * hertz * np.arange(int(seconds * sr)) / sr)


def test_every_kind_is_held_to_the_laws():
    assert {transform.kind for transform in CASES.values()} == set(TRANSFORMS)


@every_transform
@every_dtype
@pytest.mark.parametrize("length", [1, 777, 5000])
def test_inverse_gives_back_the_audio(transform: Transform, dtype, length):
    y = NOISE[:, :length].astype(dtype)
    Z = transform.forward(y)
    kept = Z.copy()
    V = transform.features(Z)
    assert V.dtype == dtype
    assert V.shape == (len(transform.frequencies), transform.n_frames(length))
    assert len(transform.times(V.shape[1])) == V.shape[1]
    assert np.isfinite(V).all()
    assert (V >= 0).all()
    np.testing.assert_array_equal(Z, kept)
    np.testing.assert_allclose(transform.inverse(Z, length), y, atol=4 * TOLERANCE[dtype])


@every_transform
@every_dtype
def test_blockwise_equals_the_whole_to_the_bit(transform, dtype):
    y = NOISE.astype(dtype)
    Z, frames = transform.forward(y), 7
    blocks = list(transform.forward_blocks(y, frames))
    np.testing.assert_array_equal(np.concatenate(blocks, axis=-1), Z)
    V = transform.features(Z)
    parts = [transform.features(block) for block in blocks]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), V)
    np.testing.assert_array_equal(analyse(y, transform), V)
    lifted = transform.lift(V)
    parts = [transform.lift(part) for part in parts]
    np.testing.assert_array_equal(np.concatenate(parts, axis=-1), lifted)
    back = list(transform.inverse_blocks(blocks, y.shape[1]))
    np.testing.assert_array_equal(np.concatenate(back, axis=-1), transform.inverse(Z, y.shape[1]))


@every_transform
@every_dtype
@pytest.mark.parametrize("make", [soft_masks, binary_masks])
def test_lifted_masks_sum_to_one_in_every_bin(transform, dtype, make):
    bands, bins = len(transform.frequencies), transform.n_fft // 2 + 1
    parts = [rng.random((bands, 9)).astype(dtype) ** 4 for _ in range(3)]
    lifted = [transform.lift(mask) for mask in make(parts)]
    for mask in lifted:
        assert mask.shape == (bins, 9)
        assert mask.dtype == dtype
        assert mask.min() >= 0
        assert mask.max() <= 1 + TOLERANCE[dtype]
    np.testing.assert_allclose(sum(lifted), 1, atol=TOLERANCE[dtype])


@every_transform
def test_a_bin_takes_its_mask_from_the_band_that_lies_there(transform):
    bands = transform.frequencies
    lifted = transform.lift(np.eye(len(bands)))
    there = np.round(bands * transform.n_fft / SR).astype(int)
    near = lifted[there].argmax(axis=1)  # two low bands may share a bin
    assert (np.abs(bands[near] - bands) <= SR / transform.n_fft).all()
    assert lifted[0, 0] == lifted[0].max()
    assert lifted[-1, -1] == lifted[-1].max()


@every_transform
def test_features_of_silence_are_zero_and_of_opposite_phases_not(transform):
    assert not transform.features(transform.forward(np.zeros((2, 3000)))).any()
    y = NOISE[0]
    one = transform.features(transform.forward(y))
    two = transform.features(transform.forward(np.stack([y, -y])))
    np.testing.assert_allclose(two, one, rtol=1e-9, atol=1e-12)


@every_transform
def test_parameters_survive_json(transform):
    said = json.loads(json.dumps(transform.to_dict()))
    assert said["kind"] == transform.kind
    again = transform_from(said)
    assert again == transform
    assert hash(again) == hash(transform)
    assert again.to_dict() == transform.to_dict()


def test_transforms_differ_where_a_parameter_does():
    assert len(set(CASES.values())) == len(CASES)
    assert na.Mel(SR, n_mels=30, n_fft=512) != na.Mel(SR, n_mels=31, n_fft=512)
    assert na.Cqt(SR, fmin=220, n_bins=9) != na.Cqt(SR, fmin=221, n_bins=9)


def test_what_was_saved_before_there_were_kinds_is_an_stft():
    assert transform_from({"sr": SR, "n_fft": 512}) == na.Stft(SR, 512)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"kind": "wavelet", "sr": SR},
            "unknown transform 'wavelet': import the module .* known are stft, mel",
        ),
        ({"kind": "mel", "sr": SR, "bands": 3}, "the transform 'mel' does not take.*bands"),
        ({"kind": "cqt", "sr": SR, "fmin": -1}, "fmin must"),
    ],
)
def test_unknown_parameters_are_named(parameters, message):
    with pytest.raises(ParameterError, match=message):
        transform_from(parameters)


@every_transform
def test_rows_are_known_without_building_the_transform(transform: Transform):
    assert rows_in(transform.to_dict()) == len(transform.frequencies)
    defaults = {"kind": transform.kind, "sr": 44100}
    assert rows_in(defaults) == len(transform_from(defaults).frequencies)
    assert rows_in({"kind": "erb", "n_bands": 10**12}) == 10**12


@pytest.mark.parametrize("count", ["many", None, [3], math.inf, math.nan])
@pytest.mark.parametrize(
    ("kind", "name"), [("stft", "n_fft"), ("mel", "n_mels"), ("erb", "n_bands"), ("cqt", "n_bins")]
)
def test_rows_of_damaged_parameters_are_refused(kind, name, count):
    with pytest.raises(ParameterError, match=f"{kind} does not take"):
        rows_in({"kind": kind, "sr": SR, name: count})


@pytest.mark.parametrize("kind", ["mel", "erb", "cqt", "vqt"])
@every_dtype
def test_two_tones_are_separated_on_any_axis(kind, dtype):
    transform = CASES[kind]
    low, high = tone(440) * np.linspace(1, 0, SR), tone(1760) * np.linspace(0, 1, SR)
    y = np.stack([low + high, low - high]).astype(dtype)
    d = na.nmf(analyse(y, transform), 2, max_iter=100, rng=0)
    order = np.argsort(transform.frequencies @ d.W / d.W.sum(0))
    stems = apply_masks(group_masks(d, [[k] for k in order], Masking()), 2, y, transform)
    np.testing.assert_allclose(stems.sum(axis=0), y, atol=1e-5 if dtype == np.float32 else 1e-12)
    assert na.metrics.si_sdr(low, stems[0].mean(axis=0)) > 20
    assert na.metrics.si_sdr(high, stems[1][0] - stems[1][1]) > 20


def test_a_mask_of_another_axis_is_refused():
    with pytest.raises(ShapeError, match="30 rows, one for each band"):
        CASES["mel"].lift(np.ones((257, 4)))


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_mel_features_are_librosas(power):
    import librosa

    y = NOISE[0]
    ours = na.Mel(SR, n_mels=40, n_fft=512, hop=125, power=power)
    theirs = librosa.feature.melspectrogram(
        y=y, sr=SR, n_fft=512, hop_length=125, n_mels=40, power=power, pad_mode="constant"
    )
    V = ours.features(ours.forward(y))
    np.testing.assert_allclose(V[:, : theirs.shape[1]], theirs, rtol=1e-5)
    assert np.all(np.diff(ours.frequencies) > 0)


def test_erb_bands_are_as_wide_as_the_ears():
    erb = na.Erb(16000, n_bands=20, fmin=300, fmax=6000, n_fft=4096, power=2)
    rows = erb.lift(np.eye(20)).shape[0]
    assert rows == 2049
    # A band's answer to a flat spectrum is its area: that of a rectangle of its width.
    flat = np.ones((1, rows, 1), complex)
    area = erb.features(flat)[:, 0] * 16000 / 4096
    np.testing.assert_allclose(area, 24.7 * (0.00437 * erb.frequencies + 1), rtol=0.01)
    # Glasberg & Moore's own example: 132.6 Hz at 1 kHz; and steps even in ERBs.
    one = na.Erb(16000, n_bands=2, fmin=1000, fmax=2000, n_fft=4096, power=2)
    assert one.features(flat)[0, 0] * 16000 / 4096 == pytest.approx(132.6, rel=0.01)
    steps = np.diff(21.4 * np.log10(0.00437 * erb.frequencies + 1))
    np.testing.assert_allclose(steps, steps[0])


@pytest.mark.parametrize(
    "wanted",
    [
        {"fmin": 220, "n_bins": 24},
        {"fmin": 220, "n_bins": 24, "gamma": 30},
        {"fmin": 55, "n_bins": 48, "gamma": 12},
        {"fmin": 55, "n_bins": 4, "bins_per_octave": 1},  # with much at negative frequencies
    ],
)
def test_cqt_is_the_product_with_each_wavelet(wanted):
    import librosa

    cqt = na.Cqt(SR, n_fft=1024, hop=200, **wanted)
    y = NOISE[0]
    V = cqt.features(cqt.forward(y))
    basis, lengths = librosa.filters.wavelet(
        freqs=cqt.frequencies, sr=SR, gamma=cqt.gamma, pad_fft=False, dtype=np.complex128
    )
    basis = librosa.util.pad_center(basis, size=1024)
    padded = np.pad(y, 512)
    for frame in (3, 10, 20):
        direct = np.abs(basis.conj() @ padded[frame * 200 :][:1024]) * np.sqrt(lengths)
        np.testing.assert_allclose(V[:, frame], direct, atol=2e-4 * V.max())


@pytest.mark.parametrize(("gamma", "within"), [(0, 0.006), (10, 0.01)])
@pytest.mark.parametrize("what", ["tone", "chirp", "piano"])
def test_cqt_features_are_librosas(what, gamma, within):
    import librosa

    sr = 22050
    t = np.arange(2 * sr) / sr
    if what == "piano":
        import soundfile

        y, sr = soundfile.read(SAMPLE, frames=3 * 44100)
    elif what == "tone":
        y = np.sin(2 * np.pi * 440 * t) + 0.5 * np.sin(2 * np.pi * 1234 * t)
    else:
        y = np.sin(2 * np.pi * (100 * t + 400 * t**2))
    cqt = na.Cqt(sr, fmin=110, n_bins=48, hop=256, gamma=gamma)
    wanted = {"hop_length": 256, "fmin": 110, "n_bins": 48, "gamma": gamma}
    theirs = np.abs(librosa.vqt(y, sr=sr, tuning=0, sparsity=0, **wanted))
    edge = cqt.n_fft // 256
    V = cqt.features(cqt.forward(y))[:, edge : theirs.shape[1] - edge]
    theirs = theirs[:, edge:-edge]
    error = np.linalg.norm(V - theirs) / np.linalg.norm(theirs)
    assert error < within
    assert np.abs(V - theirs).max() < 2 * within * theirs.max()


def test_a_transposition_is_a_shift():
    cqt = na.Cqt(SR, fmin=220, n_bins=36)
    low, high = (cqt.features(cqt.forward(tone(f)))[:, 30] for f in (440, 440 * 2 ** (5 / 12)))
    np.testing.assert_allclose(high[5:] / high.max(), low[:-5] / low.max(), atol=6e-3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: na.Mel(SR, n_mels=0), "n_mels must be an integer of at least 1"),
        (lambda: na.Mel(SR, fmin=4000), "fmin 4000 Hz and fmax 4000 Hz do not fit audio of 8000"),
        (lambda: na.Mel(SR, fmax=5000), "0 ≤ fmin < fmax ≤ 4000 is needed"),
        (lambda: na.Mel(SR, n_mels=200, n_fft=256), "bands, the first near .* have no bin"),
        (lambda: na.Mel(SR, hop=99999), "hop must"),
        (lambda: na.Mel(99), "sr is 99; it must"),
        (lambda: na.Erb(SR, n_bands=2.5), "n_bands must"),
        (lambda: na.Erb(SR, fmin=math.nan), "fmin must"),
        (lambda: na.Cqt(SR, fmin=0), "fmin must be a finite number above 0"),
        (lambda: na.Cqt(SR, gamma=-1), "gamma must be a finite number of at least 0"),
        (lambda: na.Cqt(SR, n_bins=12, gamma=1, n_fft=1024), "take fmin from 118.1 Hz or n_fft 40"),
        (lambda: na.Cqt(SR, n_bins=84), "reach beyond 4000 Hz.*take n_bins up to"),
        (lambda: na.Cqt(SR, fmin=1e6), "fmin 1e.06 Hz reaches beyond 4000"),
        (lambda: na.Cqt(SR, fmin=3999, n_bins=1), "reaches beyond 4000 Hz.*a lower one"),
        (lambda: na.Cqt(SR, n_bins=12, n_fft=1024), "n_fft 1024; take fmin from .* or n_fft 8192"),
        (lambda: na.Cqt(SR, fmin=0.01, n_bins=12), "longer than n_fft 1048576; take fmin from"),
        (lambda: na.Cqt(SR, fmin=440, n_bins=12, window="flattop", n_fft=512), "flattop"),
    ],
)
def test_bad_parameters_are_named(make, message):
    with pytest.raises(ParameterError, match=message):
        make()


def test_what_the_messages_propose_works():
    with pytest.raises(ParameterError) as refused:
        na.Cqt(SR, n_bins=12, n_fft=1024)
    fmin = float(re.search(r"fmin from ([0-9.]+) Hz", str(refused.value))[1])
    assert na.Cqt(SR, fmin=fmin, n_bins=12, n_fft=1024).n_fft == 1024
    assert na.Cqt(SR, n_bins=12, n_fft=8192) == na.Cqt(SR, n_bins=12)
    with pytest.raises(ParameterError) as refused:
        na.Cqt(SR, n_bins=84)
    most = int(str(refused.value).split()[-1])
    assert na.Cqt(SR, n_bins=most).n_bins == most
    with pytest.raises(ParameterError):
        na.Cqt(SR, n_bins=most + 1)
