"""The salience of a recording is kept, and decoded as often as one likes."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pytest
from transcription.standins import PlainModel, dictionary, piece, transcriber

import nmfaudio as na
from nmfaudio.transcription import Analysis, Salience, Suitability
from nmfaudio.transcription.attack_decay import AttackDecayModel

SR = 8000


def test_decoded_notes_are_those_of_transcribe():
    one = transcriber()
    analysis = one.analyse(piece(SR), SR)
    assert one.decode(analysis) == one(piece(SR), SR).notes
    quieter = one.with_decoding(threshold=0.6)
    assert quieter.decode(analysis) == quieter(piece(SR), SR).notes


@pytest.mark.parametrize("value", [0.5, math.nan])
def test_an_analysis_is_saved_and_loaded(tmp_path, value):
    analysis = transcriber().analyse(piece(SR), SR)
    analysis = replace(analysis, suitability=Suitability(value, None))
    path = analysis.save(tmp_path / "a.npz")
    assert Analysis.load(path) == analysis
    with pytest.raises(na.errors.OutputError, match="exists; use"):
        analysis.save(path)


def test_files_of_another_kind_and_shape_are_refused(tmp_path):
    dictionary().save(tmp_path / "dictionary.npz")
    with pytest.raises(na.AudioFileError, match="kind is 'dictionary'"):
        Analysis.load(tmp_path / "dictionary.npz")
    wrong = Salience(np.ones((2, 3)), np.ones(1), np.arange(3.0))
    Analysis(wrong, 1.0, Suitability(0.5, None)).save(tmp_path / "wrong.npz")
    with pytest.raises(na.AudioFileError, match="one pitch for each row"):
        Analysis.load(tmp_path / "wrong.npz")


@dataclass(frozen=True)
class Refusing(PlainModel):
    """A model that fails when it is run."""

    def activations(self, *arguments, **more):
        raise AssertionError("the cache was not used")


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_cache_is_used_for_the_same_and_not_for_another(tmp_path):
    one = na.Transcriber(dictionary())
    analysis = one.analyse(piece(SR), SR, cache=tmp_path)
    (name,) = files(tmp_path)
    stamp = (tmp_path / name).stat().st_mtime_ns
    assert one.with_decoding(threshold=0.5).analyse(piece(SR), SR, cache=tmp_path) == analysis
    assert (tmp_path / name).stat().st_mtime_ns == stamp
    louder = 0.5 * piece(SR)
    others = [
        lambda: one.analyse(louder, SR, cache=tmp_path),
        lambda: one.analyse(piece(SR), SR, rng=1, cache=tmp_path),
        lambda: one.with_settings(max_iter=3).analyse(piece(SR), SR, cache=tmp_path),
        lambda: na.Transcriber(dictionary((60, 64))).analyse(piece(SR), SR, cache=tmp_path),
        lambda: na.Transcriber(dictionary(), model=AttackDecayModel(max_iter=2)).analyse(
            piece(SR), SR, cache=tmp_path
        ),
    ]
    for count, other in enumerate(others, 2):
        other()
        assert len(files(tmp_path)) == count


def test_a_damaged_file_of_a_cache_is_computed_again(tmp_path):
    one = transcriber()
    analysis = one.analyse(piece(SR), SR, cache=tmp_path)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:-100])
    assert one.analyse(piece(SR), SR, cache=tmp_path) == analysis
    assert Analysis.load(path) == analysis


@dataclass(frozen=True)
class WithFunction(Refusing):
    """A setting that cannot be compared."""

    function: object = staticmethod(lambda x: x)


def test_what_has_no_hash_is_refused_before_any_work(tmp_path):
    class Plain:
        activations, pitches = Refusing.activations, PlainModel.pitches

    for model, words in (
        (Plain(), "is no dataclass"),
        (WithFunction(function=min.__call__), "told"),
    ):
        with pytest.raises(na.ParameterError, match=words):
            transcriber(model=model).analyse(piece(SR), SR, cache=tmp_path / "cache")
    with pytest.raises(na.ParameterError, match="rng is None"):
        transcriber(model=Refusing()).analyse(piece(SR), SR, rng=None, cache=tmp_path / "cache")


def test_two_writers_of_one_analysis_agree(tmp_path):
    def analysed(_):
        return transcriber().analyse(piece(SR), SR, cache=tmp_path)

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(analysed, range(4))
    (path,) = tmp_path.iterdir()
    assert all(other == first for other in others)
    assert Analysis.load(path) == first


def test_drums_are_analysed_and_decoded(tmp_path):
    y, sr = na.read(na.example("drums"))
    one = na.DrumTranscriber()
    analysis = one.analyse(y, sr, cache=tmp_path)
    assert one.decode(analysis) == one(y, sr).notes
    assert replace(one, threshold=0.5).analyse(y, sr, cache=tmp_path) == analysis
    assert len(files(tmp_path)) == 1


def test_parts_of_instruments_are_kept(tmp_path):
    both = dictionary().merge(replace(dictionary(), labels=("reed",) * 4))
    one = na.Transcriber(both, model=PlainModel())
    analysis = one.analyse(piece(SR), SR, cache=tmp_path)
    loaded = one.analyse(piece(SR), SR, cache=tmp_path)
    assert loaded == analysis
    assert one.decode(loaded) == one(piece(SR), SR).notes
