"""`nmfaudio live`: raw samples in, stems or notes out."""

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.cli.pcm import PcmDecoder, encode

from .conftest import ENVIRONMENT, SR, music, write_wav

Y = music(0.4, 2).T.astype(np.float32)
OPTIONS = ("--rate", SR, "--channels", 2)


class Source(io.BytesIO):
    """Standard input that gives a few bytes at a time."""

    def read1(self, size=-1):
        return super().read1(min(size, 1001))


@pytest.fixture
def live(nmfaudio, monkeypatch, capfdbinary):
    """Run ``nmfaudio live`` with these bytes on standard input."""

    def run(data, *arguments):
        source = SimpleNamespace(buffer=Source(data), isatty=lambda: False)
        monkeypatch.setattr(sys, "stdin", source)
        return nmfaudio("live", *arguments)

    return run


def interleaved(y):
    return np.ascontiguousarray(y.T).astype("<f4").tobytes()


def samples(result, channels):
    data = result.out.encode(errors="surrogateescape")
    return np.frombuffer(data, "<f4").reshape(-1, channels).T


def test_stems_are_interleaved_and_sum_to_the_input(live):
    result = live(interleaved(Y), "hpss", *OPTIONS)
    assert result.code == 0
    stream = na.Stream(na.HpssSeparator(), SR)
    blocks = stream.push(Y), stream.flush()
    expected = [np.concatenate([b[name] for b in blocks], axis=1) for name in stream.names]
    out = samples(result, 4)
    assert np.array_equal(out, np.concatenate(expected))
    np.testing.assert_allclose(out[:2] + out[2:], Y, atol=1e-6)
    assert result.err == (
        "delay 399 samples (50 ms); harmonic, percussive: 4 channels in f32le at 8000 Hz\n"
    )


def test_one_stem_in_16_bits(live):
    data, _ = encode(Y, "s16le")
    result = live(data, "hpss", *OPTIONS, "--encoding", "s16le", "--stem", "harmonic", "-q")
    assert (result.code, result.err) == (0, "")
    assert len(result.out.encode(errors="surrogateescape")) == len(data)


def test_hits_are_lines_of_json(live):
    seconds = np.arange(6400) / 8000 % 0.4
    booms = np.sin(2 * np.pi * 60 * seconds) * np.exp(-seconds / 0.05)
    data = interleaved(np.stack([booms, booms], axis=1).astype(np.float32))
    result = live(data, "transcribe", "--drums", *OPTIONS, "-q")
    events = [json.loads(line) for line in result.out.splitlines()]
    assert events
    assert {event["kind"] for event in events} == {"on"}
    assert set(events[0]) == {"kind", "time", "pitch", "velocity", "track"}


def test_templates_are_learned_from_a_file(live, folder):
    write_wav("check.wav")
    more = ("--learn-from", "check.wav", "--max-iter", 3, "--models", 1, "-k", 4)
    first = live(interleaved(Y), "hpss", *OPTIONS, *more, "--lookahead", 1)
    assert first.code == 0
    np.testing.assert_allclose(samples(first, 4)[:2] + samples(first, 4)[2:], Y, atol=1e-6)
    assert live(interleaved(Y), "hpss", *OPTIONS, *more, "--lookahead", 1).out == first.out


def test_a_header_that_arrives_in_pieces_is_recognised(live, monkeypatch):
    monkeypatch.setattr(Source, "read1", lambda self, size=-1: self.read(3))
    assert "(WAV)" in live(b"RIFF" + bytes(40), "hpss").err
    result = live(interleaved(Y), "hpss", *OPTIONS)
    np.testing.assert_allclose(samples(result, 4)[:2] + samples(result, 4)[2:], Y, atol=1e-6)


@pytest.mark.filterwarnings("always")
def test_a_rest_that_is_no_sample_is_left_out_with_a_warning(live):
    result = live(interleaved(Y) + b"abc", "hpss", *OPTIONS, "-q")
    assert result.code == 0
    assert "ends with 3 bytes" in result.err
    assert samples(result, 4).shape[1] == Y.shape[1]


@pytest.mark.parametrize(
    ("data", "arguments", "code", "message"),
    [
        (b"", ("hpss",), 4, "no samples"),
        (b"abc", ("hpss",), 4, "no samples"),
        (interleaved(Y * np.nan), ("hpss",), 4, "--nonfinite zero"),
        (b"RIFF" + bytes(40), ("hpss",), 3, "(WAV); need raw samples: pipe it through ffmpeg"),
        (b"RF64" + bytes(9), ("hpss", "--rate", "8000"), 3, "-f f32le -ac 1 -ar 8000 -"),
        (b"fLaC", ("transcribe", "--drums"), 3, "FLAC"),
        (b"", (), 2, "no command given; choose from drums"),
        (b"", ("--rate", "9"), 2, "9"),
        (b"", ("--rate", "8000"), 2, "no command given"),
        (b"", ("f0",), 2, "unknown command 'f0'"),
        (b"", ("drum",), 2, "did you mean drums?"),
        (b"", ("hpss", "song.wav"), 2, "unexpected argument 'song.wav'"),
        (b"", ("hpss", "--stem", "kick"), 2, "harmonic, percussive"),
        (b"", ("transcribe", "--stem", "kick"), 2, "--stem"),
        (b"", ("separate",), 2, "use --learn-from"),
        (b"", ("hpss", "--lookahead", "60"), 2, "--lookahead is 60"),
        (b"", ("drums", "--onsets", "hits.csv"), 2, "--onsets is for recordings"),
        (b"", ("hpss", "--learn-from", "none.wav"), 3, "none.wav"),
        (b"", ("transcribe", "--parts", "kick"), 2, "--drums"),
        (b"", ("hpss", "--rate", "9999999"), 2, "1500000"),
    ],
)
def test_errors_are_one_line_with_their_exit_code(live, data, arguments, code, message):
    result = live(data, *arguments)
    assert result.code == code
    (line,) = [line for line in result.err.splitlines() if not line.startswith("delay")]
    assert line.startswith("nmfaudio: error: ")
    assert message in line


@pytest.mark.parametrize("kind", [(), ("drums",), ("transcribe",)])
def test_the_help_shows_the_options_of_the_command(nmfaudio, kind):
    result = nmfaudio("live", *kind, "--help")
    assert result.code == 0
    assert "--encoding" in result.out
    assert ("--one-shots FOLDER" in result.out) == (kind == ("drums",))
    assert ("--threshold X" in result.out) == (kind == ("transcribe",))


def test_the_end_of_a_pipe_is_no_failure_and_terminals_are_refused(monkeypatch, nmfaudio):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    assert "is a terminal" in nmfaudio("live", "hpss").err
    monkeypatch.setattr(sys, "stdin", None)
    result = nmfaudio("live", "hpss")
    assert result.code == 2
    assert "standard input is closed" in result.err


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_the_command():
    command = [sys.executable, "-m", "nmfaudio", "live", "hpss", "-q"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as run:
        run.stdout.close()
        run.communicate(np.zeros(200_000, "<f4").tobytes())
        assert run.returncode == 141


@pytest.mark.parametrize("encoding", ["f32le", "s16le"])
def test_samples_come_back_from_any_blocks_of_bytes(encoding):
    y = np.linspace(-1, 0.999, 30, dtype=np.float32).reshape(3, 10)
    data, clipped = encode(y, encoding)
    assert clipped == 0
    decoder = PcmDecoder(encoding, 3)
    parts = [decoder.decode(data[first : first + 5]) for first in range(0, len(data), 5)]
    assert decoder.left == 0
    np.testing.assert_allclose(np.concatenate(parts, axis=1), y, atol=2**-15)


def test_what_is_over_full_scale_is_clipped_and_counted():
    data, clipped = encode(np.array([[1.5, -2.0, 0.25]]), "s16le")
    assert np.frombuffer(data, "<i2").tolist() == [32767, -32768, 8192]
    assert clipped == 2
