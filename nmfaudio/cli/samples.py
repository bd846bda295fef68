"""`nmfaudio samples`: the sample recordings, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nmfaudio._common.options import option, switch
from nmfaudio.cli.command import Command
from nmfaudio.cli.output import emit_path
from nmfaudio.cli.parser import OUTPUT
from nmfaudio.errors import ParameterError


@dataclass(frozen=True, kw_only=True)
class SamplesCommand(Command):
    """``nmfaudio samples``."""

    operands = ""
    details = """\
Copies five short recordings, some with true stems, scores and isolated sounds,
to the folder OUTPUT, unless they are there already. The examples of the
documentation use them. Nothing is downloaded. LICENSES.md in that folder lists
their sources and licences.
"""

    output: str = option(
        "audio_samples", "folder of the copies", short="-o", metavar="OUTPUT", group=OUTPUT
    )
    overwrite: bool = switch(
        "replace files that have other content (default: refuse)", group=OUTPUT
    )

    def run(self) -> int:
        """Copy the files."""
        from nmfaudio._common.files.staging import write_group_of_bytes
        from nmfaudio.audio.examples import sample_files

        if self.files:
            raise ParameterError(f"unexpected argument {self.files[0]!r}; the folder is -o OUTPUT")
        files = sample_files()
        paths = {name: Path(self.output, name) for name in files}
        targets = {name: path for name, path in paths.items() if not _same(path, files[name])}
        contents = {target: files[name].read_bytes() for name, target in targets.items()}
        write_group_of_bytes(contents, overwrite=self.overwrite)
        if self.json:
            self.emit_result(0, {"files": list(paths.values())})
        else:
            for path in paths.values():
                emit_path(path)
        return 0


def _same(path: Path, source: Path) -> bool:
    """Return True if a file exists and has the content of another."""
    return path.is_file() and path.read_bytes() == source.read_bytes()
