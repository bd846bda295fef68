"""Learning: what was heard is in the dictionary, once, and silence is not."""

import itertools

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import nmfaudio as na
from nmfaudio.audio.masking import analyse
from nmfaudio.dictionaries.exemplars import SAME, choose_exemplars
from nmfaudio.dictionaries.recordings import as_recordings
from nmfaudio.errors import AudioFileError, ContentError, ParameterError
from nmfaudio.kernels.threads import set_threads
from nmfaudio.symbolic.names import pitch_named

SR = 8000
STFT = na.Stft(SR, 256, 64)
KINDS = [("exemplars", None), ("exemplars", 3), ("templates", None), ("convolutive", 4)]


def tone(hz, seconds=0.5, dtype=np.float32):
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * SR)) / SR).astype(dtype)


def hiss(seconds=0.5, dtype=np.float32):
    return np.random.default_rng(0).standard_normal(round(seconds * SR)).astype(dtype)


def learn(examples, **more):
    return na.learn(examples, **{"sr": SR, "transform": STFT, "max_iter": 10} | more)


def loudest_hz(dictionary):
    """Of each component."""
    flat = np.atleast_3d(dictionary.templates.T).sum(axis=-1)
    return STFT.frequencies[flat.argmax(axis=1)]


@pytest.mark.parametrize(("kind", "lags"), KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_templates_sum_to_one_and_keep_their_precision(kind, lags, dtype):
    known = learn(
        {"tone": tone(1000, dtype=dtype), "hiss": [hiss(dtype=dtype)] * 2},
        kind=kind,
        lags=lags,
        size=3,
    )
    assert known.templates.dtype == dtype
    assert known.templates.shape == ((lags,) if lags else ()) + (129, len(known.labels))
    assert known.names == ("tone", "hiss")
    assert (known.kind, known.transform, known.beta_loss) == (kind, STFT, 1.0)
    sums = known.templates.sum(axis=tuple(range(known.templates.ndim - 1)), dtype=float)
    np.testing.assert_allclose(sums, 1, rtol=1e-6)
    assert loudest_hz(known.select("tone")).tolist() == [1000] * len(known.components("tone"))


@pytest.mark.parametrize(("kind", "lags"), KINDS)
def test_the_same_seed_gives_the_same_bytes_for_any_number_of_threads(kind, lags):
    made = []
    try:
        for count in (1, 2):
            set_threads(count)
            known = learn({"a": hiss(3)}, kind=kind, lags=lags, size=12, rng=5)
            made.append(known.templates.tobytes())
    finally:
        set_threads(None)
    assert made[0] == made[1]
    other = learn({"a": hiss(3)}, kind=kind, lags=lags, size=12, rng=6)
    assert other.templates.tobytes() != made[0]


@pytest.mark.parametrize(("kind", "lags"), KINDS)
def test_silence_is_left_out(kind, lags):
    pause = np.zeros(SR, np.float32)
    faint = 1e-5 * hiss()
    y = np.concatenate([pause, tone(1000), pause, faint, pause, tone(2000), pause])
    known = learn({"a": [y, pause]}, kind=kind, lags=lags, size=8)
    flat = known.templates.reshape(-1, 129, known.n_components).sum(axis=0)
    near = np.isclose(STFT.frequencies[:, None], [1000, 2000], atol=200).any(axis=1)
    assert flat[near].sum() > 0.7 * flat.sum()  # the rest is where tones begin and end


@pytest.mark.parametrize(("kind", "lags"), KINDS)
def test_silence_alone_is_refused(kind, lags):
    with pytest.raises(ContentError, match="drums: its recordings are silent"):
        learn({"a": hiss(), "drums": np.zeros(SR)}, kind=kind, lags=lags)


@pytest.mark.parametrize(("kind", "lags"), KINDS)
@pytest.mark.parametrize("samples", [1, 64, 100])
def test_the_shortest_recordings(kind, lags, samples):
    known = learn({"a": hiss()[:samples]}, kind=kind, lags=lags, size=50)
    frames = STFT.n_frames(samples)
    assert 1 <= known.n_components <= max(frames - known.lags + 1, 1)
    assert np.isfinite(known.templates).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-3, 1e30])
@pytest.mark.parametrize(("kind", "lags"), KINDS)
def test_loudness_changes_nothing(kind, lags, scale):
    y = np.concatenate([tone(1000), hiss()]).astype(np.float64)
    for beta in (0.0, 1.0):
        known = learn({"a": y}, kind=kind, lags=lags, size=4, beta_loss=beta, transform=None)
        scaled = learn(
            {"a": scale * y}, kind=kind, lags=lags, size=4, beta_loss=beta, transform=None
        )
        np.testing.assert_allclose(scaled.templates, known.templates, rtol=1e-3, atol=1e-6)
    assert known.transform.power == 1


def test_itakura_saito_learns_powers():
    known = na.learn({"a": hiss()}, SR, kind="templates", beta_loss=0, size=2, max_iter=5)
    assert known.transform == na.Stft(SR, 1024, power=2.0)


def test_nothing_is_written_into_what_was_given():
    y = hiss()
    before = y.copy()
    learn({"a": y}, size=3)
    np.testing.assert_array_equal(y, before)


def test_a_sound_by_itself_gets_components_of_its_own():
    notes = [na.Recording(tone(hz), pitch=pitch) for hz, pitch in ((1000, 83), (2000, 95))]
    for kind, size in (("exemplars", 2), ("templates", 1), ("convolutive", 1)):
        known = learn({"piano": [*notes, hiss()], "b": hiss()}, kind=kind, size=size)
        alone = [k for k, pitch in enumerate(known.pitches) if pitch is not None]
        assert [known.pitches[k] for k in alone] == [83] * size + [95] * size
        assert alone[0] > 0  # what recordings have together comes first
        assert loudest_hz(known)[alone].tolist() == [1000] * size + [2000] * size
        assert known.labels[alone[-1] + 1] == "b"


def test_folders_of_hits_and_of_notes(tmp_path):
    for name in ("60.wav", "F#4.flac", "Bb2.wav"):
        (tmp_path / "notes").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "notes" / name, tone(1000), SR)
    (tmp_path / "notes" / "readme.txt").write_text("notes")
    (tmp_path / "notes" / ".hidden.wav").write_text("no audio")
    (tmp_path / "hits").mkdir()
    for name in ("1.wav", "loud.wav"):
        soundfile.write(tmp_path / "hits" / name, hiss(), SR)
    known = learn(
        {"piano": tmp_path / "notes", "snare": str(tmp_path / "hits")}, kind="convolutive"
    )
    assert known.labels == ("piano",) * 3 + ("snare",) * 2
    assert known.pitches == (60, 46, 66, None, None)
    (tmp_path / "none").mkdir()
    with pytest.raises(ContentError, match="none: has no audio files"):
        as_recordings(tmp_path / "none")


def test_pitches_that_names_say():
    names = {"0": 0, "127": 127, "128": None, "C4": 60, "a4": 69, "Cb4": 59, "G9": 127, "A9": None}
    names |= {"C-1": 0, "Cb-1": None, "H4": None, "C": None, "kick1": None, "٤": None, "Fs3": 54}
    assert {name: pitch_named(name) for name in names} == names


def test_stretches_of_a_recording(tmp_path):
    y = np.concatenate([tone(1000), tone(2000), tone(3000)])
    soundfile.write(tmp_path / "mix.wav", y, SR, subtype="FLOAT")
    for audio in (tmp_path / "mix.wav", y):
        first, second = na.Recording(audio, 0, 0.4), na.Recording(audio, start_time=1.1)
        known = learn({"a": first, "b": [second]}, size=2)
        assert set(loudest_hz(known.select("a"))) == {1000}
        assert set(loudest_hz(known.select("b"))) == {3000}
    with pytest.raises(ContentError, match=r"an array 9- s lies outside .* lasts 1\.5 s"):
        learn({"a": na.Recording(y, 9)})


def test_channels_count_together():
    known = learn({"a": np.stack([tone(1000), -tone(1000)])}, size=1)
    np.testing.assert_allclose(
        known.templates, learn({"a": tone(1000)}, size=1).templates, rtol=1e-5, atol=1e-8
    )


def test_sample_rates_that_differ(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(1000), SR, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", tone(1000), 2 * SR, subtype="FLOAT")
    both = {"a": tmp_path / "a.wav", "b": tmp_path / "b.wav"}
    with pytest.raises(ParameterError, match=r"b: .*b\.wav has a sample rate of 16000 Hz, 8000"):
        na.learn(both)
    with pytest.raises(ParameterError, match="array has a sample rate of 8000 Hz, 16000 Hz"):
        na.learn({"a": tone(1000)}, SR, transform=na.Stft(2 * SR, 512))
    known = na.learn(both, resample=True, transform=STFT, size=2)
    assert set(loudest_hz(known.select("b"))) == {2000}  # twice as fast as it was written


@pytest.mark.parametrize(
    ("examples", "more", "error", "words"),
    [
        ({}, {}, ParameterError, "no recordings"),
        ([hiss()], {}, ParameterError, "no recordings"),
        ({"a": []}, {}, ParameterError, "no recordings"),
        ({"a": 5}, {}, ParameterError, "got int"),
        ({"a": [None]}, {}, ParameterError, "got NoneType"),
        ({"a": "missing.wav"}, {}, AudioFileError, "No such file"),
        ({"a": hiss()}, {"sr": None}, ParameterError, "sr is missing"),
        ({"a": hiss()}, {"kind": "frames"}, ParameterError, "exemplars, convolutive"),
        ({"a": hiss()}, {"size": 0}, ParameterError, "size"),
        ({"a": hiss()}, {"lags": 1.5}, ParameterError, "lags"),
        ({"a": hiss()}, {"kind": "templates", "lags": 2}, ParameterError, "lags is 2"),
        ({"a": hiss()}, {"kind": "convolutive", "lags": 1}, ParameterError, "lags is 1"),
        ({"a": hiss()}, {"beta_loss": "kl!"}, ParameterError, "beta"),
        ({"a\n": hiss()}, {}, ParameterError, "a label"),
    ],
)
def test_what_cannot_be_learned(examples, more, error, words):
    with pytest.raises(error, match=words) as caught:
        learn(examples, **more)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "fields",
    [{"start_time": -1}, {"stop_time": 0}, {"stop_time": 1, "start_time": 2}, {"pitch": "C4"}],
)
def test_what_is_no_example(fields):
    with pytest.raises(ParameterError, match=f"{next(iter(fields))}"):
        na.Recording("a.wav", **fields)


def test_callbacks_hear_of_each_factorisation():
    heard = []
    learn({"a": hiss(), "b": hiss()}, kind="templates", size=3, callback=lambda p: heard.append(p))
    assert sorted({progress.start_index for progress in heard}) == [0, 1]
    stopped = learn({"a": hiss()}, kind="templates", size=3, callback=lambda p: True)
    assert stopped.n_components == 3


def test_learned_templates_explain_a_mix():
    """Two tones that are known are told apart in their sum."""
    a, b = tone(700) * (tone(3) > 0), tone(1700) * (tone(5) > 0)
    for kind, lags in KINDS:
        known = learn({"a": a, "b": b}, kind=kind, lags=lags, size=5, max_iter=50)
        V = analyse((a + b)[None], STFT)
        H = np.full((known.n_components, V.shape[1]), V.mean())
        structure = na.structures.Convolutive() if known.lags > 1 else na.structures.Product()
        found = na.decompose(
            V, [na.Factor(known.templates, free=False), na.Factor(H)], structure=structure
        )
        parts = {name: found.part(known.components(name)) for name in known.names}
        for name, y in (("a", a), ("b", b)):
            target = analyse(y[None], STFT)
            assert np.abs(parts[name] - target).sum() < 0.4 * target.sum(), (kind, lags, name)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 4), st.lists(st.integers(1, 9)))
def test_exemplars_are_stretches_and_no_two_alike(seed, size, lags, lengths):
    rng = np.random.default_rng(seed)
    given_ones = [rng.gamma(0.3, size=(5, n)) * (rng.random(n) < 0.7) for n in [3, *lengths]]
    chosen = choose_exemplars(given_ones, size, lags, rng)
    assert chosen.shape[:2] == (lags, 5)
    assert chosen.shape[2] <= size
    flat = chosen.reshape(lags * 5, chosen.shape[2])
    padded = [np.pad(V, ((0, 0), (0, max(0, lags - V.shape[1])))) for V in given_ones]
    there = [V[:, t : t + lags].T.ravel() for V in padded for t in range(V.shape[1] - lags + 1)]
    there = [x / x.sum() for x in there if x.sum() > 0]
    for one in flat.T:
        assert min(np.abs(one - x).max() for x in there) < 1e-12
    for one, other in itertools.combinations(flat.T, 2):
        assert np.square(np.sqrt(one) - np.sqrt(other)).sum() > SAME
    assert bool(chosen.shape[2]) == bool(there)


def test_a_rare_sound_is_chosen():
    """Hundreds of frames that are nearly alike do not crowd out one that is not."""
    V = np.zeros((6, 400))
    V[0] = 1.0
    V[1] = 1e-4 * np.random.default_rng(0).random(400)
    V[5, 123], V[0, 123] = 1.0, 0.0
    for seed in range(10):
        chosen = choose_exemplars([V], 4, 1, np.random.default_rng(seed))
        assert chosen[0, 5].max() > 0.4
