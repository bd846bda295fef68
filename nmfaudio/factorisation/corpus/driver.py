"""Driver of a fit: orders steps, waits for their tasks, and keeps checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from nmfaudio._common.executors import map_tasks
from nmfaudio._common.files import show
from nmfaudio._common.steps import report_step
from nmfaudio.errors import ContentError
from nmfaudio.factorisation.corpus.shard_sums import Sums
from nmfaudio.factorisation.corpus.store import Stored, load, save
from nmfaudio.factorisation.corpus.workspace import Workspace

Task = Callable[[str, str, int], None]
"""Function of (folder, step, number of a part or a group), at the top of a module."""

Label = tuple[str, float, float] | None
"""Name of a step for a program that shows progress, and its shares done before and after."""


class Tasks(NamedTuple):
    """Functions that run `tasks.run_part` and `tasks.run_group` for one kind of corpus."""

    part: Task
    group: Task


class Driver:
    """Steps of a fit, computed by tasks on an executor.

    Parameters
    ----------
    work : Workspace
    tasks : Tasks
    executor : object
        As `map_tasks` takes it.
    """

    def __init__(self, work: Workspace, tasks: Tasks, executor: Any) -> None:
        self.work = work
        self._tasks = tasks
        self._executor = executor

    def results(self, step: str, order: Stored, label: Label = None) -> Iterator[Stored]:
        """Compute a step, and return the result of each part in order."""
        parts = range(len(self.work.plan.parts))
        self._compute_parts(step, order, parts, label)
        return (
            _present(load(path), path) for path in (self.work.part_path(step, n) for n in parts)
        )

    def sums(self, step: str, order: Stored | None = None, label: Label = None) -> Sums:
        """Compute a pass, an earlier one if there is no order; return the sums of the corpus."""
        plan = self.work.plan
        paths = [self.work.sum_path(step, group) for group in range(plan.n_groups)]
        missing = [group for group, path in enumerate(paths) if load(path, ()) is None]
        if missing:
            parts = [n for group in missing for n in plan.group(group)]
            self._compute_parts(step, order, parts, label)
            self._map(self._tasks.group, step, missing)
        sums = (_present(load(path), path).arrays for path in paths)
        return Sums.added([Sums.stored(arrays) for arrays in sums])

    def save_checkpoint(self, state: Stored, kept: Iterable[str]) -> None:
        """Replace the checkpoint, then remove the results of steps that are not needed any more."""
        save(self._checkpoint, state)
        self.work.discard(kept)

    def load_checkpoint(self) -> Stored | None:
        """Return the last checkpoint, None before the first."""
        return load(self._checkpoint)

    @property
    def _checkpoint(self) -> Any:
        return self.work.folder / "checkpoint.npz"

    def _compute_parts(
        self, step: str, order: Stored | None, parts: Sequence[int], label: Label
    ) -> None:
        if order is not None:
            self.work.give_order(step, order)
        self._map(self._tasks.part, step, parts, label)

    def _map(self, task: Task, step: str, numbers: Sequence[int], label: Label = None) -> None:
        """Run tasks, and report how many are done."""
        folder = str(self.work.folder)
        arguments = ((folder, step, number) for number in numbers)
        for done, _ in enumerate(map_tasks(task, arguments, self._executor), 1):
            if label is not None:
                name, first, last = label
                report_step(name, first + (last - first) * done / len(numbers))


def _present(result: Stored | None, path: Any) -> Stored:
    """Return a result; `ContentError` if a task left none that can be read here."""
    if result is None:
        raise ContentError(
            f"{show(path)}: a task left no result here; give a folder that all workers share"
        )
    return result
