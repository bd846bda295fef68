"""A long file of a batch is several tasks, and its results are those of one."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest
import soundfile

from nmfaudio._common.executors import InProcessExecutor
from nmfaudio.cli import batch_run, separate
from nmfaudio.separators import render_shards
from tests.cli.conftest import QUICK, SR, music, write_wav

MANIFEST = Path("out/.nmfaudio-batch.jsonl")
PARTS = Path("out/.nmfaudio-batch-parts")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Process the files in this process; those of 4 s are long, and have parts of 5 s."""

    @contextmanager
    def executor(*arguments, **limits):
        yield InProcessExecutor()

    monkeypatch.setattr(batch_run, "as_executor", executor)
    monkeypatch.setattr(separate, "LONG", 4)
    monkeypatch.setattr(render_shards, "SHARD_SECONDS", 5)


@pytest.fixture(autouse=True)
def songs():
    write_wav("songs/long.wav", music(20.0))
    write_wav("songs/short.wav", music(0.5))


@pytest.fixture
def rendered(monkeypatch):
    """Numbers of the parts that were rendered."""
    render, found = render_shards.render_shard, []

    def count(folder, number):
        if not Path(folder, f"{number:05d}.raw").exists():
            found.append(number)
        render(folder, number)

    monkeypatch.setattr(render_shards, "render_shard", count)
    return found


@pytest.fixture
def broken(monkeypatch):
    """Let a part fail as long as the file broken exists."""
    render = render_shards.render_shard

    def fail(folder, number):
        if number == 2 and Path("broken").exists():
            raise MemoryError
        render(folder, number)

    Path("broken").touch()
    monkeypatch.setattr(render_shards, "render_shard", fail)


@pytest.fixture
def batch(nmfaudio):
    def run(*arguments, command="separate"):
        settings = QUICK if command == "separate" else ()
        return nmfaudio("batch", command, *settings, "songs", "-o", "out", "--stems", *arguments)

    return run


def contents(folder):
    found = [path for path in Path(folder).rglob("*") if path.suffix in (".wav", ".flac")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def lines():
    entries = map(json.loads, MANIFEST.read_text().splitlines())
    return {entry["input"]: entry for entry in entries if "key" in entry}


@pytest.mark.parametrize("format", ["wav", "flac"])
def test_the_stems_are_those_of_one_task(batch, nmfaudio, rendered, format):
    result = batch("--format", format, "--overwrite")
    assert result.code == 0
    assert "2 files: 2 done" in result.err
    assert rendered == [0, 1, 2, 3]
    assert not PARTS.exists()
    nmfaudio("separate", *QUICK, "songs/long.wav", "--stream", "-o", "one", "--format", format)
    nmfaudio("separate", *QUICK, "songs/short.wav", "-o", "one", "--format", format)
    assert contents("out") == contents("one")
    assert len(contents("one")) == 4
    entry = lines()["songs/long.wav"]
    assert len(entry["results"]) == 2
    assert entry["duration"] == 20


def test_models_in_a_folder_are_rendered_in_parts(nmfaudio, rendered):
    nmfaudio("batch", "separate", *QUICK, "songs", "-o", "models")
    assert nmfaudio("batch", "render", "models", "-o", "out").code == 0
    assert rendered == [0, 1, 2, 3]
    nmfaudio("render", "models", "-o", "one")
    assert contents("out") == contents("one")
    assert len(contents("one")) == 4


def test_notes_and_all_options_of_the_output(batch, nmfaudio, rendered):
    Path("songs/short.wav").unlink()
    options = ["--hits", "--max-iter", "2", "--only", "kick", "--preview", "1-19", "--tags", "keep"]
    assert batch(*options, "--save-model", "m/{track}.npz", command="drums").code == 0
    assert rendered
    more = ["--stream", "-o", "one", "--save-model", "one.npz"]
    nmfaudio("drums", *options, "songs/long.wav", *more)
    for path in Path("one").rglob("long*/*"):
        if not path.name.startswith("."):
            assert Path("out", path.relative_to("one")).read_bytes() == path.read_bytes()
    assert Path("m/long.preview-1-19.npz").read_bytes() == Path("one.npz").read_bytes()


@pytest.mark.parametrize("option", ["--no-stream", "--components-too"])
def test_files_that_are_processed_in_memory_are_one_task(batch, rendered, option):
    assert batch(option).code == 0
    assert rendered == []


def test_a_part_that_fails_fails_its_file_alone(batch, broken):
    result = batch()
    assert result.code == 7
    assert "2 files: 1 done, 1 failed" in result.err
    assert "songs/long.wav: not enough memory" in result.err
    assert [name for name, entry in lines().items() if entry["exit_code"] == 0] == [
        "songs/short.wav"
    ]


def test_finished_parts_are_not_rendered_again(batch, broken, monkeypatch):
    batch()
    (folder,) = PARTS.iterdir()
    assert sorted(path.name for path in folder.glob("*.raw")) == ["00000.raw", "00001.raw"]
    Path("broken").unlink()
    (folder / "00000.raw").write_bytes(bytes((folder / "00000.raw").stat().st_size))
    monkeypatch.setattr(render_shards, "prepare_shards", None)  # the model was learned
    assert batch("--resume").err == "2 files: 1 done, 1 skipped\n"
    assert not PARTS.exists()
    # The first part is silent: it was taken as it was found.
    stem, _ = soundfile.read("out/long/harmonic.wav")
    assert not stem[: 5 * SR // 2].any()
    assert stem[-5 * SR // 2 :].any()


def test_parts_of_other_settings_or_of_another_file_are_removed(batch, broken):
    batch()
    (stale,) = PARTS.iterdir()
    write_wav("songs/long.wav", music(20.0)[::-1])
    batch("--resume")
    (other,) = PARTS.iterdir()
    assert other.name != stale.name
    Path("broken").unlink()
    assert batch("--overwrite", "--max-iter", "6").code == 0
    assert not PARTS.exists()


def test_progress_of_parts(batch):
    result = batch("--progress", "json")
    events = [json.loads(line) for line in result.err.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds == ["begin", *["part"] * 5, "file", "file", "end"]
    shares = [event["share"] for event in events[1:-1]]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_warnings_of_the_first_task_are_kept(batch):
    content = Path("songs/long.wav").read_bytes()
    Path("songs/long.wav").write_bytes(content[:-1000])
    batch()
    (message,) = lines()["songs/long.wav"]["warnings"]
    assert "cut short" in message
