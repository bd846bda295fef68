"""`nmfaudio evaluate --notes`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import nmfaudio as na

from .conftest import write_wav

SCORE = [na.Note(0.5 * i, 0.5 * i + 0.4, 60.0 + i, track="piano") for i in range(10)]
HITS = [na.Note(0.5 * i, 0.5 * i + 0.1, (36, 38)[i % 2], channel=9) for i in range(8)]


@pytest.fixture(autouse=True)
def folders(folder):
    for name in ("true", "made"):
        Path(name).mkdir()
    na.write_notes("true/waltz.mid", SCORE)
    na.write_notes("true/march.csv", SCORE + HITS)
    na.write_notes("made/waltz.csv", SCORE[:8])
    na.write_notes("made/march.mid", SCORE[:5] + HITS)


def test_two_files_give_a_table(nmfaudio):
    result = nmfaudio("evaluate", "--notes", "true/waltz.mid", "made/waltz.csv")
    assert (result.code, result.err) == (0, "")
    scores = na.evaluate_transcription("true/waltz.mid", "made/waltz.csv")
    assert result.out == f"{scores}\n"
    assert (scores.onset_p, scores.onset_r) == (1, 0.8)


@pytest.mark.parametrize(
    ("reference", "estimate"),
    [
        ("true/waltz.mid", "made/waltz.csv"),  # the kind is evident
        ("true/waltz.mid", "made"),
        ("true", "made/waltz.csv"),
        ("true/waltz.mid", "out/waltz"),
        ("true/waltz.mid", "out"),
        ("true", "out/waltz/notes.csv"),
    ],
)
def test_a_folder_stands_for_its_file_of_that_piece(nmfaudio, reference, estimate):
    na.write_notes("out/waltz/notes.csv", SCORE[:8])
    result = nmfaudio("evaluate", reference, estimate)
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{na.evaluate_transcription('true/waltz.mid', SCORE[:8])}\n"


def test_a_transcription_named_first_is_said(nmfaudio):
    na.write_notes("out/notes.csv", SCORE)
    assert (
        "the true notes come first" in nmfaudio("evaluate", "out/notes.csv", "true/waltz.mid").err
    )
    assert nmfaudio("evaluate", "true/waltz.mid", "out/notes.csv").err == ""


def test_drums_without_a_channel_are_compared_with_drums(nmfaudio):
    """Tables of other programs have no channel: all hits were misses, with exit code 0."""
    rows = "".join(f"{n.onset},{n.offset},{n.pitch}\n" for n in HITS)
    Path("made/beat.csv").write_text(f"start_time_s,end_time_s,pitch_midi\n{rows}")
    na.write_notes("true/beat.mid", HITS)
    result = nmfaudio("evaluate", "true/beat.mid", "made/beat.csv", "--json").json
    assert result["files"][0]["scores"]["drum_f"] == 1
    refused = nmfaudio("evaluate", "true/beat.mid", "made/waltz.csv")
    assert refused.code == 4
    assert "made/waltz.csv: 60 at 0 s is not a part of a drum kit" in refused.errors()[0]


def test_names_of_any_characters_are_escaped_in_all_tables(nmfaudio):
    for folder in ("true", "made"):
        na.write_notes(f"{folder}/a\x1b[31m\nb.mid", SCORE[:3])
    result = nmfaudio("evaluate", "true", "made", "--errors")
    assert result.code == 0
    assert "\x1b" not in result.out + result.err
    assert result.out.count(r"a\x1b[31m\nb") == 2  # among the scores, and above the errors


def test_folders_are_matched_by_name(nmfaudio):
    result = nmfaudio("evaluate", "true", "made", "--notes")
    pairs = {
        "march": ("true/march.csv", "made/march.mid"),
        "waltz": ("true/waltz.mid", "made/waltz.csv"),
    }
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{na.metrics.evaluate_transcriptions(pairs)}\n"
    assert "kick" in result.out


def test_folders_of_transcriptions_are_matched_by_their_names(nmfaudio):
    for name in ("march.mid", "waltz.csv"):
        path = Path("out", Path(name).stem, f"notes{Path(name).suffix}")
        path.parent.mkdir(parents=True)
        Path("made", name).rename(path)
    result = nmfaudio("evaluate", "true", "out", "--notes", "--json").json
    assert [file["estimate"] for file in result["files"]] == [
        "out/march/notes.mid",
        "out/waltz/notes.csv",
    ]
    assert result["exit_code"] == 0


def test_json_has_the_same_figures_and_means_with_intervals(nmfaudio):
    told = nmfaudio("evaluate", "--notes", "true", "made", "--json").json
    assert (told["command"], told["exit_code"], told["left_aside"]) == ("evaluate", 0, [])
    march, waltz = told["files"]
    scores = na.evaluate_transcription("true/march.csv", "made/march.mid")
    assert march["scores"] == scores.to_dict()
    assert march["estimate"] == "made/march.mid"
    mean = told["mean"]["onset_f"]
    assert mean["mean"] == pytest.approx(
        (march["scores"]["onset_f"] + waltz["scores"]["onset_f"]) / 2
    )
    assert mean["low"] <= mean["mean"] <= mean["high"]


def test_the_tolerance_is_in_milliseconds(nmfaudio):
    late = [na.Note(n.onset + 0.03, n.offset, n.pitch) for n in SCORE]
    na.write_notes("made/late.csv", late)
    for tolerance, f in ((20, 0.0), (40, 1.0)):
        told = nmfaudio(
            *("evaluate", "--notes", "true/waltz.mid", "made/late.csv"),
            *("--tolerance", tolerance, "--json"),
        ).json
        assert told["files"][0]["scores"]["onset_f"] == f


def test_tables_of_hits(nmfaudio):
    Path("true/beat.csv").write_text("onset_s,class\n0.5,KD\n1.0,SD\n")
    Path("made/beat.csv").write_text("0.52,kick\n1.2,snare\n")
    told = nmfaudio("evaluate", "--notes", "--drums", "true/beat.csv", "made/beat.csv", "--json")
    scores = told.json["files"][0]["scores"]
    assert (scores["kick_f"], scores["snare_f"], scores["drum_f"]) == (1, 0, 0.5)


def test_midi_goes_before_a_table_of_the_same_name(nmfaudio):
    na.write_notes("made/waltz.mid", SCORE[:2])
    told = nmfaudio("evaluate", "--notes", "true", "made", "--json").json
    assert [file["estimate"] for file in told["files"]] == ["made/march.mid", "made/waltz.mid"]


def test_what_belongs_to_no_reference_is_said(nmfaudio):
    na.write_notes("made/polka.csv", SCORE)
    assert "without a reference: polka.csv" in nmfaudio("evaluate", "--notes", "true", "made").out


def test_a_piece_without_an_estimate_fails_and_the_others_go_on(nmfaudio):
    Path("made/waltz.csv").unlink()
    result = nmfaudio("evaluate", "--notes", "true", "made")
    assert result.code == 7
    assert "true/waltz.mid: has no estimate" in result.errors()[0]
    assert "march" in result.out
    assert "waltz" not in result.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--notes", "true"], 2, "need two arguments, got 1"),
        (
            ["--notes", "true", "made/polka.csv"],
            4,
            "true: has notes of march, waltz, none of polka",
        ),
        (["--notes", "true/waltz.mid", "empty"], 4, "empty: has no .mid, .midi, .csv, .jams files"),
        (["--notes", "true/waltz.mid", "missing.mid"], 3, "missing.mid"),
        (["--notes", ".", "made"], 4, "has no .mid, .midi, .csv"),
        (["--notes", "true", "made", "--mixture", "x.wav"], 2, "--mixture is for audio"),
        (["--notes", "true", "made", "--framewise"], 2, "--framewise is for audio"),
        (["true", "made", "--permute"], 2, "--permute is for audio, and not for notes"),
        (["--notes", "true/waltz.mid", "made/waltz.csv", "--tolerance", "0"], 2, "tolerance"),
        (["--notes", "true/waltz.mid", "made/waltz.csv", "--tolerance", "x"], 2, "tolerance"),
        (["--notes", "--drums", "true/waltz.mid", "made/waltz.csv"], 4, "not a part of a drum kit"),
    ],
)
def test_errors(nmfaudio, arguments, code, words):
    Path("empty").mkdir()
    na.write_notes("made/polka.csv", SCORE)
    result = nmfaudio("evaluate", *arguments)
    assert (result.code, result.out) == (code, "")
    assert words in result.errors()[0]


def test_a_damaged_file_is_named(nmfaudio):
    Path("made/march.mid").write_bytes(b"MThd nonsense")
    Path("made/waltz.csv").write_text("no table")
    result = nmfaudio("evaluate", "--notes", "true", "made")
    assert (result.code, result.out) == (3, "")
    assert [line.split(": ")[2] for line in result.errors()] == ["made/march.mid", "made/waltz.csv"]


def test_notes_beside_audio_of_one_name_are_compared_if_asked(nmfaudio):
    for folder in ("true", "made"):
        for suffix in ("wav", "flac"):
            write_wav(f"{folder}/take.{suffix}", np.ones(100), subtype="PCM_16")
    assert nmfaudio("evaluate", "true", "made").code == 4
    assert nmfaudio("evaluate", "--notes", "true", "made").code == 0


def test_errors_are_counted_by_kind_pitch_and_tolerance(nmfaudio):
    result = nmfaudio("evaluate", "--errors", "true/waltz.mid", "made/waltz.csv")
    assert "errors of waltz\n          missed  extra\ntiming" in result.out
    assert "50 ms" in result.out
    told = nmfaudio("evaluate", "--errors", "true", "made", "--notes", "--json").json
    for file in told["files"]:
        errors, scores = file["errors"], file["scores"]
        for group in (errors, *errors["by_pitch"].values()):
            assert set(group) >= {"hits", "missed", "extra"}
        missed = sum(errors["missed"].values())
        assert errors["hits"] + missed == scores["n_reference"]
        assert file["tolerance_curve"]["tolerances"][4] == 0.05
    assert (
        "errors" not in nmfaudio("evaluate", "true", "made", "--notes", "--json").json["files"][0]
    )


def test_beats_of_two_files(nmfaudio):
    beats = na.symbolic.Beats(np.arange(30) / 2, per_bar=3)
    na.write_notes("made/waltz.jams", SCORE, beats=beats)
    Path("true/waltz.beats").write_text("".join(f"{i / 2} {i % 3 + 1}\n" for i in range(30)))
    result = nmfaudio("evaluate", "--beats", "true/waltz.beats", "made/waltz.jams")
    assert result.code == 0
    assert result.out.splitlines()[:2] == [f"{'f':<16}   1.000", f"{'downbeat_f':<16}   1.000"]
    refused = nmfaudio("evaluate", "--beats", "--drums", "true/waltz.beats", "made/waltz.jams")
    assert (refused.code, refused.errors()[0]) == (2, "nmfaudio: error: --drums is not for beats")
