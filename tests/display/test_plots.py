"""Every result has a plot, and every command that separates or transcribes takes --plot."""

import inspect
import re

import numpy as np
import pytest

import nmfaudio as na
import nmfaudio.display.report  # so that its classes are there in any order of tests
from nmfaudio.cli.commands import COMMANDS

WITHOUT = {
    "ComponentGroup": "a part of a Stems, which draws all groups",
    "DecodedAudio": "a recording as it was read",
    "FileInfo": "facts about a file",
    "Header": "facts about a file",
    "Instrument": "facts about a file",
    "Key": "a name",
    "MiniBatchNMF": "an estimator",
    "Note": "one row of a piano roll",
    "OnlineNMF": "an estimator",
    "Panels": "a picture",
    "Piece": "an input",
    "Scale": "an input",
    "Pitch": "an input",
    "ReportContents": "what a page shows",
    "Score": "a document for programs that engrave",
    "SpatialFilter": "a part of a separation",
    "Spelling": "a name",
    "Step": "a part of a History, which draws all steps",
    "Stft": "a setting",
    "Track": "an open file",
    "AppendingGroup": "files that are being written",
    "ARD": "a setting",
    "Terms": "coefficients of one update",
    "Written": "paths and gains of written files",
}
"""Public classes that functions return and that are not results to look at."""


def public_objects():
    for name in na.__all__:
        item = getattr(na, name)
        yield item
        if inspect.ismodule(item):
            yield from (getattr(item, each) for each in item.__all__)
            for module in filter(inspect.ismodule, vars(item).values()):
                if module.__name__.startswith(item.__name__):
                    yield from (getattr(module, each) for each in getattr(module, "__all__", ()))


def returned(function):
    """Names in the annotation of what a function, method or property returns."""
    for attribute in ("fget", "func", "__func__"):
        function = getattr(function, attribute, function)
    return re.findall(r"\w+", str(getattr(function, "__annotations__", {}).get("return")))


def result_classes():
    """Public classes that public functions and methods return, by name."""
    objects = list(public_objects())
    classes = {x.__name__: x for x in objects if inspect.isclass(x)}
    names = {name for x in objects if inspect.isfunction(x) for name in returned(x)}
    for x in classes.values():
        members = {n: m for n, m in vars(x).items() if n == "__call__" or n[0] != "_"}
        names |= {name for member in members.values() for name in returned(member)}
    return {
        name: classes[name]
        for name in sorted(names & set(classes))
        if not issubclass(classes[name], BaseException)
        and not getattr(classes[name], "_is_protocol", False)
        and not inspect.isabstract(classes[name])
    }


def test_every_result_has_a_plot():
    found = result_classes()
    assert {"Stems", "Decomposition", "TranscribedFile", "Tuning"} <= set(found)
    assert {name for name, x in found.items() if not hasattr(x, "plot")} == set(WITHOUT)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_separator_and_transcribe_take_plot(name):
    separates = name in na.separators.SEPARATORS
    if separates or name == "transcribe":
        assert "plot" in {flag.name for flag in COMMANDS[name]}


def test_a_salience_without_notes_shows_its_pitches():
    salience = na.transcription.Salience(np.ones((2, 5)), np.array([30.0, 90.0]), np.arange(5) / 8)
    low, high = salience.plot().get_ylim()
    assert low < 30 < 90 < high


def test_a_tuning_marks_the_best_setting_of_each_part():
    rows = [
        {"part": part, "threshold": x, "onset_f": y}
        for part, scores in (("kick", (0.2, 0.9)), ("snare", (0.8, 0.3)))
        for x, y in zip((0.1, 0.2), scores, strict=True)
    ]
    tuning = na.transcription.Tuning(na.DrumTranscriber(), "onset_f", rows[1], tuple(rows))
    axes = tuning.plot()
    *curves, kick, snare = axes.lines
    assert [curve.get_label() for curve in curves] == ["kick", "snare"]
    assert (kick.get_xdata()[0], snare.get_xdata()[0]) == (0.2, 0.1)
    assert axes.get_xlabel() == "threshold"


def test_values_of_settings_that_are_no_numbers_are_categories():
    rows = tuple({"shortest": x, "onset_f": 0.5} for x in (None, 0.1))
    axes = na.transcription.Tuning(na.Transcriber(), "onset_f", rows[0], rows).plot()
    assert [text.get_text() for text in axes.get_xticklabels()] == ["None", "0.1"]


def test_weights_of_frequencies_are_drawn_over_hertz():
    V = np.random.default_rng(0).random((33, 20))
    result = na.recipes.feature_weighted_nmf(V, 2, max_iter=2, rng=0)
    line = result.plot(transform=na.Stft(8000, 64)).lines[0]
    assert np.array_equal(line.get_ydata(), result.feature_weights)
    assert line.get_xdata()[-1] == 4000
    with pytest.raises(na.errors.ShapeError, match="33 weights and the transform has 65"):
        result.plot(transform=na.Stft(8000, 128))


def test_a_model_of_a_separator_is_drawn_by_group():
    d = na.nmf(np.ones((4, 6)), 3, max_iter=2, rng=0)
    grouped = na.separators.GroupedDecomposition(d, {"low": [0, 2], "high": [1]})
    legend = grouped.plot()["legend"].get_legend()
    assert {text.get_text() for text in legend.get_texts()} == {"low", "high"}
