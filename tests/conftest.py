"""Set-up shared by all tests."""

import os
import subprocess
import sys
from pathlib import Path

# The workers of a test run share the processors: threads of a BLAS would wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from nmfaudio._common.librosa_loader import load_librosa
from nmfaudio.audio.transforms import TRANSFORMS
from nmfaudio.factorisation.divergences import DIVERGENCES
from nmfaudio.factorisation.structures import STRUCTURES

load_librosa("core.pitch")  # tests that import librosa themselves do not compile it, then


# The same examples in every run; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("repeatable", derandomize=True, database=None, deadline=None)
settings.register_profile("explore", database=None, deadline=None, print_blob=True)
settings.load_profile("repeatable")


def pytest_collection_modifyitems(items):
    """Explore twenty times as many examples as each test of a property has otherwise."""
    if settings.get_current_profile_name() != "explore":
        return
    for test in {item.function for item in items if hasattr(item, "function")}:
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None:
            count = 20 * min(own.max_examples, 100)
            test._hypothesis_internal_use_settings = settings(own, max_examples=count)


@pytest.fixture(autouse=True)
def registries():
    """Leave no class registered by a test, an example or a page."""
    every = (STRUCTURES, DIVERGENCES, TRANSFORMS)
    before = [dict(registry) for registry in every]
    yield
    for registry, classes in zip(every, before, strict=True):
        registry.clear()
        registry.update(classes)


def pytest_configure(config):
    """Before the whole suite runs in several workers, compile the kernels that they share."""
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        return
    if config.args_source is not pytest.Config.ArgsSource.TESTPATHS:
        return  # some tests only, which may need no kernel at all
    tests = Path(__file__).parent
    paths = os.pathsep.join(filter(None, (str(tests.parent), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, str(tests / "warm_kernels.py")]
    running = [
        subprocess.Popen([*command, dtype], env={**os.environ, "PYTHONPATH": paths})
        for dtype in ("float32", "float64")
    ]
    if any(process.wait() for process in running):
        raise pytest.UsageError("the kernels do not compile; see the messages above")
