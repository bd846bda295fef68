"""Runner of the README and the pages: every command block, in order, in one folder.

    python tests/guides.py BIN [EXTRA...]

BIN is the folder of an environment's programs, with nmfaudio installed in it. A block whose first
line is a comment such as ``# needs the extra plot`` runs only if the extra is among the arguments;
with extras, only the pages that need one of them run.
The folder is a new one outside the checkout; it gets the sample recordings by `nmfaudio samples`
and the files in `OWN_FILES`, which stand for the reader's own. Only the standard library is used.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWN_FILES = {
    "song.wav": "band/mixture.flac",
    "loop.wav": "drums/mixture.wav",
    "piano.wav": "piano/mixture.flac",
}
"""Files that the pages mention as the reader's own, and the samples they are made of."""

_BLOCK = re.compile(r"^```(sh|text|console|python)\n(.*?)^```", re.M | re.S)
_NEED = re.compile(r"# needs (?:the extra )?(\w+)")
# Times differ from run to run, and last digits from processor to processor.
_VARYING = re.compile(
    r",? in [\d.]+ s\b|[\d.]+ s for|(?<=loss \d{4})[\d.]+|(?<=from the recording: )[\d.e-]+"
)


@dataclass(frozen=True)
class Block:
    """Code block of a page, with the output that the page shows after it."""

    page: str
    language: str
    code: str
    shown: str | None

    @property
    def need(self) -> str | None:
        """Extra or program that the first line names as needed."""
        match = _NEED.match(self.code)
        return match[1] if match else None


def pages() -> list[Path]:
    """Return the README, and the pages in the order in which ``docs/README.md`` links them."""
    index = ROOT / "docs" / "README.md"
    linked = re.findall(r"\]\(([\w-]+\.md)\)", index.read_text(encoding="utf-8"))
    return [ROOT / "README.md", index, *(index.parent / name for name in dict.fromkeys(linked))]


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page; a text block right after commands is their output."""
    matches = list(_BLOCK.finditer(page.read_text(encoding="utf-8")))
    name = page.relative_to(ROOT).as_posix()
    session = ""  # Python blocks continue each other, and run together in place of the last one
    last = max((match.start() for match in matches if match[1] == "python"), default=0)
    for match, after in zip(matches, [*matches[1:], None], strict=False):
        adjoins = after is not None and after[1] == "text" and after.start() == match.end() + 1
        session += match[2] if match[1] == "python" else ""
        if match[1] != "python":
            yield Block(name, match[1], match[2], after[2] if after and adjoins else None)
        elif match.start() == last:
            yield Block(name, "python", session, None)


def comparable(text: str) -> list[str]:
    """Lines without what varies, in an order of their own: two streams were written."""
    return sorted(_VARYING.sub("", line).rstrip() for line in text.splitlines())


class Runner:
    """Runs blocks in a folder, with the programs of an environment."""

    def __init__(self, programs: Path, folder: Path, available: Sequence[str] = ()) -> None:
        self.folder = folder
        self.programs = programs
        self.available = set(available)
        self.problems: list[str] = []
        self.passed_over: list[str] = []

    def prepare(self) -> None:
        """Copy the samples, and make the reader's own files of them."""
        self._call(["nmfaudio", "samples"])
        for name, sample in OWN_FILES.items():
            code = (
                "import nmfaudio as na, shutil\n"
                f"source = na.example(*{sample!r}.split('/', 1))\n"
                f"shutil.copy(source, {name!r}) if source.suffix == {Path(name).suffix!r}"
                f" else na.write({name!r}, *na.read(source))"
            )
            self._call(["python", "-c", code])

    def run(self, block: Block) -> None:
        """Run a block, and compare its output with the text that follows."""
        if block.need is not None and block.need not in self.available:
            self.passed_over.append(f"{block.page}: needs {block.need}")
        elif block.language == "python":
            done = self._try(["python", "-c", block.code])
            self._expect(block, "python", done, done.returncode == 0)
        elif block.language == "sh":
            self._run_commands(block)
        elif block.language == "console":
            self._run_session(block)

    def _run_commands(self, block: Block) -> None:
        done = self._try(["bash", "-euo", "pipefail", "-c", block.code])
        self._expect(block, block.code, done, done.returncode == 0)
        self._compare(block, block.shown, done.stderr + done.stdout)

    def _run_session(self, block: Block) -> None:
        """Run the lines after ``$``, and compare the lines between them; errors may be shown."""
        for part in re.split(r"^\$ ", block.code, flags=re.M)[1:]:
            command, _, shown = part.partition("\n")
            done = self._try(["bash", "-euo", "pipefail", "-c", command])
            self._expect(block, command, done, done.returncode == 0 or "error:" in shown)
            self._compare(block, shown, done.stderr + done.stdout)

    def _compare(self, block: Block, shown: str | None, output: str) -> None:
        if shown is not None and comparable(output) != comparable(shown):
            self.problems.append(f"{block.page}: shows\n{shown}and the output is\n{output}")

    def _expect(
        self, block: Block, command: str, done: subprocess.CompletedProcess[str], success: bool
    ) -> None:
        if not success:
            self.problems.append(f"{block.page}: {command}\n{done.stdout}{done.stderr}")

    def _try(self, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {**os.environ, "PATH": path, "PYTHONUTF8": "1", "COLUMNS": "80"}
        return subprocess.run(
            arguments,
            cwd=self.folder,
            env=environment,
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )

    def _call(self, arguments: list[str]) -> None:
        done = self._try(arguments)
        if done.returncode:
            raise RuntimeError(f"{arguments}\n{done.stdout}{done.stderr}")


def run_all(programs: Path, folder: Path, available: Sequence[str] = ()) -> Runner:
    """Run all pages in a folder, or those that need one of the available extras."""
    runner = Runner(programs, folder, available)
    runner.prepare()
    for page in pages():
        found = list(blocks(page))
        if available and not any(block.need in available for block in found):
            continue
        # The first two blocks of the README set up the environment in the checkout.
        for block in found[2 if page.parent == ROOT else 0 :]:
            print(f"{block.page}: {block.code.splitlines()[0][:70]}", flush=True)
            runner.run(block)
    return runner


def main(arguments: Sequence[str]) -> int:
    """Run all pages in a temporary folder, and print the problems."""
    programs = Path(arguments[0]).resolve()
    with tempfile.TemporaryDirectory() as folder:
        runner = run_all(programs, Path(folder), arguments[1:])
    for text in runner.passed_over:
        print(f"not run: {text}")
    for text in runner.problems:
        print(f"PROBLEM {text}")
    return 1 if runner.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
