"""A batch processes each file once, as the command itself would, and can be resumed."""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from nmfaudio._common.executors import InProcessExecutor
from nmfaudio.cli import batch_run
from nmfaudio.cli.batch_inputs import load_batch_command
from nmfaudio.cli.batch_run import COMMANDS, BatchRun
from nmfaudio.cli.batch_task import build_command
from nmfaudio.cli.manifest import open_manifest
from nmfaudio.cli.separate import SeparateCommand
from nmfaudio.errors import OutputError, ParameterError
from tests.cli.conftest import QUICK, music, write_wav
from tests.minimal import ARGUMENTS

MANIFEST = Path("out/.nmfaudio-batch.jsonl")
FILES = ("songs/a.wav", "songs/b.wav", "songs/sub/a.wav")


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Process the files in this process; `test_engines` uses others."""

    @contextmanager
    def executor(*arguments, **limits):
        yield InProcessExecutor()

    monkeypatch.setattr(batch_run, "as_executor", executor)


@pytest.fixture
def songs():
    for number, name in enumerate(FILES):
        write_wav(name, music(0.25) * 0.5**number)
    return FILES


@pytest.fixture
def batch(nmfaudio):
    def run(*arguments, command="separate"):
        settings = QUICK if command == "separate" else ()
        return nmfaudio("batch", command, *settings, "-o", "out", *arguments)

    return run


def contents(folder, pattern="**/*.wav"):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).glob(pattern)}


def lines():
    return [json.loads(line) for line in MANIFEST.read_text().splitlines()]


def processed():
    return [line["input"] for line in lines() if "key" in line and not line.get("skipped")]


def test_models_are_kept_and_make_the_stems_of_the_command(nmfaudio, batch, songs):
    result = batch("songs")
    assert result.code == 0
    assert "3 files: 3 done" in result.err
    models = ["out/a/model.npz", "out/b/model.npz", "out/sub/a/model.npz"]
    assert sorted(result.out.splitlines()) == models
    assert not contents("out")
    assert nmfaudio("render", "out", "-o", "rendered").code == 0
    assert nmfaudio("batch", "render", "out", "-o", "batch").code == 0
    nmfaudio("separate", *QUICK, "songs", "-o", "separated", "--stream")
    stems = contents("separated")
    assert len(stems) == 6
    assert contents("rendered") == contents("batch") == stems


def test_stems_are_those_of_the_command(nmfaudio, batch, songs):
    assert batch("songs", "--stems").code == 0
    nmfaudio("separate", *QUICK, "songs", "-o", "separated")
    assert contents("out") == contents("separated")
    assert not contents("out", "**/*.npz")


@pytest.mark.parametrize(
    "inputs",
    [["songs"], ["songs/**/*.wav"], FILES, ["--list", "list.txt"], ["songs", "--list", "list.txt"]],
)
def test_folders_patterns_and_lists(batch, songs, inputs):
    Path("list.txt").write_text("\n".join(songs) + "\n\n")
    assert batch(*inputs).code == 0
    assert sorted(processed()) == sorted(songs)


def test_names_of_a_list_are_escaped_where_they_fail(batch):
    Path("list.txt").write_text("no\x1b[31m.wav\n é\u202e.wav\n")
    result = batch("--list", "list.txt")
    assert result.code == 3
    assert "\x1b" not in result.err
    assert r"no\x1b[31m.wav: No such file or directory" in result.err
    assert r"é\u202e.wav: No such file or directory" in result.err


def test_a_batch_that_was_begun_is_not_begun_again(batch, songs):
    batch("songs")
    again = batch("songs")
    assert again.code == 5
    assert "add --resume" in again.errors()[0]
    assert batch("songs", "--overwrite").code == 0
    assert len(processed()) == 3


def test_results_of_other_commands_are_not_replaced(nmfaudio, batch, songs):
    write_wav("out/a/harmonic.wav")
    result = batch("songs", "--stems", "--format", "wav")
    assert result.code == 5
    assert "exists" in result.errors()[0]
    assert not Path("out/b").exists()


def test_resume_processes_what_is_left(batch, songs):
    batch("songs")
    write_wav("songs/new.wav")
    Path("out/b/model.npz").unlink()
    later = os.stat(songs[0]).st_mtime + 60
    os.utime(songs[0], (later, later))
    # The first has another time, but the same content, which its record tells.
    assert "4 files: 2 done, 2 skipped" in batch("songs", "--resume").err
    assert sorted(processed()) == sorted([*songs, "songs/b.wav", "songs/new.wav"])
    assert batch("songs", "--resume").err == "4 files: 4 skipped\n"


def test_a_file_that_has_changed_is_processed_again(batch, songs):
    batch("songs")
    before = contents("out", "**/*.npz")
    write_wav(songs[1], music(0.25)[::-1])
    assert "1 done, 2 skipped" in batch("songs", "--resume").err
    after = contents("out", "**/*.npz")
    assert [name for name in before if before[name] != after[name]] == ["b/model.npz"]


def test_a_file_that_changes_while_it_is_processed_fails(batch, songs, monkeypatch):
    write = SeparateCommand._write_extras

    def change(self, job, *arguments):
        if job.source == songs[1]:
            write_wav(songs[1], music(0.3))
        return write(self, job, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(SeparateCommand, "_write_extras", change)
        failed = batch("songs")
    assert failed.code == 7
    assert "songs/b.wav: changed while it was processed" in failed.err
    assert batch("songs", "--resume").err == "3 files: 1 done, 2 skipped\n"


def test_files_that_failed_are_tried_again(batch, songs):
    Path("songs/b.wav").write_text("no audio")
    failed = batch("songs")
    assert failed.code == 7
    write_wav("songs/b.wav")
    assert batch("songs", "--resume").code == 0


def test_a_batch_that_finished_no_file_takes_other_settings(batch):
    Path("songs").mkdir()
    for name in "ab":
        Path(f"songs/{name}.wav").write_text("no audio")
    assert batch("songs").code == 3
    for name in "ab":
        write_wav(f"songs/{name}.wav")
    assert batch("songs", "--max-iter", "6").err == "2 files: 2 done\n"
    assert sum("command" in line for line in lines()) == 1
    assert "add --resume" in batch("songs", "--max-iter", "7").errors()[0]


def test_warnings_are_shown_at_the_end(batch):
    for number in range(7):
        path = write_wav(f"songs/{number}.wav", music(0.25))
        path.write_bytes(path.read_bytes()[:-100])
    head, number, *warned = batch("songs").err.splitlines()
    assert head == "7 files: 7 done"
    assert number == f"7 warnings; all are in {MANIFEST}:"
    assert len(warned) == 5
    assert all(line.startswith("  songs/") and "cut short" in line for line in warned)
    assert sum(len(line.get("warnings", ())) for line in lines()) == 7
    one = batch("songs/0.wav", "--overwrite").err.splitlines()
    assert one[:2] == ["1 file: 1 done", "1 warning:"]
    assert batch("songs/0.wav", "--overwrite", "-q").err == ""


def test_an_interrupted_batch_tells_how_to_go_on(nmfaudio, batch, songs, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(SeparateCommand, "process", interrupt)
    result = batch("songs")
    assert result.code == 130
    assert result.errors() == [
        "nmfaudio: error: interrupted; the same command with --resume processes what is left"
    ]


@pytest.mark.parametrize("end", ['{"key": "12', '{"key": "12"}', "\xff\n", "[]\n"])
def test_a_torn_line_is_passed_over(batch, songs, end):
    batch("songs")
    with open(MANIFEST, "a", encoding="latin-1") as file:
        file.write(end)
    assert batch("songs", "--resume").err == "3 files: 3 skipped\n"
    assert batch("songs", "--resume").code == 0


def test_a_batch_is_resumed_with_its_own_settings(batch, songs):
    batch("songs")
    for arguments, reason in [
        (("--max-iter", "6"), "--max-iter was 5, is 6"),
        (("--stems",), "--stems was off, is on"),
    ]:
        refused = batch("songs", "--resume", *arguments)
        assert refused.code == 5
        assert reason in refused.errors()[0]
    assert batch("songs", "--resume", "--max-iter", "6", "--overwrite").code == 0
    assert len(processed()) == 6
    other = batch("songs", "--resume", command="transcribe")
    assert "made by nmfaudio batch separate" in other.errors()[0]


def test_shards_divide_the_files(batch, songs):
    for number in (1, 2):
        assert batch("songs", "--shard", f"{number}/2").code == 0
    entries = [
        json.loads(line)
        for path in Path("out").glob(".nmfaudio-batch-*-of-2.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert sorted(entry["input"] for entry in entries if "key" in entry) == sorted(songs)
    assert sorted(contents("out", "**/*.npz")) == ["a/model.npz", "b/model.npz", "sub/a/model.npz"]
    # Whoever resumes knows what all shards have finished.
    assert batch("songs", "--resume").err == "3 files: 3 skipped\n"
    assert "other settings" in batch("songs", "--max-iter", "6", "--shard", "3/3").errors()[0]
    assert batch("songs", "--shard", "9/9").err == "0 files: none\n"


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/2/3", "-1/2"])
def test_impossible_shards_are_refused(batch, songs, text):
    assert batch("songs", f"--shard={text}").code == 2


def test_failures_are_listed_at_the_end(batch, songs):
    Path("songs/text.wav").write_text("no audio")
    Path("songs/none.wav").touch()
    result = batch("songs")
    assert result.code == 7
    head, table, *rows = result.err.splitlines()
    assert head == "5 files: 3 done, 2 failed"
    assert table.split() == ["exit", "error"]
    assert [row.split(":")[0].split() for row in rows] == [
        ["3", "songs/none.wav"],
        ["3", "songs/text.wav"],
    ]
    assert batch("songs/text.wav", "--resume").code == 3


def test_one_object_tells_of_all_files(batch, songs):
    Path("songs/text.wav").write_text("no audio")
    result = batch("songs", "--json", "-q")
    assert result.json["exit_code"] == result.code == 7
    assert result.json["summary"] == {"done": 3, "skipped": 0, "failed": 1}
    files = {report["input"]: report for report in result.json["files"]}
    assert files["songs/a.wav"]["results"].keys() == {"a/model.npz"}
    assert "not an audio file" in files["songs/text.wav"]["error"]


def test_progress_for_programs(batch, songs):
    Path("songs/text.wav").write_text("no audio")
    result = batch("songs", "--progress", "json")
    events = [json.loads(line) for line in result.err.splitlines()]
    assert [event["event"] for event in events] == ["begin", *["file"] * 4, "end"]
    assert events[0]["files"] == 4
    shares = [event["share"] for event in events[1:-1]]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert {event["exit_code"] for event in events[1:-1]} == {0, 3}
    assert events[-1] == {"event": "end", "exit_code": 7, "done": 3, "skipped": 0, "failed": 1}


def test_two_batches_do_not_write_into_one_folder(batch, songs):
    with open_manifest(Path("out")):
        refused = batch("songs")
        assert batch("songs", "--shard", "1/2").code == 0
    assert refused.code == 5
    assert "another nmfaudio batch" in refused.errors()[0]
    with open_manifest(Path("out")):
        pass  # the lock is gone with its process


def test_a_folder_that_cannot_be_written_is_refused(batch, songs):
    Path("out").write_text("a file")
    assert batch("songs").code == 5
    with pytest.raises(OutputError, match="cannot be written"), open_manifest(Path("out")):
        pass


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no COMMAND"),
        (["songs", "hpss"], "batch cannot run 'songs'"),
        (["hpsss", "songs"], "did you mean hpss"),
        (["regroup", "songs"], "batch cannot run 'regroup'"),
        (["hpss"], "no INPUT"),
        (["hpss", "-"], "standard input is one file"),
        (["hpss", "songs", "--threads", "2"], "use --workers"),
        (["hpss", "songs", "--only", "harmonic"], "--only is for stems"),
        (["hpss", "songs", "--frob"], "unknown option --frob"),
        (["hpss", "songs", "--workers", "0"], "--workers"),
        (["hpss", "songs", "--workers", "2", "--scheduler", "tcp://a:1"], "not allowed with"),
        (["hpss", "songs", "--time-limit", "soon"], "not a duration"),
        (["hpss", "songs", "--memory-limit", "much"], "need an amount of memory"),
        (["hpss", "songs", "--memory-limit", "100M"], "a process needs 400M"),
        (["hpss", "none/*.wav"], "no file matches"),
        (["hpss", "--list", "none.txt"], "none.txt: No such file"),
    ],
)
def test_mistakes_are_explained(nmfaudio, songs, arguments, message):
    result = nmfaudio("batch", *arguments)
    assert result.code in (2, 3)
    assert message in result.errors()[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_arguments_of_a_worker_make_the_same_command(command):
    others = ["--seed", "7", "--output=-x", "--overwrite", *ARGUMENTS.get(command, [])]
    run = BatchRun.parse("batch", [command, "a.wav", *others, "--workers", "2", "--", "-b.wav"])
    assert (run.files, run.workers) == (("a.wav", "-b.wav"), 2)
    whole = load_batch_command(command).parse(command, ["a.wav", *others, "--", "-b.wav"])
    worker = build_command(command, [*run.arguments, "--", *run.companions], stems=True)
    assert worker.settings == whole.settings
    assert (worker.files, worker.output) == ((), "-x")


def test_each_recording_may_have_a_file_of_its_own(batch, songs):
    box = {"source": "tone", "start": 0, "end": 0.2, "low": 300, "high": 600}
    for name in ("a", "sub/a"):
        Path("boxes", name).parent.mkdir(parents=True, exist_ok=True)
        Path("boxes", f"{name}.json").write_text(json.dumps([box | {"source": Path(name).name}]))
    arguments = ["songs", "boxes/{track}.json", "--rest", "--max-iter", "2"]
    result = batch(*arguments, command="paint")
    assert result.code == 7
    assert "songs/b.wav: boxes/b.json" in result.err
    assert sorted(contents("out", "**/*.npz")) == ["a/model.npz", "sub/a/model.npz"]
    Path("boxes/a.json").write_text(json.dumps([box | {"low": 200}]))
    Path("boxes/b.json").write_text(json.dumps([box]))
    resumed = batch(*arguments, "--resume", command="paint")
    assert resumed.err == "3 files: 2 done, 1 skipped\n"


def test_transcribe_has_its_own_stems(batch):
    run = BatchRun.parse("batch", ["transcribe", "a.wav", "--stems", "note"])
    assert run.arguments == ("--stems", "note")
    assert run.files == ("a.wav",)


def test_stems_of_notes_are_a_setting(batch):
    write_wav("songs/a.wav", music(0.25))
    batch("songs", "--stems", "note", command="transcribe")
    refused = batch("songs", "--stems", "hand", "--resume", command="transcribe")
    assert "--stems was note, is hand" in refused.errors()[0]


def test_notes_are_kept_without_stems(batch, nmfaudio):
    write_wav("songs/a.wav", music(1.0))
    assert batch("songs", command="transcribe").code == 0
    nmfaudio("transcribe", "songs", "-o", "direct")
    for name in ("notes.mid", "notes.csv"):
        assert Path("out/a", name).read_bytes() == Path("direct/a", name).read_bytes()


def test_a_part_of_each_file_is_rendered_as_such(batch, nmfaudio, songs):
    batch(songs[0], "--preview", "0.05-0.2")
    assert nmfaudio("render", "out", "-o", "rendered").code == 0
    nmfaudio("separate", *QUICK, songs[0], "--preview", "0.05-0.2", "-o", "separated", "--stream")
    assert contents("rendered") == contents("separated")
    assert contents("rendered")


def test_a_recording_that_was_moved_is_found(batch, nmfaudio, songs):
    batch("songs")
    Path("songs").rename("moved")
    failed = nmfaudio("render", "out", "-o", "rendered")
    assert failed.code == 3
    assert "name a folder that has it with --audio" in failed.err
    write_wav("moved/sub/b.wav", np.ones((9, 1)))
    assert nmfaudio("render", "out", "-o", "rendered", "--audio", "moved").code == 0
    assert len(contents("rendered")) == 6


def test_another_recording_is_refused(batch, nmfaudio, songs):
    batch("songs")
    write_wav(songs[0], music(0.25)[::-1])
    failed = nmfaudio("render", "out/a/model.npz", "-o", "rendered")
    assert failed.code == 3
    assert "has changed" in failed.err


def test_models_without_a_record_are_refused(nmfaudio, songs):
    nmfaudio("separate", *QUICK, songs[0], "--save-model", "m.npz", "-o", "out")
    Path("empty").mkdir()
    for arguments, message in [
        (["m.npz"], "make the stems with nmfaudio regroup RECORDING m.npz"),
        (["none.npz"], "no such file"),
        (["empty"], "has no models"),
        (["-"], "standard input"),
        (["m.npz", "--preview", "0-1"], "the model tells which part"),
        (["m.npz", "--fit", "all"], "--fit: the model has its templates"),
    ]:
        failed = nmfaudio("render", *arguments, "-o", "rendered")
        assert failed.code in (2, 3)
        assert message in failed.err


def test_settings_out_of_range_are_refused_before_any_file(batch, songs):
    with pytest.raises(ParameterError, match="max"):
        BatchRun.parse("batch", ["separate", "songs", "--max-iter", "-1"])
