"""Templates of notes that are made of partials alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from nmfaudio._common.validation import as_choice
from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.dictionaries.template_conversion import convert_templates, unit_sums
from nmfaudio.factorisation.structures import harmonic_atoms


def harmonic_templates(
    transform: Transform,
    pitches: np.ndarray,
    *,
    n_bands: int | None,
    n_partials: int | None,
    decay: float,
    inharmonicity: float | Sequence[float] | Literal["piano"],
) -> tuple[np.ndarray, list[float]]:
    """Templates of harmonic notes; see `NoteDictionary.harmonic`.

    Returns
    -------
    templates : np.ndarray [shape=(freq, component)]
        float64; each sums to one.
    pitches : list of float
        Of each component.
    """
    stft = transform if isinstance(transform, Stft) else transform.stft  # type: ignore[attr-defined]
    stiffness: Any = inharmonicity
    if isinstance(inharmonicity, str):
        as_choice(inharmonicity, "inharmonicity", ["piano"])
        stiffness = piano_inharmonicity(pitches)
    atoms = harmonic_atoms(
        stft.frequencies,
        pitches,
        n_bands=2 if n_bands is None else n_bands,
        n_partials=n_partials,
        decay=decay,
        inharmonicity=stiffness,
        power=stft.power,
    )
    if n_bands is None:
        atoms = atoms.sum(axis=1, keepdims=True)
    # Where bands are narrower than partials lie apart, some hold nothing.
    component, band = np.nonzero(atoms.any(axis=0).T)
    templates = unit_sums(atoms[:, band, component])
    if not isinstance(transform, Stft):
        templates = convert_templates(templates, stft, transform)
    return templates, [float(pitches[k]) for k in component]


def piano_inharmonicity(pitches: np.ndarray) -> np.ndarray:
    """B of the strings of a typical piano, for `harmonic_atoms`.

    Parameters
    ----------
    pitches : np.ndarray [shape=(component,)]
        MIDI numbers.

    Returns
    -------
    np.ndarray [shape=(component,)]

    References
    ----------
    F. Rigaud, B. David and L. Daudet, "A parametric model and estimation techniques for the
    inharmonicity and tuning of the piano", JASA 133(5), 2013, doi:10.1121/1.4799806.

    Examples
    --------
    >>> piano_inharmonicity(np.array([21, 60, 96])).round(5).tolist()
    [0.00051, 0.00033, 0.00865]
    """
    treble, bass = 0.0926 * pitches - 13.64, -0.0847 * pitches - 5.82
    stiffness: np.ndarray = np.exp(treble) + np.exp(bass)
    return stiffness
