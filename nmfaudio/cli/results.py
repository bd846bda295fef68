"""What there is to say about one separated file: facts, one line, a table."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.audio.io.decoding import open_audio
from nmfaudio.cli.failures import printable
from nmfaudio.errors import OutputError

if TYPE_CHECKING:
    from nmfaudio.audio.io import DecodedAudio, Written
    from nmfaudio.stems.stems import Stems

_WIDTH = 80  # columns of the table


def describe_stems(recording: DecodedAudio, stems: Stems, written: Written) -> dict[str, Any]:
    """The facts about one file, as `--json` gives them."""
    channels, samples = recording.samples.shape
    paths = written.paths[: len(stems)]  # the parts come first, then the components
    model = stems.decomposition
    return {
        "sr": recording.sr,
        "channels": channels,
        "samples": samples,
        "duration": samples / recording.sr,
        "offset": recording.offset,
        "settings": stems.settings,
        "sources": [
            {
                "name": name,
                "path": path,
                "components": stems.groups[name].components,
                "energy_share": stems.groups[name].energy_share,
                "centre_hz": stems.groups[name].centre_hz,
                "percussiveness": stems.groups[name].percussiveness,
            }
            for name, path in zip(stems, paths, strict=True)
        ],
        "component_paths": written.paths[len(stems) :],
        "components": sum(len(group.components) for group in stems.groups.values()),
        "loss": float(model.losses[-1]),
        "iterations": model.n_iter,
        "converged": model.converged,
        "max_abs_error": _largest_error(recording.samples, paths, written.gain),
        "gain": written.gain,
    }


def _largest_error(mixture: np.ndarray, paths: Sequence[Path], gain: float) -> float | None:
    """Largest |gain · mixture − sum of the parts|, as they are read back from their files.

    None where a lossy format changed the length. All files are read side by side, so that no more
    than a block of each is held.
    """
    largest, done = 0.0, 0
    with ExitStack() as files:
        parts = [files.enter_context(open_audio(path)) for path in paths]
        for blocks in zip_longest(*(part.blocks() for part in parts)):
            lengths = {0 if block is None else len(block) for block in blocks}
            here = mixture[:, done : done + max(lengths)].T
            if lengths != {len(here)}:
                break
            rest = here.astype(np.float64) * gain
            for block in blocks:
                rest -= block
            largest = max(largest, float(np.abs(rest).max()))
            done += len(here)
        if any(part.failed_at is not None for part in parts):
            raise OutputError(f"{paths[0].parent}: a part cannot be read back; write it again")
    return largest if done == mixture.shape[1] else None


def written(report: dict[str, Any]) -> Iterable[os.PathLike[str]]:
    """The paths that were written for one file."""
    yield from (source["path"] for source in report.get("sources", ()))
    yield from report.get("component_paths", ())
    yield from report.get("notes", ())
    if report.get("model") is not None:
        yield report["model"]


def line(about: str, report: dict[str, Any]) -> str:
    """The one line that tells how it went."""
    count = len(report["sources"])
    error = report["max_abs_error"]
    facts = [
        f"{count} {'source' if count == 1 else 'sources'} in {report['seconds']:.1f} s",
        f"{report['times_real_time']:.3g} × real time",
        f"largest |mix − Σ stems| {'unknown' if error is None else format(error, '.1e')}",
    ]
    if report["gain"] != 1:
        facts.append(f"all turned down to {report['gain']:.3f} so that nothing clips")
    return f"{about}: {', '.join(facts)}"


def table(report: dict[str, Any]) -> str:
    """What each source is made of."""
    rows = [("source", "energy", "centre", "percussive", "components")]
    rows += [
        (
            printable(source["name"]),
            f"{source['energy_share']:.0%}",
            f"{source['centre_hz']:.0f} Hz",
            f"{source['percussiveness']:.2f}",
            ranges(source["components"]),
        )
        for source in report["sources"]
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells, components in rows:
        head = f"  {name:<{widths[0]}}"
        for cell, width in zip(cells, widths[1:-1], strict=True):
            head += f"  {cell:>{width}}"
        lines += textwrap.wrap(
            components,
            max(_WIDTH, len(head) + 20),
            initial_indent=head + "  ",
            subsequent_indent=" " * (len(head) + 2),
        ) or [head]
    ended = "converged" if report["converged"] else "as many as allowed"
    lines.append(
        f"  {report['components']} components, {report['iterations']} iterations ({ended}),"
        f" loss {report['loss']:.6g}"
    )
    return "\n".join(lines)


def ranges(numbers: Sequence[int]) -> str:
    """Numbers with runs drawn together: 0–3, 7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)
