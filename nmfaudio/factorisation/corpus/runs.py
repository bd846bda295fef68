"""Runs whose sweeps over the frames are passes over a corpus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nmfaudio.factorisation.corpus.driver import Driver, Label
from nmfaudio.factorisation.corpus.shard_sums import Sums, SweepSettings
from nmfaudio.factorisation.corpus.store import Stored
from nmfaudio.factorisation.corpus.workspace import START, pass_name
from nmfaudio.factorisation.factors import Factor
from nmfaudio.factorisation.penalties import Terms
from nmfaudio.factorisation.problem import Problem
from nmfaudio.factorisation.solvers.bmme import Extrapolation
from nmfaudio.factorisation.solvers.template_updates import TemplateUpdates
from nmfaudio.factorisation.structures import Product
from nmfaudio.kernels import layout

PASSING = "passing over the corpus"
"""Name of the step of all passes that compute activations anew."""


class CorpusRun(TemplateUpdates):
    """Multiplicative updates of W in memory, and of H on disk.

    `_H` is a source of activations: the number of the pass that left them, or two numbers and a
    step of extrapolation.

    Parameters
    ----------
    driver : Driver
    W : np.ndarray [shape=(freq, component)]
        Initial templates.
    settings : SweepSettings
    top : float
        Maximum of the data, scaled.
    """

    _H: list[Any]
    _free_H = True
    _sums: Sums

    def __init__(self, driver: Driver, W: np.ndarray, settings: SweepSettings, top: float) -> None:
        divergence = settings.divergence
        factors = Factor(W), Factor(np.zeros((W.shape[1], 0), W.dtype))
        data = np.zeros((len(W), 0), W.dtype)
        free = True, True
        problem = Problem(data, None, Product(), divergence, factors, free, settings.scale)
        super().__init__(problem, divergence, W)
        self._driver, self._settings, self._top = driver, settings, top
        self._gram = settings.gram
        self._H = [START]
        self._number = START

    def begin(self) -> None:
        """Compute the loss, and the gradient for the first update of W."""
        self._sweep(update=False, want_loss=True)

    @property
    def templates(self) -> np.ndarray:
        """W [shape=(freq, component)]."""
        return self._unpacked(self._W)

    @property
    def source(self) -> list[Any]:
        """Source of the current activations."""
        return self._H

    @property
    def cost_scale(self) -> float:
        """Factor from the divergence of the scaled data to that of the data."""
        return self._problem.cost_scale

    def factors(self) -> list[np.ndarray]:
        """Return W alone; H is on disk."""
        return [self.templates]

    def state(self) -> Stored:
        """State after an evaluation of the objective, for `restore`."""
        facts = {"number": self._number, "H": self._H, "loss": self.loss}
        return Stored(facts, {"W": self.templates})

    def restore(self, state: Stored) -> None:
        """Return to a state; the results of its last pass are read again."""
        self._number, self._H = state.facts["number"], state.facts["H"]
        self.loss = state.facts["loss"]
        self._W = self._W_next = self._packed(state.arrays["W"])
        self._sums = self._driver.sums(pass_name(self._number))

    def needed(self) -> set[str]:
        """Names of the steps whose results the next pass needs."""
        return {pass_name(n) for n in (self._number, *self._H[:2]) if n != START}

    def _sweep(self, *, update: bool, want_loss: bool) -> None:
        self._number += 1
        arrays = {"W": self.templates}
        if self._W_next is not self._W:
            arrays["W_next"] = self._unpacked(self._W_next)
        facts = self._facts(update=update, want_loss=want_loss)
        self._sums = self._driver.sums(
            pass_name(self._number), Stored(facts, arrays), self._label()
        )
        if update:
            self._H = [self._number]
        if want_loss:
            self.loss = float(self._sums.divergence[0]) * self._problem.cost_scale

    def _label(self) -> Label:
        """Name of the pass for a program that shows progress."""
        return None

    def _facts(self, *, update: bool, want_loss: bool) -> dict[str, Any]:
        """Facts of the order of a pass."""
        return {
            "kind": "sweep",
            "settings": self._settings._replace(exponents=list(self._exponents))._asdict(),
            "top": self._top,
            "source": self._H,
            "update": update,
            "loss": want_loss,
        }

    def _terms_of_W(self) -> Terms | None:
        return None

    def _negative_part(self) -> np.ndarray:
        return self._padded(self._sums.neg.T)

    def _sum_of_BHt(self) -> np.ndarray:
        return self._padded(self._sums.pos.T)

    def _sums_of_H(self) -> np.ndarray:
        return self._padded(self._sums.H, self._W.shape[:1])

    def _sum_of_squares(self) -> np.ndarray:
        depth = len(self._W)
        return self._padded(self._sums.HtH, (depth, depth))

    def _padded(self, sums: np.ndarray, shape: Sequence[int] | None = None) -> np.ndarray:
        """Sums in the precision of the data, padded by default to the shape of packed W."""
        return layout.padded(sums.astype(self._dtype), tuple(shape or self._W.shape))


class ExtrapolatedCorpusRun(Extrapolation, CorpusRun):
    """`CorpusRun` with extrapolation between evaluations of the objective."""

    def begin(self) -> None:
        super().begin()
        self._restart()

    def state(self) -> Stored:
        facts, arrays = super().state()
        before = {"W_before": self._unpacked(self._W_before)}
        return Stored(facts | {"t": self._t, "H_before": self._H_before}, arrays | before)

    def restore(self, state: Stored) -> None:
        super().restore(state)
        self._t, self._H_before = state.facts["t"], state.facts["H_before"]
        self._W_before = self._packed(state.arrays["W_before"])

    def needed(self) -> set[str]:
        return super().needed() | {pass_name(n) for n in self._H_before if n != START}

    def _extrapolated_H(self, step: float) -> list[Any]:
        return [self._H[0], self._H_before[0], step]


class FreshRun(CorpusRun):
    """Updates of W alone: each pass computes the activations anew, from nothing but W.

    Parameters
    ----------
    driver, W, settings, top
        As for `CorpusRun`.
    updates : int
        Updates of the activations in each pass.
    passes : int
        Number of passes.
    """

    def __init__(
        self,
        driver: Driver,
        W: np.ndarray,
        settings: SweepSettings,
        top: float,
        *,
        updates: int,
        passes: int,
    ) -> None:
        super().__init__(driver, W, settings, top)
        self._updates, self._passes = updates, passes

    def advance(self, iterations: int) -> None:
        """Pass over the corpus and update W, several times; `loss` is that before the last."""
        for _ in range(iterations):
            self._sweep(update=False, want_loss=True)
            self._update_W()

    def restore(self, state: Stored) -> None:
        self._number, self.loss = state.facts["number"], state.facts["loss"]
        self._W = self._W_next = self._packed(state.arrays["W"])

    def needed(self) -> set[str]:
        return set()

    def _label(self) -> Label:
        done = self._number - START - 1
        return PASSING, done / self._passes, (done + 1) / self._passes

    def _facts(self, *, update: bool, want_loss: bool) -> dict[str, Any]:
        facts = super()._facts(update=update, want_loss=want_loss)
        return facts | {"kind": "fresh", "updates": self._updates}
