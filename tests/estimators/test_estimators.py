"""The estimators keep scikit-learn's contract, and what `transform` says does not sway."""

import subprocess
import sys

import joblib
import librosa
import numpy as np
import pytest
import sklearn.decomposition
from sklearn.base import clone
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import nmfaudio as na
from nmfaudio.errors import ParameterError

ORDER = "frames follow one another in time"
ESTIMATORS = {
    "nmf": (na.estimators.NMF(), {}),
    "nmf, frobenius": (na.estimators.NMF(n_components=3, beta_loss=2.0), {}),
    "nmf, sparse": (na.estimators.NMF(n_components=2, sparsity=0.1), {}),
    "mini-batch": (na.estimators.MiniBatchNMF(), {}),
    "convolutive": (
        na.estimators.ConvolutiveNMF(),
        {
            "check_methods_sample_order_invariance": ORDER,
            "check_methods_subset_invariance": ORDER,
        },
    ),
}


def quick(cls, **options):
    extra = {"n_lags": 3} if cls is na.estimators.ConvolutiveNMF else {}
    return cls(3, random_state=0, max_iter=20, **(extra | options))


def data(dtype=np.float64):
    rng = np.random.default_rng(0)
    return (rng.random((40, 3)) @ rng.random((3, 9)) + 0.01 * rng.random((40, 9))).astype(dtype)


classes = pytest.mark.parametrize(
    "cls", [na.estimators.NMF, na.estimators.ConvolutiveNMF, na.estimators.MiniBatchNMF]
)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name.startswith("nmf, ") else ())
        for name in ESTIMATORS
    ],
)
def test_check_estimator_passes(name):
    estimator, against_the_model = ESTIMATORS[name]
    done = check_estimator(
        estimator, on_fail=None, on_skip=None, expected_failed_checks=against_the_model
    )
    failed = [(one["check_name"], one["exception"]) for one in done if one["status"] == "failed"]
    assert not failed
    # Skipped only is what this environment has not asked of anybody.
    assert {o["check_name"] for o in done if o["status"] == "skipped"} <= {"check_array_api_input"}


@classes
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transform_is_what_fit_transform_returned(cls, dtype):
    X = data(dtype)
    model = quick(cls)
    H = model.fit_transform(X)
    assert H.dtype == model.components_.dtype == dtype
    np.testing.assert_array_equal(model.transform(X), H)
    assert model.inverse_transform(H).shape == X.shape
    error = np.linalg.norm(model.inverse_transform(H) - X) / np.linalg.norm(X)
    assert error < 0.4 if cls is na.estimators.ConvolutiveNMF else error < 0.1
    flat = model.components_.reshape(3, -1)
    np.testing.assert_allclose(np.linalg.norm(flat, axis=1), 1, rtol=1e-5)
    assert list(model.get_feature_names_out()) == [f"{cls.__name__.lower()}{k}" for k in range(3)]
    best = na.Beta(1).value(X.T, model.inverse_transform(H).T, None)
    assert model.reconstruction_err_ == pytest.approx(np.sqrt(2 * best), rel=1e-3)
    assert model.score(X) == pytest.approx(-best / X.size, rel=1e-3)


@classes
def test_clones_and_pickles_say_the_same(cls, tmp_path):
    X = data()
    model = quick(cls).fit(X)
    np.testing.assert_array_equal(clone(model).fit_transform(X), model.transform(X))
    joblib.dump(model, tmp_path / "model.joblib")
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "model.joblib").transform(X), model.transform(X)
    )


def test_sample_by_sample_is_all_at_once():
    X = data()
    model = quick(na.estimators.NMF).fit(X)
    one_by_one = np.vstack([model.transform(x[None]) for x in X])
    np.testing.assert_allclose(one_by_one, model.transform(X), rtol=1e-10)


def test_transform_finds_what_fit_had_found():
    """Its fixed number of updates leaves next to nothing of the fit unused."""
    X = data()
    for beta_loss in ("kl", "frobenius", 0.5, 1.5, "is"):
        model = na.estimators.NMF(3, beta_loss=beta_loss, random_state=0, tol=0).fit(X)
        d = na.nmf(X.T, W=model.components_.T, update_W=False, beta_loss=beta_loss, max_iter=3000)
        assert -model.score(X) * X.size <= d.losses[-1] * 1.02 + 1e-6


@pytest.mark.parametrize("beta_loss", ["kl", "frobenius"])
def test_it_fits_as_well_as_scikit_learns(beta_loss):
    X = np.random.default_rng(3).random((40, 12)) + 0.01
    theirs = sklearn.decomposition.NMF(
        4,
        beta_loss={"kl": "kullback-leibler"}.get(beta_loss, beta_loss),
        solver="mu",
        init="nndsvdar",
        max_iter=400,
        tol=1e-9,
        random_state=0,
    )
    with pytest.warns(sklearn.exceptions.ConvergenceWarning):
        theirs.fit(X)
    ours = na.estimators.NMF(4, beta_loss=beta_loss, max_iter=400, random_state=0).fit(X)
    assert ours.reconstruction_err_ <= theirs.reconstruction_err_ * 1.02


def test_sparsity_makes_activations_sparse():
    X = np.random.default_rng(0).random((60, 20)) + 0.01
    shares = []
    for sparsity in (0.0, 1.0, 2.0):
        H = na.estimators.NMF(6, sparsity=sparsity, random_state=0).fit_transform(X)
        shares.append((H < 1e-3 * H.max()).mean())
    assert shares[0] < shares[1] < shares[2]


def test_mini_batches_come_near_the_whole():
    X = data()
    flat = np.sqrt(2 * na.Beta(1).value(X, np.tile(X.mean(0), (len(X), 1)), None))
    for size in (10, 100):
        parts = na.estimators.MiniBatchNMF(3, batch_size=size, random_state=0).fit(X)
        assert parts.reconstruction_err_ < 0.3 * flat
    stream = na.estimators.MiniBatchNMF(3, random_state=0)
    for first in range(0, 40, 10):
        stream.partial_fit(X[first : first + 10])
    assert stream.n_iter_ == 4
    with pytest.raises(ValueError, match="features"):
        stream.partial_fit(X[:, 1:])


def test_frames_of_names_and_pipelines():
    pd = pytest.importorskip("pandas")
    X, y = data(), np.arange(40) % 2
    named = pd.DataFrame(X, columns=[f"bin {i}" for i in range(9)])
    model = quick(na.estimators.NMF).set_output(transform="pandas")
    out = model.fit_transform(named)
    assert list(out.columns) == ["nmf0", "nmf1", "nmf2"]
    assert list(model.feature_names_in_) == list(named.columns)
    pd.testing.assert_frame_equal(model.transform(named), out)
    search = GridSearchCV(
        make_pipeline(quick(na.estimators.NMF), RidgeClassifier()),
        {"nmf__n_components": [1, 3]},
        cv=2,
    )
    assert search.fit(X, y).best_score_ > 0
    alone = GridSearchCV(quick(na.estimators.NMF), {"n_components": [1, 3]}, cv=2).fit(X)
    assert alone.best_params_ == {"n_components": 3}


@pytest.mark.parametrize("order", ["C", "F"])
def test_it_serves_librosa(order):
    S = np.asarray(data().T, order=order)
    W, H = librosa.decompose.decompose(S, transformer=quick(na.estimators.NMF))
    assert W.shape == (9, 3)
    assert H.shape == (3, 40)
    assert np.linalg.norm(W @ H - S) < 0.05 * np.linalg.norm(S)


@pytest.mark.parametrize(
    ("cls", "options", "words"),
    [
        (na.estimators.NMF, {"n_components": 0}, "n_components must be"),
        (na.estimators.NMF, {"init": "magic"}, "init is 'magic'"),
        (na.estimators.NMF, {"sparsity": -1}, "sparsity must be"),
        (na.estimators.NMF, {"beta_loss": "l3"}, "beta_loss is 'l3'"),
        (na.estimators.ConvolutiveNMF, {"n_lags": 0}, "n_lags must be"),
        (na.estimators.MiniBatchNMF, {"forget_factor": 2, "batch_size": 9}, "memory is 2"),
        (na.estimators.MiniBatchNMF, {"batch_size": 0}, "batch_size must be"),
    ],
)
def test_what_cannot_work_is_refused(cls, options, words):
    with pytest.raises(ParameterError, match=words):
        cls(**options).fit(data())


@pytest.mark.parametrize("columns", [1, 7, 5_000_000])
def test_activations_of_another_rank_are_refused(columns):
    model = na.estimators.NMF(2, random_state=0).fit(np.random.default_rng(0).random((12, 7)))
    with pytest.raises(na.errors.ShapeError):
        model.inverse_transform(np.ones((2, columns)))


def test_without_scikit_learn_the_extra_is_named():
    code = (
        "import sys; sys.modules['sklearn'] = None\n"
        "import nmfaudio as na\n"
        "try:\n na.estimators.NMF\n"
        "except na.MissingExtraError as error:\n print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "estimators need scikit-learn" in done.stdout
