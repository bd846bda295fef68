"""Templates learned from all frames of a long recording, whose spectrogram is on disk."""

import gc
import tempfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio._common.lazy_audio import LazyAudio
from nmfaudio.errors import AudioFileError, ParameterError
from nmfaudio.factorisation.online import activations
from nmfaudio.kernels.threads import get_threads, set_threads
from nmfaudio.separators import blockwise
from nmfaudio.separators.inputs import SeparationInput

SR = 8000
MAPS = Path("/proc/self/maps")
FINE = {"n_fft": 256, "spatial": "mask"}


def recording(seconds=6.0, seed=0):
    """Tones that change, and bursts of noise."""
    rng, t = np.random.default_rng(seed), np.arange(round(seconds * SR)) / SR
    pitch = 300 * 2 ** (rng.integers(0, 12, 2 * len(t) // SR + 1) / 12)
    tones = np.sin(2 * np.pi * np.cumsum(np.repeat(pitch, SR // 2)[: len(t)]) / SR)
    noise = rng.standard_normal(len(t)) * np.exp(-((t * 3) % 1) / 0.1)
    return (0.3 * np.stack([tones + noise, tones - 0.5 * noise])).astype(np.float32)


Y = recording()
BOX = {"source": "a", "start": 0, "end": 1, "low": 0, "high": 900}
BLIND = na.BlindSeparator(n_components=4, max_iter=50, **FINE)
SEPARATORS = {
    "separate": BLIND,
    "separate, hals": na.BlindSeparator(
        n_components=4, max_iter=50, beta_loss=2, solver="hals", **FINE
    ),
    "separate, is": na.BlindSeparator(n_components=4, max_iter=50, beta_loss=0, **FINE),
    "hpss": na.HpssSeparator(n_components=4, models=2, max_iter=10, **FINE),
    "drums": na.DrumSeparator(max_iter=3, **FINE),
    "guided, rest": na.GuidedSeparator(example={"one": Y[0, :4000]}, n_free=3, max_iter=5, **FINE),
    "guided, adapt": na.GuidedSeparator(
        example={"one": Y[0, :4000], "two": Y[1, :4000]}, adapt=1.0, max_iter=5, **FINE
    ),
}
every_separator = pytest.mark.parametrize("separator", SEPARATORS.values(), ids=SEPARATORS)


@pytest.fixture
def short_excerpts(monkeypatch):
    monkeypatch.setattr(blockwise, "LEARNING_FRAMES", 192)
    monkeypatch.setattr(blockwise, "EVIDENCE_FRAMES", 192)


@pytest.fixture
def scratch(tmp_path, monkeypatch):
    """Folder of temporary files."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def threads():
    before = get_threads()
    yield set_threads
    set_threads(before)


def rendered(stream):
    return np.concatenate(list(stream.blocks()), axis=-1)


def misfit(stream):
    """Divergence of all frames from the model of the learned templates."""
    inputs, learned = stream.inputs, stream.learned
    fitted = learned.fit(
        learned.decomposition, blockwise.Block(inputs, 0, inputs.n_frames, inputs.V)
    )
    V = fitted.divergence.prepare(inputs.V, None)
    return fitted.divergence.value(V, fitted.model(), None)


@every_separator
def test_templates_of_all_frames_fit_all_frames_no_worse(separator, short_excerpts, scratch):
    spread, every = (separator.stream(Y, SR, fit=fit) for fit in ("frames", "all"))
    assert "V" not in vars(every.inputs)  # not in memory
    # Templates that start from random values may end in a worse optimum.
    limit = 1.05 if isinstance(separator, na.HpssSeparator) else 1
    assert misfit(every) < limit * misfit(spread)
    np.testing.assert_allclose(rendered(every).sum(axis=0), Y, atol=1e-5)


@every_separator
def test_a_recording_with_few_frames_gives_the_bytes_of_the_default(separator, scratch):
    spread, every = (separator.stream(Y[:, :20_000], SR, fit=fit) for fit in ("frames", "all"))
    assert rendered(every).tobytes() == rendered(spread).tobytes()
    assert every.model() == spread.model()


@pytest.mark.parametrize("separator", [SEPARATORS["separate, is"], SEPARATORS["hpss"]], ids=type)
def test_the_number_of_threads_changes_nothing(separator, short_excerpts, scratch, threads):
    stems = []
    for count in (1, 2):
        threads(count)
        stems.append(rendered(separator.stream(Y, SR, fit="all")))
    assert stems[0].tobytes() == stems[1].tobytes()


@pytest.mark.parametrize("beta", [0, -0.5, 1])
def test_frames_on_disk_give_the_model_of_frames_in_memory(beta, short_excerpts, scratch):
    separator = na.BlindSeparator(n_components=3, max_iter=20, beta_loss=beta, **FINE)
    y = Y.astype(np.float64)
    inputs = SeparationInput(y, separator.transform(SR), 0, None, fit="all")
    model = separator.learn(inputs).decomposition
    start = na.nmf(
        inputs.spread_frames(192)[0], 3, beta_loss=beta, init="nndsvdar", max_iter=20, rng=0
    )
    H = activations(inputs.V, start.W, start.divergence, max_iter=10)
    again = na.nmf(inputs.V, W=start.W, H=H, beta_loss=beta, max_iter=20, rng=0)
    np.testing.assert_allclose(model.W, again.W, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(model.H, again.H, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(model.losses[-1], again.losses[-1], rtol=1e-9)


@pytest.mark.skipif(not MAPS.exists(), reason="the system does not list its mapped files")
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_the_spectrogram_leaves_the_disk(error, short_excerpts, scratch):
    was_mapped = []

    def callback(progress):
        was_mapped.append(str(scratch) in MAPS.read_text())
        if was_mapped[-1] and error is not None:
            raise error

    if error is None:
        stream = BLIND.stream(Y, SR, fit="all", callback=callback)
    else:
        with pytest.raises(error):
            BLIND.stream(Y, SR, fit="all", callback=callback)
    assert was_mapped[0] is False
    assert was_mapped[-1] is True
    gc.collect()
    assert str(scratch) not in MAPS.read_text()
    assert list(scratch.iterdir()) == []
    if error is None:
        assert len(rendered(stream)) == 2


def test_an_error_of_the_recording_is_raised_as_it_is(short_excerpts, scratch):
    class Changed(LazyAudio):
        shape, dtype, is_changed = Y.shape, Y.dtype, False

        def __getitem__(self, key):
            if self.is_changed:
                raise AudioFileError("song.wav: changed meanwhile")
            return Y[key]

        def max(self):
            return Y.max()

        def min(self):
            return Y.min()

    y = Changed()

    def callback(progress):
        y.is_changed = True

    with pytest.raises(AudioFileError, match="changed meanwhile"):
        BLIND.stream(y, SR, fit="all", callback=callback)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    "separator",
    [
        na.DenoiseSeparator(),
        na.F0Separator(guess=True),
        na.PaintSeparator(boxes=[BOX], rest=True),
        na.BlindSeparator(solver="ccd"),
        na.GuidedSeparator(example={"a": Y[0], "b": Y[1]}, adapt=1.0, beta_loss=0),
    ],
    ids=lambda separator: type(separator).__name__,
)
def test_a_separator_that_needs_the_frames_in_memory_says_so(separator):
    with pytest.raises(ParameterError, match=r"fit is 'all', but .*; use .*fit='frames'"):
        separator.stream(Y, SR, fit="all")


def test_another_fit_is_refused():
    with pytest.raises(ParameterError, match="fit is 'some'"):
        BLIND.stream(Y, SR, fit="some")


def test_a_file_is_separated_with_the_stems_of_its_samples(short_excerpts, scratch, tmp_path):
    soundfile.write(tmp_path / "song.wav", Y.T, SR, "FLOAT")
    stems = na.separate_file(tmp_path / "song.wav", tmp_path / "stems", BLIND, fit="all")
    expected = rendered(BLIND.stream(Y, SR, fit="all"))
    np.testing.assert_array_equal(list(stems.values()), expected)
    assert list(scratch.iterdir()) == []
