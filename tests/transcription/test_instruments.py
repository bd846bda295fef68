"""Notes of several instruments."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.fluctuations import without_fluctuations
from nmfaudio.transcription.instruments import (
    assign_instruments,
    labelled,
    pooled_parts,
    pooled_salience,
)
from nmfaudio.transcription.monophony import one_at_a_time, strongest_path

SR = 22050
TIMES = np.arange(100) * 0.02


def tone(pitch, onset, seconds, *, odd, decay, length=3.0):
    """A note with odd partials only, or with all, that decays or is sustained."""
    t = np.arange(round(length * SR)) / SR - onset
    ramps = np.clip(np.minimum(t / 0.01, (seconds - t) / 0.1), 0, 1)
    envelope = ramps * np.exp(-decay * np.maximum(t, 0))
    f0 = 440 * 2 ** ((pitch - 69) / 12)
    partials = range(1, 12, 2) if odd else range(1, 12)
    return envelope * sum(np.sin(2 * np.pi * f0 * k * t) / k for k in partials)


def dictionary():
    stft = na.Stft(SR, 4096, 512)
    known = []
    for label, odd in (("clarinet", True), ("guitar", False)):
        pitches = [55, 60, 64, 69]
        spectra = [
            stft.features(stft.forward(tone(p, 0, 2, odd=odd, decay=0.0)[None]))[:, 30]
            for p in pitches
        ]
        W = np.array(spectra, np.float32).T
        known.append(na.NoteDictionary(W / W.sum(axis=0), [label] * 4, stft, pitches))
    return known[0].merge(known[1])


@pytest.fixture(scope="module")
def duo():
    y = tone(60, 0.2, 1.5, odd=True, decay=0) + tone(64, 0.7, 2.0, odd=False, decay=1.0)
    y += tone(60, 2.0, 0.9, odd=False, decay=1.0)
    return (0.1 * y).astype(np.float32)


@pytest.fixture(scope="module")
def found(duo):
    return na.Transcriber(dictionary())(duo, SR)


def test_each_instrument_has_a_track_a_program_and_a_channel(found, tmp_path):
    played = [(note.pitch, note.track, note.program) for note in found.notes]
    assert played == [(60, "clarinet", 71), (64, "guitar", 24), (60, "guitar", 24)]
    assert len({note.channel for note in found.notes}) == 2
    found.save(tmp_path)
    for path in (tmp_path / "notes.mid", tmp_path / "notes.csv"):
        read = sorted(na.read_notes(path), key=lambda note: note.onset)
        assert [(note.track, note.program) for note in read] == [p[1:] for p in played]


def test_stems_of_instruments_sum_to_the_recording(found, duo):
    stems = found.stems(by="track")
    assert set(stems) == {"clarinet", "guitar", "rest"}
    np.testing.assert_allclose(sum(stems.values())[0], duo, atol=1e-6)
    clarinet = 0.1 * tone(60, 0.2, 1.5, odd=True, decay=0)
    error = stems["clarinet"][0] - clarinet
    assert 10 * np.log10(np.sum(clarinet**2) / np.sum(error**2)) > 10


def test_blocks_find_the_same_instruments(found, duo):
    blocks = na.Transcriber(dictionary()).transcribe_file(duo, SR)
    assert blocks.notes == found.notes
    assert blocks.salience == found.salience


def test_an_analysis_in_a_cache_keeps_the_instruments(found, duo, tmp_path):
    transcriber = na.Transcriber(dictionary())
    for _ in range(2):
        analysis = transcriber.analyse(duo, SR, cache=tmp_path)
        assert analysis.salience == found.salience
        assert transcriber.decode(analysis) == found.notes


def test_a_single_instrument_has_no_tracks(duo):
    found = na.Transcriber(dictionary().select("guitar"))(duo, SR)
    assert {note.track for note in found.notes} == {""}
    assert found.labels == ()
    assert type(found.salience) is na.transcription.Salience


def test_parts_sum_to_the_salience():
    H = np.random.default_rng(0).random((4, 5))
    args = [60, 62, 60, 62], ["a", "a", "b", "b"]
    salience = pooled_salience(H, *args, np.arange(5) * 0.1, np.ones((4, 15)))
    np.testing.assert_array_equal(salience.parts, [[H[0], H[1]], [H[2], H[3]]])
    np.testing.assert_array_equal(salience.values, pooled_parts(H, *args).sum(axis=0))


def test_the_beginning_of_a_note_decides_its_instrument():
    H = np.zeros((2, 100))
    H[0, 10:18], H[1, 10:18], H[1, 30:] = 3, 1, 9
    salience = pooled_salience(H, [60, 60], ["oboe", "kazoo"], TIMES, np.ones((2, 15)))
    (note,) = assign_instruments([na.Note(TIMES[10], 2, 60, 0.5)], salience)
    assert note == na.Note(TIMES[10], 2, 60, 0.5, "oboe", 68, 0)


def test_more_instruments_than_channels_leave_out_that_of_drums():
    labels = [f"instrument {n}" for n in range(20)]
    levels = np.ones((20, 15))
    salience = pooled_salience(np.eye(20, 100), [60] * 20, labels, TIMES, levels)
    notes = [na.Note(TIMES[n], TIMES[n] + 0.01, 60) for n in range(20)]
    channels = {note.channel for note in assign_instruments(notes, salience)}
    assert channels <= set(range(16)) - {9}


def test_vibrato_is_not_a_repeated_note():
    vibrato = np.where(TIMES > 0.3, 5 + 0.8 * np.sin(2 * np.pi * 6 * TIMES), 0)
    struck = np.where(TIMES > 1.5, 5 * np.exp(-TIMES + 1.5), np.exp(-2 * TIMES))
    salience = na.transcription.Salience(np.stack([vibrato, struck]), np.array([60.0, 67]), TIMES)
    decoding = na.transcription.Decoding()
    assert len(decoding(salience)) > 3
    found = na.transcription.Decoding(repeat=0.5)(salience)
    assert [(note.pitch, round(note.onset, 1)) for note in found] == [
        (67, 0.0),
        (60, 0.3),
        (67, 1.5),
    ]


def test_onsets_in_the_first_frames_rise_from_silence():
    values = np.array([[4.0, 4, 4, 4, 4]])
    kept = without_fluctuations(values, np.arange(5) * 0.02, [(0, 0)], share=1.0)
    assert kept == [(0, 0)]


def test_repeat_is_checked():
    with pytest.raises(na.ParameterError, match="repeat must be a finite number of at least 0"):
        na.transcription.Decoding(repeat=-1)


def test_one_note_at_a_time():
    values = np.full((2, 100), 0.01)
    values[0, 10:50], values[0, 60:90] = 5, 5
    values[1, 12:50] = 3  # an octave that only seems to sound
    pitches = np.array([60.0, 72])
    notes = [na.Note(0.2, 1.5, 60), na.Note(0.24, 1.0, 72), na.Note(1.2, 1.8, 60)]
    kept = one_at_a_time(notes, values, pitches, TIMES)
    assert kept == [na.Note(0.2, 1.2, 60), na.Note(1.2, 1.8, 60)]
    salience = na.transcription.Salience(values, pitches, TIMES)
    assert len(na.transcription.Decoding(ghosts=0)(salience)) == 3
    found = na.transcription.Decoding(ghosts=0, monophonic=True)(salience)
    assert [note.pitch for note in found] == [60, 60]


def test_the_strongest_path_is_the_best_of_all():
    values = np.random.default_rng(0).random((3, 6)) ** 8
    shares = np.log(np.maximum(values / values.max(axis=0), 1e-3))
    paths = np.array(list(itertools.product(range(3), repeat=6)))
    scores = shares[paths, np.arange(6)].sum(axis=1) - 4 * (np.diff(paths) != 0).sum(axis=1)
    assert strongest_path(values).tolist() == paths[scores.argmax()].tolist()


def test_nothing_is_monophonic_too():
    empty = na.transcription.Salience(np.zeros((2, 0)), np.array([60.0, 72]), np.zeros(0))
    silent = na.transcription.Salience(np.zeros((2, 9)), np.array([60.0, 72]), TIMES[:9])
    decoding = na.transcription.Decoding(monophonic=True)
    assert decoding(empty) == decoding(silent) == []


def test_the_timbre_of_a_note_tells_instruments_that_share_its_salience():
    """The templates of one are swapped with those of the other: only their names are known."""
    levels = np.zeros((2, 15))
    levels[:, ::2] = 0.5 ** np.arange(8)  # odd partials, as those of a clarinet
    H = np.where((TIMES > 0.3) & (TIMES < 1.3), 1.0, 0) * np.ones((2, 1))
    for labels in (["clarinet", "guitar"], ["guitar", "clarinet"]):
        salience = pooled_salience(H, [55, 55], labels, TIMES, levels)
        (note,) = assign_instruments([na.Note(0.32, 1.3, 55, 0.5)], salience)
        assert note.track == "clarinet"


def test_no_two_notes_of_an_instrument_that_plays_one_at_a_time():
    rng = np.random.default_rng(0)
    onsets = rng.uniform(0, 20, 60)
    notes = [na.Note(t, t + 0.5, 60) for t in onsets.tolist()]
    scores = rng.normal(0, 0.5, (60, 3))

    def collisions(monophonic):
        chosen = labelled(notes, scores, np.array(monophonic))
        pairs = itertools.combinations(range(60), 2)
        return sum(
            chosen[a] == chosen[b] == 0 and abs(onsets[a] - onsets[b]) < 0.2 for a, b in pairs
        )

    assert collisions([True, False, False]) < 0.2 * collisions([False] * 3)


def test_a_network_selects_among_the_notes_and_ignores_their_scale(found):
    salience = found.salience
    loud = na.transcription.Salience(64 * salience.values, salience.pitches, salience.times)
    selecting = na.transcription.Decoding(threshold=0.01, selection="network")
    every = replace(selecting, selection="threshold")

    def decoded(decoding, salience):
        return {(note.onset, note.offset, note.pitch) for note in decoding(salience)}

    assert decoded(selecting, salience) < decoded(every, salience)
    assert decoded(selecting, loud) == decoded(selecting, salience)
