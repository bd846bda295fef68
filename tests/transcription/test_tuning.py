"""Settings of model and decoding are tried, and their choice is cross-validated."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
from transcription.standins import SCORE, PlainDecoding, PlainModel, piece, transcriber

import nmfaudio as na
from nmfaudio.transcription.tuning import best_row

pytest.importorskip("mir_eval")
SR = 8000
GRID = {"threshold": [0.999, 0.3], "max_iter": [1, 30]}


def pieces(count=3):
    return [((piece(SR), SR), SCORE[: 3 - k % 2]) for k in range(count)]


def test_settings_of_model_and_decoding_are_combined_and_analysed_once_for_each_model():
    calls = []

    @dataclass(frozen=True)
    class Counting(PlainModel):
        def activations(self, *arguments, **more):
            calls.append(self.max_iter)
            return super().activations(*arguments, **more)

    tuned = transcriber(model=Counting()).tune(pieces(2), grid=GRID)
    assert calls == [1, 30, 1, 30]
    tried = [(row["threshold"], row["max_iter"]) for row in tuned.table]
    assert tried == [(0.999, 1), (0.999, 30), (0.3, 1), (0.3, 30)]
    best = tuned.best
    assert (tuned.transcriber.decoding.threshold, tuned.transcriber.model.max_iter) == (
        best["threshold"],
        best["max_iter"],
    )


def test_scores_are_those_of_the_notes_that_transcribe_returns():
    tuned = transcriber().tune(pieces(), grid=GRID)
    for row, scores in zip(tuned.table, tuned.scores, strict=True):
        one = transcriber().with_settings(
            **{name: value for name, value in row.items() if name != "onset_f"}
        )
        for ((y, sr), notes), score in zip(pieces(), scores, strict=True):
            assert na.evaluate_transcription(notes, one(y, sr).notes).onset_f == score
        assert row["onset_f"] == pytest.approx(scores.mean())


def test_each_piece_is_scored_with_the_choice_of_the_others():
    tuned = transcriber().tune(pieces(3), grid={"threshold": [0.999, 0.3, 0.01]})
    assert (
        [fold.piece for fold in tuned.folds]
        == list(tuned.pieces)
        == [
            "piece 1",
            "piece 2",
            "piece 3",
        ]
    )
    for k, fold in enumerate(tuned.folds):
        chosen = int(np.delete(tuned.scores, k, axis=1).mean(axis=1).argmax())
        assert fold.settings == {"threshold": tuned.table[chosen]["threshold"]}
        assert fold.score == tuned.scores[chosen, k]
    assert tuned.held_out == pytest.approx(np.mean([fold.score for fold in tuned.folds]))


def test_the_worst_piece_may_choose():
    scores = np.array([[1.0, 0.4, np.nan], [0.6, 0.5, 0.6], [0.6, 0.5, 0.7]])
    assert best_row(scores, "mean") == 0
    assert best_row(scores, "worst") == 2
    with pytest.raises(
        na.ParameterError, match="choice is 'median'; it must be one of mean, worst"
    ):
        transcriber().tune(pieces(), choice="median")


def test_a_piece_without_a_score_is_no_fold():
    silence = ((np.zeros(SR), SR), ())
    tuned = transcriber().tune([*pieces(2), silence], grid={"threshold": [0.3, 0.5]})
    assert [fold.piece for fold in tuned.folds] == ["piece 1", "piece 2"]
    assert np.isnan(tuned.scores[:, 2]).all()


def test_one_piece_has_no_folds():
    tuned = transcriber().tune(pieces(1), grid={"threshold": [0.3]})
    assert tuned.folds == ()
    assert np.isnan(tuned.held_out)


def test_tuning_again_uses_the_cache(tmp_path):
    first = transcriber().tune(pieces(2), grid=GRID, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2  # both pieces are the same recording
    stamps = [path.stat().st_mtime_ns for path in tmp_path.iterdir()]
    assert transcriber().tune(pieces(2), grid=GRID, cache=tmp_path) == first
    assert [path.stat().st_mtime_ns for path in tmp_path.iterdir()] == stamps


def test_pieces_of_data_sets_keep_their_names(tmp_path):
    for name in ("waltz", "march"):
        na.write(tmp_path / f"{name}.wav", piece(SR), SR)
        na.write_notes(tmp_path / f"{name}.mid", SCORE)
    tuned = transcriber().tune(na.load_dataset(tmp_path), grid={"threshold": [0.3]})
    assert tuned.pieces == ("march", "waltz")
    same = [(tmp_path / "waltz.wav", SCORE)] * 3
    names = transcriber().tune(same, grid={"threshold": [0.3]}).pieces
    assert names == ("waltz", f"{tmp_path.name}/waltz", f"{tmp_path.name}/waltz (3)")


@dataclass(frozen=True)
class Rival(PlainDecoding):
    max_iter: int = 2


@pytest.mark.parametrize(
    ("decoding", "settings", "message"),
    [
        (PlainDecoding(), {"treshold": 1}, "the transcriber has no .* did you mean threshold"),
        (PlainDecoding(), {"modle.max_iter": 1}, "no setting 'modle.max_iter'"),
        (PlainDecoding(), {"model.threshold": 1}, "the model has no setting 'threshold'"),
        (Rival(), {"max_iter": 1}, "write model.max_iter or decoding.max_iter"),
    ],
)
def test_settings_that_neither_has_or_both_have_are_refused(decoding, settings, message):
    with pytest.raises(na.ParameterError, match=message):
        transcriber(decoding=decoding).with_settings(**settings)


def test_a_name_with_its_owner_is_never_ambiguous():
    changed = transcriber(decoding=Rival()).with_settings(**{"model.max_iter": 7})
    assert (changed.model.max_iter, changed.decoding.max_iter) == (7, 2)


def test_the_table_is_shown_and_exported():
    tuned = transcriber().tune(pieces(2), grid={"threshold": [0.999, 0.3]})
    lines = str(tuned).splitlines()
    assert lines[0].split() == ["threshold", "onset_f", "piece", "1", "piece", "2"]
    assert lines[-1].startswith(" held out") or lines[-1].startswith("held out")
    content = json.loads(json.dumps(tuned.to_dict()))
    assert content["held_out"] == tuned.held_out
    assert content["settings"][1]["piece 2"] == tuned.scores[1, 1]
    pytest.importorskip("pandas")
    assert list(tuned.to_dataframe().columns) == ["threshold", "onset_f", "piece 1", "piece 2"]


def test_the_figure_shows_the_held_out_scores():
    pytest.importorskip("matplotlib")
    tuned = transcriber().tune(pieces(3), grid={"threshold": [0.999, 0.3]})
    crosses = [line for line in tuned.plot().lines if line.get_marker() == "x"]
    assert [line.get_ydata()[0] for line in crosses] == [fold.score for fold in tuned.folds]
