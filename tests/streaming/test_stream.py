"""Streams: independent of their blocks, as late as stated, and stems that sum to the input."""

from collections import deque
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.frequency_bands import FrequencyBands
from nmfaudio.audio.masking import Masking, analyse, apply_masks
from nmfaudio.factorisation.divergences import Beta
from nmfaudio.factorisation.online import activations

SR = 8000
RNG = np.random.default_rng(0)
T = np.arange(SR) / SR
TONE = (0.3 * np.sin(2 * np.pi * 440 * T) * (T % 0.5 > 0.1)).astype(np.float32)
HISS = (0.05 * RNG.standard_normal(SR)).astype(np.float32)
CLICKS = np.zeros(SR, np.float32)
CLICKS[500::2000] = 0.8
Y = np.stack([TONE + HISS + CLICKS, 0.5 * TONE + HISS])
EXAMPLES = {"tone": TONE, "hiss": HISS}


@cache
def learned(**settings):
    return na.learn(EXAMPLES, SR, transform=na.Stft(SR, 256), size=8, max_iter=5, **settings)


KINDS = {
    "drums": lambda: na.Stream(na.DrumSeparator(), SR),
    "drums-ahead": lambda: na.Stream(na.DrumSeparator(mask_power=1.5), SR, lookahead=3),
    "drums-learned": lambda: na.Stream(na.DrumSeparator(max_iter=3), SR, learn_from=Y),
    "hpss": lambda: na.Stream(na.HpssSeparator(n_fft=250, hop=60), SR),
    "hpss-ahead": lambda: na.Stream(na.HpssSeparator(mask="binary"), SR, lookahead=2),
    "hpss-learned": lambda: na.Stream(
        na.HpssSeparator(models=2, n_components=4, max_iter=5), SR, learn_from=Y, lookahead=1
    ),
    "separate": lambda: na.Stream(na.BlindSeparator(max_iter=5, n_components=6), SR, learn_from=Y),
    "guided": lambda: na.Stream(na.GuidedSeparator(example=EXAMPLES), SR),
    "guided-rest": lambda: na.Stream(na.GuidedSeparator(example={"tone": TONE}), SR),
    "guided-stacked": lambda: na.Stream(
        na.GuidedSeparator(dictionary=learned(lags=3)), SR, lookahead=1
    ),
    "guided-convolutive": lambda: na.Stream(
        na.GuidedSeparator(dictionary=learned(kind="convolutive", lags=3)), SR
    ),
    "denoise": lambda: na.Stream(na.DenoiseSeparator(noise=HISS), SR),
    "denoise-signal": lambda: na.Stream(na.DenoiseSeparator(noise=HISS, signal=TONE), SR),
    "denoise-range": lambda: na.Stream(na.DenoiseSeparator(noise=(0.02, 0.1)), SR, lookahead=2),
}
NOTES = {
    "hits": lambda: na.Stream(na.DrumTranscriber(), SR),
    "notes": lambda: na.Stream(na.Transcriber(), SR),
}


def through(stream, y, sizes):
    """All results of a stream, with blocks of these sizes in turn."""
    results, first = [], 0
    while first < y.shape[1]:
        size = sizes[len(results) % len(sizes)]
        results.append(stream.push(y[:, first : first + size]))
        first += size
    results.append(stream.flush())
    return joined(stream, results)


def joined(stream, results):
    if stream.names == ("notes",):
        return {"notes": [event for result in results for event in result["notes"]]}
    return {n: np.concatenate([result[n] for result in results], axis=1) for n in stream.names}


@pytest.mark.parametrize("name", [*KINDS, *NOTES])
def test_blocks_have_no_influence(name):
    make = (KINDS | NOTES)[name]
    whole = through(make(), Y, [Y.shape[1]])
    for sizes in ([1, 7, 0, 400], [256], [1500, 3]):
        other = through(make(), Y, sizes)
        for key, result in whole.items():
            assert np.array_equal(other[key], result), (key, sizes)


@pytest.mark.parametrize("name", KINDS)
def test_stems_sum_to_the_stream(name):
    stems = through(KINDS[name](), Y, [333])
    assert {stem.shape for stem in stems.values()} == {Y.shape}
    np.testing.assert_allclose(sum(stems.values()), Y, atol=1e-6)


@pytest.mark.parametrize("name", KINDS)
def test_stems_are_as_late_as_stated_and_never_later(name):
    stream = KINDS[name]()
    late = []
    done = pushed = 0
    for size in [1] * 1200:
        done += stream.push(Y[:, pushed : pushed + size])[stream.names[0]].shape[1]
        pushed += size
        late.append(pushed - done)
    assert max(late) == stream.delay


@pytest.mark.parametrize("name", KINDS)
def test_what_comes_after_the_delay_has_no_influence(name):
    stream, other, cut = KINDS[name](), KINDS[name](), 5000
    changed = Y.copy()
    changed[:, cut:] = 0.5 * RNG.standard_normal((2, SR - cut))
    a, b = through(stream, Y, [500]), through(other, changed, [500])
    for stem in stream.names:
        same = slice(0, cut - stream.delay)
        assert np.array_equal(a[stem][:, same], b[stem][:, same])


def test_plain_nmf_is_that_of_the_whole():
    dictionary = learned(kind="templates")
    stream = na.Stream(na.GuidedSeparator(dictionary=dictionary, mask_power=1.0), SR)
    stems = through(stream, Y, [100])
    # The same fit to the whole recording; frames of a stream are fitted in bands.
    W = dictionary.templates.astype(np.float32)
    bands = FrequencyBands.proportional(len(W), 0.02)
    V = bands.pool(analyse(Y, stream.transform))
    H = activations(V, bands.pool(W), Beta(1.0), max_iter=20)
    groups = [list(dictionary.components(name)) for name in dictionary.names]

    def masks(frames):
        return Masking(1.0).masks([W[:, g] @ H[g, frames] for g in groups])

    expected = apply_masks(masks, 2, Y, stream.transform)
    for stem, audio in zip(stream.names, expected, strict=True):
        np.testing.assert_allclose(stems[stem], audio, atol=1e-4)


def test_a_range_of_the_stream_is_noise_and_what_is_before_it_signal():
    stream = na.Stream(na.DenoiseSeparator(noise=(0.5, 0.6), floor=-200), SR)
    stems = through(stream, Y, [100])
    half = stream.transform.n_fft // 2
    before, inside = slice(0, 4000 - half), slice(4000 + half, 4800 - half)
    assert abs(stems["noise"][:, before]).max() < 1e-6
    assert abs(stems["signal"][:, inside]).max() < 1e-6
    assert abs(stems["signal"][0, 5500:]).max() > 0.2


def test_more_noise_stays_in_the_signal_with_a_higher_floor():
    noise = [
        float(np.square(through(na.Stream(s, SR), Y, [500])["noise"]).sum())
        for s in (na.DenoiseSeparator(noise=HISS, floor=f) for f in (-6, -20))
    ]
    assert 0 < noise[0] < noise[1]


def test_a_stream_does_not_grow():
    for name in ("drums", "hpss-ahead", "guided-stacked", "denoise-range", "hits", "notes"):
        stream = (KINDS | NOTES)[name]()
        sizes = []
        for n in range(2500):
            stream.push(Y[:, 2 * n : 2 * n + 2])
            if n in (1500, 2499):
                sizes.append(footprint(stream))
        assert sizes[1] <= sizes[0] * 1.02, name


def footprint(value, seen=None):
    """Bytes of all arrays, and number of all items, that an object refers to."""
    seen = set() if seen is None else seen
    if id(value) in seen or isinstance(value, type):
        return 0
    seen.add(id(value))
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(1 + footprint(item, seen) for item in value.values())
    if isinstance(value, list | tuple | deque | set):
        return sum(1 + footprint(item, seen) for item in value)
    if hasattr(value, "__closure__"):
        return sum(footprint(c.cell_contents, seen) for c in value.__closure__ or ())
    return footprint(vars(value), seen) if hasattr(value, "__dict__") else 0


@pytest.mark.slow
def test_a_stream_does_not_grow_in_ten_thousand_pushes():
    stream = na.Stream(na.DrumSeparator(n_fft=64), SR)
    sizes = []
    for n in range(10_000):
        stream.push(Y[:, n % 7000 : n % 7000 + 64])
        if n in (1000, 9999):
            sizes.append(footprint(stream))
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("name", ["drums", "hpss", "denoise", "guided-rest", "hits", "notes"])
@pytest.mark.parametrize("scale", [0.0, 2.0**-100, 2.0**60])
def test_silence_and_extreme_levels_work(name, scale):
    stream = (KINDS | NOTES)[name]()
    y = Y * np.float32(scale)
    results = through(stream, y, [1000])
    if name in KINDS:
        assert all(np.isfinite(stem).all() for stem in results.values())
        np.testing.assert_allclose(sum(results.values()), y, atol=1e-6 * max(scale, 1))
    if scale == 0:
        assert results.get("notes", []) == []


def test_nan_is_refused_with_its_time_and_leaves_the_stream_as_it_was():
    stream = na.Stream(na.HpssSeparator(), SR)
    results = [stream.push(Y[:, :4000])]
    bad = Y[:, 4000:].copy()
    bad[1, 800] = np.nan
    with pytest.raises(na.ContentError, match=r"at 0\.600 s.*nonfinite"):
        stream.push(bad)
    results += [stream.push(Y[:, 4000:]), stream.flush()]
    expected = through(na.Stream(na.HpssSeparator(), SR), Y, [8000])
    assert np.array_equal(joined(stream, results)["harmonic"], expected["harmonic"])


def test_nan_becomes_zero_by_option_with_one_warning():
    y, repaired = Y.copy(), Y.copy()
    y[:, [900, 5000]], repaired[:, [900, 5000]] = np.inf, 0
    stream = na.Stream(na.HpssSeparator(), SR, nonfinite="zero")
    with pytest.warns(na.errors.AudioWarning, match=r"0\.113 s") as caught:
        stems = through(stream, y, [800])
    assert len(caught) == 1
    expected = through(na.Stream(na.HpssSeparator(), SR), repaired, [800])
    assert np.array_equal(stems["percussive"], expected["percussive"])


def test_one_axis_is_one_channel_and_channels_stay():
    stream = na.Stream(na.HpssSeparator(), SR)
    assert stream.push(Y[0, :0])["harmonic"].shape == (1, 0)
    assert stream.push(Y[0].astype(np.float64))["harmonic"].dtype == np.float32
    with pytest.raises(na.errors.ShapeError, match="1 channels"):
        stream.push(Y)


@pytest.mark.parametrize(
    "block", [np.zeros(9, np.int16), np.zeros((1, 1, 9)), (Y, SR), Y.T, np.zeros((0, 9))]
)
def test_other_blocks_are_refused(block):
    with pytest.raises(na.ParameterError):
        na.Stream(na.HpssSeparator(), SR).push(block)


def test_a_flushed_stream_has_ended():
    stream = na.Stream(na.HpssSeparator(), SR)
    assert stream.flush()["harmonic"].shape == (1, 0)
    for act in (stream.flush, lambda: stream.push(Y)):
        with pytest.raises(na.ParameterError, match="flushed"):
            act()


@dataclass(frozen=True, kw_only=True)
class OtherModel(na.separators.NmfSeparator):
    """A separator whose model is no sum of templates."""

    def model(self, inputs):
        d = na.nmf(inputs.V, 2, max_iter=1)
        other = replace(d, structure=na.structures.Channels())
        return na.separators.GroupedDecomposition(other, {"a": [0], "b": [1]})

    def size(self):
        return 2, 2


@pytest.mark.parametrize(
    ("separator", "settings", "message"),
    [
        (na.BlindSeparator(), {}, "learn_from"),
        (OtherModel(), {"learn_from": Y}, "fixed templates"),
        (na.DrumSeparator(hits=True), {}, "hits is"),
        (na.DrumSeparator(onsets={"kick": [0.1]}), {}, "onsets is"),
        (na.HpssSeparator(residual=True), {}, "residual is"),
        (na.HpssSeparator(), {"lookahead": 60}, "lookahead is 60"),
        (na.HpssSeparator(), {"lookahead": -1}, "lookahead"),
        (na.HpssSeparator(), {"nonfinite": "keep"}, "nonfinite"),
        (na.DenoiseSeparator(), {}, "noise is needed"),
        (na.DenoiseSeparator(noise=[(0, 1), HISS]), {}, "one time range"),
        (na.DenoiseSeparator(noise=(1, 1)), {}, "time range"),
        (na.DenoiseSeparator(noise=HISS, signal=(0, 1)), {}, "signal is a time range"),
        (na.GuidedSeparator(example=EXAMPLES, adapt=1.0), {}, "adapt"),
        (na.GuidedSeparator(example=EXAMPLES), {"learn_from": Y}, "examples"),
        (na.Transcriber(), {"lookahead": 1}, "lookahead"),
        (na.Transcriber(model=na.transcription.NoteModel(n_free=1)), {}, "n_free"),
        (na.Transcriber(model=na.transcription.AttackDecayModel()), {}, "AttackDecayModel"),
        (na.Transcriber(monophonic=True), {}, "leave out monophonic"),
        (na.HpssSeparator, {}, "must be a separator"),
        (na.HpssSeparator(), {"learn_from": na.example("drums")}, "44100 Hz"),
    ],
)
def test_what_a_stream_cannot_do_is_refused(separator, settings, message):
    with pytest.raises(na.ParameterError, match=message):
        na.Stream(separator, SR, **settings)


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000, 96000])
def test_windows_are_short_unless_a_setting_says_otherwise(sr):
    stream = na.Stream(na.HpssSeparator(), sr)
    assert 0.045 * sr < stream.transform.n_fft <= 0.05 * sr
    assert stream.delay == stream.transform.n_fft - 1
    assert na.Stream(na.HpssSeparator(n_fft=1024), sr).delay == 1023


def test_live_drums_are_nearly_as_good_as_those_of_the_whole_recording():
    song = na.example("drums")
    y, sr = na.read(song).samples, 44100
    true = {n: na.read(na.example("drums", f"sources/{n}.flac")).samples for n in ("kick", "snare")}
    separator = na.DrumSeparator(one_shots=na.example("drums", "one_shots"))
    stems = through(na.Stream(separator, sr), y, [4096])
    kick, snare = (na.metrics.si_sdr(true[name][0], stems[name][0]) for name in ("kick", "snare"))
    assert kick > 16.5
    assert snare > 10.5
