"""Widget for notebooks: hear stems, move components between them, change their masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio._common.extras import missing_extra
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.display.html.players import encode_players
from nmfaudio.errors import NmfAudioError, ParameterError
from nmfaudio.separators.regroup import RegroupSeparator
from nmfaudio.stems.stems import Stems

if TYPE_CHECKING:
    from anywidget import AnyWidget

_MOST_BYTES = 3_000_000  # of the stems, and of the components
_KEPT = ("mask", "spatial", "refine")  # settings of the masks that the widget does not change


@public
def widget(stems: Stems) -> AnyWidget:
    """Show stems with players, whose components can be moved and whose masks can be changed.

    Each component plays alone; dragged to another stem, or moved by its menu, it makes Python
    compute the stems again, as `RegroupSeparator` does. A slider sets the power of the masks.

    Parameters
    ----------
    stems : Stems
        Stems whose sample rate is that of their transform.

    Returns
    -------
    anywidget.AnyWidget
        Its traits ``groups`` (name of each stem to its components) and ``mask_power`` can also be
        set from Python; ``stems`` are the current `Stems`.

    Raises
    ------
    MissingExtraError
        anywidget is not installed.
    ParameterError
        `stems` are no `Stems`.

    See Also
    --------
    Stems.report : A page to hear, see and regroup stems without Python.

    Examples
    --------
    >>> import numpy as np, nmfaudio as na
    >>> y = np.random.default_rng(0).standard_normal((1, 8000))
    >>> w = na.widget(na.separate(y, 8000, n_components=4, max_iter=5))
    >>> w.groups = {"first": [0], "others": [1, 2, 3]}
    >>> list(w.stems)
    ['first', 'others']
    """
    if not isinstance(stems, Stems):
        raise ParameterError(
            f"stems is a {type(stems).__name__}; it must be Stems, as na.separate returns"
        )
    shown: AnyWidget = _widget_class()(stems)
    return shown


def regrouped(stems: Stems, groups: Mapping[str, Sequence[int]], mask_power: float) -> Stems:
    """Compute stems again from the same model.

    Parameters
    ----------
    stems : Stems
    groups : mapping of str to sequence of int
        Components of each stem; those without components are left out.
    mask_power : float
        Power of the masks, above 0.

    Returns
    -------
    Stems

    Raises
    ------
    ParameterError
        A component does not exist or is in two groups, or the power is not above 0.
    """
    kept = {name: stems.settings[name] for name in _KEPT if name in stems.settings}
    separator = RegroupSeparator(
        saved=stems.decomposition,
        groups={name: list(members) for name, members in groups.items() if len(members)},
        mask_power=as_number(mask_power, "mask_power", above=0),
        **kept,
    )
    return separator(stems.mixture, stems.sr)


@cache
def _widget_class() -> Any:
    """Class of the widget; anywidget is imported when it is needed."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise missing_extra("widget", "widgets") from error
    base: Any = anywidget.AnyWidget

    class StemsWidget(base):  # type: ignore[misc]
        """Stems whose groups and masks the browser changes."""

        _esm = _asset("widget.js")
        _css = _asset("widget.css")
        groups: Any = traitlets.Dict().tag(sync=True)
        mask_power: Any = traitlets.Float().tag(sync=True)
        mixture: Any = traitlets.Unicode(read_only=True).tag(sync=True)
        sounds: Any = traitlets.Dict(read_only=True).tag(sync=True)
        components: Any = traitlets.List(read_only=True).tag(sync=True)
        remark: Any = traitlets.Unicode(read_only=True).tag(sync=True)
        problem: Any = traitlets.Unicode(read_only=True).tag(sync=True)

        def __init__(self, stems: Stems) -> None:
            members = {name: list(group.components) for name, group in stems.groups.items()}
            super().__init__(groups=members, mask_power=stems.masking.alpha)
            self.set_trait("components", _component_sounds(stems))
            self._show(stems)
            self.observe(self._compute, ["groups", "mask_power"])

        def _compute(self, change: Any) -> None:
            self.set_trait("problem", "")
            try:
                self._show(regrouped(self.stems, self.groups, self.mask_power))
            except NmfAudioError as error:
                self.set_trait("problem", str(error))  # the browser shows it
                raise

        def _show(self, stems: Stems) -> None:
            self.stems = stems
            (mixture, *sources), cut = _sounds([stems.mixture, *stems.values()], stems.sr)
            error = float(np.abs(stems.residual()).max(initial=0.0))
            with self.hold_sync():
                self.set_trait("mixture", mixture)
                self.set_trait("sounds", dict(zip(stems, sources, strict=True)))
                sums = f"The stems sum to the mixture within {error:.1e}."
                self.set_trait("remark", f"{sums} {cut}".rstrip())

    return StemsWidget


def _component_sounds(stems: Stems) -> list[list[Any]]:
    """Index and sound of each component, within the stem that it was first in."""
    parts = {
        int(name.rpartition("-")[2]): y.mean(axis=0, keepdims=True)
        for name, y in stems.components()
    }
    sources, _ = _sounds(list(parts.values()), stems.sr)
    return sorted([k, source] for k, source in zip(parts, sources, strict=True))


def _sounds(parts: Sequence[np.ndarray], sr: int) -> tuple[Sequence[str], str]:
    """Sources of players, and a remark on what was cut."""
    players = encode_players(parts, sr, limit=_MOST_BYTES)
    return players.sources, players.remark


def _asset(name: str) -> str:
    return (files("nmfaudio.separators") / "assets" / name).read_text(encoding="utf-8")
