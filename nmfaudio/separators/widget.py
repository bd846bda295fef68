"""Widget for notebooks: the report of stems, with the model in Python behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from nmfaudio._common.extras import missing_extra
from nmfaudio._common.validation import as_number
from nmfaudio._public import public
from nmfaudio.display.report.assembly import widget_module
from nmfaudio.display.report.page import MOST_SECONDS, report_data
from nmfaudio.errors import NmfAudioError, ParameterError
from nmfaudio.factorisation.divergences import beta_named
from nmfaudio.separators.blind import BlindSeparator
from nmfaudio.separators.regroup import RegroupSeparator
from nmfaudio.stems.reporting import report_contents
from nmfaudio.stems.stems import Stems

if TYPE_CHECKING:
    from anywidget import AnyWidget

_KEPT = ("mask", "spatial", "refine")  # settings of the masks that the widget does not change


@public
def widget(stems: Stems) -> AnyWidget:
    """Show stems as on the report page, with components to regroup and a model to change.

    A component that is dragged to another stem, or a stem that is renamed, makes Python compute
    the stems again, as `RegroupSeparator` does; so does the slider for the power of the masks.
    Sliders for β and for the number of components fit the model again from the same seed and group
    its components anew. They are shown for stems of `separate` alone: other separators learn from
    examples, notes or boxes, which stems do not keep.

    Parameters
    ----------
    stems : Stems
        Stems whose sample rate is that of their transform. The widget shows their first 60
        seconds; all of them are computed.

    Returns
    -------
    anywidget.AnyWidget
        Its traits ``groups`` (name of each stem to its components), ``mask_power``, ``beta`` and
        ``n_components`` can also be set from Python; ``stems`` are the current `Stems`.

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


def refitted(stems: Stems, *, beta: float, n_components: int, mask_power: float) -> Stems:
    """Separate the recording of stems again with another model, from the same seed.

    Parameters
    ----------
    stems : Stems
        Stems of `BlindSeparator`.
    beta : float
        β of the divergence.
    n_components : int
        Number of components.
    mask_power : float
        Power of the masks, above 0.

    Returns
    -------
    Stems

    Raises
    ------
    ParameterError
        The stems are of another separator, or a value is out of range.
    """
    separator = _blind_separator(stems)
    if separator is None:
        raise ParameterError(
            "only stems of separate can be fitted again; run the separator with other settings"
        )
    changed = replace(
        separator, beta_loss=float(beta), n_components=n_components, mask_power=mask_power
    )
    return changed(stems.mixture, stems.sr, rng=stems.settings["seed"])


def _blind_separator(stems: Stems) -> BlindSeparator | None:
    """Separator of stems, or None if it is another one or had a generator of its own."""
    settings = dict(stems.settings)
    seed = settings.pop("seed", None)
    if seed is None or settings.keys() != BlindSeparator().settings().keys():
        return None
    return BlindSeparator(**settings)


class _ComputedStems:
    """Reactions of the widget to what the browser changes; a mixin of an anywidget.AnyWidget."""

    if TYPE_CHECKING:
        groups: dict[str, list[int]]
        mask_power: float
        beta: float
        n_components: int
        set_trait: Callable[[str, Any], None]
        hold_sync: Callable[[], Any]
        observe: Callable[[Callable[[Any], None], list[str]], None]

    def __init__(self, stems: Stems) -> None:
        blind = _blind_separator(stems)
        super().__init__(  # type: ignore[call-arg]  # traits of the widget
            mask_power=stems.masking.alpha,
            beta=beta_named(blind.beta_loss, "separate").beta if blind else 1.0,
            n_components=stems.decomposition.n_components,
        )
        self.original = stems
        self.computing = False
        self.set_trait("can_refit", blind is not None)
        self._show(stems)
        self.observe(self._regroup, ["groups", "mask_power"])
        self.observe(self._refit, ["beta", "n_components"])

    def _regroup(self, change: Any) -> None:
        self._change(lambda: regrouped(self.stems, self.groups, self.mask_power))

    def _refit(self, change: Any) -> None:
        self._change(
            lambda: refitted(
                self.original,
                beta=self.beta,
                n_components=self.n_components,
                mask_power=self.mask_power,
            )
        )

    def _change(self, compute: Callable[[], Stems]) -> None:
        if self.computing:  # the change is part of its own result
            return
        self.computing = True
        self.set_trait("problem", "")
        self.set_trait("working", True)
        try:
            self._show(compute())
        except NmfAudioError as error:
            self.set_trait("problem", str(error))  # the browser shows it
            raise
        finally:
            self.computing = False
            self.set_trait("working", False)

    def _show(self, stems: Stems) -> None:
        self.stems = stems
        contents = report_contents(stems, title="")
        cut = contents.seconds > MOST_SECONDS
        shown = f" Shown are the first {MOST_SECONDS:g} s." if cut else ""
        sums = f"The stems sum to the mixture within {contents.sum_error or 0.0:.1e}."
        with self.hold_sync():
            self.groups = {name: list(group.components) for name, group in stems.groups.items()}
            self.n_components = stems.decomposition.n_components
            self.set_trait("report", report_data(contents.cut(MOST_SECONDS)))
            self.set_trait("remark", sums + shown)


@cache
def _widget_class() -> Any:
    """Class of the widget; anywidget is imported when it is needed."""
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise missing_extra("widget", "widgets") from error
    base: Any = anywidget.AnyWidget

    class StemsWidget(_ComputedStems, base):  # type: ignore[misc]
        """Stems whose groups, masks and model the browser changes."""

        _esm = widget_module()
        groups: Any = traitlets.Dict().tag(sync=True)
        mask_power: Any = traitlets.Float().tag(sync=True)
        beta: Any = traitlets.Float().tag(sync=True)
        n_components: Any = traitlets.Int().tag(sync=True)
        can_refit: Any = traitlets.Bool(read_only=True).tag(sync=True)
        report: Any = traitlets.Dict(read_only=True).tag(sync=True)
        remark: Any = traitlets.Unicode(read_only=True).tag(sync=True)
        problem: Any = traitlets.Unicode(read_only=True).tag(sync=True)
        working: Any = traitlets.Bool(read_only=True).tag(sync=True)

    return StemsWidget
