"""`nmfaudio live`: separation and transcription of sound as it arrives, in a pipe."""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, cast

from nmfaudio._common.options import Option, option, options, switch
from nmfaudio._common.similar_names import nearest
from nmfaudio.cli.command import Command, describe_command
from nmfaudio.cli.failures import printable
from nmfaudio.cli.output import emit, emit_bytes
from nmfaudio.cli.parser import (
    COMPUTATION,
    INPUT,
    OUTPUT,
    REPORTING,
    Parser,
    at_least,
    build_parser,
    constructed,
    flags_in_errors,
    parse,
    values_of,
)
from nmfaudio.cli.pcm import ENCODINGS, PcmDecoder, encode
from nmfaudio.cli.separate import separator_options
from nmfaudio.cli.transcribe import TranscribeCommand, transcriber_options
from nmfaudio.errors import AudioFileError, AudioWarning, ContentError, OutputError, ParameterError
from nmfaudio.separators.base import load_separator

# Slow imports are inside the functions that need them, so that --help is fast.
if TYPE_CHECKING:
    import io

    from nmfaudio.streaming.stream import Stream

LIVE = ("drums", "denoise", "guided", "hpss", "separate", "transcribe")
"""Commands that work on a stream."""
_BYTES = 2**16  # read at a time, at most
_SIGNATURE = 4  # bytes by which a file with a header is recognised
_EVENTS = "notes"
_DIGITS = 6  # of the times of events in seconds


@dataclass(frozen=True, kw_only=True)
class LiveCommand(Command):
    """``nmfaudio live``."""

    operands = "COMMAND"
    details = f"""\
COMMAND is one of {", ".join(LIVE)}.
nmfaudio live COMMAND --help also shows the options of COMMAND.

Samples without a header come from standard input. The stems go to standard
output in the same encoding, interleaved: all channels of the first stem, then
those of the next one. They sum to the input, have its length, and begin with
its first sample; when played live they come later, by a delay that is shown on
standard error. Notes go to standard output as one JSON object per line.
"""
    epilog = """\
examples:
  sox -d -t f32 -c 1 -r 44100 - \\
    | nmfaudio live drums --one-shots kit/ --stem kick \\
    | sox -t f32 -c 1 -r 44100 - -d
  ffmpeg -i talk.mp4 -f s16le -ac 2 -ar 48000 - \\
    | nmfaudio live denoise --noise 0-1 --stem signal \\
        --encoding s16le --channels 2 --rate 48000 > speech.raw
  arecord -t raw -f FLOAT_LE -c 1 -r 44100 | nmfaudio live transcribe
"""

    kind: str
    target: Any
    """Separator or transcriber."""
    json: bool = False  # no flag, since standard output has the results

    rate: int = option(
        44100, "sample rate in Hz", parse=at_least(100, 1_500_000), metavar="HZ", group=INPUT
    )
    channels: int = option(
        1, "number of interleaved channels", parse=at_least(1, 1024), metavar="N", group=INPUT
    )
    encoding: str = option(
        "f32le",
        "encoding of the samples of input and output: 32-bit floats or 16-bit integers",
        choices=tuple(ENCODINGS),
        group=INPUT,
    )
    nonfinite: str = option(
        "error",
        "with samples that are NaN or infinite, stop or set them to zero",
        choices=("error", "zero"),
        group=INPUT,
    )
    learn_from: str | None = option(
        None,
        "recording of the same sounds at the same rate, such as a sound check, whose templates are"
        " used (default: those of the examples, or shipped ones)",
        metavar="FILE",
        group=INPUT,
    )
    stem: str | None = option(
        None, "write this stem alone (default: all stems)", metavar="NAME", group=OUTPUT
    )
    lookahead: int | None = option(
        None,
        "number of frames after the current one that the model may use; each adds a hop to the"
        " delay (default: 2 for drum hits, else 0)",
        parse=at_least(0),
        metavar="N",
        group=COMPUTATION,
    )
    seed: int = option(
        0,
        "seed of the random numbers; the same seed gives the same bytes",
        parse=at_least(0),
        metavar="N",
        group=COMPUTATION,
    )
    threads: int = option(
        1,
        "number of threads; the result does not depend on it",
        parse=at_least(1),
        metavar="N",
        group=COMPUTATION,
    )
    quiet: bool = switch("write only warnings and errors to stderr", short="-q", group=REPORTING)

    @classmethod
    def parser(cls, name: str, kind: str | None = None) -> Parser:
        """Build the parser; `kind` is the command whose options it has besides."""
        return build_parser(
            name if kind is None else f"{name} {kind}",
            (*_settings(kind), *options(cls, own_first=False)),
            operands=cls.operands if kind is None else "",
            description=describe_command(name, cls.details),
            epilog=cls.epilog,
        )

    @classmethod
    def parse(cls, name: str, argv: Sequence[str]) -> Self:
        """Build the command, and the separator or transcriber that comes first."""
        kind, *rest = argv or [""]
        if kind not in LIVE:
            if kind.startswith("-") and kind != "-":
                cls.parser(name).parse_known_args(list(argv))  # shows the help
            hint = nearest(kind, LIVE) or f"; choose from {', '.join(LIVE)}"
            got = (
                f"unknown command {printable(kind)!r}"
                if kind[:1] not in ("", "-")
                else "no command given"
            )
            raise ParameterError(f"{got}{hint}; it comes first: nmfaudio live drums --stem kick")
        settings, shared = _settings(kind), options(cls, own_first=False)
        values, files = parse(cls.parser(name, kind), (*settings, *shared), rest)
        if files:
            raise ParameterError(
                f"unexpected argument {printable(files[0])!r}; samples come from standard input"
            )
        if kind == "transcribe":
            chosen = values_of(settings, values)
            target: Any = TranscribeCommand(name=kind, **chosen).transcriber()
        else:
            target = constructed(load_separator(kind), settings, values)
        return cls(name=name, kind=kind, target=target, **values_of(shared, values))

    def run(self) -> int:
        """Pass standard input through a stream until it ends."""
        from nmfaudio.kernels.threads import set_threads
        from nmfaudio.streaming.stream import Stream

        writes_sound = self.kind != "transcribe"
        _check_pipes(writes_sound=writes_sound)
        set_threads(self.threads)
        with flags_in_errors((*_settings(self.kind), *options(type(self)))):
            stream = Stream(
                self.target,
                self.rate,
                learn_from=self.learn_from,
                lookahead=self.lookahead,
                nonfinite=self.nonfinite,  # type: ignore[arg-type]  # argparse checks the choices
                rng=self.seed,
            )
        if self.stem is not None and (not writes_sound or self.stem not in stream.names):
            known = ", ".join(stream.names) if writes_sound else "none"
            raise ParameterError(f"--stem is {printable(self.stem)!r}; the stems are: {known}")
        if not self.quiet:
            print(self._facts(stream), file=sys.stderr)
        self._pass(stream)
        return 0

    def _pass(self, stream: Stream) -> None:
        """Read, push and write until standard input ends."""
        decoder = PcmDecoder(self.encoding, self.channels)
        received = clipped = 0
        for data in self._arriving(cast("io.BufferedReader", sys.stdin.buffer)):
            samples = decoder.decode(data)
            received += samples.shape[1]
            if samples.size:
                clipped += self._write(stream.push(samples))
        if not received:
            raise ContentError("standard input has no samples; pipe sound into it")
        clipped += self._write(stream.flush())
        if decoder.left:
            warnings.warn(
                f"standard input ends with {decoder.left} bytes that are no complete sample of "
                f"{self.channels} channels in {self.encoding}; they are left out",
                AudioWarning,
                stacklevel=1,
            )
        if clipped:
            warnings.warn(
                f"{clipped} samples were over full scale and clipped; use --encoding f32le",
                AudioWarning,
                stacklevel=1,
            )

    def _arriving(self, source: io.BufferedReader) -> Iterator[bytes]:
        """Yield what has arrived, without waiting for more; refuse the header of a file."""
        from nmfaudio.audio.io.foreign import audio_format

        head = b""
        while len(head) < _SIGNATURE and (data := source.read1(_BYTES)):
            head += data
        if (name := audio_format(head)) is not None:
            sample = f"{self.encoding} -ac {self.channels} -ar {self.rate}"
            raise AudioFileError(
                f"standard input begins with the header of a file ({name}); need raw"
                f" samples: pipe it through ffmpeg -i - -f {sample} -"
            )
        yield head
        while data := source.read1(_BYTES):
            yield data

    def _write(self, results: dict[str, Any]) -> int:
        """Write results to standard output, and return the number of clipped samples."""
        import numpy as np

        if self.kind == "transcribe":
            for event in results[_EVENTS]:
                facts = asdict(event) | {"time": round(event.time, _DIGITS)}
                emit(json.dumps(facts) + "\n")
            return 0
        chosen = results.values() if self.stem is None else [results[self.stem]]
        data, clipped = encode(np.concatenate(list(chosen)), self.encoding)
        if data:
            emit_bytes(data)
        return clipped

    def _facts(self, stream: Stream) -> str:
        """Line about the delay and the output."""
        milliseconds = 1000 * stream.delay / self.rate
        delay = f"delay {stream.delay} samples ({milliseconds:.0f} ms)"
        if self.kind == "transcribe":
            return f"{delay}; notes as JSON lines"
        names = stream.names if self.stem is None else (self.stem,)
        count = len(names) * self.channels
        channels = "1 channel" if count == 1 else f"{count} channels"
        names_text = ", ".join(map(printable, names))
        return f"{delay}; {names_text}: {channels} in {self.encoding} at {self.rate} Hz"


def _settings(kind: str | None) -> tuple[Option, ...]:
    """Options of the separator or transcriber of a command."""
    if kind is None:
        return ()
    return (
        transcriber_options() if kind == "transcribe" else separator_options(load_separator(kind))
    )


def _check_pipes(*, writes_sound: bool) -> None:
    """Raise an error if standard input or output cannot be used."""
    if sys.stdin is None:
        raise ParameterError("standard input is closed; pipe sound into it")
    if sys.stdout is None:
        raise OutputError("standard output is closed; pipe it to a program or a file")
    if sys.stdin.isatty():
        raise ParameterError("standard input is a terminal; pipe sound into it")
    if writes_sound and sys.stdout.isatty():
        raise ParameterError("standard output is a terminal; pipe it to a program or a file")
