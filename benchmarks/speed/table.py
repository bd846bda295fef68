"""Results as Markdown: a table of targets, then one for each section."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from benchmarks.speed.limits import PRODUCT
from benchmarks.speed.measure import rounded
from benchmarks.speed.peers import OURS, PEERS

Results = dict[str, Any]
RANKS = (8, 32, 128)


def cell(results: Results, beta: float, rank: int) -> dict[str, Any]:
    """Row of the kernels section for float32 and 3 min, to which the targets refer."""
    keys = {"length": "3 min", "dtype": "float32", "beta": beta, "rank": rank}
    rows: list[dict[str, Any]] = results["kernels"]
    return next(row for row in rows if keys.items() <= row.items())


def against(peer: str, betas: Iterable[float], ranks: Iterable[int]) -> Callable[[Results], str]:
    """Function that formats the ratios to a peer."""

    def ratios(results: Results) -> str:
        cells = [[cell(results, b, r)["ratios"][peer] for r in ranks] for b in betas]
        return "; ".join(" / ".join(map(str, row)) + " ×" for row in cells)

    return ratios


def share(results: Results) -> str:
    """Format the shares of the peak for KL."""
    shares = (cell(results, 1, rank)["share of FMA peak"] for rank in RANKS)
    return " / ".join(str(s.times(100)) for s in shares) + " %"


def race(loss: str) -> Callable[[Results], str]:
    """Function that formats the ratio of a race."""
    return lambda results: (
        f"{next(row['ratio'] for row in results['solvers'] if row['loss'] == loss)} ×"
    )


def memory(results: Results) -> str:
    """Format the extra memory of nmfaudio."""
    return f"{next(row['extra'] for row in results['memory'] if row['system'] == OURS):.2f} × V"


def job(results: Results) -> str:
    """Format the speed of the separation of a file."""
    ours, theirs = results["job"]
    return f"{ours['times real time']} × real time, {theirs['ratio']} ×"


def cpu(case: str) -> Callable[[Results], str]:
    """Function that formats the CPU time of a case of the startup section."""
    return lambda results: (
        f"{next(row['cpu seconds'] for row in results['startup'] if row['case'] == case)} s"
    )


TARGETS: list[tuple[str, str, Callable[[Results], str], str, str]] = [
    (
        "kernels",
        "KL f32, 3 min, per iteration vs scikit-learn f32 C order, r = 8 / 32 / 128",
        against("scikit-learn C", [1], RANKS),
        "8 / 3.3 / 2.2 ×",
        "12 / 5 / 3 ×",
    ),
    (
        "kernels",
        "the same vs scikit-learn on librosa's array (Fortran order)",
        against("scikit-learn F", [1], RANKS),
        "14 / 5 / 2.2 ×",
        "22 / 8 / 3 ×",
    ),
    (
        "kernels",
        "KL f32, 3 min, share of FMA peak, r = 8 / 32 / 128",
        share,
        "40 / 63 / 79 %",
        "65 / 85 / 90 %",
    ),
    (
        "kernels",
        "IS; and β = ½; 3 min, r = 8 / 32, vs scikit-learn f32 C order",
        against("scikit-learn C", [0, 0.5], RANKS[:2]),
        "7 / 3.5 ×",
        "10 / 6 ×",
    ),
    (
        "solvers",
        "Frobenius: time to scikit-learn CD's objective after 60 iterations, r = 32",
        race("Frobenius"),
        "1.5 ×",
        "3 ×",
    ),
    (
        "solvers",
        "KL: time to scikit-learn MU's 200-iteration objective, r = 32",
        race("KL"),
        "7 ×",
        "15 ×",
    ),
    (
        "nmfd",
        "NMFD (1025 × 2584, r 8, 8 lags), per iteration vs torchnmf",
        lambda results: f"{results['nmfd'][0]['ratios']['torchnmf']} ×",
        "5 ×",
        "10 ×",
    ),
    ("memory", "extra memory, 3 min, r 32", memory, "≤ 1.15 × V", "≤ 0.15 × V"),
    (
        "job",
        "separation of a 3-minute stereo file; and vs librosa + scikit-learn",
        job,
        "25 × real time, 7 ×",
        "40 × real time",
    ),
    (
        "startup",
        "import + first `nmf` call, warm cache, no librosa, CPU",
        cpu("import + first nmf call, warm cache"),
        "≤ 0.9 s",
        "≤ 0.7 s",
    ),
    ("startup", "`nmfaudio --help`, CPU", cpu("nmfaudio --help"), "≤ 0.1 s", ""),
]
"""Section, name, formatter of the measured value, minimum, goal."""


def markdown(results: Results) -> str:
    """Tables of all measured sections."""
    parts = [
        f"{results['machine']}. Median (min–max) of {results['repeats']} rounds.",
        table(
            ["", "measured", "minimum", "goal"],
            (
                [name, measured(results), minimum, goal]
                for section, name, measured, minimum, goal in TARGETS
                if section in results
            ),
        ),
    ]
    for section, (title, rows) in SECTIONS.items():
        if section in results:
            header, *body = rows(results[section])
            parts += [f"**{title}**", table(header, body)]
    return "\n\n".join(parts) + "\n"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def limit_lines(limits: dict[str, float]) -> Iterator[list[str]]:
    """Yield the limits; those of NumPy's products also as a share of the peak of their type."""
    yield ["", "GFlop/s or GB/s", "% of FMA peak"]
    for name, value in limits.items():
        peak = limits[f"FMA peak, {name.split(', ')[-1]}"] if name.startswith(PRODUCT) else 0.0
        yield [name, rounded(value / 1e9), rounded(100 * value / peak) if peak else ""]


def kernel_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield time per iteration, share of the peak and ratios."""
    yield ["", "β", "r", "our ms", "% of FMA peak", *(f"{peer}, ×" for peer in PEERS)]
    for row in rows:
        yield [
            f"{row['length']}, {row['dtype']}",
            f"{row['beta']:g}",
            str(row["rank"]),
            str(row["seconds per iteration"][OURS].times(1e3)),
            rounded(100 * row["share of FMA peak"].median),
            *(str(row["ratios"].get(peer, "")) for peer in PEERS),
        ]


def solver_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield times and iterations to the same objective."""
    yield ["", "scikit-learn s", "iterations", "our s", "iterations", "×"]
    for row in rows:
        yield [
            row["loss"],
            str(row["seconds"]["scikit-learn C"]),
            f"{row['iterations']} ({row['theirs']})",
            str(row["seconds"][OURS]),
            f"{row['our iterations']} ({row['ours']})",
            str(row["ratio"]),
        ]


def nmfd_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield time per iteration of NMFD."""
    yield ["", "our ms", "% of FMA peak", "torchnmf ms", "×"]
    for row in rows:
        yield [
            f"{row['shape'][0]} × {row['shape'][1]}, r = {row['rank']}, {row['lags']} lags",
            str(row["seconds per iteration"][OURS].times(1e3)),
            rounded(100 * row["share of FMA peak"].median),
            str(row["seconds per iteration"]["torchnmf"].times(1e3)),
            str(row["ratios"]["torchnmf"]),
        ]


def memory_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield extra memory."""
    yield ["", "extra memory, × V"]
    for row in rows:
        yield [row["system"], f"{row['extra']:.2f}"]


def startup_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield CPU times up to the first result."""
    yield ["", "CPU s"]
    for row in rows:
        yield [row["case"], str(row["cpu seconds"])]


def job_lines(rows: list[dict[str, Any]]) -> Iterator[list[str]]:
    """Yield time, speed and memory of the separation of a file."""
    yield ["", "s", "× real time", "peak GB", "nmfaudio is faster, ×"]
    for row in rows:
        yield [
            row["system"],
            str(row["wall seconds"]),
            str(row["times real time"]),
            rounded(row["peak bytes"] / 1e9),
            "" if row["system"] == OURS else str(row["ratio"]),
        ]


SECTIONS: dict[str, tuple[str, Callable[[Any], Iterable[list[str]]]]] = {
    "limits": ("Limits of the machine", limit_lines),
    "kernels": ("Multiplicative updates, per iteration", kernel_lines),
    "nmfd": ("NMFD (KL, float32), per iteration", nmfd_lines),
    "solvers": ("Time to scikit-learn's objective, 3 min, float32, r = 32", solver_lines),
    "memory": ("Additional memory of a KL fit, 3 min, r = 32", memory_lines),
    "startup": ("CPU time of a new process up to its first result", startup_lines),
    "job": ("Separation of a 3-minute stereo file into four stems", job_lines),
}
"""Title and lines of each section; the first line is the header."""
