"""The same start gives scikit-learn's W and H."""

import numpy as np
import pytest
from sklearn.decomposition import non_negative_factorization
from sklearn.decomposition._nmf import _initialize_nmf

import nmfaudio as na
from nmfaudio.factorisation.initialisation import nndsvdar

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("beta", [0.5, 1, 1.5, 2])
def test_fifty_iterations_agree(beta, order):
    rng = np.random.default_rng(0)
    V = np.asarray(rng.random((40, 61)) + 0.05, order=order)
    W, H = rng.random((40, 7)) + 0.1, rng.random((7, 61)) + 0.1
    theirs = non_negative_factorization(
        V,
        W=W.copy(),
        H=H.copy(),
        n_components=7,
        init="custom",
        solver="mu",
        beta_loss=beta,
        max_iter=50,
        tol=0,
    )
    ours = na.nmf(V, W=W, H=H, beta_loss=beta, solver="mu", max_iter=50, tol=0)
    np.testing.assert_allclose(ours.W, theirs[0], rtol=1e-10)
    np.testing.assert_allclose(ours.H, theirs[1], rtol=1e-10)


@pytest.mark.parametrize("beta", [0.5, 1, 1.5, 2])
def test_supervised_activations_agree(beta):
    rng = np.random.default_rng(1)
    V = rng.random((61, 40)) + 0.05
    W, H = rng.random((61, 7)) + 0.1, rng.random((7, 40)) + 0.1
    theirs = non_negative_factorization(
        V.T,
        H=W.T.copy(),
        n_components=7,
        init="custom",
        update_H=False,
        solver="mu",
        beta_loss=beta,
        max_iter=50,
        tol=0,
    )
    # scikit-learn ignores the initial factor where its H is fixed, so only the optimum is compared
    ours = na.nmf(V, W=W, H=H, update_W=False, beta_loss=beta, max_iter=3000, tol=0)
    loss, reference = (na.Beta(beta).value(V, Y, None) for Y in (ours.model(), W @ theirs[0].T))
    assert loss <= reference * (1 + 1e-9)


def test_nndsvdar_fits_like_scikit_learns():
    rng = np.random.default_rng(2)
    V = rng.random((50, 6)) @ rng.random((6, 80)) + 0.01
    W, H = nndsvdar(V, 6, rng=np.random.default_rng(0))
    W0, H0 = _initialize_nmf(V, 6, init="nndsvdar", random_state=0)
    for k in range(6):  # up to which factor carries the scale, and the random fill
        np.testing.assert_allclose(
            np.outer(W[:, k], H[k]), np.outer(W0[:, k], H0[k]), atol=0.02 * V.max()
        )
