"""Report on one separated file: facts, one line, a table."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nmfaudio.audio.io.writing import stored_blocks
from nmfaudio.cli.failures import printable
from nmfaudio.cli.progress import times
from nmfaudio.stems.residual import largest_residual

if TYPE_CHECKING:
    from nmfaudio.audio.io import Written
    from nmfaudio.stems.grouping import ComponentGroup
    from nmfaudio.stems.stems import Stems

_WIDTH = 80  # columns of the table


def describe_stems(
    mixture: np.ndarray, stems: Stems, written: Written, names: Sequence[str]
) -> dict[str, Any]:
    """Properties of the stems of one file, those written among them, for ``--json``."""
    # The stems come first, then the components.
    paths = dict(zip(names, written.paths, strict=False))
    known = ("score_mismatch",)  # metadata of some separators
    metadata = stems.decomposition.metadata
    error = None
    if len(names) == len(stems):
        # Only lossy files are decoded for it: `write_group` has read back all others.
        parts = [
            stored_blocks(path, y, written)
            for path, y in zip(written.paths, stems.values(), strict=False)
        ]
        error = largest_residual(mixture, parts, written.gain)
    facts = describe_sources(stems.groups, paths, written, error)
    return {key: metadata[key] for key in known if key in metadata} | facts


def describe_sources(
    groups: Mapping[str, ComponentGroup],
    paths: Mapping[str, Path],
    written: Written,
    error: float | None,
) -> dict[str, Any]:
    """Properties of stems, for ``--json``.

    Parameters
    ----------
    groups : mapping of str to ComponentGroup
        All stems.
    paths : mapping of str to Path
        File of each stem that was written.
    written : Written
        The stems, and then the components.
    error : float or None
        Largest deviation of the sum of the stems from the recording.
    """
    return {
        "sources": [
            {
                "name": name,
                "path": paths.get(name),
                "components": group.components,
                "energy_share": group.energy_share,
                "centre_hz": group.centre_hz,
                "percussiveness": group.percussiveness,
            }
            for name, group in groups.items()
        ],
        "component_paths": written.paths[len(paths) :],
        "components": sum(len(group.components) for group in groups.values()),
        "sums_to_mixture": len(paths) == len(groups),
        "max_abs_error": error,
        "gain": written.gain,
    }


def line(name: str, report: dict[str, Any]) -> str:
    """Line about one separated file."""
    count = len(report["sources"])
    stems = "stem" if count == 1 else "stems"
    facts = [f"{count} {stems} in {times(report['seconds'], report['duration'])}"]
    if not report["sums_to_mixture"]:
        chosen = sum(source["path"] is not None for source in report["sources"])
        facts.append(f"{chosen} written by --only, which do not sum to the recording")
    if report["gain"] != 1:
        facts.append(f"all scaled by {report['gain']:.3f} to avoid clipping")
    return f"{name}: {', '.join(facts)}"


def table(report: dict[str, Any]) -> str:
    """Table of the sources and the fit."""
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
    ended = "converged" if report["converged"] else "limit reached"
    lines.append(
        f"  {report['components']} components, {report['iterations']} iterations ({ended}),"
        f" loss {report['loss']:.6g}"
    )
    error = report["max_abs_error"]
    lines.append(
        "  largest difference of the sum of the stems from the recording:"
        f" {'unknown' if error is None else format(error, '.1e')}"
    )
    if "score_mismatch" in report:
        lines.append(f"  mismatch of score and recording {report['score_mismatch']:.2f}")
    return "\n".join(lines)


def ranges(numbers: Sequence[int]) -> str:
    """Format numbers with runs joined: 0–3, 7."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)
