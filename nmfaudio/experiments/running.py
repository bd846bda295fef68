"""Running of experiments, and resuming of those that were interrupted."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from nmfaudio._common.extras import installed_version
from nmfaudio._common.files import check_targets
from nmfaudio._common.versions import PACKAGES
from nmfaudio._public import public
from nmfaudio._version import __version__
from nmfaudio.datasets.piece import Piece
from nmfaudio.errors import AudioFileError, OutputError, ParameterError
from nmfaudio.experiments.experiment import Experiment
from nmfaudio.experiments.results import ExperimentResults, Run
from nmfaudio.experiments.system import System
from nmfaudio.metrics.transcription import evaluate_transcription
from nmfaudio.transcription.analysis_cache import described, dictionary_digest
from nmfaudio.transcription.base import BaseTranscriber
from nmfaudio.transcription.transcriber import Transcriber

Callback = Callable[[Run, int, int], None]


@public
def run_experiment(
    experiment: Experiment | str | os.PathLike[str],
    *,
    results: str | os.PathLike[str] | None = None,
    cache: str | os.PathLike[str] | None = None,
    callback: Callback | None = None,
) -> ExperimentResults:
    """Transcribe and score all pieces with all systems of an experiment.

    Runs whose system, files, seed and version of nmfaudio have not changed are taken from the
    results file, so that an experiment that was interrupted or extended goes on where it stopped.
    Analyses are kept in the cache, so that other settings of the decoding take milliseconds.

    Parameters
    ----------
    experiment : Experiment, str or os.PathLike
        An experiment, or a TOML file as `Experiment.load` reads it.
    results : str or os.PathLike, optional
        JSON file of the results, written after each run. Default: of a file ``FILE.toml``
        ``FILE.results.json`` beside it, else none.
    cache : str or os.PathLike, optional
        Folder of analyses, as for `Transcriber.analyse`. Default: of a file ``FILE.toml``
        ``FILE.cache`` beside it, else none.
    callback : callable, optional
        Called after each run with the `Run`, the number of runs that are done and of all.

    Returns
    -------
    ExperimentResults
        Scores of all runs, with the versions and data that they come from.

    Raises
    ------
    AudioFileError
        A file cannot be read, or the results file has no results of an experiment.
    ParameterError
        The file has an unknown key or an invalid value, or a system has settings that cannot be
        compared.
    ContentError
        A recording or its notes cannot be used.
    OutputError
        Results cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import nmfaudio as na
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = na.write(Path(folder, "rest.wav"), [[0.0] * 8000], 8000)
    ...     _ = na.write_notes(Path(folder, "rest.mid"), [na.Note(0.0, 1.0, 60)])
    ...     toml = Path(folder, "thresholds.toml")
    ...     _ = toml.write_text('''
    ...         pieces.rest = {audio = "rest.wav", notes = "rest.mid"}
    ...         systems.shipped = {}
    ...         systems.bold.decoding.threshold = 0.04
    ...     ''')
    ...     results = na.run_experiment(toml)
    >>> results.systems
    ('shipped', 'bold')
    """
    if not isinstance(experiment, Experiment):
        path = Path(experiment)
        results = path.with_suffix(".results.json") if results is None else results
        cache = path.with_suffix(".cache") if cache is None else cache
        experiment = Experiment.load(path)
    target = None if results is None else Path(results)
    earlier = _earlier_runs(target)
    facts, keys = _facts(experiment)
    runs: list[Run] = []
    total = len(experiment.systems) * len(experiment.pieces) * len(experiment.seeds)
    for run in _runs(experiment, keys, earlier, cache):
        runs.append(run)
        found = ExperimentResults(tuple(runs), experiment.measures, experiment.title, facts)
        if target is not None and run is not earlier.get(run.key):
            # Earlier runs that are still to come are kept for the next time.
            rest = [each for key, each in earlier.items() if key not in {r.key for r in runs}]
            replace(found, runs=(*runs, *rest)).save(target, overwrite=True)
        if callback is not None:
            callback(run, len(runs), total)
    if target is not None:
        found.save(target, overwrite=True)
    return found


def _earlier_runs(target: Path | None) -> dict[str, Run]:
    """Runs of the results file by key, after checking that it can be replaced."""
    if target is None:
        return {}
    check_targets([target], overwrite=True)
    if not target.exists():
        return {}
    try:
        return {run.key: run for run in ExperimentResults.load(target).runs}
    except AudioFileError as error:
        raise OutputError(f"{error}, or choose another one for the results") from None


def _facts(experiment: Experiment) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    """Facts of the results, and the key of each system and piece, without the seed."""
    data = {piece.name: _file_hashes(piece) for piece in experiment.pieces}
    systems = {name: _description(system) for name, system in experiment.systems.items()}
    versions = {name: installed_version(name) for name in ("nmfaudio", *PACKAGES)}
    facts = {"versions": versions | {"nmfaudio": __version__}, "data": data, "systems": systems}
    keys = {
        (name, piece.name): _hash(
            # The choice of settings depends on all pieces.
            [__version__, systems[name], data[piece.name], data if system.grid else None]
        )
        for name, system in experiment.systems.items()
        for piece in experiment.pieces
    }
    return facts, keys


def _file_hashes(piece: Piece) -> dict[str, str]:
    """SHA-256 of the files of a piece, by name."""
    hashes = {}
    for path in (piece.audio, *piece.annotations):
        with open(path, "rb") as file:
            hashes[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return hashes


def _description(system: System) -> dict[str, Any]:
    transcriber = system.transcriber
    grid = {name: described(list(values)) for name, values in system.grid.items()}
    tune = {"grid": grid, "metric": system.metric, "choice": system.choice}
    settings: Any
    if isinstance(transcriber, Transcriber):
        settings = {part: described(getattr(transcriber, part)) for part in ("model", "decoding")}
    else:
        settings = described(transcriber, without=("dictionary",))
    return {
        "dictionary": dictionary_digest(transcriber.dictionary),
        "settings": settings,
        **({"tune": tune} if grid else {}),
    }


def _hash(facts: Any) -> str:
    text = json.dumps(facts, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _runs(
    experiment: Experiment,
    keys: dict[tuple[str, str], str],
    earlier: dict[str, Run],
    cache: str | os.PathLike[str] | None,
) -> Iterator[Run]:
    """Run each system on each piece with each seed, unless there is an earlier run."""
    for name, system in experiment.systems.items():
        for seed in experiment.seeds:
            choose = _Choice(system, experiment.pieces, seed, cache)
            for piece in experiment.pieces:
                key = _hash([keys[name, piece.name], seed])
                known = earlier.get(key)
                if known is None:
                    yield replace(choose.run(piece), system=name, key=key)
                elif (known.system, known.piece) == (name, piece.name):
                    yield known
                else:  # renamed, or the same settings under two names
                    yield replace(known, system=name, piece=piece.name)


@dataclass
class _Choice:
    """System with one seed, whose settings are chosen at most once."""

    system: System
    pieces: tuple[Piece, ...]
    seed: int
    cache: str | os.PathLike[str] | None
    chosen: dict[str, dict[str, Any]] | None = None

    def run(self, piece: Piece) -> Run:
        """Transcribe and score a piece."""
        begin = time.perf_counter()
        settings = self._settings(piece)
        transcriber: BaseTranscriber = self.system.transcriber
        if settings:
            transcriber = cast(Transcriber, transcriber).with_settings(**settings)
        analysis = transcriber.analyse(piece.audio, rng=self.seed, cache=self.cache)
        scores = evaluate_transcription(piece.notes, list(transcriber.decode(analysis)))
        return Run(
            "",
            piece.name,
            self.seed,
            scores.measures,
            scores.n_reference,
            scores.n_estimated,
            settings,
            round(time.perf_counter() - begin, 3),
        )

    def _settings(self, piece: Piece) -> dict[str, Any]:
        """Settings that the other pieces choose."""
        system = self.system
        if not system.grid:
            return {}
        if self.chosen is None:
            tuning = cast(Transcriber, system.transcriber).tune(
                self.pieces,
                grid=system.grid,
                metric=system.metric,
                choice=system.choice,
                rng=self.seed,
                cache=self.cache,
            )
            self.chosen = {fold.piece: fold.settings for fold in tuning.folds}
        if piece.name not in self.chosen:
            raise ParameterError(
                f"{system.metric} is undefined for {piece.name!r} or for all others; choose "
                "another metric"
            )
        return self.chosen[piece.name]
