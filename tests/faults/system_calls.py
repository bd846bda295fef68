"""Faults of system calls, counted: ``python tests/faults/system_calls.py [COUNT] [WORD...]``.

Every case is a run of a command in which the system refuses one call: the first read, the second
read and so on, then the first write and so on, with each error. The run is forked from a process
that has loaded all modules, and ``strace`` injects the error. A run misbehaves unless it ends with
exit code 0 and the files of an undisturbed run, or with one line of error that names the reason, an
exit code from 2 to 7, and no new file. With a count, only so many cases are run, the same ones in
every run; with words, only those whose titles have all of them.
"""

import errno
import hashlib
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import soundfile
from assault import prepare, wait

from nmfaudio.audio.io import write_group
from nmfaudio.audio.io.extra_tags import cover_text

SHORT = "-k 2 --max-iter 3 --n-fft 512 -o out"
COMMANDS = {
    "separate": f"separate song.wav {SHORT}",
    "separate into FLAC": f"separate song.wav --format flac {SHORT}",
    "separate into Ogg": f"separate song.wav --format ogg {SHORT}",
    "cover into FLAC": f"separate cover.wav --tags keep --format flac {SHORT}",
    "cover into Ogg": f"separate cover.wav --tags keep --format ogg {SHORT}",
    "separate blocks": f"separate song.wav --stream --fit all {SHORT}",
    "separate with model": f"separate song.wav --save-model out/m.npz --report {SHORT}",
    "separate MP3": f"separate song.mp3 {SHORT}",
    "f0": f"f0 song.wav pitch.csv {SHORT}",
    "paint": f"paint song.wav picture.json {SHORT}",
    "regroup": "regroup song.wav model.npz --group a=0 -o out",
    "learn": "learn a=song.wav -o out/x.npz --kind templates --size 2 --max-iter 3 --n-fft 512",
    "export": "dictionary export dictionary.npz -o out",
    "transcribe": "transcribe song.wav -o out",
    "transcribe scores": "transcribe song.wav --tempo 120 --musicxml --jams --sonify -o out",
    "evaluate": "evaluate notes.mid notes.csv --json",
    "experiment": "experiment experiment.toml -o out/results.json",
    **{f"info of {kind}": f"info song.{kind} --json" for kind in ("wav", "flac", "ogg", "mp3")},
}
"""Commands by title; all that they write is in the folder out, or goes to standard output."""
ERRORS = {
    "read": "EIO EINTR",
    "pread64": "EIO EINTR",
    "write": "EIO ENOSPC EINTR",
    "pwrite64": "EIO ENOSPC EINTR",
    "openat": "EIO ENOSPC EMFILE EINTR",
    "fsync": "EIO ENOSPC",
    "ftruncate": "EIO",
    "link": "EIO ENOSPC EPERM",
    "rename": "EIO ENOSPC",
    "unlink": "EIO",
    "mkdir": "EIO ENOSPC",
    "getdents64": "EIO",
    "newfstatat": "EIO",
    "close": "EIO",
}
"""Errors of each system call; of EIO also from a call on, as of a broken disk."""
_HIDDEN = re.compile("not an audio file|cannot be decoded|reads? back|could not be written")
"""What is said where libsndfile hides an error that does not last."""
_VARIABLE = re.compile(r"\.nmfaudio-[\w-]+\.json$|results\.json$")
"""Files that have times."""
_LINE = re.compile(r"nmfaudio: error: .+")


def run(title, folder, names, fault=None):
    """Run a command with a fault; return exit code, errors, files and output, and system calls."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="case") as work:
        for name in names:
            os.symlink(folder / name, Path(work, name))
        begin = time.monotonic()
        pid = os.fork()
        if not pid:
            child(COMMANDS[title].split(), work)
        os.waitpid(pid, os.WUNTRACED)
        calls = Path(work, "calls")
        inject = () if fault is None else ("-e", "inject={}:error={}:when={}".format(*fault))
        traced = f"trace={','.join(ERRORS)}"
        tracer = subprocess.Popen(
            ["strace", "-fyqq", "-o", calls, "-p", str(pid), "-e", traced, *inject]
        )
        while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text():
            time.sleep(0.001)
        os.kill(pid, signal.SIGCONT)
        status, _ = wait(pid, begin)
        tracer.wait()
        files = {
            str(path.relative_to(work)): hashlib.md5(path.read_bytes()).hexdigest()
            for path in sorted(Path(work).rglob("*"))
            if path.is_file() and not path.is_symlink() and path.name not in ("log.err", "calls")
        }
        files |= {name: "" for name in files if _VARIABLE.search(name)}
        err = Path(work, "log.err").read_text(errors="replace")
        code, log = os.waitstatus_to_exitcode(status), calls.read_text(errors="replace")
        return code, err, files, log


def child(arguments, work):
    """Run a command, once the parent lets it go on."""
    from nmfaudio.cli import main

    code = 1
    try:
        os.setsid()
        os.chdir(work)
        for number, name in ((0, os.devnull), (1, "log.out"), (2, "log.err")):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT), number)
        os.kill(os.getpid(), signal.SIGSTOP)
        code = main(arguments)
        sys.stdout.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def problems(fault, code, err, files, calls, expected):
    """Ways in which a run misbehaved."""
    call, error, at = fault
    lasting = at.endswith("+")
    lines = err.splitlines()
    errors = [line for line in lines if _LINE.fullmatch(line)]
    written = {name: value for name, value in files.items() if name != "log.out"}
    whole = {name: value for name, value in expected.items() if name != "log.out"}
    if "Traceback" in err:
        yield "traceback"
    if code == 0:
        if files != expected:
            yield f"other files: {sorted(set(files.items()) ^ set(expected.items()))[:3]}"
        return
    if call == "write" and lasting and not lines:  # not even the error can be written
        return
    if code == 1 or code > 7 or code < 0:
        yield f"exit {code}: {lines[-1][:300] if lines else ''}"
    if error == "EINTR" and call in ("read", "write", "pread64", "pwrite64", "openat"):
        yield "does not go on after EINTR"
    if len(errors) != 1 and not (call == "write" and "log.err" in calls):
        yield f"{len(errors)} lines of error"
    reason = os.strerror(getattr(errno, error))
    if errors and reason not in errors[0] and (lasting or not _HIDDEN.search(errors[0])):
        yield f"another reason: {errors[0][:200]}"
    if call == "unlink":
        written = {name: value for name, value in written.items() if not name.endswith(".tmp")}
    if lasting and call in ("unlink", "newfstatat"):  # nothing can be removed, or be told apart
        written = {}
    if written and written != whole:  # standard output may fail when all is written
        yield f"left {', '.join(sorted(written))}"


def faults(calls, folder):
    """Faults of the calls with files of the user in an undisturbed run."""
    counts, own = Counter(), {}
    named = re.compile(rf"(\d+<|AT_FDCWD<[^>]*>, \"|\")({re.escape(str(folder))}/|[^/\"<\[])")
    for thread, call, rest in re.findall(r"^(\d+) +(\w+)\((.*)", calls, re.MULTILINE):
        counts[thread, call] += 1
        if named.match(rest):
            own.setdefault(call, set()).add(counts[thread, call])
    for call, numbers in own.items():
        for error in ERRORS[call].split():
            for k in sorted(numbers):
                yield call, error, str(k)
                if error == "EIO":
                    yield call, error, f"{k}+"


def warm(folder):
    """Make further files, and run every command twice, which loads what it needs."""
    from nmfaudio.cli import main

    y, sr = soundfile.read("song.wav")
    for kind in ("flac", "ogg", "mp3"):
        soundfile.write(f"song.{kind}", y, sr)
    tags = {"cover": cover_text(b"\x89PNG\r\n\x1a\n" + bytes(9000)), "markers": '[[0, "a"]]'}
    write_group({Path("cover.wav"): y.T}, sr, format="wav", tags={Path("cover.wav"): tags})
    Path("experiment.toml").write_text(
        '[pieces.a]\naudio = "song.wav"\nnotes = "notes.mid"\n[systems.x]\ndictionary = "flute"\n'
    )
    kept, log = (os.dup(1), os.dup(2)), os.open("warm.log", os.O_CREAT | os.O_WRONLY)
    os.dup2(log, 1), os.dup2(log, 2)
    made = ["separate song.wav --save-model model.npz " + SHORT.replace("out", "stems")]
    made += ["learn a=song.wav -o dictionary.npz --kind templates --size 2 --n-fft 512"]
    codes = {}
    for arguments in (*made, *COMMANDS.values()):
        codes[arguments] = main(arguments.split())
        shutil.rmtree("out", ignore_errors=True)
    for own, old in zip((1, 2), kept, strict=True):
        os.dup2(old, own)
    for arguments, code in codes.items():
        if code:
            sys.exit(f"the sound run ends with {code}: {arguments}\n{Path('warm.log').read_text()}")
    return {path.name for path in folder.iterdir()} - {"stems", "warm.log"}


def inject(count=None, words=()):
    """Run the cases; return counts by command, and the cases that misbehave."""
    counts, bad = Counter(), Counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        prepare(folder)
        names = warm(folder)
        cases, expected = [], {}
        for title in COMMANDS:
            code, err, files, calls = run(title, folder, names)
            if code:
                sys.exit(f"{title} ends with {code} undisturbed: {err}")
            expected[title] = files
            cases += [(title, fault) for fault in faults(calls, folder)]
        cases = [case for case in cases if all(word in f"{case}" for word in words)]
        if count is not None:
            cases = random.Random(0).sample(cases, min(count, len(cases)))
        for title, fault in cases:
            counts[title] += 1
            code, err, files, calls = run(title, folder, names, fault)
            if found := list(problems(fault, code, err, files, calls, expected[title])):
                bad[title] += 1
                where = [line for line in calls.splitlines() if "INJECTED" in line][:1]
                print(f"{title}: {' '.join(fault)}: {'; '.join(found)}; {where}", flush=True)
        os.chdir("/")
    return counts, bad


if __name__ == "__main__":
    words = sys.argv[1:]
    number = int(words.pop(0)) if words and words[0].isdigit() else None
    counts, bad = inject(number, words)
    print(f"\n{'':22}{'runs':>6}  misbehave")
    for title, count in counts.items():
        print(f"{title:22}{count:6}  {bad[title]:9}")
    print(f"{'all':22}{counts.total():6}  {bad.total():9}")
    sys.exit(bool(bad))
