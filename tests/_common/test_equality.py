"""Results with equal content are equal."""

import dataclasses
import inspect
import pickle

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.equality import EqualByContent, equal

SR = 8000
Y = np.random.default_rng(0).standard_normal((1, 4000)).astype(np.float32)
V = np.random.default_rng(0).random((12, 20))
SCORE = [na.Note(0.0, 0.2, 60)]

RESULTS = {
    "Stems": lambda: na.separate(Y, SR, n_components=2, max_iter=2),
    "Decomposition": lambda: na.nmf(V, 2, max_iter=3, rng=0),
    "DeepDecomposition": lambda: na.recipes.deep_nmf(V, [3, 2], max_iter=2, rng=0),
    "FeatureWeighted": lambda: na.recipes.feature_weighted_nmf(V, 2, max_iter=2, rng=0),
    "RankSelection": lambda: na.rank_selection.select_rank(
        V, [1, 2], method="error", max_iter=2, rng=0
    ),
    "Mosaic": lambda: na.mosaics.mosaic(Y, Y[:, ::-1].copy(), SR, iterations=1),
    "Salience": lambda: na.transcription.Salience(V, np.arange(12.0), np.arange(20.0)),
    "Dictionary": lambda: na.Dictionary(
        np.ones((257, 2)), ["a", "b"], na.Stft(SR, 512), metadata={"x": [1]}
    ),
    "NoteDictionary": lambda: na.NoteDictionary(
        np.ones((257, 1)), ["a"], na.Stft(SR, 512), [60], velocities=[None]
    ),
    "Recording": lambda: na.Recording(Y, 0.1),
    "DecodedAudio": lambda: na.read(na.example("drums"), stop=0.1),
    "Evaluation": lambda: na.evaluate({"a": Y, "b": 0 * Y}, {"a": Y, "b": Y}),
    "TranscriptionScores": lambda: na.evaluate_transcription(SCORE, SCORE),  # drums are NaN
    "TranscriptionSummary": lambda: na.metrics.evaluate_transcriptions({"x": (SCORE, SCORE)}),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results_with_equal_content_are_equal(name):
    one, other = RESULTS[name](), RESULTS[name]()
    assert one == other
    assert one == pickle.loads(pickle.dumps(one))
    assert (one != other) is False
    assert one != "something else"
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_with_another_field_differs(name):
    one = RESULTS[name]()
    for field in dataclasses.fields(one):
        value = getattr(one, field.name)
        if isinstance(value, np.ndarray) and value.size and field.compare:
            other = object.__new__(type(one))
            other.__dict__.update(one.__dict__, **{field.name: value + 1})
            assert one != other, field.name
            other.__dict__[field.name] = value.ravel()[:-1]
            assert one != other, field.name


@pytest.mark.parametrize("name", ["Decomposition", "Dictionary", "NoteDictionary"])
def test_a_loaded_result_is_equal(name, tmp_path):
    one = RESULTS[name]()
    one.save(tmp_path / "one.npz")
    assert type(one).load(tmp_path / "one.npz") == one


def test_every_public_result_that_holds_arrays_is_compared_by_content():
    kinds = [kind for _, kind in inspect.getmembers(na, inspect.isclass)]
    for kind in kinds:
        if dataclasses.is_dataclass(kind) and not kind.__dataclass_params__.eq:
            annotations = " ".join(str(f.type) for f in dataclasses.fields(kind))
            if "ndarray" in annotations and kind is not na.Factor:  # an argument, not a result
                assert issubclass(kind, EqualByContent), kind


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"x": np.ones(2)}, {"y": np.ones(2)}),
        ([np.ones(2)], [np.ones(2), 1]),
        (np.ones(1), 1.0),
        (np.array(["a"]), np.array([1.0])),
        (float("nan"), 1.0),
        (None, np.ones(2)),
    ],
)
def test_what_differs(a, b):
    assert not equal(a, b)
    assert not equal(b, a)
