"""`nmfaudio experiment`: transcribers compared as a file describes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nmfaudio._common.options import option
from nmfaudio.cli.command import Command
from nmfaudio.cli.failures import advice_after_signal, printable
from nmfaudio.cli.output import emit
from nmfaudio.cli.parser import COMPUTATION, OUTPUT, REPORTING, at_least
from nmfaudio.errors import ParameterError

if TYPE_CHECKING:
    from nmfaudio.experiments.results import Run


@dataclass(frozen=True, kw_only=True)
class ExperimentCommand(Command):
    """``nmfaudio experiment``."""

    operands = "EXPERIMENT.toml"
    details = """\
EXPERIMENT.toml has pieces (recordings with notes), systems (a dictionary,
settings of model and decoding) and seeds. All is checked before work begins.
The results have scores, settings, versions of packages and hashes of the data.
Run the command again to go on after an interruption, or after a change of the
file: only what has changed is computed, and other settings of the decoding
take milliseconds.
"""
    epilog = """\
example of a file:
  [pieces.waltz]
  audio = "waltz.flac"
  notes = "waltz.mid"

  [datasets.maps]
  folder = "MAPS"
  split = "test"

  [systems.shipped]

  [systems.own]
  dictionary = "upright.npz"
  model.max_iter = 30
  decoding.threshold = 0.1

  [systems.tuned.tune.grid]
  threshold = [0.06, 0.08, 0.1]
"""

    output: str | None = option(
        None,
        "file of the results (default: EXPERIMENT.results.json beside it)",
        short="-o",
        metavar="JSON",
        group=OUTPUT,
    )
    cache: str | None = option(
        None,
        "folder that keeps analyses (default: EXPERIMENT.cache beside it)",
        metavar="FOLDER",
        group=OUTPUT,
    )
    threads: int | None = option(
        None,
        "number of threads; the result does not depend on it (default: one per processor)",
        parse=at_least(1),
        metavar="N",
        group=COMPUTATION,
    )
    quiet: bool = option(
        False,
        "write only warnings and errors to stderr",
        short="-q",
        group=REPORTING,
        switch=True,
    )

    def run(self) -> int:
        """Run the experiment, and show its results."""
        if len(self.files) != 1:
            raise ParameterError(f"need one EXPERIMENT.toml, got {len(self.files)} files")
        if self.threads is not None:
            from nmfaudio.kernels.threads import set_threads

            set_threads(self.threads)
        from nmfaudio.experiments import run_experiment

        file = Path(self.files[0])
        output = file.with_suffix(".results.json") if self.output is None else Path(self.output)
        with advice_after_signal("run the same command again to go on"):
            results = run_experiment(
                file,
                results=output,
                cache=self.cache,
                callback=None if self.quiet else _report,
            )
        if self.json:
            self.emit_result(0, {"results": output} | results.to_dict())
        else:
            emit(f"{results}\n")
        return 0


def _report(run: Run, done: int, total: int) -> None:
    """Write a line about a run to stderr."""
    print(
        f"{done}/{total} {printable(run.system)}, {printable(run.piece)}, seed {run.seed}: "
        f"{run.n_estimated} notes of {run.n_reference}",
        file=sys.stderr,
    )
