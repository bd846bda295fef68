"""Slow implementations of the mathematics in plain NumPy, which kernels are compared with."""

import numpy as np


def model(W, H):
    """Product of W (freq, component) or (lag, freq, component) and H, lag by lag."""
    if W.ndim == 2:
        return W @ H
    out = np.zeros((W.shape[1], H.shape[1]), W.dtype)
    for lag in range(min(len(W), H.shape[1])):
        out[:, lag:] += W[lag] @ H[:, : H.shape[1] - lag]
    return out


def model_2d(W, H):
    """Model of W (lag, freq, component) and H (shift, component, time), shift by shift."""
    out = np.zeros((W.shape[1], H.shape[2]), W.dtype)
    for shift in range(len(H)):
        out[shift:] += model(W, H[shift])[: W.shape[1] - shift]
    return out


def attack_decay(W, E, H):
    """Model of W (stage, freq, component) and E (stage, lag, component), stage by stage."""
    if W.shape[0] != E.shape[0]:
        raise ValueError("as many envelopes as spectra")
    return sum(model(w[None] * e[:, None], H) for w, e in zip(W, E, strict=True))


MODELS = {
    "product": model,
    "deep": lambda *X: np.linalg.multi_dot(X),
    "convolutive": model,
    "channels": lambda Q, W, H: np.einsum("ck,fk,kt->cft", Q, W, H),
    "convolutive-2d": model_2d,
    "harmonic": lambda P, E, H: np.einsum("fmk,mk,kt->ft", P, E, H),
    "source-filter": lambda W0, H0, WF, HF, WM, HM: (W0 @ H0) * (WF @ HF) + WM @ HM,
    "attack-decay": attack_decay,
    "masked": lambda M, W, H, N, X, Z: M * (W @ H) + N * (X @ Z),
}
"""Functions that compute the model from the factors, by name of the structure."""


def beta_divergence(V, Y, beta, weights=None):
    """Beta-divergence summed over all bins, with 0 log 0 = 0."""
    V, Y = V.astype(np.float64), Y.astype(np.float64)
    if beta == 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            log = np.where(V > 0, V * np.log(V / Y), 0.0)
        d = log - V + Y
    elif beta == 0:
        d = V / Y - np.log(V / Y) - 1
    else:
        d = (V**beta + (beta - 1) * Y**beta - beta * V * Y ** (beta - 1)) / (beta * (beta - 1))
    return float((d if weights is None else d * weights).sum())


def mu(V, W, H, beta, iterations, weights=1.0):
    """Multiplicative updates as in the literature, W before H."""
    gamma = 1 / (2 - beta) if beta < 1 else 1 / (beta - 1) if beta > 2 else 1.0
    for _ in range(iterations):
        Y = W @ H
        A, B = weights * V * Y ** (beta - 2), weights * Y ** (beta - 1)
        W = W * (A @ H.T / (B @ H.T)) ** gamma
        Y = W @ H
        A, B = weights * V * Y ** (beta - 2), weights * Y ** (beta - 1)
        H = H * (W.T @ A / (W.T @ B)) ** gamma
    return W, H


def decaying_maximum(X, decay):
    out = X.copy()
    for t in range(1, X.shape[1]):
        out[:, t] = np.maximum(X[:, t], out[:, t - 1].astype(np.float64) * decay)
    return out


def likeliest_states(log_odds, cost):
    """Viterbi with a score for each of the two states."""
    score = np.stack([np.zeros(len(log_odds)), log_odds[:, 0]])  # (state, row)
    came_from = []
    for odds in log_odds.T[1:]:
        change = score[::-1] - cost
        came_from.append(np.stack([change[0] > score[0], change[1] <= score[1]]))
        score = np.maximum(score, change) + np.stack([np.zeros(len(odds)), odds])
        score -= score[0]
    states = [score[1] > score[0]]
    for inactive, active in reversed(came_from):
        states.append(np.where(states[-1], active, inactive))
    return np.stack(states[::-1], axis=1)
