"""Recordings transcribed block by block have the notes of the whole."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.audio.io import open_track
from nmfaudio.dictionaries import drum_blocks
from nmfaudio.dictionaries.drum_blocks import KitBlocks
from nmfaudio.kernels.layout import FRAMES
from nmfaudio.transcription import note_blocks, note_fit
from nmfaudio.transcription.note_model import NoteModel

RNG = np.random.default_rng(0)
STFT = na.Stft(8000, 256)
W = RNG.random((129, 6)) ** 6
KNOWN = na.NoteDictionary(W, ["harp"] * 6, STFT, [48, 52, 55, 60, 64, 67])


@pytest.fixture(autouse=True)
def _short_blocks(monkeypatch):
    for module in (note_fit, note_blocks):
        monkeypatch.setattr(module, "BLOCK", 2 * FRAMES)


def spectrogram(frames, dtype=np.float32, scale=1.0):
    H = (RNG.random((6, frames)) < 0.1) * RNG.random((6, frames))
    H[:, frames // 4 : frames // 2] *= 1e-12  # near silence, longer than a block
    return np.asfortranarray(scale * (W @ H)).astype(dtype, order="F")


def explained(model, V, known=KNOWN):
    blocks = model.blocks(known, V.shape[1])
    parts = [slice(t, t + 2 * FRAMES) for t in range(0, V.shape[1], 2 * FRAMES)]
    for part in parts:
        blocks.survey(part.start, V[:, part])
    found = [blocks.explain(V[:, part]) for part in parts]
    return np.concatenate([H for H, _ in found], axis=1), sum(loss for _, loss in found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("settings", "scale"),
    [
        ({}, 1.0),
        ({}, 1e-9),
        ({"group_sparsity": 0.05}, 1.0),
        ({"max_iter": 3, "equaliser": None}, 1.0),
    ],
    ids=str,
)
def test_activations_of_blocks_have_the_bits_of_the_whole(settings, scale, dtype):
    model, V = NoteModel(max_frequency=3000.0, **settings), spectrogram(1001, dtype, scale)
    fitted = model.activations(V, KNOWN)
    H, loss = explained(model, V)
    assert H.dtype == dtype
    assert np.array_equal(H, fitted.H)
    assert np.isclose(loss, fitted.losses[-1], rtol=1e-5)


def test_a_silent_recording_has_no_notes():
    result = na.Transcriber(KNOWN).transcribe_file(np.zeros(8000), 8000)
    assert result.notes == ()
    assert not result.salience.values.any()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (NoteModel(n_free=1), "n_free is 1"),
        (NoteModel(beta_loss=0), "degree must be above 0"),
        (na.transcription.AttackDecayModel(), "AttackDecayModel needs the whole recording"),
    ],
)
def test_models_that_need_the_whole_recording_are_refused(model, message):
    with pytest.raises(na.errors.ParameterError, match=message):
        na.Transcriber(KNOWN, model=model).transcribe_file(np.zeros(8000), 8000)


def test_a_convolutive_dictionary_is_refused():
    known = na.Dictionary(np.ones((2, 129, 1)), ["harp"], STFT, [60])
    with pytest.raises(na.errors.ParameterError, match="convolutive"):
        NoteModel().blocks(known, 100)


@pytest.fixture(scope="module")
def piano():
    """A piano at another rate than that of its dictionary, of several blocks, in two channels."""
    y = na.read(na.example("piano")).samples[:, : 6 * 44100]
    return np.concatenate([y, 0.5 * y], axis=0)


def test_notes_of_a_piano_are_those_of_the_whole(piano):
    seen = []
    whole = na.Transcriber()(piano, 48000)
    blocks = na.Transcriber().transcribe_file(piano, 48000, callback=seen.append)
    assert len(blocks.notes) > 10
    assert blocks.notes == whole.notes
    assert blocks.salience == whole.salience
    assert blocks.suitability == whole.suitability
    assert blocks.settings == whole.settings
    assert blocks.duration == whole.duration
    assert np.isclose(blocks.loss, whole.decomposition.losses[-1])
    assert blocks.n_iter == whole.decomposition.n_iter
    assert seen[-1].iteration == seen[-1].max_iter == whole.salience.values.shape[1]


def test_paths_and_tracks_are_read_where_they_are_needed(tmp_path, piano):
    path = tmp_path / "piano.wav"
    na.write(path, piano[:, :50000], 44100)
    expected = na.Transcriber()(path).notes
    assert na.Transcriber().transcribe_file(path).notes == expected
    with open_track(path) as track:
        assert na.Transcriber().transcribe_file(track).notes == expected
    with pytest.raises(na.errors.ParameterError, match="omit sr"):
        na.Transcriber().transcribe_file(path, 44100)


def test_results_are_saved_like_those_in_memory(tmp_path, piano):
    blocks = na.Transcriber().transcribe_file(piano[:, :50000], 44100)
    whole = na.Transcriber()(piano[:, :50000], 44100)
    for name, result in (("blocks", blocks), ("whole", whole)):
        result.save(tmp_path / name)
    for name in ("notes.mid", "notes.csv"):
        assert (tmp_path / "blocks" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert "notes: 2 × 50000 samples at 44100 Hz" in repr(blocks)


@pytest.fixture(scope="module")
def drums():
    return na.read(na.example("drums"))


def rounded(notes):
    return [(n.pitch, round(n.onset, 3), round(n.velocity, 2)) for n in notes]


def test_hits_of_drums_are_those_of_the_whole(drums):
    whole, blocks = na.DrumTranscriber()(*drums), na.DrumTranscriber().transcribe_file(*drums)
    assert len(blocks.notes) > 10
    assert rounded(blocks.notes) == rounded(whole.notes)
    assert np.isclose(blocks.suitability.value, whole.suitability.value, atol=1e-3)


def test_a_kit_that_adapts_to_stretches_has_nearly_the_same_hits(drums, monkeypatch):
    whole = na.DrumTranscriber()(*drums)
    frames = whole.salience.values.shape[1]
    monkeypatch.setattr(drum_blocks, "ADAPTED", frames // 2)
    monkeypatch.setattr(drum_blocks, "FRAMES", 300)
    blocks = na.DrumTranscriber().transcribe_file(*drums)
    scores = na.metrics.evaluate_transcription(list(whole.notes), list(blocks.notes), drums=True)
    assert min(f for _, _, f in scores.drums.values()) > 0.95


def test_given_the_same_templates_the_activations_of_blocks_are_those_of_the_whole(
    drums, monkeypatch
):
    y, sr = drums.samples[:, : 3 * drums.sr], drums.sr
    kit, transform = na.DrumTranscriber().dictionary, na.DrumTranscriber().transform(sr)
    whole = KitBlocks(y, kit, transform, prior_weight=0.3, max_iter=8)
    H = whole.fit()[2]
    # Stretches that cover all frames.
    monkeypatch.setattr(drum_blocks, "FRAMES", 200)
    monkeypatch.setattr(drum_blocks, "ADAPTED", 1)
    monkeypatch.setattr(drum_blocks, "_stretches", lambda n_frames, _: np.ones(n_frames, bool))
    blocks = replace(whole).fit()[2]
    assert np.allclose(blocks, H, rtol=1e-3, atol=1e-4 * H.max())
