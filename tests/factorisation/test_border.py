"""What nmf and decompose refuse, in words that name argument, value and what is needed."""

import numpy as np
import pytest
import scipy.sparse

import nmfaudio as na
from nmfaudio.factorisation.initialisation import INITS

V = np.random.default_rng(0).random((6, 9))
W, H = np.ones((6, 2)), np.ones((2, 9))
NEGATIVE = np.where(V == V[2, 3], -0.5, V)
HOLE = np.where(V == V[2, 3], np.nan, V)


@pytest.mark.parametrize(
    ("arguments", "settings", "error", "message"),
    [
        ((V,), {}, na.ParameterError, "n_components is needed"),
        ((V, 0), {}, na.ParameterError, "n_components must be an integer of at least 1, got 0"),
        ((V, 1.5), {}, na.ParameterError, r"got 1\.5"),
        ((V, True), {}, na.ParameterError, "got True"),
        ((V * 1j, 2), {}, na.ParameterError, r"complex128.*abs\(V\)"),
        ((V > 0.5, 2), {}, na.ParameterError, "array of bool; .*astype"),
        ((V.astype(str), 2), {}, na.ParameterError, "an array of <U"),
        ((NEGATIVE, 2), {}, na.ParameterError, r"negative in 1 bins, lowest -0\.5 at \(2, 3\)"),
        ((HOLE, 2), {}, na.ContentError, r"1 NaN or infinite bins, the first at \(2, 3\)"),
        ((np.where(V > 0.9, np.inf, V), 2), {}, na.ContentError, "infinite"),
        ((V[0], 2), {}, na.errors.ShapeError, r"\(6?9?,?\)|shape"),
        ((V[:, :0], 2), {}, na.errors.ShapeError, r"\(6, 0\)"),
        ((V[None], 2), {}, na.errors.ShapeError, "freq, time"),
        ((V, 2), {"W": W[:5]}, na.errors.ShapeError, r"W has shape \(5, 2\).*must be \(6, 2\)"),
        ((V, 3), {"W": W}, na.errors.ShapeError, r"W has shape \(6, 2\).*must be \(6, 3\)"),
        ((V,), {"W": W, "H": H.T}, na.errors.ShapeError, r"H has shape \(9, 2\)"),
        ((V,), {"W": -W}, na.ParameterError, "W has values from -1.0"),
        ((V,), {"W": W * np.nan}, na.ParameterError, "W has values"),
        ((V,), {"W": W.astype(complex)}, na.ParameterError, "W has dtype complex"),
        ((V, 2), {"update_W": np.array([1, 0])}, na.ParameterError, "update_W has dtype int"),
        ((V, 2), {"update_W": np.ones(3, bool)}, na.ParameterError, r"shape \(3,\)"),
        ((V, 2), {"beta_loss": float("nan")}, na.ParameterError, "beta_loss must.*nan"),
        ((V, 2), {"beta_loss": float("inf")}, na.ParameterError, "finite"),
        ((V, 2), {"beta_loss": "L2"}, na.ParameterError, "'L2'.*'kl'"),
        ((V, 2), {"beta_loss": True}, na.ParameterError, "True"),
        ((V, 2), {"solver": "cd"}, na.ParameterError, "'cd'.*'mu'"),
        ((V, 2), {"init": "ones"}, na.ParameterError, "'ones'.*'random' or 'nndsvdar' or 'spa'"),
        (
            (V, 2),
            {"weights": np.ones((9, 6))},
            na.errors.ShapeError,
            r"weights have shape \(9, 6\)",
        ),
        ((V, 2), {"weights": -V}, na.ParameterError, "weights go from"),
        ((V, 2), {"weights": 0 * V}, na.ParameterError, "weight 0"),
        ((V, 2), {"weights": HOLE}, na.ParameterError, "weights go from nan"),
        ((V, 2), {"missing": "none"}, na.ParameterError, "'none'.*'nan'"),
        ((V, 2), {"max_iter": 2.0}, na.ParameterError, r"max_iter.*2\.0"),
        ((V, 2), {"max_iter": -1}, na.ParameterError, "max_iter"),
        ((V, 2), {"check_every": 0}, na.ParameterError, "check_every"),
        ((V,), {"W": W, "init": "nndsvdar"}, na.ParameterError, "makes both W and H"),
        ((V,), {"H": H, "init": "spa"}, na.ParameterError, "'spa' makes both W and H"),
        ((V, 2), {"n_init": 0}, na.ParameterError, "n_init"),
        ((V, 2), {"n_init": 3, "init": "nndsvdar"}, na.ParameterError, "n_init is 3"),
        ((V,), {"W": W, "H": H, "n_init": 2}, na.ParameterError, "no factor starts at random"),
        ((V, 2), {"update_H": False}, na.ParameterError, "no H is given"),
        ((V, 2), {"rng": "seed"}, na.ParameterError, "rng is 'seed'"),
        ((V, 2), {"rng": -1}, na.ParameterError, "rng is -1"),
        ((V,), {"W": 3.0}, na.errors.ShapeError, r"W has shape \(\)"),
        ((V,), {"H": [["a"] * 9] * 2}, na.ParameterError, "H has dtype <U1"),
        ((V.astype("f4"), 2), {"weights": V * 1e40}, na.ParameterError, "too far for V's float32"),
        (
            (V, 2),
            {"weights": 0 * V + 1.7e308, "rng": 0},
            na.errors.NumericalError,
            "objective is (inf|nan)",
        ),
        ((V, 2), {"tol": -1e-4}, na.ParameterError, "tol"),
    ],
)
def test_nmf_refuses(arguments, settings, error, message):
    with pytest.raises(error, match=message) as caught:
        na.nmf(*arguments, **settings)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, ValueError | ArithmeticError)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([na.Factor(W), na.Factor(H[:, :8])], r"model of shape \(6, 8\), but V has \(6, 9\)"),
        ([na.Factor(W), na.Factor(H[:1])], "2 columns meet 1 rows"),
        ([na.Factor(W), na.Factor(H[:0])], "must not be empty|columns meet"),
        ([na.Factor(W, unit="l1"), na.Factor(H, free=False)], "unit"),
        ([na.Factor(W, unit="l1"), na.Factor(H, unit="l2")], "every factor .* has unit"),
    ],
)
def test_decompose_refuses(factors, message):
    with pytest.raises(na.ParameterError, match=message):
        na.decompose(V, factors)


@pytest.mark.parametrize(
    "settings",
    [
        {"unit": "max"},
        {"unit": "l1", "free": False},
        {"unit": "l2", "penalties": (na.penalties.L1(1),)},
    ],
)
def test_units_that_cannot_be_kept_are_refused(settings):
    with pytest.raises(na.ParameterError, match="unit"):
        na.Factor(W, **settings)


@pytest.mark.parametrize("init", INITS)
def test_a_rank_above_the_size_is_allowed(init):
    d = na.nmf(V, 12, init=init, max_iter=200, rng=0)
    assert d.W.shape == (6, 12)
    assert d.losses[-1] < 0.01 * d.losses[0]


def test_integers_become_float64_and_lists_are_arrays():
    d = na.nmf((V * 9).astype(int).tolist(), 2, max_iter=3, rng=0)
    assert d.W.dtype == np.float64


def test_no_iteration_returns_the_start():
    d = na.nmf(V, W=W, H=H, max_iter=0)
    assert np.array_equal(d.W, W)
    assert np.array_equal(d.H, H)
    assert d.n_iter == 0
    assert len(d.losses) == 1


def test_losses_and_checks():
    d = na.nmf(V, 2, max_iter=25, tol=0, rng=0)
    assert d.checks.tolist() == [0, 10, 20, 25]
    assert d.n_iter == 25
    assert d.losses[-1] == pytest.approx(na.Beta(1).value(V, d.model(), None))
    early = na.nmf(V, 2, max_iter=5000, tol=1e-3, rng=0)
    assert early.converged
    assert early.n_iter < 5000


def test_components_are_numbered_from_zero():
    d = na.nmf(V, 3, max_iter=5, rng=0)
    np.testing.assert_allclose(d.component(2), np.outer(d.W[:, 2], d.H[2]))
    np.testing.assert_allclose(d.model(), sum(d.component(k) for k in range(3)))
    with pytest.raises(na.ParameterError, match="from 0 to 2, got 3"):
        d.component(3)


@pytest.mark.parametrize(
    ("factors", "settings", "message"),
    [
        ([W, H], {}, r"wrap each array as Factor\(array\)"),
        (
            [na.Factor(W), na.Factor(H)],
            {"structure": na.structures.Convolutive},
            "instance of Structure",
        ),
        ([na.Factor(W), na.Factor(H)], {"divergence": na.Beta}, r"e\.g\. Beta\(1\)"),
        ([na.Factor(W), na.Factor(H)], {"divergence": 1}, r"e\.g\. Beta\(1\)"),
        ([na.Factor(W), na.Factor(H)], {"solver": na.solvers.MU}, "solver"),
    ],
)
def test_the_wrong_kind_of_thing_is_named(factors, settings, message):
    with pytest.raises(na.ParameterError, match=message):
        na.decompose(V, factors, **settings)


@pytest.mark.parametrize("make", [lambda: na.penalties.L1("a"), lambda: na.Beta("kl")])
def test_numbers_are_numbers(make):
    with pytest.raises(na.ParameterError, match="finite number"):
        make()


def test_a_penalty_alone_is_no_sequence():
    with pytest.raises(na.ParameterError, match="sequence of penalties"):
        na.Factor(W, penalties=na.penalties.L1(1.0))


def test_convergence_is_judged_over_full_stretches():
    plain = na.nmf(V, 2, rng=0, max_iter=30, tol=2e-3)
    longer = na.nmf(V, 2, rng=0, max_iter=31, tol=2e-3)
    assert longer.converged == plain.converged


def test_tol_is_a_share_of_the_first_loss_or_of_that_of_a_constant_model():
    mean = V.mean()
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = float((np.where(V > 0, V * np.log(V / mean), 0) - V + mean).sum())
    for tol in (1e-2, 1e-3, 1e-4):
        d = na.nmf(V, 2, rng=0, max_iter=10_000, tol=tol)
        falls = -np.diff(d.losses) / min(d.losses[0], constant)
        assert falls[-1] <= tol
        assert (falls[:-1] > tol).all()
        assert d.converged


def test_a_callback_stops_all_starts():
    seen = []
    na.nmf(V, 2, rng=0, n_init=4, callback=lambda p: np.bool_(seen.append(p) is None))
    assert len(seen) == 1


def test_subclasses_compute_what_they_say():
    class Doubled(na.structures.Product):
        def forward(self, factors):
            return 2 * super().forward(factors)

        def adjoint(self, i, G, factors):
            return 2 * super().adjoint(i, G, factors)

    d = na.decompose(V, [na.Factor(W), na.Factor(H)], structure=Doubled(), max_iter=40)
    assert d.losses[-1] == pytest.approx(na.Beta(1).value(V, 2 * d.W @ d.H, None))


def test_numbers_that_leave_the_finite_are_never_returned():
    class Broken(na.solvers.MU):
        def begin(self, problem, factors):
            run = super().begin(problem, factors)
            run.advance = lambda n: setattr(run, "loss", np.nan)
            return run

    with pytest.raises(na.errors.NumericalError, match="objective is nan"):
        na.nmf(V, 2, solver=Broken())


def test_a_solver_that_cannot_says_why():
    class Picky(na.solvers.MU):
        def supports(self, problem):
            return "it never does"

    with pytest.raises(na.ParameterError, match="Picky cannot solve this: it never does"):
        na.nmf(V, 2, solver=Picky())


def test_decompositions_are_saved_and_loaded(tmp_path):
    rng = np.random.default_rng(0)
    factors = [na.Factor(rng.random((3, 6, 2))), na.Factor(rng.random((2, 9)))]
    d = na.decompose(
        V, factors, structure=na.structures.Convolutive(), divergence=na.Beta(0.5), max_iter=7
    )
    d.save(tmp_path / "m.npz")
    again = na.Decomposition.load(tmp_path / "m.npz")
    for a, b in zip(d.factors, again.factors, strict=True):
        assert a.tobytes() == b.tobytes()
    assert again.structure == d.structure
    assert again.divergence == d.divergence
    assert np.array_equal(again.losses, d.losses)
    assert (again.n_iter, again.converged) == (d.n_iter, d.converged)
    with pytest.raises(na.errors.OutputError, match="exists"):
        d.save(tmp_path / "m.npz")
    d.save(tmp_path / "m.npz", overwrite=True)
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(na.AudioFileError):
        na.Decomposition.load(tmp_path / "text.npz")


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    class Own(na.Beta):
        pass

    d = na.decompose(V, [na.Factor(W), na.Factor(H)], divergence=Own(1), max_iter=1)
    with pytest.raises(na.ParameterError, match="Own is not registered"):
        d.save(tmp_path / "m.npz")
    assert not list(tmp_path.iterdir())


def test_a_users_own_divergence_and_penalty_compose():
    class Poisson:
        """KL once more, without help from the package."""

        exponents = (0.0, -1.0)
        degree = None

        def prepare(self, V, weights):
            return V

        def value(self, V, Y, weights):
            return float((Y - V * np.log(Y)).sum())

        def gradient_parts(self, V, Y, weights):
            return V / Y, np.ones_like(Y)

    class Nearest:
        """Half the squared distance to a target."""

        degree = None

        def value(self, F, factors):
            return 0.5 * float(((F - 0.3) ** 2).sum())

        def majorize(self, F, factors):
            return na.penalties.Terms(-0.3, 1.0)

    start = [np.random.default_rng(1).random(s) + 0.1 for s in ((6, 2), (2, 9))]
    for penalties in ((), (Nearest(),)):
        factors = [na.Factor(start[0]), na.Factor(start[1], True, penalties)]
        own = na.decompose(V, factors, divergence=Poisson(), max_iter=30, check_every=1, tol=0)
        ours = na.decompose(V, factors, solver="mu", max_iter=30, check_every=1, tol=0)
        np.testing.assert_allclose(own.W, ours.W, rtol=1e-9)
        assert (np.diff(own.losses) <= 1e-12).all()


class Unconvertible:
    """As a tensor that needs gradients, or is on another device."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("can't convert to numpy")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: na.nmf([[1, 2], [3]], 1), "V is a list that is no array: its elements differ"),
        (lambda: na.nmf((V, 22050), 1), "V is a tuple that is no array"),
        (lambda: na.nmf(Unconvertible(), 1), "V is a Unconvertible .*can't convert to numpy"),
        (lambda: na.nmf("song.wav", 1), "V is a str; .*nmfaudio.read"),
        (lambda: na.nmf(None, 1), "V is a NoneType"),
        (lambda: na.nmf(scipy.sparse.csr_matrix(V), 1), r"csr_matrix; .*\.toarray\(\)"),
        (lambda: na.nmf(np.ones(9), 1), r"V has shape \(9,\); .*Stft"),
        (lambda: na.nmf(-V, 1), "neither audio nor decibels"),
        (lambda: na.nmf(V, 2, weights=[[1], [2, 3]]), "weights is a list that is no array"),
        (lambda: na.nmf(V, 2, init=W), "pass initial arrays as W and H"),
        (lambda: na.nmf(V, 2, callback=3), "callback is 3"),
        (lambda: na.nmf(V, 2, rng=np.random.RandomState(0)), "rng is a RandomState;"),
        (lambda: na.nmf(np.full((2, 2), 1e308), 1), "too large for their mean"),
        (lambda: na.decompose(V, 3), "factors is 3; it must be a list of one Factor"),
        (lambda: na.decompose(V, na.Factor(W)), "factors is a Factor; it must be a list"),
        (lambda: na.Factor(H, penalties=(na.penalties.L1,)), "a penalty is <class"),
        (lambda: na.Factor(H, penalties=(0.1,)), "a penalty is 0.1"),
        (lambda: na.penalties.Prior(W, 1.0), r"weight of Prior .* got an array of shape"),
        (lambda: na.penalties.GroupSparsity(1.0, 3), "groups is 3; give one label"),
        (lambda: na.nmf(V, 2, rng=0).part(1), r"component\(k\) for one"),
        (lambda: na.nmf(V, 2, rng=0).part([0], 5), "frames is 5"),
        (lambda: na.factorisation.normalise(W), "decomposition is a ndarray"),
        (lambda: na.factorisation.sort_components(W), "decomposition is a ndarray"),
        (lambda: na.factorisation.kkt_residual(V, W), "decomposition is a ndarray"),
        (lambda: na.check_structure(na.structures.Product(), [W, H]), "shapes is a list"),
        (lambda: na.check_structure(na.structures.Product(), []), r"shapes is \[\]"),
        (lambda: na.check_penalty(na.penalties.L1(1.0), 5), "shape is 5"),
    ],
)
def test_mistakes_of_a_first_day_get_one_line(call, words):
    with pytest.raises(na.ParameterError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)
