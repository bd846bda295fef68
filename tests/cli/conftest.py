"""A folder to work in, small files, and a way to run the command line within the process."""

from __future__ import annotations

import json
import os
import sys
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest
import soundfile
from transcription.standins import PlainDecoding, PlainModel, dictionary

from nmfaudio._common.options import option
from nmfaudio.cli import main
from nmfaudio.dictionaries import bundled
from nmfaudio.errors import AudioWarning, NumericalError
from nmfaudio.separators import SEPARATORS

SR = 8000
ROOT = Path(__file__).parents[2]
# For processes of their own, which work in other folders.
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "TERM": "xterm"}
QUICK = ("-k", "4", "--max-iter", "5", "--n-fft", "512")


class Result(NamedTuple):
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.out)

    def errors(self) -> list[str]:
        """The lines on stderr, every one of which has to be an error."""
        lines = self.err.splitlines()
        assert lines
        assert all(line.startswith("nmfaudio: error: ") for line in lines), self.err
        return lines


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.fixture
def nmfaudio(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Result]:
    """Run ``nmfaudio`` with these arguments."""

    def run(*arguments: object) -> Result:
        code = main([str(a) for a in arguments])
        out, err = capfdbinary.readouterr()
        return Result(code, out.decode(errors="surrogateescape"), err.decode())

    return run


@pytest.fixture
def separate(nmfaudio: Callable[..., Result]) -> Callable[..., Result]:
    """Run ``nmfaudio separate`` with settings that take no time."""

    def run(*arguments: object) -> Result:
        return nmfaudio("separate", *QUICK, *arguments)

    return run


def music(seconds: float = 0.5, channels: int = 2) -> np.ndarray:
    """A tone with clicks [shape=(sample, channel)], peak about 0.5."""
    t = np.arange(round(seconds * SR)) / SR
    click = np.exp(-300 * (t % 0.125)) * np.random.default_rng(0).standard_normal(len(t)) / 8
    tone = np.sin(2 * np.pi * 440 * t) / 4
    return np.stack([tone + (-1) ** c * click for c in range(channels)], axis=1)


def write_wav(name: str | Path, y: np.ndarray | None = None, **more: Any) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    settings = {"samplerate": SR, "subtype": "FLOAT"} | more
    soundfile.write(path, music() if y is None else y, **settings)
    return path


@pytest.fixture
def song() -> Path:
    return write_wav("song.wav")


@dataclass(frozen=True)
class Troubled:
    """A separator in which something happens."""

    trouble: str = option("none", "what happens to a %s of the sound")
    loud: bool = option(True, "whether it is loud")
    usage_examples: ClassVar[tuple[str, ...]] = ()

    def __call__(
        self, y: np.ndarray, sr: int, *, rng: Any = 0, callback: Any = None, excerpt: Any = None
    ) -> Any:
        if self.trouble == "warning":
            warnings.warn("something is odd\nhere", AudioWarning, stacklevel=2)
        problem = {
            "memory": MemoryError(),
            "bug": ZeroDivisionError("division by zero"),
            "nan": NumericalError("iteration 3 left the finite numbers; lower the step"),
            "interrupt": KeyboardInterrupt(),
        }.get(self.trouble)
        if problem is not None:
            raise problem
        from nmfaudio.separators.blind import BlindSeparator

        return BlindSeparator(n_components=4, max_iter=5, n_fft=512)(
            y, sr, rng=rng, callback=callback
        )

    def memory(self, y: np.ndarray, sr: int) -> int:
        return 0


@pytest.fixture
def troubled(
    monkeypatch: pytest.MonkeyPatch, nmfaudio: Callable[..., Result]
) -> Callable[..., Result]:
    """Run a command made of a separator that is registered for the test only."""
    module = types.ModuleType("troubles")
    module.Troubled = Troubled  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "troubles", module)
    monkeypatch.setitem(SEPARATORS, "trouble", ("troubles:Troubled", "get into trouble"))

    def run(trouble: str, *arguments: object) -> Result:
        return nmfaudio("trouble", "--trouble", trouble, *arguments)

    return run


@pytest.fixture
def plain_transcriber(monkeypatch):
    """Plain models instead of those that ship, and a dictionary that knows four tones."""
    monkeypatch.setattr(bundled, "_bundled_piano", dictionary)
    for name, part, plain in (
        ("note_model", "NoteModel", PlainModel),
        ("decoding", "Decoding", PlainDecoding),
    ):
        module = types.ModuleType(name)
        setattr(module, part, plain)
        monkeypatch.setitem(sys.modules, f"nmfaudio.transcription.{name}", module)
