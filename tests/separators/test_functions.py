"""Functions of the separators: they call the class, and list its options."""

import inspect

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.options import options
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator

SR = 8000
Y = np.random.default_rng(0).standard_normal((1, 4000))
BOXES = [{"source": "low", "start": 0, "end": 0.5, "low": 0, "high": 900}]
CHOSEN = {
    "separate": {"n_components": 4},
    "guided": {"example": {"noise": Y}},
    "f0": {
        "pitch": na.separators.Pitch(np.arange(50) / 100, np.full(50, 200.0)),
        "n_components": 2,
    },
    "paint": {"boxes": BOXES, "rest": True, "n_components": 2},
    "regroup": {"saved": na.separate(Y, SR, n_components=4, max_iter=2).decomposition},
    "hpss": {"n_components": 2, "models": 1},
    "denoise": {"noise": (0, 0.2), "models": 1},
    "score": {"score": [na.Note(0, 0.3, 57), na.Note(0.2, 0.2, 61)], "aligned": True},
    "drums": {"parts": ("kick", "snare")},
}


def settings(name):
    return CHOSEN[name] | ({} if name == "regroup" else {"max_iter": 2})


@pytest.mark.parametrize("name", SEPARATORS)
def test_a_function_gives_the_bytes_of_its_class(name):
    expected = load_separator(name)(**settings(name))(Y, SR, rng=3)
    stems = getattr(na, name)(Y, SR, rng=3, **settings(name))
    assert list(stems) == list(expected)
    assert all(stems[key].tobytes() == expected[key].tobytes() for key in stems)


@pytest.mark.parametrize("name", SEPARATORS)
def test_the_signature_lists_every_option(name):
    parameters = inspect.signature(getattr(na, name)).parameters
    found = {key: parameter.default for key, parameter in parameters.items()}
    assert list(found)[:4] == ["audio", "sr", "rng", "callback"]
    expected = {option.name: option.default for option in options(load_separator(name))}
    assert {key: found[key] for key in list(found)[4:]} == expected


@pytest.mark.parametrize("name", SEPARATORS)
def test_an_unknown_setting_is_refused_with_the_list_of_settings(name):
    names = ", ".join(option.name for option in options(load_separator(name)))
    with pytest.raises(na.ParameterError) as caught:
        getattr(na, name)(Y, SR, tempo=3)
    assert str(caught.value) == f"{name} has no setting 'tempo'; choose from {names}"


def test_samples_with_their_rate_are_refused_everywhere_with_the_cure(tmp_path):
    audio = na.read(na.example("drums"), stop=0.2)
    score = [na.Note(0, 0.1, 60)]
    uses = [
        *(getattr(na, name) for name in ("separate", "hpss", "drums", "denoise")),
        lambda y: na.guided(y, example={"a": na.example("drums")}),
        lambda y: na.score(y, score=score),
        lambda y: na.f0(y, guess=True),
        lambda y: na.Transcriber()(y),
        lambda y: na.DrumTranscriber()(y),
        lambda y: na.hpss(y, 44100),
        lambda y: na.learn({"a": y}, sr=44100),
        lambda y: na.mosaics.mosaic(y, y, 44100),
        lambda y: na.evaluate({"a": y}, {"a": y}),
        lambda y: na.symbolic.align(score, y, 44100),
        lambda y: na.write(tmp_path / "x.wav", y, 44100),
        lambda y: na.dictionaries.learn_notes_from_recording(y, score, sr=44100),
    ]
    for use in uses:
        for wrong in (audio, tuple(audio)):
            with pytest.raises(na.ParameterError, match=r"\*na\.read\(path\)"):
                use(wrong)
