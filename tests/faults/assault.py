"""Hostile options and side files, counted: ``python tests/faults/assault.py [--quick] [WORD...]``.

Every case is a run of a command in a process of its own, forked from one that has loaded all
modules, under limits of time and memory. A run misbehaves if it ends with exit code 1 or a signal,
takes too much time or memory, prints a traceback or more than one line of error, or fails and
leaves files. With words, only cases whose titles have all of them are run.
"""

import gc
import json
import os
import random
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "NMFAUDIO_NUM_THREADS": "1"}

import numpy as np
import soundfile
from hostile import DIGITS, hostile

from nmfaudio.cli import main
from nmfaudio.cli.commands import commands, load_command
from nmfaudio.symbolic import Note, write_notes

SR = 8000
ADDRESS_SPACE = 6 * 2**30  # the loaded libraries take 2 GiB of it
RESIDENT = 2**30
CPU_SECONDS, WALL_SECONDS = 11, 20
QUICK_CASES = 100
ODD = (
    *(DIGITS, f"-{DIGITS}", f"0-{DIGITS}", f"{DIGITS}:00", "1e308", "-1e308", "1e-300", "nan"),
    *("inf", "-1", "0", "1", "0.5", "", "x" * 5000, "é☃\u202e\n\x1b[31m", "\udcff", "1048576"),
    *("100000", "a=b", "a=", "=", "/dev/zero", "fifo", "folder", "missing/x", "[" * 5000, "²"),
)
JOURNAL = ".nmfaudio-batch.jsonl"
SOUND = re.compile(
    r"nmfaudio: |([\w.]+): (\d|needs)|transcribing with|delay \d|\d+ files?: |\d+/\d+ |"
    r"  exit  error| +\d  "
)
"""Lines of the standard error: warnings, errors and summaries."""
SHORT = "-k 2 --max-iter 3 --n-fft 512"
SEPARATE = ("song.wav", *SHORT.split())
RECORD = ".nmfaudio-separate-wav.json"
EXPERIMENT = """[pieces.a]
audio = "song.wav"
notes = "notes.mid"
[systems.b]
model.max_iter = 2
"""
BASES = {
    "separate": f"song.wav {SHORT} -o out",
    "guided": "song.wav --example a=song.wav --free 1 --max-iter 3 --n-fft 512 -o out",
    "f0": "song.wav pitch.csv -k 2 --max-iter 3 --n-fft 512 -o out",
    "paint": "song.wav boxes.json -k 2 --max-iter 3 --n-fft 512 -o out",
    "regroup": "song.wav model.npz --group a=0 -o out",
    "hpss": "song.wav --max-iter 3 --n-fft 512 -k 2 --lags 2 -o out",
    "denoise": "song.wav --noise 0-0.5 --free 2 --max-iter 3 --n-fft 512 -o out",
    "score": "song.wav notes.mid --max-iter 3 --n-fft 512 -o out",
    "drums": "song.wav --max-iter 3 --tol 0.001 --n-fft 512 -o out",
    "evaluate": "notes.mid notes.csv",
    "learn": "a=song.wav -o out.npz --kind templates --size 2 --max-iter 3 --n-fft 512",
    "dictionary": "info dictionary.npz",
    "batch": "separate song.wav -o out --workers 1 -k 2 --max-iter 3 --n-fft 512",
    "render": "model.npz --audio . -o out",
    "transcribe": "song.wav -o out",
    "live": "separate --learn-from song.wav --rate 8000 -k 2 --max-iter 3 --n-fft 512",
    "experiment": "experiment.toml -o out.json",
    "info": "song.wav",
    "samples": "-o out",
    "picture": "song.wav -o out.png",
    "report": "model.npz song.wav -o out.html",
    "completion": "bash",
    "doctor": "",
}
"""A sound run of every command."""
READERS = {
    "wav": (
        "info X",
        f"separate X {SHORT} -o out",
        f"separate X {SHORT} --stream -o out",
        "guided X --example a=song.wav --free 1 --max-iter 3 --n-fft 512 -o out",
        "guided song.wav --example a=X --free 1 --max-iter 3 --n-fft 512 -o out",
        "f0 X pitch.csv -k 2 --max-iter 3 --n-fft 512 -o out",
        "paint X boxes.json -k 2 --max-iter 3 --n-fft 512 -o out",
        "regroup X model.npz --group a=0 -o out",
        "hpss X --max-iter 3 --n-fft 512 -k 2 --lags 2 -o out",
        "denoise X --noise 0-0.5 --free 2 --max-iter 3 --n-fft 512 -o out",
        "score X notes.mid --max-iter 3 --n-fft 512 -o out",
        "drums X --max-iter 3 --n-fft 512 -o out",
        "learn a=X -o out.npz --kind templates --size 2 --max-iter 3 --n-fft 512",
        "learn --recording a=X notes.mid -o out.npz --max-iter 3",
        "transcribe X -o out",
        "transcribe X --drums -o out",
        "live separate --learn-from X --rate 8000 -k 2 --max-iter 3 --n-fft 512",
        "picture X -o out.png",
        "report model.npz X -o out.html",
        "evaluate song.wav X",
    ),
    "mid": (
        "score song.wav X --max-iter 3 --n-fft 512 -o out",
        "evaluate X notes.mid",
        "evaluate X X",
        "drums song.wav --onsets X --max-iter 3 --n-fft 512 -o out",
        "learn --recording a=song.wav X -o out.npz --max-iter 3",
    ),
    "csv": (
        "f0 song.wav X -k 2 --max-iter 3 --n-fft 512 -o out",
        "f0 song.wav pitch.csv --second-pitch X -k 2 --max-iter 3 --n-fft 512 -o out",
        "drums song.wav --onsets X --max-iter 3 --n-fft 512 -o out",
        "score song.wav X --max-iter 3 --n-fft 512 -o out",
        "evaluate notes.csv X --drums",
        "batch separate --list X -o out --workers 1",
    ),
    "json": (
        "paint song.wav X -k 2 --max-iter 3 --n-fft 512 -o out",
        "regroup song.wav model.npz --groups X -o out",
        "picture song.wav --boxes X -o out.png",
    ),
    "npz": (
        "regroup song.wav X --group a=0 -o out",
        "render X --audio . -o out",
        "report X song.wav -o out.html",
        "paint song.wav boxes.json --resume X -k 2 --max-iter 3 --n-fft 512 -o out",
    ),
    "dictionary.npz": (
        "dictionary info X",
        "dictionary export X -o out",
        "dictionary merge X dictionary.npz -o out.npz",
        "guided song.wav --dictionary X --max-iter 3 --n-fft 512 -o out",
        "transcribe song.wav --dictionary X -o out",
        "transcribe song.wav --drums --dictionary X -o out",
    ),
    "png": ("paint song.wav picture.json -k 2 --max-iter 3 --n-fft 512 -o out",),
    "sf2": ("learn --soundfont a=X -o out.npz",),
    "scl": ("transcribe song.wav --scale X -o out",),
    "toml": ("experiment X -o out.json",),
}
"""Commands that read a side file, by its suffix."""


class Case(NamedTuple):
    """A run: its kind, its title, its arguments, and a side file with its content, if any."""

    kind: str
    title: str
    arguments: tuple[str, ...]
    file: str = ""
    content: bytes | str = b""


def option_cases():
    """Odd values of every option; one that several commands share is tried with the first."""
    seen = set()
    for command in commands():
        for action in load_command(command).parser(command)._actions:
            key = action.option_strings[-1], action.help
            if action.nargs == 0 or key in seen:
                continue
            seen.add(key)
            for value in ODD:
                arguments = (key[0], value, value) if action.nargs else (f"{key[0]}={value}",)
                base = tuple(BASES[command].split())
                title = f"{command} {key[0]}={value[:24]!r}"
                yield Case("option values", title, (command, *base, *arguments))


def file_cases(folder):
    """Hostile files, for each command that reads one of their kind.

    Damaged audio files all go through one decoder, and damaged archives through one reader; each is
    read by a third or a half of the commands.
    """
    for suffix, lines in READERS.items():
        for number, (name, content) in enumerate(hostile(folder, suffix)):
            damaged = re.search(r"mutant|cut at|=", name)
            step = {"wav": 3, "npz": 2, "dictionary.npz": 2}.get(suffix, 1) if damaged else 1
            for line in lines[number % step :: step]:
                if name == "many hits" and line.startswith("batch"):
                    continue  # takes a millisecond for each file, and notes it safely
                file = "painted.png" if suffix == "png" else f"x.{suffix}"
                arguments = tuple(line.replace("X", file).split())
                yield Case(f"{suffix} files", f"{name}: {line}", arguments, file, content)


def prepare(folder):
    """Sound files of every kind."""
    os.chdir(folder)
    t = np.arange(SR) / SR
    noise = np.random.default_rng(0).standard_normal(SR) * np.exp(-9 * (t % 0.25)) / 8
    soundfile.write("song.wav", np.sin(2 * np.pi * 440 * t) / 4 + noise, SR, "PCM_16")
    noise[: SR // 2].astype(np.float32).tofile("input.raw")
    write_notes("notes.mid", notes := [Note(n / 4, n / 4 + 0.2, 60 + n) for n in range(4)])
    write_notes("notes.csv", notes)
    Path("pitch.csv").write_text("".join(f"{n / 10},440\n" for n in range(10)))
    box = {"source": "a", "start": 0, "end": 0.5, "low": 0, "high": 900}
    other = {"source": "b", "start": 0.5, "end": 1, "low": 900, "high": 4000}
    Path("boxes.json").write_text(json.dumps([box, other]))
    Path("picture.json").write_text(json.dumps([box, {"source": "b", "image": "painted.png"}]))
    Path("folder").mkdir()
    Path("experiment.toml").write_text(EXPERIMENT)
    import matplotlib.image

    matplotlib.image.imsave("painted.png", np.eye(8), cmap="gray")


def warm(folder):
    """Run every command once, which loads and compiles what the cases need."""
    with tempfile.TemporaryDirectory() as work:
        for arguments in (
            ("separate", *SEPARATE, "--save-model", "song/model.npz", "-o", "."),
            ("learn", *BASES["learn"].replace("out.npz", "dictionary.npz").split()),
        ):
            quietly(arguments)
        record = json.loads(Path("song", RECORD).read_bytes())
        record |= {"source": "song.wav", "results": ["model.npz", "x.npz"]}
        Path(RECORD).write_text(json.dumps(record))
        os.rename("song/model.npz", "model.npz")
        shutil.rmtree("song")
        shutil.copytree(folder, work, dirs_exist_ok=True)
        os.chdir(work)
        for name, arguments in BASES.items():
            if name != "batch":  # which starts processes of its own
                quietly((name, *arguments.replace(" out", f" out-{name}").split()))
        os.chdir(folder)


def quietly(arguments):
    """Run a command, and complain of its failure."""
    kept = [os.dup(number) for number in range(3)]
    with open("input.raw") as given, tempfile.TemporaryFile("w+") as log:
        for number, file in enumerate((given, log, log)):
            os.dup2(file.fileno(), number)
        code = main(arguments)
        for number, old in enumerate(kept):
            os.dup2(old, number)
            os.close(old)
        log.seek(0)
        if code:
            print(f"the sound run ends with {code}: {' '.join(arguments)}\n{log.read()}")


def run(case, folder):
    """Run a case and return what is wrong with it, empty if nothing is."""
    with tempfile.TemporaryDirectory() as work:
        shutil.copytree(folder, work, copy_function=os.link, dirs_exist_ok=True)
        os.mkfifo(Path(work, "fifo"))
        place_file(Path(work, case.file or "unused"), case.content)
        before = names_below(work)
        begin = time.monotonic()
        pid = os.fork()
        if not pid:
            child(case, work)
        status, usage = wait(pid, begin)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        left = sorted(names_below(work) - before)
        files = [os.path.basename(path) for path in left if is_result(Path(path))]
        out = Path(work, "log.err").read_text(errors="replace")
    return problems(status, usage, out, files)


def names_below(folder):
    """Paths of all files and folders."""
    return {
        os.path.join(place, name)
        for place, folders, files in os.walk(folder)
        for name in folders + files
    }


def is_result(path):
    """Whether a file or an empty folder is a result, and no journal of a batch."""
    if path.is_dir() and not path.is_symlink():
        return not any(path.iterdir())
    return path.name not in ("log.out", "log.err", JOURNAL)


def place_file(path, content):
    """Make the side file of a case, in place of a sound one."""
    path.unlink(missing_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "fifo":
        os.mkfifo(path)
    elif content == "zero":
        os.symlink("/dev/zero", path)
    elif content == "folder":
        path.mkdir()


def child(case, work):
    """Run the command under limits, in the process that was forked for it."""
    code = 1
    try:
        os.setsid()
        os.chdir(work)
        for number, name in ((0, "input.raw"), (1, "log.out"), (2, "log.err")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        code = main(case.arguments)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait(pid, begin):
    """Status and usage of a process, which is killed when its time is over."""
    killed = False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            return status, usage
        if not killed and time.monotonic() - begin > WALL_SECONDS:
            os.killpg(pid, signal.SIGKILL)
            killed = True
        time.sleep(0.004)


def problems(status, usage, err, files):
    """Ways in which a run misbehaved."""
    code = os.waitstatus_to_exitcode(status)
    lines = err.splitlines()
    errors = [line for line in lines if line.startswith(("nmfaudio: error: ", "  exit  error"))]
    if code < 0:
        yield "too long" if -code in (signal.SIGKILL, signal.SIGXCPU) else f"signal {-code}"
    if code == 1:
        yield f"exit 1: {lines[-1][:300] if lines else ''}"
    if usage.ru_maxrss * 1024 > RESIDENT:
        yield f"{usage.ru_maxrss / 2**20:.1f} GiB"
    if "Traceback" in err:
        yield "traceback"
    if len(errors) != (code > 1):
        yield f"{len(errors)} lines of error at exit {code}"
    if foreign := [line for line in lines if not SOUND.match(line)]:
        yield f"foreign line: {foreign[0][:200]!r}"
    if code and files:
        yield f"left {', '.join(files)} at exit {code}"


def assault(*, quick=False, words=()):
    """Run the cases; return counts by kind, and the cases that misbehave with their problems."""
    counts, bad = Counter(), []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        prepare(folder)
        warm(folder)
        gc.freeze()  # children need no copies of what is there
        cases = [*option_cases(), *file_cases(folder)]
        cases = [c for c in cases if all(word in f"{c.kind}: {c.title}" for word in words)]
        if quick:
            cases = random.Random(1).sample(cases, min(QUICK_CASES, len(cases)))
        for case in cases:
            counts[case.kind] += 1
            if found := list(run(case, folder)):
                bad.append((case, found))
                print(f"{case.kind}: {case.title!r}: {'; '.join(found)}", flush=True)
        os.chdir("/")
    return counts, bad


if __name__ == "__main__":
    options = set(sys.argv[1:])
    counts, bad = assault(quick="--quick" in options, words=options - {"--quick"})
    wrong = Counter(case.kind for case, _ in bad)
    print(f"\n{'':22}{'runs':>6}  misbehave")
    for kind, count in counts.items():
        print(f"{kind:22}{count:6}  {wrong[kind]:9}")
    sys.exit(bool(bad))
