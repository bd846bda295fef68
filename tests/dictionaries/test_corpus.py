"""`fit_corpus` is one computation, wherever and in whatever order its tasks run."""

from __future__ import annotations

import warnings
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.dictionaries.corpus import Corpus, fit_blocks
from nmfaudio.dictionaries.corpus_files import file_frames, run_file_part, survey_files
from nmfaudio.errors import OutputError
from nmfaudio.factorisation.corpus.arrays import run_array_part
from nmfaudio.factorisation.corpus.fit import Method
from nmfaudio.factorisation.corpus.plan import Plan
from nmfaudio.factorisation.corpus.workspace import exclusive
from nmfaudio.factorisation.engine import schedule_of
from nmfaudio.kernels.layout import SHARD

SMALL = 96  # frames of a shard


def method(beta=1.0, solver="bmme", *, max_iter=4, tol=0.0, every=2, callback=None, **settings):
    fields = {"seed": 3, "sample": 100, "passes": 2, "updates": 10} | settings
    schedule = schedule_of(max_iter, tol, every, callback)
    return Method(3, na.Beta(beta), solver, schedule, **fields)


@pytest.fixture
def blocks():
    """Blocks shorter and longer than a shard."""
    rng = np.random.default_rng(0)
    V = (rng.random((7, 2)) @ rng.random((2, 520)) + 0.1 * rng.random((7, 520))).astype("f4")
    return [V[:, :250], V[:, 250:290], V[:, 290:320], V[:, 320:]]


def same(a, b):
    """Whether two fits have the same bytes."""
    pairs = [(a.W, b.W), (a.losses, b.losses), *zip(a.H, b.H, strict=True)]
    return all(x.tobytes() == y.tobytes() for x, y in pairs)


class Backwards:
    """Executor that runs tasks when a result is waited for, the last one first."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, /, *arguments):
        task = Future()
        self.waiting.append((task, function, arguments))
        task.result = lambda: self.run(task)
        return task

    def run(self, task):
        while self.waiting:
            each, function, arguments = self.waiting.pop()
            each.set_result(function(*arguments))
        return Future.result(task)


class Counting:
    """Executor that counts tasks, and stops the driver after some."""

    def __init__(self, limit=None):
        self.count, self.limit = 0, limit

    def submit(self, function, /, *arguments):
        if self.count == self.limit:
            raise KeyboardInterrupt
        self.count += 1
        task = Future()
        task.set_result(function(*arguments))
        return task


@pytest.mark.parametrize("solver", ["mu", "bmme"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2])
def test_the_exact_fit_is_nmf(beta, dtype, solver):
    V = (np.random.default_rng(1).random((3, SHARD + 500)) ** 2).astype(dtype)
    settings = {"beta_loss": beta, "solver": solver, "max_iter": 5, "check_every": 3, "rng": 2}
    d = na.nmf(V, 2, **settings)
    fit = na.fit_corpus([V[:, :SHARD], V[:, SHARD:]], 2, exact=True, **settings)
    assert fit.W.tobytes() == d.W.tobytes()
    assert np.concatenate(fit.H, axis=1).tobytes() == d.H.tobytes()
    assert fit.losses.tobytes() == d.losses.tobytes()
    assert fit.checks.tolist() == d.checks.tolist() == [0, 3, 5]


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_the_exact_fit_is_nmf_from_initial_factors_and_until_convergence(scale):
    rng = np.random.default_rng(0)
    V, W, H = rng.random((6, 200)) * scale, rng.random((6, 3)), rng.random((3, 200)) * scale
    settings = {"W": W, "H": H, "tol": 1e-2, "check_every": 5}
    d = na.nmf(V, **settings)
    fit = na.fit_corpus([V], exact=True, **settings)
    assert d.converged
    assert fit.converged
    assert (fit.W == d.W).all()
    assert (fit.H[0] == d.H).all()
    assert (fit.losses == d.losses).all()


@pytest.mark.parametrize("beta", [0, 0.5, 1])
def test_the_exact_fit_returns_to_the_last_check_where_the_loss_has_risen(beta, tmp_path):
    """V of rank 1 is soon fitted up to rounding, and `bmme` then needs multiplicative updates."""
    rng = np.random.default_rng(0)
    V = np.outer(rng.random(5) + 0.1, rng.random(60) + 0.1).astype("f4")
    settings = {"W": rng.random((5, 1)), "H": rng.random((1, 60)), "beta_loss": beta}
    settings |= {"solver": "bmme", "max_iter": 9, "check_every": 3, "tol": 0}
    d = na.nmf(V, **settings)
    fit = na.fit_corpus([V], exact=True, work=tmp_path, **settings)
    passes = [int(path.name[5:]) for path in tmp_path.glob("fit-*/steps/pass-*")]
    assert max(passes) > 9  # some were in vain
    assert (fit.losses == d.losses).all()
    assert (fit.W == d.W).all()
    assert (fit.H[0] == d.H).all()


@pytest.mark.parametrize("exact", [True, False])
def test_any_executor_computes_the_same(blocks, exact):
    fit = fit_blocks(Corpus(blocks), method(), exact=exact, shard=SMALL)
    assert len(fit.H) == (len(blocks) if exact else 0)
    with ThreadPoolExecutor(3) as pool:
        for executor in (pool, Backwards(), Counting()):
            other = fit_blocks(
                Corpus(iter(blocks)), method(), exact=exact, shard=SMALL, executor=executor
            )
            assert same(fit, other)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("limit", [0, 9, 17])
def test_an_interrupted_fit_continues(blocks, tmp_path, exact, limit):
    fit = fit_blocks(Corpus(blocks), method(), exact=exact, shard=SMALL)
    settings = {"exact": exact, "shard": SMALL, "work": tmp_path}
    whole = Counting()
    fit_blocks(Corpus(blocks), method(), exact=exact, shard=SMALL, executor=whole)
    with pytest.raises(KeyboardInterrupt):
        fit_blocks(Corpus(blocks), method(), executor=Counting(limit), **settings)
    rest = Counting()
    assert same(fit, fit_blocks(Corpus(blocks), method(), executor=rest, **settings))
    assert rest.count <= whole.count
    again = Counting(0)
    assert same(fit, fit_blocks(Corpus(blocks), method(), executor=again, **settings))


@pytest.mark.parametrize("exact", [True, False])
def test_a_driver_that_dies_at_a_check_continues_after_it(blocks, tmp_path, exact):
    seen = []

    def die(progress):
        seen.append(progress)
        if len(seen) == (2 if exact else 3):  # checks of the fit to the sample come first
            raise RuntimeError("killed")

    settings = {"exact": exact, "shard": SMALL}
    fit = fit_blocks(Corpus(blocks), method(), **settings)
    whole, rest = Counting(), Counting()
    fit_blocks(Corpus(blocks), method(), executor=whole, **settings)
    with pytest.raises(RuntimeError):
        fit_blocks(Corpus(blocks), method(callback=die), work=tmp_path, **settings)
    resumed = fit_blocks(Corpus(blocks), method(), work=tmp_path, executor=rest, **settings)
    assert same(fit, resumed)
    assert rest.count < whole.count


@pytest.mark.parametrize("exact", [True, False])
def test_damaged_results_are_computed_again(blocks, tmp_path, exact):
    fit = fit_blocks(Corpus(blocks), method(), exact=exact, shard=SMALL)

    class Damaging(Counting):
        """Executor that damages every third result, right after it was written."""

        def submit(self, function, /, *arguments):
            task = super().submit(function, *arguments)
            if function is run_array_part and "pass" in arguments[1] and self.count % 3 == 0:
                results = sorted(Path(arguments[0], "steps", arguments[1]).rglob("part-*.npz"))
                results[-1].write_bytes(results[-1].read_bytes()[:-40])
            return task

    other = fit_blocks(
        Corpus(blocks), method(), exact=exact, shard=SMALL, work=tmp_path, executor=Damaging()
    )
    assert same(fit, other)


def test_results_of_old_passes_are_removed(blocks, tmp_path):
    fit_blocks(Corpus(blocks), method(max_iter=6), exact=True, shard=SMALL, work=tmp_path)
    steps = sorted(path.name for path in tmp_path.glob("fit-*/steps/*"))
    assert steps == ["pass-000005", "pass-000006"]
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.slow
def test_more_parts_than_a_group(tmp_path):
    V = np.random.default_rng(0).random((4, 70 * 48)).astype("f4")
    fit = fit_blocks(Corpus([V]), method(max_iter=1), exact=True, shard=48, work=tmp_path)
    assert len(list(tmp_path.glob("fit-*/steps/pass-000001/sums-*"))) == 2
    other = fit_blocks(Corpus([V]), method(max_iter=1), exact=True, shard=48, executor=Backwards())
    assert same(fit, other)


@pytest.mark.parametrize("beta", [0, 0.5, 1, 1.3, 2, 3])
def test_passes_never_raise_the_divergence(blocks, beta):
    settings = method(beta, "mu", passes=6, updates=30, sample=40)
    fit = fit_blocks(Corpus(blocks), settings, exact=False, shard=SMALL)
    assert fit.losses.shape == (6,)
    assert (np.diff(fit.losses) <= 1e-6 * fit.losses[0]).all()


def test_a_sample_of_all_frames_without_passes_is_nmf(blocks):
    V = np.concatenate(blocks, axis=1)
    d = na.nmf(V, 3, max_iter=20, rng=0)
    fit = na.fit_corpus(blocks, 3, max_iter=20, passes=0)
    assert (fit.W == d.W).all()
    assert fit.losses.size == 0
    assert fit.converged == d.converged


def test_silence_is_no_problem():
    V = np.zeros((5, 100))
    V[:, 40:60] = np.random.default_rng(0).random((5, 20))
    for beta in (0, 1, 2):
        fit = fit_blocks(Corpus([V, 0 * V]), method(beta), exact=False, shard=SMALL)
        assert np.isfinite(fit.W).all()
        assert fit.W.any()


def test_two_fits_in_one_folder_do_not_disturb_each_other(blocks, tmp_path):
    fit = fit_blocks(Corpus(blocks), method(), exact=True, shard=SMALL, work=tmp_path)
    other = fit_blocks(Corpus(blocks), method(1.3), exact=True, shard=SMALL, work=tmp_path)
    assert not same(fit, other)
    assert len(list(tmp_path.glob("fit-*"))) == 2
    with (
        exclusive(sorted(tmp_path.glob("fit-*"))[0]),
        exclusive(sorted(tmp_path.glob("fit-*"))[1]),
        pytest.raises(OutputError, match="another fit"),
    ):
        fit_blocks(Corpus(blocks), method(), exact=True, shard=SMALL, work=tmp_path)


def test_results_that_do_not_arrive_are_an_error(blocks):
    class Elsewhere(Counting):
        """Executor whose workers write to another disk."""

        def submit(self, function, /, *arguments):
            return super().submit(int)

    with pytest.raises(na.ContentError, match="all workers share"):
        fit_blocks(Corpus(blocks), method(), exact=False, shard=SMALL, executor=Elsewhere())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"blocks": []}, "the corpus is empty"),
        ({"blocks": 3}, "a sequence of arrays or paths"),
        ({"blocks": [np.ones((3, 4)), np.ones((2, 4))]}, "block 1 has 2 bins"),
        ({"blocks": [np.ones((3, 4)), np.ones((3, 4), "f4")]}, "block 1 has 3 bins of float32"),
        ({"blocks": [np.ma.masked_less(np.eye(3), 1)]}, "masked bins"),
        ({"blocks": [np.ones((1, 3, 4))]}, "must be \\(freq, time\\)"),
        ({"blocks": [-np.ones((3, 4))]}, "negative"),
        ({"solver": "hals"}, "must be 'auto', 'bmme' or 'mu'"),
        ({"solver": "bmme", "beta_loss": 3}, "beta_loss <= 2"),
        ({"H": np.ones((2, 4))}, "only exact=True"),
        ({"H": np.ones((2, 5)), "exact": True}, "H has shape"),
        ({"W": np.ones((2, 2))}, "W has shape"),
        ({"W": -np.ones((3, 2)), "exact": True}, "finite and ≥ 0"),
        ({"transform": na.Stft(8000)}, "transform is for files"),
        ({"n_components": None}, "n_components is needed"),
        ({"passes": -1}, "passes must be"),
        ({"updates": 0}, "updates must be"),
        ({"rng": np.random.default_rng()}, "rng must be"),
        ({"executor": "here"}, "executor must be"),
    ],
)
def test_invalid_arguments(arguments, message):
    valid = {"blocks": [np.ones((3, 4))], "n_components": 2}
    with pytest.raises(na.ParameterError, match=message):
        na.fit_corpus(**valid | arguments)


# Files


@pytest.fixture
def songs(tmp_path):
    """Folder with recordings of several lengths, one of them in a folder of its own."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "songs"
    for name, seconds in (("b/c.flac", 0.4), ("a.wav", 1.3), ("z.wav", 0.05)):
        y = 0.1 * rng.standard_normal((2, round(8000 * seconds)))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        na.write(folder / name, y.astype("f4"), 8000)
    return folder


def spectrogram(path, transform):
    y, _ = na.read(path)
    return na.audio.analyse(np.ldexp(y, -int(np.frexp(abs(y).max())[1])), transform)


@pytest.mark.parametrize(
    "transform",
    [na.Stft(8000, 256, 64), na.Stft(8000, 200, 200, "boxcar"), na.Mel(8000, n_mels=20)],
)
@pytest.mark.parametrize("shard", [1, 7, 50])
def test_shards_of_a_file_are_parts_of_its_spectrogram(songs, tmp_path, transform, shard):
    paths = [songs / "a.wav", songs / "b/c.flac", songs / "z.wav"]
    blocks, _ = survey_files(paths, tmp_path, transform, 1.0, None)
    plan = Plan(blocks.blocks, blocks.frames, blocks.settings, shard)
    for block, path in enumerate(paths):
        parts = [file_frames(tmp_path, plan, s) for s in plan.shards if s.block == block]
        np.testing.assert_array_equal(
            np.concatenate(parts, axis=1), spectrogram(path, transform).astype("f4")
        )


def test_the_exact_fit_of_a_file_is_nmf(songs):
    settings = {"beta_loss": 0.5, "max_iter": 10}
    fit = na.fit_corpus([songs / "a.wav"], 4, exact=True, **settings)
    d = na.nmf(spectrogram(songs / "a.wav", fit.transform), 4, **settings, rng=0)
    assert (fit.W == d.W).all()
    assert (fit.H[0] == d.H).all()


@pytest.mark.parametrize("exact", [True, False])
def test_a_folder_is_the_list_of_its_files(songs, tmp_path, exact):
    settings = {"exact": exact, "max_iter": 10}
    fit = na.fit_corpus(songs, 3, **settings)
    listed = [songs / "a.wav", songs / "b/c.flac", songs / "z.wav"]
    with ThreadPoolExecutor(2) as pool:
        assert same(fit, na.fit_corpus(listed, 3, executor=pool, **settings))
    assert fit.files == tuple(map(str, listed))
    assert fit.n_frames == sum(fit.transform.n_frames(n) for n in (10400, 3200, 400))


def test_one_file_is_a_corpus(songs):
    fit = na.fit_corpus(songs / "a.wav", 3, max_iter=5)
    assert fit.files == (str(songs / "a.wav"),)
    assert same(fit, na.fit_corpus([songs / "a.wav"], 3, max_iter=5))


def test_a_dictionary_of_a_corpus(songs, tmp_path):
    fit = na.fit_corpus(songs, 3, beta_loss=0, max_iter=10)
    dictionary = fit.to_dictionary("noise")
    np.testing.assert_allclose(dictionary.templates.sum(axis=0), 1, rtol=1e-5)
    assert dictionary.labels == ("noise",) * 3
    assert dictionary.transform == na.Stft(8000, 1024, power=2.0)
    assert dictionary.beta_loss == 0
    dictionary.save(tmp_path / "d.npz")
    assert na.Dictionary.load(tmp_path / "d.npz") == dictionary
    empty = replace(fit, W=fit.W * np.array([1, 0, 1], "f4"))
    assert empty.to_dictionary().labels == ("corpus",) * 2
    arrays = na.fit_corpus([np.ones((3, 4))], 1)
    with pytest.raises(na.ParameterError, match="transform of arrays is not known"):
        arrays.to_dictionary()


def test_files_that_cannot_be_read_are_named_and_left_out(songs):
    fit = na.fit_corpus(songs, 3, max_iter=5)
    (songs / "b.wav").write_text("no audio")
    y = np.zeros((1, 900), "f4")
    y[0, 3] = np.nan
    import soundfile

    soundfile.write(songs / "c.wav", y.T, 8000, "FLOAT")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        other = na.fit_corpus(songs, 3, max_iter=5)
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert all(m.startswith("left out: ") for m in messages)
    assert same(fit, other)
    for name in ("a.wav", "b/c.flac", "z.wav"):
        (songs / name).unlink()
    with pytest.warns(na.errors.AudioWarning), pytest.raises(na.ContentError, match="no file"):
        na.fit_corpus(songs, 3)


def test_files_of_another_rate_are_refused(songs, tmp_path):
    na.write(songs / "d.wav", np.zeros((1, 900), "f4"), 16000)
    with pytest.raises(na.ParameterError, match="another sample rate than 8000 Hz"):
        na.fit_corpus(songs, 3)
    (tmp_path / "none").mkdir()
    with pytest.raises(na.ContentError, match=r"none: has no audio files; .*\.flac"):
        na.fit_corpus(tmp_path / "none", 3)
    with pytest.raises(na.AudioFileError, match=r"missing: No such file"):
        na.fit_corpus(tmp_path / "missing", 3)
    with pytest.raises(na.ParameterError, match="paths and a ndarray"):
        na.fit_corpus([songs / "a.wav", np.ones((3, 4))], 3)


def test_a_file_that_changes_during_the_fit_is_an_error(songs, tmp_path):
    class Changing(Counting):
        def submit(self, function, /, *arguments):
            if function is run_file_part:
                na.write(songs / "a.wav", np.ones((1, 800), "f4"), 8000, overwrite=True)
            return super().submit(function, *arguments)

    with pytest.raises(na.ContentError, match="was changed or moved"):
        na.fit_corpus(songs, 3, executor=Changing(), work=tmp_path / "work")
    # Begun again, it is a fit of the new files.
    fit = na.fit_corpus(songs, 3, max_iter=5, work=tmp_path / "work")
    assert same(fit, na.fit_corpus(songs, 3, max_iter=5))


def test_kept_surveys_spare_decoding(songs, tmp_path):
    na.fit_corpus(songs, 3, max_iter=5, work=tmp_path / "work")
    known = sorted((tmp_path / "work" / "surveys").rglob("*.json"))
    times = [path.stat().st_mtime_ns for path in known]
    na.fit_corpus(songs, 2, max_iter=5, work=tmp_path / "work")
    assert [path.stat().st_mtime_ns for path in known] == times
    assert len(known) == 3


@pytest.mark.slow
def test_processes_compute_the_same(songs, tmp_path):
    settings = {"max_iter": 5, "passes": 2}
    fit = na.fit_corpus(songs, 3, **settings)
    assert same(fit, na.fit_corpus(songs, 3, executor=2, work=tmp_path / "work", **settings))


def test_a_file_is_no_folder_for_intermediate_results(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(na.ParameterError, match="file, which is not a folder"):
        na.fit_corpus([np.ones((4, 5))], 2, work=tmp_path / "file")
