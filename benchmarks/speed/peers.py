"""Implementations of NMF behind one interface.

All get the same data and initial factors, stop at no tolerance and evaluate no objective. Each
function returns a `Contender` for V ≈ W H; V has the layout that librosa produces.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import librosa
import numpy as np
from sklearn.decomposition import non_negative_factorization

import nmfaudio as na
from benchmarks.speed.measure import Contender


def ours(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """nmfaudio with multiplicative updates."""

    def run(n: int) -> None:
        na.nmf(V, W=W, H=H, beta_loss=beta, solver="mu", max_iter=n, tol=0, check_every=n)

    return Contender(run)


def fit_sklearn(
    V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float, iterations: int, solver: str = "mu"
) -> tuple[np.ndarray, np.ndarray]:
    """Factors that scikit-learn computes from copies of W and H."""
    W_fit, H_fit, _ = non_negative_factorization(
        V,
        W=W.copy(),
        H=H.copy(),
        n_components=len(H),
        init="custom",
        solver=solver,
        beta_loss=beta,
        tol=0,
        max_iter=iterations,
    )
    return W_fit, H_fit


def sklearn_c(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """scikit-learn on a C-ordered copy of V."""
    V = np.ascontiguousarray(V)
    return Contender(lambda n: fit_sklearn(V, W, H, beta, n))


def sklearn_f(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """scikit-learn on V in Fortran order."""
    return Contender(lambda n: fit_sklearn(V, W, H, beta, n))


def librosa_decompose(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """``librosa.decompose``, which passes the transpose to scikit-learn with a random start."""
    settings: dict[str, Any] = {
        "solver": "mu",
        "beta_loss": beta,
        "init": "random",
        "random_state": 0,
        "tol": 0,
    }
    return Contender(
        lambda n: librosa.decompose.decompose(V, n_components=len(H), max_iter=n, **settings)
    )


def torchnmf(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """torchnmf's NMF, on the transpose of V."""
    from torchnmf.nmf import NMF

    return _torch(NMF, V.T, W, np.ascontiguousarray(H.T), beta)


def torchnmf_nmfd(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """torchnmf's NMFD; W is (lag, freq, component), and H gets lags − 1 frames less than V."""
    from torchnmf.nmf import NMFD

    lags, frames = len(W), V.shape[1]
    templates = np.ascontiguousarray(W.transpose(1, 2, 0))
    short = np.ascontiguousarray(H[None, :, : frames - lags + 1])
    return _torch(NMFD, np.ascontiguousarray(V)[None], templates, short, beta)


def _torch(
    model: Callable[..., Any], V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float
) -> Contender:
    """torchnmf's `fit`, nine iterations at most: it evaluates the objective at every tenth."""
    import torch

    data, templates, activations = (torch.from_numpy(X) for X in (V, W, H))

    def run(n: int) -> None:
        net = model(W=templates, H=activations).to(data.dtype)
        net.fit(data, beta=beta, tol=0, max_iter=n)

    return Contender(run, longest=9)


def textbook(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """Textbook multiplicative updates in NumPy."""
    V = np.ascontiguousarray(V)
    tiny = np.finfo(V.dtype).tiny
    # Exponent that keeps updates monotone (Févotte and Idier 2011, doi:10.1162/NECO_a_00168).
    exponent = 1 / (2 - beta) if beta < 1 else 1

    def gradient_parts(w: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        Y = w @ h + tiny
        if beta == 1:
            return V / Y, Y
        if beta == 0:
            return V / Y**2, 1 / Y
        return V * Y ** (beta - 2), Y ** (beta - 1)

    def parts_of_w(w: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if beta == 2:
            return V @ h.T, w @ (h @ h.T)
        negative, positive = gradient_parts(w, h)
        return negative @ h.T, h.sum(1) if beta == 1 else positive @ h.T

    def parts_of_h(w: np.ndarray, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if beta == 2:
            return w.T @ V, (w.T @ w) @ h
        negative, positive = gradient_parts(w, h)
        return w.T @ negative, w.sum(0)[:, None] if beta == 1 else w.T @ positive

    def run(n: int) -> None:
        w, h = W, H
        for _ in range(n):
            numerator, denominator = parts_of_w(w, h)
            w = w * (numerator / (denominator + tiny)) ** exponent
            numerator, denominator = parts_of_h(w, h)
            h = h * (numerator / (denominator + tiny)) ** exponent

    return Contender(run)


def ours_nmfd(V: np.ndarray, W: np.ndarray, H: np.ndarray, beta: float) -> Contender:
    """nmfaudio's NMFD with multiplicative updates."""

    def run(n: int) -> None:
        na.decompose(
            V,
            [na.Factor(W, name="W"), na.Factor(H, name="H")],
            structure=na.structures.Convolutive(),
            divergence=na.Beta(beta),
            solver="mu",
            max_iter=n,
            tol=0,
            check_every=n,
        )

    return Contender(run)


OURS = "nmfaudio"
PEERS: dict[str, Callable[..., Contender]] = {
    "scikit-learn C": sklearn_c,
    "scikit-learn F": sklearn_f,
    "librosa.decompose": librosa_decompose,
    "torchnmf": torchnmf,
    "NumPy": textbook,
}
"""Peers by name; scikit-learn gets V in C order, or in Fortran order as librosa returns it."""
