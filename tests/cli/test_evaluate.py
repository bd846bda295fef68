"""`nmfaudio evaluate`."""

from __future__ import annotations

import numpy as np
import pytest

import nmfaudio as na

from .conftest import SR, write_wav

NOISE = np.random.default_rng(0).standard_normal((4, 1, 3 * SR)) / 16
KICK, SNARE = NOISE[:2]
MADE = {"kick": KICK + NOISE[2] / 8, "snare": SNARE + NOISE[3] / 4}


@pytest.fixture
def folders():
    for name, y in {"kick": KICK, "snare": SNARE}.items():
        write_wav(f"true/{name}.wav", y.T, subtype="DOUBLE")
    for name, y in MADE.items():
        write_wav(f"made/{name}.wav", y.T, subtype="DOUBLE")
    return "true", "made"


def expected(**more):
    return na.evaluate({"kick": KICK, "snare": SNARE}, MADE, SR, **more)


def test_a_table_on_stdout(nmfaudio, folders):
    result = nmfaudio("evaluate", *folders)
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{expected()}\n"
    assert [line.split()[0] for line in result.out.splitlines()] == [
        *("source", "kick", "snare", "mean")
    ]


def test_json_has_the_same_figures(nmfaudio, folders):
    told = nmfaudio("evaluate", *folders, "--json", "--framewise").json
    assert (told["command"], told["exit_code"], told["sr"]) == ("evaluate", 0, SR)
    assert told["sources"] == expected(framewise=True).to_dict()["sources"]
    assert len(told["sources"]["kick"]["frames"]["sdr"]) == 3


def test_other_names_are_matched_and_it_is_said(nmfaudio, folders):
    write_wav("blind/source-1.wav", MADE["snare"].T, subtype="DOUBLE")
    write_wav("blind/source-2.wav", MADE["kick"].T, subtype="DOUBLE")
    result = nmfaudio("evaluate", "true", "blind", "--json").json
    assert result["sources"]["kick"]["estimate"] == "source-2"
    assert "no estimate is called kick, snare: estimates were matched" in result["notes"][0]
    assert result["mean"] == expected().to_dict()["mean"]
    write_wav("true/hihat.wav", NOISE[2].T)
    refused = nmfaudio("evaluate", "true", "blind")
    assert refused.code == 2
    said = "no estimate for hihat, kick, snare; found: source-1, source-2; give"
    assert said in refused.errors()[0]


def test_two_files_are_compared(nmfaudio, folders):
    result = nmfaudio("evaluate", "true/kick.wav", "made/snare.wav")
    assert (result.code, result.err) == (0, "")
    assert result.out == f"{na.evaluate({'kick': KICK}, {'snare': MADE['snare']})}\n"
    assert "matched" not in result.out


def test_a_file_is_compared_with_that_of_its_name_in_a_folder(nmfaudio, folders):
    pair = nmfaudio("evaluate", "true/kick.wav", "made/kick.wav").out
    assert nmfaudio("evaluate", "true/kick.wav", "made").out == pair
    assert nmfaudio("evaluate", "true", "made/kick.wav").out == pair


def test_a_mixture_among_the_estimates_alone_is_said(nmfaudio, folders):
    write_wav("true/mixture.wav", (KICK + SNARE).T, subtype="DOUBLE")
    assert "the true sources are named first" not in nmfaudio("evaluate", "true", "made").out
    assert "the true sources are named first" in nmfaudio("evaluate", "made", "true").out


def test_permute_overrules_names(nmfaudio, folders):
    write_wav("swapped/kick.wav", MADE["snare"].T)
    write_wav("swapped/snare.wav", MADE["kick"].T)
    by_name, permuted = (
        nmfaudio("evaluate", "true", "swapped", "--json", *more).json
        for more in ((), ("--permute",))
    )
    assert by_name["mean"]["sdr"] < 0 < 10 < permuted["mean"]["sdr"]


def test_a_mixture_in_the_folder_or_named(nmfaudio, folders):
    mixture = KICK + SNARE + 3 * NOISE[3]
    write_wav("mix.wav", mixture.T, subtype="DOUBLE")
    named = nmfaudio("evaluate", *folders, "--mixture", "mix.wav").out
    assert named == f"{expected(mixture=mixture)}\n" != f"{expected()}\n"
    write_wav("true/mixture.flac", mixture.T, subtype="PCM_24")
    assert nmfaudio("evaluate", *folders).out == named


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"samplerate": 2 * SR}, "16,000 Hz"),
        ({"y": KICK.repeat(2, 0).T}, "2 channels"),
        ({"y": KICK[:, :-1].T}, "23,999 samples"),
    ],
)
def test_what_differs_is_refused(nmfaudio, folders, change, words):
    write_wav("made/kick.wav", **{"y": KICK.T} | change)
    result = nmfaudio("evaluate", *folders)
    assert result.code == 4
    assert words in result.errors()[0]
    assert "made/kick.wav" in result.errors()[0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["true"], 2, "need two arguments, got 1"),
        (["true", "missing"], 3, "missing: No such file or directory"),
        (["true", "missing/kick.wav"], 3, "missing/kick.wav: No such file or directory"),
        (["true", "other/mix.wav"], 4, "true: has no audio file called mix, but kick, snare"),
        (["only", "made"], 4, "only: has only a mixture; add the sources"),
        (["made/kick.wav", "other/score.mid"], 2, "kick.wav is audio, and other/score.mid has"),
        (["true", "made", "--drums"], 2, "--drums is for notes; add --notes"),
        (["true", "made", "--tolerance", "20"], 2, "--tolerance is for notes; add --notes"),
        (["true", "."], 4, "no audio files"),
        (["true", "made", "--permut"], 2, "did you mean --permute?"),
        (["true", "made", "--mixture", "missing.wav"], 3, "missing.wav"),
    ],
)
def test_errors(nmfaudio, folders, arguments, code, words):
    write_wav("other/mix.wav", KICK.T)
    write_wav("only/mixture.wav", KICK.T)
    na.write_notes("other/score.mid", [])
    result = nmfaudio("evaluate", *arguments)
    assert (result.code, result.out) == (code, "")
    assert words in result.errors()[0]


def test_two_files_of_one_name_are_refused(nmfaudio, folders):
    write_wav("made/kick.flac", KICK.T, subtype="PCM_16")
    result = nmfaudio("evaluate", *folders)
    assert result.code == 4
    assert "the same name" in result.errors()[0]


def test_a_warning_of_a_file_is_passed_on(nmfaudio, folders):
    whole = write_wav("made/kick.wav", np.concatenate([MADE["kick"], KICK], axis=1).T)
    kept = whole.read_bytes()[: -KICK.size * 4]
    whole.write_bytes(kept)
    result = nmfaudio("evaluate", *folders)
    assert result.code == 0
    assert result.err.startswith("nmfaudio: warning: made/kick.wav")


def test_a_preview_is_compared_with_this_part_of_the_sources(nmfaudio, folders):
    for name, y in MADE.items():
        write_wav(f"part/{name}.wav", y[:, SR : 2 * SR].T, subtype="DOUBLE")
    (line,) = nmfaudio("evaluate", "true", "part").errors()
    assert "--preview FROM-TO" in line
    told = nmfaudio("evaluate", "true", "part", "--preview", "1-2", "--json").json
    cut = slice(SR, 2 * SR)
    truth = {"kick": KICK[:, cut], "snare": SNARE[:, cut]}
    expected = na.evaluate(truth, {name: y[:, cut] for name, y in MADE.items()}, SR)
    assert told["sources"] == expected.to_dict()["sources"]
    whole = nmfaudio("evaluate", "true", "made", "--preview", "1-2", "--json").json
    assert whole["sources"] == told["sources"]  # estimates as long as the sources are cut with them


def test_infinite_figures_are_text_in_json(nmfaudio, folders):
    told = nmfaudio("evaluate", "true/kick.wav", "made/kick.wav", "--json").json
    assert told["sources"]["kick"]["sir"] == "inf"
