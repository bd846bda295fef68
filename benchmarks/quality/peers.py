"""Reference systems: the mixture, librosa, scikit-learn and ideal masks."""

from __future__ import annotations

import librosa
import numpy as np
from sklearn.decomposition import NMF, non_negative_factorization

import nmfaudio as na
from benchmarks.quality.cases import Case
from nmfaudio.audio.masking import analyse, apply_mask
from nmfaudio.audio.masks import soft_masks

Estimates = dict[str, np.ndarray] | None


def mixture(case: Case, seed: int) -> Estimates:
    """Return the mixture as the estimate of every source."""
    return dict.fromkeys(case.sources, case.mixture)


def librosa_hpss(case: Case, seed: int) -> Estimates:
    """Separate with ``librosa.effects.hpss`` and its defaults."""
    if set(case.sources) != {"harmonic", "percussive"}:
        return None
    harmonic, percussive = librosa.effects.hpss(case.mixture)
    return {"harmonic": harmonic, "percussive": percussive}


def sklearn_nmf(case: Case, seed: int) -> Estimates:
    """Separate with supervised scikit-learn NMF: KL, 30 components per source, amplitude masks."""
    if case.train is None:
        return None
    n_fft = 2048 if case.sr > 24_000 else 1024
    Z = librosa.stft(case.mixture, n_fft=n_fft)
    settings = {"beta_loss": "kullback-leibler", "solver": "mu", "max_iter": 200, "tol": 0}
    # scikit-learn's `components_` are our templates: it takes frames as rows.
    templates = [
        NMF(30, init="random", random_state=seed, **settings)
        .fit(_magnitudes(librosa.stft(y, n_fft=n_fft)))
        .components_
        for y in case.train.values()
    ]
    V = _magnitudes(Z)
    activations, *_ = non_negative_factorization(
        V,
        H=np.concatenate(templates),
        n_components=30 * len(templates),
        update_H=False,
        init="custom",
        random_state=seed,
        **settings,
    )
    parts = [activations[:, 30 * i : 30 * (i + 1)] @ W for i, W in enumerate(templates)]
    total = np.maximum(np.sum(parts, axis=0), np.finfo(V.dtype).tiny)
    return {
        name: librosa.istft(Z * (part / total).T, length=case.mixture.shape[1])
        for name, part in zip(case.sources, parts, strict=True)
    }


def ideal_mask_1(case: Case, seed: int) -> Estimates:
    """Apply the ratio mask of the true amplitudes."""
    return _ideal(case, 1)


def ideal_mask_2(case: Case, seed: int) -> Estimates:
    """Apply the ratio mask of the true powers."""
    return _ideal(case, 2)


def _ideal(case: Case, alpha: float) -> Estimates:
    """Apply masks of the true magnitudes raised to `alpha`."""
    stft = na.Stft(case.sr)
    masks = soft_masks([analyse(y, stft) for y in case.sources.values()], alpha=alpha)
    return {
        name: apply_mask(mask, case.mixture, stft)
        for name, mask in zip(case.sources, masks, strict=True)
    }


def _magnitudes(Z: np.ndarray) -> np.ndarray:
    """Magnitudes, root mean square over the channels [shape=(time, freq)]."""
    return np.ascontiguousarray(np.sqrt(np.mean(np.abs(Z) ** 2, axis=0)).T)
