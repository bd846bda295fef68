"""What sounds are known to sound like: labelled templates, and the transform they belong to."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self, TypeAlias, get_args

import numpy as np

from nmfaudio._common.files import load_archive, save_archive, show
from nmfaudio._common.files.sources import Source
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.audio.transforms import Transform, rows_in, transform_from
from nmfaudio.errors import AudioFileError, NmfAudioError, ParameterError, ShapeError

Kind: TypeAlias = Literal["templates", "exemplars", "convolutive"]

_KIND = "dictionary"  # of the file


@public
@dataclass(frozen=True, eq=False, repr=False)
class Dictionary:
    """Spectra of sounds that are known, each with the name of its source.

    `nmfaudio.learn` makes one from examples; its templates each sum to one.

    Parameters
    ----------
    templates : np.ndarray [shape=(freq, component) or (lag, freq, component)]
        float32 or float64, finite and ≥ 0: single frames, or stretches of `lags` frames each.
    labels : sequence of str
        The source of each component.
    transform : Transform
        What the templates are frames of. They mean nothing under another.
    pitches : sequence of (float or None), optional
        The MIDI number of each component's note, None where it has none.
    beta : float
        The β-divergence that the templates were learned under: 1 Kullback–Leibler.
    kind : "templates", "exemplars" or "convolutive"
        Spectra that a factorisation found; frames of the examples as they are (stretches of them
        where there are lags); stretches that a convolutive factorisation found.
    about : Mapping
        What else should travel with it, made of JSON types: where it comes from.

    Raises
    ------
    ShapeError
        The templates have other axes, or do not fit the transform or the labels.
    ParameterError
        A value cannot be: a template is negative, a label is no text.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> stft = na.Stft(8000, 512)
    >>> spectra = np.random.default_rng(0).random((257, 5))
    >>> known = na.Dictionary(spectra, ["guitar"] * 3 + ["voice"] * 2, stft)
    >>> known
    Dictionary(2 labels: guitar 3, voice 2; templates of 257 frequencies, stft, 8000 Hz)
    >>> known.components("voice")
    (3, 4)
    """

    templates: np.ndarray
    labels: tuple[str, ...]
    transform: Transform
    pitches: tuple[float | None, ...] = None  # type: ignore[assignment]  # a tuple once constructed
    beta: float = 1.0
    kind: Kind = "templates"
    metadata: Mapping[str, Any] = field(default_factory=dict)

    _each: ClassVar[tuple[str, ...]] = ("labels", "pitches")  # what every component has one of

    def __post_init__(self) -> None:
        count = _require_templates(self.templates, self.transform)
        labels = _as_labels(self.labels, count)
        pitches = (None,) * count if self.pitches is None else _as_pitches(self.pitches, count)
        if self.kind not in get_args(Kind):
            kinds = ", ".join(get_args(Kind))
            raise ParameterError(f"kind is {self.kind!r}; it must be one of {kinds}")
        tidy = {"labels": labels, "pitches": pitches, "beta": as_number(self.beta, "beta")}
        for name, value in tidy.items():
            object.__setattr__(self, name, value)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, each once, in the order of their first components."""
        return tuple(dict.fromkeys(self.labels))

    @property
    def n_components(self) -> int:
        return int(self.templates.shape[-1])

    @property
    def lags(self) -> int:
        """Frames in a template."""
        return 1 if self.templates.ndim == 2 else len(self.templates)

    def components(self, label: str) -> tuple[int, ...]:
        """Which components bear a label.

        Raises
        ------
        ParameterError
            None does; the message lists the labels there are.
        """
        found = tuple(k for k, own in enumerate(self.labels) if own == label)
        if not found:
            raise ParameterError(
                f"no component is called {label!r}; there are: {', '.join(self.names)}"
            )
        return found

    def select(self, labels: str | Sequence[str]) -> Self:
        """The components of some labels, in the order in which these are asked for.

        Parameters
        ----------
        labels : str or sequence of str

        Returns
        -------
        Dictionary

        Raises
        ------
        ParameterError
            There is no such label, or none was asked for.

        Examples
        --------
        >>> import numpy as np, nmfaudio as na
        >>> known = na.Dictionary(np.eye(257)[:, :3], ["a", "b", "a"], na.Stft(8000, 512))
        >>> known.select("a").labels
        ('a', 'a')
        """
        wanted = dict.fromkeys([labels] if isinstance(labels, str) else labels)
        if not wanted:
            raise ParameterError(f"no label was asked for; there are: {', '.join(self.names)}")
        return self._take([k for label in wanted for k in self.components(label)])

    def _take(self, chosen: Sequence[int]) -> Self:
        """Some components, in this order."""
        each: dict[str, Any] = {
            name: tuple(getattr(self, name)[k] for k in chosen) for name in self._each
        }
        return replace(self, templates=self.templates[..., chosen], **each)

    def merge(self, *others: Dictionary) -> Self:
        """All components of this dictionary and others, one after the other.

        Components of the same label belong together afterwards. Single frames of both kinds,
        templates and exemplars, may be merged; what comes out are templates.

        Parameters
        ----------
        *others : Dictionary

        Returns
        -------
        Dictionary
            float64 if one of them is.

        Raises
        ------
        ParameterError
            They differ in transform, β, kind or lags; the message says in what, and how.

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
        each: dict[str, Any] = {
            name: tuple(x for d in every for x in getattr(d, name)) for name in self._each
        }
        return replace(
            self,
            templates=np.concatenate([d.templates for d in every], axis=-1),
            **each,
            kind=self.kind if all(d.kind == self.kind for d in others) else "templates",
            metadata=self.metadata if same else {"merged": [dict(d.metadata) for d in every]},
        )

    def check(self, transform: Transform) -> None:
        """Refuse to be used with another transform than the templates' own.

        Parameters
        ----------
        transform : Transform

        Raises
        ------
        ParameterError
            It is another; the message names the fields that differ, and their values.
        """
        if differ := _differences(self.transform, transform):
            raise ParameterError(
                f"the dictionary was learned with {differ}; use its own transform, and audio of "
                f"{self.transform.sr} Hz, or learn it again"
            )

    def _require_like(self, other: Dictionary, name: str) -> None:
        """`ParameterError` unless other's components can stand beside these."""
        differ = _differences(self.transform, other.transform)
        for what in ("beta", "lags", "kind"):
            mine, its = getattr(self, what), getattr(other, what)
            alike = mine == its or (what == "kind" and self.lags == 1)
            if not (differ or alike):
                differ = f"{what} {mine}, not {its}"
        if differ:
            raise ParameterError(
                f"dictionaries that differ cannot be merged: dictionary 1 has {differ} as {name}; "
                "learn them alike"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._summary()})"

    def _summary(self) -> str:
        counts = ", ".join(f"{name} {self.labels.count(name)}" for name in self.names)
        several = "1 label" if len(self.names) == 1 else f"{len(self.names)} labels"
        length = f"{self.lags} frames and " if self.lags > 1 else ""
        facts = [
            f"{self.kind} of {length}{self.templates.shape[-2]} frequencies",
            self.transform.kind,
            f"{self.transform.sr} Hz",
            *self._facts(),
        ]
        return f"{several}: {counts}; {', '.join(facts)}"

    def _facts(self) -> list[str]:
        """What there is to say about its notes."""
        pitched = sum(pitch is not None for pitch in self.pitches)
        return [f"{pitched} with a pitch"] if pitched else []

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Save to an ``.npz`` file of one array and a JSON header; no pickle.

        Parameters
        ----------
        path : str or os.PathLike
        overwrite : bool
            Whether a file that exists may be replaced.

        Raises
        ------
        OutputError
            The file exists, or cannot be written.
        ParameterError
            `metadata` cannot be stored as JSON.
        """
        header = {
            "kind": _KIND,
            "templates": self.kind,
            **{name: list(getattr(self, name)) for name in self._each},
            "transform": self.transform.to_dict(),
            "beta": self.beta,
            "about": dict(self.metadata),
        }
        save_archive(path, header, {"templates": self.templates}, overwrite=overwrite)

    @classmethod
    def load(cls, path: Source) -> Self:
        """Load what `save` saved.

        Parameters
        ----------
        path : str, bytes, os.PathLike or binary file object

        Returns
        -------
        Dictionary

        Raises
        ------
        AudioFileError
            The file cannot be read, or is no dictionary.
        """
        header, arrays = load_archive(path, kind=_KIND)
        try:
            templates = arrays["templates"]
            parameters = dict(header["transform"])
            # Checked first: building a transform with billions of bands would take all memory.
            if rows_in(parameters) != templates.shape[-2]:
                raise ShapeError(f"templates of shape {templates.shape} do not fit {parameters}")
            # A plain dictionary lacks what a subclass has besides.
            each: dict[str, Any] = {name: header.get(name) for name in cls._each}
            each |= {name: header[name] for name in Dictionary._each}
            return cls(
                templates,
                transform=transform_from(parameters),
                beta=header["beta"],
                kind=header["templates"],
                metadata=dict(header["about"]),
                **each,
            )
        except (KeyError, TypeError, ValueError, IndexError, NmfAudioError) as error:
            raise AudioFileError(
                f"{show(path)}: not a dictionary that nmfaudio saved: {error}"
            ) from error


def _differences(own: Transform, other: Transform) -> str:
    """``hop 512, not 256, and …`` for the parameters in which transforms differ, else nothing."""
    mine, its = own.to_dict(), other.to_dict()
    # Other kinds have other parameters, which say no more than that.
    fields = [name for name in mine if mine[name] != its.get(name)]
    if mine["kind"] != its["kind"]:
        fields = ["kind"]
    return " and ".join(f"{name} {mine[name]}, not {its[name]}" for name in fields)


def _require_templates(templates: Any, transform: Transform) -> int:
    """How many components there are, if the templates are templates of this transform."""
    if not isinstance(templates, np.ndarray) or templates.dtype not in (np.float32, np.float64):
        kind = getattr(templates, "dtype", type(templates).__name__)
        raise ParameterError(f"templates are {kind}; an array of float32 or float64 is needed")
    rows = len(transform.frequencies)
    if templates.ndim not in (2, 3) or templates.shape[-2] != rows or not templates.size:
        raise ShapeError(
            f"templates have shape {templates.shape}; (freq, component) or (lag, freq, component) "
            f"with the {rows} frequencies of the transform and at least 1 component is needed"
        )
    low, high = templates.min(), templates.max()
    if not (low >= 0 and high < np.inf):
        raise ParameterError(
            f"templates have values from {low:g} to {high:g}; all must be finite and ≥ 0"
        )
    return int(templates.shape[-1])


def _as_labels(labels: Any, count: int) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise ParameterError(f"labels is the text {labels!r}; give a list with one per component")
    tidy = tuple(labels)
    if len(tidy) != count:
        raise ShapeError(f"there are {len(tidy)} labels for {count} components; give one for each")
    for label in tidy:
        if not isinstance(label, str) or not label.strip() or not label.isprintable():
            raise ParameterError(f"a label is {label!r}; each must be a text that can be printed")
    return tidy


def _as_pitches(pitches: Any, count: int) -> tuple[float | None, ...]:
    tidy = tuple(None if p is None else as_number(p, "a pitch", low=0) for p in pitches)
    if len(tidy) != count:
        raise ShapeError(
            f"there are {len(tidy)} pitches for {count} components; give one for each, or None"
        )
    return tidy
