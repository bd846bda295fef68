"""An experiment is data: a file in, scores and their origin out; it goes on where it stopped."""

import dataclasses
import json
import math

import numpy as np
import pytest
from transcription.standins import SCORE, dictionary, piece

import nmfaudio as na
from nmfaudio.experiments import Experiment, ExperimentResults, Run, System

pytest.importorskip("mir_eval")
SR = 8000
TOML = """
title = "thresholds"
measures = ["onset_f", "frame_f"]
seeds = [0, 3]

[pieces.waltz]
audio = "waltz.wav"
notes = "waltz.mid"

[datasets.more]
folder = "more"

[systems.plain]
dictionary = "tones.npz"
model = { adaptation = inf, max_iter = 4 }

[systems.deaf]
dictionary = "tones.npz"
model = { kind = "NoteModel", adaptation = inf, max_iter = 4 }
decoding.threshold = 1e6

[systems.tuned]
dictionary = "tones.npz"
model = { adaptation = inf, max_iter = 4 }
tune.grid.threshold = [0.1, 1e6]
"""


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    (tmp_path / "more").mkdir()
    for name in ("waltz", "more/march", "more/polka"):
        noise = 1e-3 * rng.standard_normal(len(piece(SR)))
        na.write(tmp_path / f"{name}.wav", (piece(SR) + noise).astype(np.float32), SR)
        na.write_notes(tmp_path / f"{name}.mid", SCORE)
    dictionary().save(tmp_path / "tones.npz")
    (tmp_path / "e.toml").write_text(TOML)
    return tmp_path


def transcribed(folder, monkeypatch):
    """Pieces and systems that are run, in a list that grows."""
    calls = []
    run = na.experiments.running._Choice.run

    def counted(choice, each):
        calls.append(each.name)
        return run(choice, each)

    monkeypatch.setattr("nmfaudio.experiments.running._Choice.run", counted)
    return calls


def test_scores_are_those_of_the_transcribers(folder):
    results = na.run_experiment(folder / "e.toml")
    assert results.systems == ("plain", "deaf", "tuned")
    assert results.pieces == ("waltz", "more/march", "more/polka")
    one = na.Transcriber(na.NoteDictionary.load(folder / "tones.npz")).with_settings(
        adaptation=math.inf, max_iter=4
    )
    notes = one(folder / "waltz.wav", rng=3).notes
    (run,) = (r for r in results.runs if (r.system, r.piece, r.seed) == ("plain", "waltz", 3))
    assert run.measures["onset_f"] == na.evaluate_transcription(SCORE, notes).onset_f
    assert set(results.values("deaf", "onset_f").values()) == {0.0}
    chosen = one.with_decoding(threshold=0.1)
    for seed in (0, 3):
        notes = chosen(folder / "waltz.wav", rng=seed).notes
        (run,) = (
            r for r in results.runs if (r.system, r.piece, r.seed) == ("tuned", "waltz", seed)
        )
        assert run.measures["onset_f"] == na.evaluate_transcription(SCORE, notes).onset_f
    assert {run.chosen.get("threshold") for run in results.runs if run.system == "tuned"} == {0.1}
    assert results.compare().tests[0].difference.mean > 0.5
    assert "thresholds" in str(results)


def test_systems_name_instruments_that_ship(folder):
    text = 'pieces.waltz = {audio = "waltz.wav", notes = "waltz.mid"}\nsystems.duo = '
    (folder / "e.toml").write_text(text + '{dictionary = "flute,electric-guitar"}')
    (system,) = Experiment.load(folder / "e.toml").systems.values()
    assert system.transcriber.dictionary.names == ("flute", "electric guitar")


def test_the_results_tell_where_they_come_from(folder):
    results = na.run_experiment(folder / "e.toml")
    content = json.loads((folder / "e.results.json").read_text())
    assert content["versions"]["nmfaudio"] == na.__version__
    assert len(content["data"]["more/march"]["march.wav"]) == 64
    assert content["systems"]["deaf"]["settings"]["decoding"]["threshold"] == 1e6
    assert ExperimentResults.load(folder / "e.results.json") == results


def test_what_is_done_is_not_done_again(folder, monkeypatch):
    calls = transcribed(folder, monkeypatch)
    first = na.run_experiment(folder / "e.toml")
    assert len(calls) == 18
    assert na.run_experiment(folder / "e.toml") == first
    assert len(calls) == 18
    text = TOML.replace('measures = ["onset_f", "frame_f"]', "").replace("[0, 3]", "[0, 3, 4]")
    (folder / "e.toml").write_text(text)
    na.run_experiment(folder / "e.toml")
    assert len(calls) == 27  # the new seed alone


def test_a_change_of_a_file_is_noticed(folder, monkeypatch):
    na.run_experiment(folder / "e.toml")
    calls = transcribed(folder, monkeypatch)
    na.write_notes(folder / "waltz.mid", SCORE[:2], overwrite=True)
    na.run_experiment(folder / "e.toml")
    # One piece of two systems with two seeds, and all pieces of the one that chooses settings.
    assert sorted(calls) == sorted(["waltz"] * 4 + ["waltz", "more/march", "more/polka"] * 2)


def test_an_interrupted_experiment_goes_on(folder, monkeypatch):
    def interrupt(run, done, total):
        assert total == 18
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        na.run_experiment(folder / "e.toml", callback=interrupt)
    assert len(ExperimentResults.load(folder / "e.results.json").runs) == 5
    calls = transcribed(folder, monkeypatch)
    na.run_experiment(folder / "e.toml")
    assert len(calls) == 13


def test_other_settings_of_the_decoding_need_no_analysis(folder, monkeypatch):
    na.run_experiment(folder / "e.toml")
    (folder / "e.toml").write_text(TOML.replace("1e6\n\n[systems.tuned]", "0.5\n\n[systems.tuned]"))
    monkeypatch.setattr(
        na.transcription.NoteModel, "activations", lambda *a, **k: pytest.fail("analysed again")
    )
    na.run_experiment(folder / "e.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seeds", "sedes", "e.toml: the file has no key 'sedes'; did you mean seeds"),
        ("seeds = [0, 3]", "seeds = 3", "has seeds = 3; it must be a list"),
        ("seeds = [0, 3]", "seeds = [0.5]", "a seed must be an integer"),
        ("seeds = [0, 3]", "seeds = [1, 1]", "the seed 1 is there twice"),
        ('"frame_f"', '"fame_f"', "a measure is 'fame_f'"),
        ("audio =", "sound =", "pieces.waltz has no key 'sound'"),
        ("max_iter = 4 }\n\n[systems.deaf]", "max_itr = 4 }\n[systems.deaf]", "did you mean max_i"),
        ("decoding.threshold", "decoding.treshold", "systems.deaf: the decoding has no setting"),
        ('kind = "NoteModel"', 'kind = "Model"', "systems.deaf: model.kind is 'Model'"),
        ("tune.grid.threshold", "tune.grid.treshold", "systems.tuned: the transcriber has no set"),
        ("tune.grid.threshold = [0.1, 1e6]", "tune.choice = 'mean'", "tuned.tune has no grid"),
        ('folder = "more"', 'folder = "more"\nsplit = "test"', "datasets.more.split is 'test'"),
        ('folder = "more"', 'folder = "none"', "datasets.more: .*none: is not a folder"),
        ('"waltz.wav"', '"polka.wav"', r"polka\.wav"),
        ('"waltz.mid"', '"tones.npz"', r"tones\.npz"),
        (
            '"tones.npz"',
            '"flute,guitarr"',
            "plain: flute,guitarr: .* no instrument 'guitarr' ships",
        ),
        ("[systems.plain]", "[systems", "e.toml: is not TOML"),
    ],
)
def test_all_is_checked_before_work_begins(folder, monkeypatch, old, new, message):
    assert old in TOML
    calls = transcribed(folder, monkeypatch)
    (folder / "e.toml").write_text(TOML.replace(old, new, 1))
    with pytest.raises(na.NmfAudioError, match=message) as caught:
        na.run_experiment(folder / "e.toml")
    assert "\n" not in str(caught.value)
    assert calls == []
    assert not (folder / "e.results.json").exists()


def test_other_files_are_not_replaced(folder):
    for content in ("{}", "not JSON", '{"kind": "experiment results"}'):
        (folder / "e.results.json").write_text(content)
        with pytest.raises(na.errors.OutputError, match="choose another one for the results"):
            na.run_experiment(folder / "e.toml")
        assert (folder / "e.results.json").read_text() == content


def test_an_experiment_in_python_writes_nothing(folder):
    for path in folder.glob("more/*.mid"):
        path.unlink()
        na.write_notes(path, [na.Note(0.1, 0.2, 36, channel=9)])
    pieces = na.load_dataset(folder / "more")
    systems = {"drums": na.DrumTranscriber(max_iter=1)}
    before = sorted(folder.rglob("*"))
    experiment = Experiment(pieces, systems, measures=["drum_f"])
    results = na.run_experiment(experiment)
    assert sorted(folder.rglob("*")) == before
    assert len(results.runs) == 2
    assert str(results).splitlines()[0].split() == ["system", "drum_f"]


def test_what_is_no_experiment_is_refused(folder):
    pieces = na.load_dataset(folder / "more")
    one = na.Transcriber(dictionary())
    for settings, message in (
        ({"pieces": []}, "has no pieces"),
        ({"pieces": [pieces[0], pieces[0]]}, "the piece 'march' is there twice"),
        ({"systems": {"a": "piano"}}, "the system 'a' is a str"),
        ({"systems": {"a": System(one, {"threshold": [1]})}, "pieces": pieces[:1]}, "is one piece"),
    ):
        with pytest.raises(na.ParameterError, match=message):
            Experiment(**{"pieces": pieces, "systems": {"a": one}} | settings)
    with pytest.raises(na.ParameterError, match="tune drums with"):
        System(na.DrumTranscriber(), {"threshold": [1]})
    with pytest.raises(na.ParameterError, match="must be a list of values"):
        System(one, {"threshold": 0.1})


def test_measures_that_do_not_apply_are_left_out_of_the_comparison():
    runs = [
        Run(system, name, 0, {"onset_f": score}, 1, 1)
        for system in ("a", "b")
        for name, score in (("x", 0.5), ("y", 0.25), ("rest", math.nan))
    ]
    results = ExperimentResults(tuple(runs), ("onset_f",))
    assert results.compare().pieces == ("x", "y")
    assert json.loads(json.dumps(results.to_dict()))["runs"][2]["measures"] == {"onset_f": None}
    only = dataclasses.replace(results, runs=tuple(runs[2:3] + runs[5:]))
    assert "–" in str(dataclasses.replace(only, runs=only.runs[:1]))


def test_tables_and_figure(folder):
    results = na.run_experiment(folder / "e.toml")
    assert results.to_csv().splitlines()[0] == "system,piece,seed,onset_f,frame_f"
    assert results.to_markdown().count("\n") == 5
    assert "tabular" in results.to_latex()
    pytest.importorskip("pandas")
    assert len(results.to_dataframe()) == 18
    pytest.importorskip("matplotlib")
    labels = [label.get_text() for label in results.plot().get_yticklabels()]
    assert labels == ["plain", "deaf", "tuned"]
