"""Dictionaries: labelled templates, and the transform they belong to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeAlias, get_args

import numpy as np

from nmfaudio._common.equality import EqualByContent
from nmfaudio._common.files import load_archive, save_archive, show
from nmfaudio._common.files.sources import MALFORMED, Source
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform, rows_in, saved_parameters, transform_from
from nmfaudio.errors import AudioFileError, ParameterError, ShapeError
from nmfaudio.factorisation.divergences import beta_named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind: TypeAlias = Literal["templates", "exemplars", "convolutive"]

_KIND = "dictionary"  # of the file
_MOST_LABELS, _MOST_TEMPLATES = 8, 4  # whose sound a notebook plays


@public
@dataclass(frozen=True, eq=False, repr=False)
class Dictionary(EqualByContent):
    """Labelled templates of sounds.

    `nmfaudio.learn` makes one from recordings; its templates each sum to one.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        float32 or float64, finite and ≥ 0: single frames, or `lags` consecutive frames each.
    labels : sequence of str
        Source of each component.
    transform : Transform
        Transform whose frames the templates are; with another they have no meaning.
    pitches : sequence of (float or None), optional
        MIDI number of each component's note, or None where it has none.
    beta_loss : float, str or Beta
        β-divergence under which the templates were learned, kept as a number: 1 is
        Kullback–Leibler.
    kind : "templates", "exemplars" or "convolutive"
        Spectra learned by NMF; unmodified frames of recordings (several consecutive ones for
        templates with lags); or spectrograms learned by convolutive NMF.
    metadata : Mapping
        Further JSON-serialisable data, such as the origin of the templates.

    Raises
    ------
    ShapeError
        The shape of the templates does not fit the transform or the labels.
    ParameterError
        A value is invalid: a negative template, a label that is not a string.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> stft = na.Stft(8000, 512)
    >>> spectra = np.random.default_rng(0).random((257, 5))
    >>> dictionary = na.Dictionary(spectra, ["guitar"] * 3 + ["voice"] * 2, stft)
    >>> dictionary
    Dictionary(2 labels: guitar 3, voice 2; templates of 257 frequencies, stft, 8000 Hz)
    >>> dictionary.components("voice")
    (3, 4)
    """

    templates: np.ndarray
    labels: tuple[str, ...]
    transform: Transform
    pitches: tuple[float | None, ...] = None  # type: ignore[assignment]  # a tuple once constructed
    beta_loss: float = 1.0
    kind: Kind = "templates"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    _component_fields: ClassVar[tuple[str, ...]] = (
        "labels",
        "pitches",
    )  # fields with one entry per component

    def __post_init__(self) -> None:
        count = _require_templates(self.templates, self.transform)
        labels = _as_labels(self.labels, count)
        pitches = (None,) * count if self.pitches is None else _as_pitches(self.pitches, count)
        if self.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            raise ParameterError(f"kind is {self.kind!r}; it must be one of {kinds}")
        beta = beta_named(self.beta_loss, "a dictionary").beta
        valid = {"labels": labels, "pitches": pitches, "beta_loss": beta}
        for name, value in valid.items():
            object.__setattr__(self, name, value)

    @property
    def names(self) -> tuple[str, ...]:
        """Distinct labels, in the order of their first components."""
        return tuple(dict.fromkeys(self.labels))

    @property
    def n_components(self) -> int:
        """Number of templates."""
        return int(self.templates.shape[-1])

    @property
    def lags(self) -> int:
        """Number of frames of a template."""
        return 1 if self.templates.ndim == 2 else len(self.templates)

    def components(self, label: str) -> tuple[int, ...]:
        """Return the components of a label.

        Parameters
        ----------
        label : str

        Returns
        -------
        tuple of int
            Indices of components.

        Raises
        ------
        ParameterError
            No component has the label; the message lists all labels.
        """
        members = tuple(k for k, name in enumerate(self.labels) if name == label)
        if not members:
            raise ParameterError(
                f"no component has the label {label!r}; choose from {', '.join(self.names)}"
            )
        return members

    def select(self, labels: str | Sequence[str]) -> Self:
        """Return the components of one or several labels.

        Parameters
        ----------
        labels : str or sequence of str
            Labels, in the order in which their components are returned.

        Returns
        -------
        Dictionary

        Raises
        ------
        ParameterError
            No component has one of the labels, or `labels` is empty.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> dictionary = na.Dictionary(np.eye(257)[:, :3], ["a", "b", "a"], na.Stft(8000, 512))
        >>> dictionary.select("a").labels
        ('a', 'a')
        """
        distinct = dict.fromkeys([labels] if isinstance(labels, str) else labels)
        if not distinct:
            raise ParameterError(f"labels is empty; choose from {', '.join(self.names)}")
        return self._take([k for label in distinct for k in self.components(label)])

    def _take(self, chosen: Sequence[int]) -> Self:
        """Select components by index, in the given order."""
        values: dict[str, Any] = {
            name: tuple(getattr(self, name)[k] for k in chosen) for name in self._component_fields
        }
        return replace(self, templates=self.templates[..., chosen], **values)

    def merge(self, *others: Dictionary) -> Self:
        """Return the components of this dictionary and others, one after the other.

        Components of the same label become those of one source. Templates and exemplars of single
        frames may be merged, to templates.

        Parameters
        ----------
        *others : Dictionary
            Dictionaries of the same transform, β, kind and lags.

        Returns
        -------
        Dictionary
            float64 if one of the dictionaries is.

        Raises
        ------
        ParameterError
            They differ in transform, β, kind or lags; the message states the values.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> stft = na.Stft(8000, 512)
        >>> a = na.Dictionary(np.eye(257)[:, :3], ["a"] * 3, stft)
        >>> b = na.Dictionary(np.eye(257)[:, 3:4], ["b"], stft)
        >>> a.merge(b).labels
        ('a', 'a', 'a', 'b')
        """
        every: tuple[Dictionary, ...] = (self, *others)
        for n, other in enumerate(others, 2):
            self._require_like(other, f"dictionary {n}")
        same = all(other.metadata == self.metadata for other in others)
        values: dict[str, Any] = {
            name: tuple(value for d in every for value in getattr(d, name))
            for name in self._component_fields
        }
        return replace(
            self,
            templates=np.concatenate([d.templates for d in every], axis=-1),
            **values,
            kind=self.kind if all(d.kind == self.kind for d in others) else "templates",
            metadata=self.metadata if same else {"merged": [dict(d.metadata) for d in every]},
        )

    def check(self, transform: Transform) -> None:
        """Raise an error unless a transform is that of the templates.

        Parameters
        ----------
        transform : Transform

        Raises
        ------
        ParameterError
            The transform differs; the message states the parameters that do, and their values.
        """
        if differences := _differences(self.transform, transform):
            raise ParameterError(
                f"the dictionary was learned with {differences}; use its own transform, and audio "
                f"of {self.transform.sr} Hz, or learn it again"
            )

    def _require_like(self, other: Dictionary, name: str) -> None:
        """Raise `ParameterError` unless components of another dictionary fit to these."""
        differences = _differences(self.transform, other.transform)
        for field_name in ("beta_loss", "lags", "kind"):
            first, second = getattr(self, field_name), getattr(other, field_name)
            compatible = first == second or (field_name == "kind" and self.lags == 1)
            if not (differences or compatible):
                differences = f"{field_name} {first}, not {second}"
        if differences:
            raise ParameterError(
                f"dictionaries that differ cannot be merged: dictionary 1 has {differences} as "
                f"{name}; learn them with the same settings"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._summary()})"

    def _repr_html_(self) -> str:
        from nmfaudio.dictionaries import sonify_dictionary
        from nmfaudio.display.html import dictionary_html

        sounds = {}
        for name in self.names[:_MOST_LABELS]:
            members = self.components(name)
            spread = members[:: -(-len(members) // _MOST_TEMPLATES)]
            sounds[name] = sonify_dictionary(self._take(spread), name)
        return dictionary_html(self, facts=self._kind_facts(), sounds=sounds)

    def _summary(self) -> str:
        counts = ", ".join(f"{name} {self.labels.count(name)}" for name in self.names)
        labels = "1 label" if len(self.names) == 1 else f"{len(self.names)} labels"
        return f"{labels}: {counts}; {', '.join(self._kind_facts())}"

    def _kind_facts(self) -> list[str]:
        """Phrases about the templates."""
        length = f"{self.lags} frames and " if self.lags > 1 else ""
        return [
            f"{self.kind} of {length}{self.templates.shape[-2]} frequencies",
            self.transform.kind,
            f"{self.transform.sr} Hz",
            *self._facts(),
        ]

    def _facts(self) -> list[str]:
        """Phrases about the notes of the dictionary."""
        pitched = sum(pitch is not None for pitch in self.pitches)
        return [f"{pitched} with a pitch"] if pitched else []

    def plot(self, **options: Any) -> Axes:
        """Draw all templates side by side, grouped by label.

        Parameters
        ----------
        **options
            Further arguments of `nmfaudio.plot_dictionary`.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        MissingExtraError
            matplotlib is not installed.
        """
        from nmfaudio.display import plot_dictionary

        return plot_dictionary(self, **options)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Save to an ``.npz`` file of one array and a JSON header; no pickle.

        Parameters
        ----------
        path : str or os.PathLike
        overwrite : bool
            Whether to replace an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        ParameterError
            `metadata` is not JSON-serialisable, or the transform is not registered (see
            `nmfaudio.register`).
        """
        header = {
            "kind": _KIND,
            "templates": self.kind,
            **{name: list(getattr(self, name)) for name in self._component_fields},
            "transform": saved_parameters(self.transform),
            "beta": self.beta_loss,
            "about": dict(self.metadata),
        }
        return save_archive(path, header, {"templates": self.templates}, overwrite=overwrite)

    @classmethod
    def load(cls, path: Source) -> Self:
        """Load a dictionary from a file written by `save`.

        Parameters
        ----------
        path : str, bytes, os.PathLike or binary file object

        Returns
        -------
        Dictionary

        Raises
        ------
        AudioFileError
            The file cannot be read, or is not a dictionary.
        """
        header, arrays = load_archive(path, kind=_KIND)
        try:
            templates = arrays["templates"]
            parameters = dict(header["transform"])
            # Checked first: building a transform with billions of bands would take all memory.
            if rows_in(parameters) != templates.shape[-2]:
                raise ShapeError(f"templates of shape {templates.shape} do not fit {parameters}")
            # A file of a plain dictionary lacks the further fields of a subclass.
            values: dict[str, Any] = {name: header.get(name) for name in cls._component_fields}
            values |= {name: header[name] for name in Dictionary._component_fields}
            return cls(
                templates,
                transform=transform_from(parameters),
                beta_loss=header["beta"],
                kind=header["templates"],
                metadata=dict(header["about"]),
                **values,
            )
        except MALFORMED as error:
            raise AudioFileError(
                f"{show(path)}: not a dictionary that can be loaded: {error}"
            ) from error


def _differences(first: Transform, second: Transform) -> str:
    """Parameters in which transforms differ: ``hop 512, not 256 and …``, or an empty string."""
    a, b = first.to_dict(), second.to_dict()
    fields = [name for name in a if a[name] != b.get(name)]
    if a["kind"] != b["kind"]:
        fields = ["kind"]  # other kinds have other parameters anyway
    return " and ".join(f"{name} {a[name]}, not {b[name]}" for name in fields)


def _require_templates(templates: Any, transform: Transform) -> int:
    """Return the number of templates, if they fit the transform and are valid."""
    if not isinstance(templates, np.ndarray) or templates.dtype not in (np.float32, np.float64):
        kind = getattr(templates, "dtype", type(templates).__name__)
        raise ParameterError(f"templates are {kind}; give an array of float32 or float64")
    rows = len(transform.frequencies)
    if templates.ndim not in (2, 3) or templates.shape[-2] != rows or not templates.size:
        raise ShapeError(
            f"templates have shape {templates.shape}; it must be (freq, component) or "
            f"(lag, freq, component), with the {rows} frequencies of the transform and at least 1 "
            "component"
        )
    low, high = templates.min(), templates.max()
    if not (low >= 0 and high < np.inf):
        raise ParameterError(
            f"templates have values from {low:g} to {high:g}; they must be finite and ≥ 0"
        )
    return int(templates.shape[-1])


def _as_labels(labels: Any, count: int) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise ParameterError(f"labels is the string {labels!r}; give a list with one per component")
    values = tuple(labels)
    if len(values) != count:
        raise ShapeError(f"{len(values)} labels for {count} components; give one for each")
    for label in values:
        if not isinstance(label, str) or not label.strip() or not label.isprintable():
            raise ParameterError(f"a label is {label!r}; each must be a printable string")
    return values


def _as_pitches(pitches: Any, count: int) -> tuple[float | None, ...]:
    values = tuple(None if p is None else as_number(p, "a pitch", low=0) for p in pitches)
    if len(values) != count:
        raise ShapeError(
            f"{len(values)} pitches for {count} components; give one for each, or None"
        )
    return values
