"""What lies around the model and the decoding: audio in, notes out, thresholds tuned."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import soundfile
from transcription.scenes import SR
from transcription.standins import SCORE, PlainDecoding, PlainModel, dictionary, piece, transcriber

import nmfaudio as na
from nmfaudio.transcription.attack_decay import AttackDecayModel


def near(notes, score, tolerance=0.08):
    found = [(n.pitch, n.onset, n.offset) for n in notes]
    wanted = [(n.pitch, n.onset, n.offset) for n in score]
    return len(found) == len(wanted) and np.allclose(found, wanted, atol=tolerance)


@pytest.mark.parametrize("sr", [SR, 11025, 6000])
def test_notes_are_found_at_any_sample_rate(sr):
    found = transcriber()(piece(sr), sr)
    assert near(found.notes, SCORE)
    assert (found.sr, found.transform.sr) == (sr, SR)
    assert np.array_equal(found.mixture[0], piece(sr))
    assert found.pitches == (60, 64, 67, 72, None)
    assert found.salience.values.shape == (4, len(found.salience.times))
    stems = found.stems()
    assert list(stems) == ["C4", "C5", "E4", "rest"]
    assert np.abs(stems.residual()).max() < 1e-6


def test_files_channels_and_precision(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.stack([piece(), -piece()], axis=1), SR, subtype="FLOAT")
    found = transcriber()(tmp_path / "a.wav")
    assert found.mixture.shape == (2, len(piece()))
    assert near(found.notes, SCORE)
    assert transcriber()(piece().astype(np.float64), SR).decomposition.H.dtype == np.float64


def test_synthetic_dictionaries_get_a_model_that_does_not_adapt():
    partials = na.dictionaries.harmonic_notes(na.Stft(8000, 1024), pitches=[60, 61])
    adaptive, fixed = na.Transcriber(), na.Transcriber(partials.restrict(60, 60))
    assert adaptive.model.adaptation < np.inf
    assert na.Transcriber(dictionary()).model == na.transcription.NoteModel(retune=True)
    assert (fixed.model.equaliser, fixed.model.adaptation) == (None, np.inf)
    assert fixed.decoding.threshold > adaptive.decoding.threshold
    own = na.Transcriber(partials, model=adaptive.model, decoding=adaptive.decoding)
    assert (own.model, own.decoding) == (adaptive.model, adaptive.decoding)


def test_settings_of_the_decoding_may_be_passed_at_once():
    made = na.Transcriber(threshold=0.2, lowest=36)
    assert made == na.Transcriber().with_decoding(threshold=0.2, lowest=36)
    assert (made.decoding.threshold, made.decoding.lowest) == (0.2, 36)
    with pytest.raises(na.errors.ParameterError, match="no setting 'treshold'; did you mean thr"):
        na.Transcriber(treshold=0.2)


@pytest.mark.parametrize("transcribe", [transcriber(), na.DrumTranscriber(), na.HpssSeparator()])
@pytest.mark.parametrize("sr", [44.1, True, 99, 2_000_000])
def test_what_is_no_sample_rate_in_hertz_is_refused(transcribe, sr):
    with pytest.raises(na.errors.ParameterError, match="it must be a whole number of Hz"):
        transcribe(np.zeros(1000), sr)


@pytest.mark.parametrize("samples", [1, 100, SR])
@pytest.mark.parametrize("sr", [SR, 11025])
@pytest.mark.parametrize("offset", [0.0, 0.5])
def test_silence_has_no_notes(samples, sr, offset):
    found = transcriber()(np.full(samples, offset), sr)
    assert found.notes == ()
    np.testing.assert_allclose(found.stems()["rest"], offset, atol=1e-6)


def test_a_constant_offset_makes_no_notes():
    y = piece() + np.float32(0.5)
    found = transcriber()(y, SR)
    assert near(found.notes, SCORE)
    assert np.array_equal(found.mixture[0], y)
    assert np.abs(found.stems().residual()).max() < 1e-6


def test_the_same_seed_gives_the_same():
    one, other = (transcriber()(piece(), SR, rng=3) for _ in range(2))
    assert one.notes == other.notes
    assert np.array_equal(one.salience.values, other.salience.values)


def test_progress_is_told_and_stops():
    seen = []
    transcriber()(piece(), SR, callback=lambda p: seen.append(p.iteration))
    assert seen == [10, 20, 30]
    stopped = transcriber()(piece(), SR, callback=lambda p: True)
    assert stopped.decomposition.n_iter == 10


def test_what_it_was_told_travels_with_it(tmp_path):
    found = transcriber()(piece(), SR)
    assert found.settings["decoding"]["threshold"] == 0.3
    found.decomposition.save(tmp_path / "d.npz")
    assert na.Decomposition.load(tmp_path / "d.npz").metadata["settings"] == found.settings


@pytest.mark.parametrize(
    "model", [na.transcription.NoteModel(adaptation=np.inf), AttackDecayModel()]
)
def test_what_real_models_were_told_can_be_kept_too(model, tmp_path):
    found = na.Transcriber(dictionary(), model=model)(piece(), SR)
    found.decomposition.save(tmp_path / "d.npz")
    assert na.Decomposition.load(tmp_path / "d.npz").metadata["settings"] == found.settings


def test_no_note_outlasts_the_recording():
    y = piece()[..., : int(0.6 * SR)]
    found = na.Transcriber(dictionary())(y, SR)
    assert found.notes
    assert max(note.offset for note in found.notes) <= found.duration


def test_decodings_without_settings_cannot_be_tuned():
    one = na.Transcriber(dictionary(), decoding=lambda salience: [])
    with pytest.raises(na.ParameterError, match="no threshold"):
        one.tune([])
    with pytest.raises(na.ParameterError, match="no setting 'threshold'; choose from none"):
        one.with_decoding(threshold=1.0)


def test_pitches_that_several_components_have_are_summed():
    twice = dictionary().merge(dictionary())
    found = na.Transcriber(twice, model=PlainModel(), decoding=PlainDecoding())(piece(), SR)
    assert found.salience.pitches.tolist() == [60, 64, 67, 72]
    assert near(found.notes, SCORE)


def test_tuning_finds_the_best_threshold():
    pytest.importorskip("mir_eval")
    bad = transcriber(decoding=PlainDecoding(0.999))
    pieces = [((piece(), SR), SCORE), ((np.zeros(SR), SR), ())]
    tuned = bad.tune(pieces, grid={"threshold": [0.999, 0.3, 0.0]})
    assert tuned.best == {"threshold": 0.3, "onset_f": 1.0}
    assert tuned.transcriber.decoding == PlainDecoding(0.3)
    assert tuned.transcriber.model == bad.model
    assert [row["threshold"] for row in tuned.table] == [0.999, 0.3, 0.0]
    assert near(tuned.transcriber(piece(), SR).notes, SCORE)


def test_by_default_thresholds_around_its_own_are_tried():
    pytest.importorskip("mir_eval")
    table = transcriber().tune([((piece(), SR), SCORE)], metric="frame_f").table
    tried = [row["threshold"] for row in table]
    assert tried == sorted(tried)
    assert (tried[0], tried[-1]) == pytest.approx((0.3 / 4, 0.3 * 4))
    assert max(row["frame_f"] for row in table) > 0.8


@dataclass(frozen=True)
class DecodingOfTheEnd(PlainDecoding):
    """Finds the notes, and another one in the last 50 ms, as a cut recording would give."""

    def __call__(self, salience):
        return [*super().__call__(salience), na.Note(len(piece()) / SR - 0.02, 9.0, 67)]


def test_tuning_scores_the_notes_that_are_returned():
    pytest.importorskip("mir_eval")
    cut = transcriber(decoding=DecodingOfTheEnd())
    notes = cut(piece(), SR).notes
    table = cut.tune([((piece(), SR), SCORE)], metric="onset_p", grid={"threshold": [0.3]}).table
    assert table == ({"threshold": 0.3, "onset_p": 1.0},)
    assert na.evaluate_transcription(SCORE, notes).measures["onset_p"] == 1.0


def test_each_piece_is_analysed_once():
    pytest.importorskip("mir_eval")
    calls = []

    class Counting(PlainModel):
        def activations(self, *arguments, **more):
            calls.append(1)
            return super().activations(*arguments, **more)

    pieces = (((piece(), SR), SCORE) for _ in range(2))
    transcriber(model=Counting()).tune(pieces, grid={"threshold": [0.1, 0.2, 0.3]})
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("pieces", "settings", "message"),
    [
        ([], {}, "no pieces to tune on"),
        (
            [((piece(), SR), SCORE)],
            {"grid": {"loudness": [1]}},
            "'loudness'; choose from thr",
        ),
        ([((piece(), SR), SCORE)], {"metric": "beauty"}, "'beauty'.*onset_f"),
        ([((piece(), SR), SCORE)], {"metric": "drum_f"}, "drum_f is undefined"),
    ],
)
def test_what_cannot_be_tuned_is_refused(pieces, settings, message):
    pytest.importorskip("mir_eval")
    with pytest.raises(na.ParameterError, match=message):
        transcriber().tune(pieces, **settings)


def test_what_is_no_dictionary_of_notes_is_refused():
    with pytest.raises(na.ParameterError, match="str; it must be a NoteDictionary"):
        na.Transcriber("piano.npz", model=PlainModel(), decoding=PlainDecoding())
    with pytest.raises(na.ParameterError, match="sr is missing"):
        transcriber()(piece())


def test_salience_passes_over_unknown_components():
    found = transcriber()(piece(), SR)
    d = found.decomposition
    louder = replace(d, factors=(d.W, np.concatenate([d.H[:-1], 100 * d.H[-1:]])))
    again = na.transcription.Salience.from_activations(
        louder.H, (60, 64, 67, 72), found.salience.times
    )
    assert np.array_equal(again.values, found.salience.values)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"decoding": "hmm"}, "decoding is 'hmm'; it must be a function"),
        ({"decoding": na.transcription.Decoding}, "decoding is <class"),
        ({"model": "NoteModel"}, "str lacks activations, pitches; a model needs"),
        ({"model": na.transcription.NoteModel}, "model is <class .* must be an instance"),
    ],
)
def test_models_and_decodings_that_are_none_are_refused(settings, words):
    with pytest.raises(na.ParameterError, match=words):
        na.Transcriber(dictionary(), **settings)


@pytest.mark.parametrize("result", [None, [(0.0, 1.0, 60)]])
def test_a_decoder_must_return_notes(result):
    with pytest.raises(na.ParameterError, match=r"decoding function returned .*(notes|Note)"):
        na.Transcriber(dictionary(), model=PlainModel(), decoding=lambda salience: result)(
            piece(), SR
        )


def test_a_model_must_decompose_the_spectrogram():
    class Short(PlainModel):
        def activations(self, V, dictionary, *, rng, callback):
            return na.nmf(V[1:], 4, rng=0, max_iter=1)

    class Empty(PlainModel):
        def activations(self, V, dictionary, *, rng, callback):
            return None

    with pytest.raises(na.errors.ShapeError, match=r"Short\.activations .* must be that of V"):
        na.Transcriber(dictionary(), model=Short())(piece(), SR)
    with pytest.raises(na.ParameterError, match=r"Empty\.activations returned None"):
        na.Transcriber(dictionary(), model=Empty())(piece(), SR)
