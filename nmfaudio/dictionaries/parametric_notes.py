"""Notes synthesised from their partials, without data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from nmfaudio._common.validation import as_choice
from nmfaudio.audio.transforms import Stft, Transform
from nmfaudio.dictionaries.note_dictionary import NoteDictionary
from nmfaudio.dictionaries.note_learning import PIANO_KEYS
from nmfaudio.dictionaries.template_conversion import convert_templates, unit_sums
from nmfaudio.factorisation.structures import harmonic_atoms

_METADATA = {"synthesis": "partials"}


def harmonic_notes(
    transform: Transform,
    *,
    pitches: Sequence[float] = PIANO_KEYS,
    n_bands: int | None = None,
    n_partials: int | None = None,
    decay: float = 1.5,
    inharmonicity: float | Sequence[float] | Literal["piano"] = 0.0,
    instrument: str = "harmonic",
) -> NoteDictionary:
    """Synthesise notes from their partials, which needs no data.

    Parameters
    ----------
    transform : Transform
        An `Stft`, or a transform that begins with one.
    pitches : sequence of float
        MIDI numbers, which may be fractional.
    n_bands : int, optional
        Number of narrow bands, at least 2, that each pitch is divided into, with a component for
        each, so that activations find the spectral envelope; see `harmonic_atoms`. Bands without
        a partial are left out. By default a pitch has one component.
    n_partials : int, optional
        Maximum number of partials of a pitch; by default all up to the highest frequency.
    decay : float
        ≥ 0: the magnitude of partial h is ``h^-decay``.
    inharmonicity : float, sequence of float or "piano"
        Coefficient B ≥ 0 of stiff strings, for all pitches or for each: partial h lies at
        ``h·f0·sqrt(1 + B·h²)``. "piano": that of a typical piano at each pitch.
    instrument : str
        Label of all components.

    Returns
    -------
    NoteDictionary
        float64, sorted by pitch, then band from the lowest; each component sums to one.

    Raises
    ------
    ParameterError, ShapeError
        A parameter is invalid, or a pitch is above the highest frequency.

    References
    ----------
    E. Vincent, N. Bertin and R. Badeau, "Adaptive harmonic spectral decomposition for multiple
    pitch estimation", IEEE Trans. Audio, Speech, and Language Processing 18(3), 2010,
    doi:10.1109/TASL.2009.2034186.

    Examples
    --------
    >>> import nmfaudio as na
    >>> na.dictionaries.harmonic_notes(na.Stft(22050, 2048), inharmonicity="piano")
    NoteDictionary(1 label: harmonic 88; templates of 1025 frequencies, stft, 22050 Hz, \
88 pitches from 21 to 108)
    """
    keys = np.asarray(pitches, np.float64)
    stft = transform if isinstance(transform, Stft) else transform.stft  # type: ignore[attr-defined]
    stiffness: Any = inharmonicity
    if isinstance(inharmonicity, str):
        as_choice(inharmonicity, "inharmonicity", ["piano"])
        stiffness = piano_inharmonicity(keys)
    atoms = harmonic_atoms(
        stft.frequencies,
        keys,
        n_bands=2 if n_bands is None else n_bands,
        n_partials=n_partials,
        decay=decay,
        inharmonicity=stiffness,
        power=stft.power,
    )  # (freq, band, pitch)
    if n_bands is None:
        atoms = atoms.sum(axis=1, keepdims=True)
    # Bands narrower than the distance between partials may have none.
    owners, bands = np.nonzero(atoms.any(axis=0).T)
    templates = unit_sums(atoms[:, bands, owners])
    if not isinstance(transform, Stft):
        templates = convert_templates(templates, stft, transform)
    labels = (instrument,) * len(owners)
    return NoteDictionary(
        templates, labels, transform, tuple(keys[owners].tolist()), metadata=dict(_METADATA)
    )


def is_synthetic(dictionary: NoteDictionary) -> bool:
    """Return True for dictionaries that `harmonic_notes` made, and selections from them.

    Parameters
    ----------
    dictionary : NoteDictionary

    Returns
    -------
    bool

    Examples
    --------
    >>> import nmfaudio as na
    >>> is_synthetic(na.dictionaries.harmonic_notes(na.Stft(22050, 2048)).restrict(60, 72))
    True
    """
    return dictionary.metadata == _METADATA


def piano_inharmonicity(pitches: np.ndarray) -> np.ndarray:
    """Return the inharmonicity coefficient B of the strings of a typical piano.

    ``B = exp(0.0926·p − 13.64) + exp(−0.0847·p − 5.82)`` for the MIDI number p: one term for the
    treble bridge, one for the bass bridge (Rigaud et al. 2013).

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
