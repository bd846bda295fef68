"""Mutation score: ``PYTHONPATH=tests python -m mutation GROUP [SAMPLE [SEED]]``.

Small changes of the modules of a group are drawn at random, and each is made in a process of its
own, which runs the tests that reach the changed line (found by a first run with coverage). A
mutant that no test notices survives; survivors are printed. Needs coverage, which pytest-cov has.
"""

import ast
import multiprocessing
import os
import random
import resource
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from glob import glob
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import NamedTuple

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}

import coverage
import pytest

from .changes import Mutant, changes, mutant

FORK = multiprocessing.get_context("fork")
MOST_SECONDS = 25  # of tests for each mutant, the shortest first
ADDRESS_SPACE = 12 * 2**30
OPTIONS = ("-q", "-n", "0", "-p", "no:cacheprovider", "--tb=no", "--no-header")
# pytest warns of plugins that the process has loaded before it.
IGNORED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")


class Group(NamedTuple):
    """Modules to change and tests to run; `plain` for kernels without compilation."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    plain: bool = False


_THREADS = "test_the_same_bytes_for_any_number_of_threads"
GROUPS = {
    "kernels": Group(  # without those of vectors, which are LLVM code, and of compilation
        tuple(
            f"nmfaudio/kernels/{name}.py"
            for name in (
                *("activation_gradients", "activity", "beta_divergence", "blocks", "bundles"),
                *("ccd", "consistency", "envelopes", "frame_updates", "frames", "gemm"),
                *("gliding", "hals", "layout", "majorisation", "median", "packing", "products"),
                *("strips_portable", "sum_of_products", "sweep", "wiener", "wiener_stereo"),
            )
        ),
        (
            *("tests/kernels", "tests/laws/test_gliding.py", "tests/audio/test_phase.py"),
            f"--deselect=tests/audio/test_phase.py::{_THREADS}",
        ),
        plain=True,
    ),
    "masks": Group(
        ("nmfaudio/audio/masks.py", "nmfaudio/audio/masking.py"),
        ("tests/audio", "--ignore=tests/audio/io", "tests/stems"),
    ),
    "penalties": Group(
        ("nmfaudio/factorisation/penalties/*.py",),
        ("tests/laws/test_penalties.py", "tests/laws/test_relevance.py", "tests/factorisation"),
    ),
    "writer": Group(
        (
            *(f"nmfaudio/audio/io/{name}.py" for name in ("writing", "encoding", "appending")),
            *(f"nmfaudio/_common/files/{name}.py" for name in ("staging", "targets")),
        ),
        (
            *("tests/audio/io", "tests/_common/files", "tests/faults/test_refused_calls.py"),
            *("tests/faults/test_two_writers.py", "tests/faults/test_full_disk.py"),
        ),
    ),
}


class Reach(NamedTuple):
    """Tests by the line that they reach, for each module, and their seconds."""

    lines: dict[str, dict[int, list[str]]]
    seconds: dict[str, float]

    def tests(self, module: str, line: int) -> list[str]:
        """Tests of a line; of all lines of the module if it runs only on import."""
        lines = self.lines[module]
        chosen = lines.get(line) or {test for tests in lines.values() for test in tests}
        total, tests = 0.0, []
        for test in sorted(chosen, key=lambda test: (self.seconds[test], test)):
            total += self.seconds[test]
            if tests and total > MOST_SECONDS:
                break
            tests.append(test)
        return tests


class _Recorder:
    """Plugin of pytest that names the context of coverage, and measures the tests that pass."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured, self.seconds = measured, {}

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self.measured.switch_context(item.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = report.duration
        elif report.when == "teardown":
            self.measured.switch_context("")


def reach(group: Group, modules: list[str]) -> Reach:
    """Run all tests of a group once."""
    files = {module: os.path.abspath(module) for module in modules}
    measured = coverage.Coverage(data_file=None, include=list(files.values()))
    recorder = _Recorder(measured)
    measured.start()
    _make_plain(group)
    pytest.main([*OPTIONS, *IGNORED, *group.tests], plugins=[recorder])
    measured.stop()
    data = measured.get_data()
    passed = recorder.seconds
    lines = {
        module: {
            line: [test for test in tests if test in passed]
            for line, tests in data.contexts_by_lineno(file).items()
        }
        for module, file in files.items()
    }
    return Reach(lines, passed)


def _make_plain(group: Group) -> None:
    if group.plain:
        import plain_kernels  # noqa: F401


def _test(group: Group, module: str, changed: Mutant, tests: list[str]) -> None:
    """Run tests with a changed module, and exit with the code of pytest."""
    path, original = os.path.abspath(module), SourceFileLoader.get_code

    def get_code(loader, name):
        if loader.path == path:
            return compile(changed.tree, path, "exec")
        return original(loader, name)

    SourceFileLoader.get_code = get_code
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    _make_plain(group)
    sys.exit(pytest.main([*OPTIONS, *IGNORED, "-x", *tests]))


def outcome(group: Group, module: str, changed: Mutant, reached: Reach) -> str:
    """Return ``killed``, ``survived``, ``endless`` or ``no test``."""
    tests = reached.tests(module, changed.line)
    if not tests:
        return "no test"
    process = FORK.Process(target=_test, args=(group, module, changed, tests))
    process.start()
    process.join(30 + 5 * sum(reached.seconds[test] for test in tests))
    if process.exitcode is None:
        process.kill()
        process.join()
        return "endless"
    return "killed" if process.exitcode else "survived"


def main(name: str, sample: int = 200, seed: int = 0) -> None:
    """Print the survivors among a sample of mutants, and the score."""
    import hypothesis  # noqa: F401  # all processes have what takes long to import
    import librosa  # noqa: F401
    import numba  # noqa: F401
    import scipy.signal  # noqa: F401

    group = GROUPS[name]
    modules = sorted(module for pattern in group.modules for module in glob(pattern))
    with ProcessPoolExecutor(1, mp_context=FORK) as executor:
        reached = executor.submit(reach, group, modules).result()
    sources = {module: Path(module).read_text() for module in modules}
    found = [(module, change) for module in modules for change in changes(sources[module])]
    for module, source in sources.items():
        unchanged = Mutant(ast.parse(source), 0, "")
        if outcome(group, module, unchanged, reached) == "killed":
            raise SystemExit(f"{module}: the tests fail without a change")
    counts: Counter[str] = Counter()
    for module, change in random.Random(seed).sample(found, min(sample, len(found))):
        changed = mutant(sources[module], change)
        result = outcome(group, module, changed, reached)
        counts[result] += 1
        if result in ("survived", "no test"):
            print(f"{result}: {module}:{changed.line}: {changed.text}", flush=True)
    noticed = counts["killed"] + counts["endless"]
    print(f"{name}: {len(found)} mutants, {counts.total()} drawn, {dict(counts)}")
    print(f"score {noticed / counts.total():.3f}")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
