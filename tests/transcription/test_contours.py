"""A pitch that moves is one note, and its contour is the pitch that was played."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.transcription.contours import follow_pitches

SR = 22050
SECONDS = 1.5


def played(pitches, gain=1.0):
    """Harmonic tone of a pitch per sample, faded in and out."""
    phase = 2 * np.pi * np.cumsum(440 * 2 ** ((pitches - 69) / 12)) / SR
    y = sum(np.sin(k * phase) / k for k in range(1, 9))
    edge = np.minimum(np.arange(len(y)), np.arange(len(y))[::-1]) / (0.02 * SR)
    return (gain * y * np.clip(edge, 0, 1))[None].astype(np.float32)


def times():
    return np.arange(round(SECONDS * SR)) / SR


def fragments(pitch_at, seconds=SECONDS):
    """Notes of semitones, as a decoder without pitches in between finds them."""
    starts = np.arange(0, seconds - 0.1, 0.08)
    return [na.Note(t, min(t + 0.12, seconds), float(np.round(pitch_at(t + 0.04)))) for t in starts]


def errors(note, pitch_at):
    t = np.arange(note.onset + 0.05, note.offset - 0.1, 0.01)
    return np.abs(note.pitch_at(t) - pitch_at(t))


@pytest.mark.parametrize("pitch", [33.4, 45.0, 56.7, 60.25, 70.5, 83.9])
def test_a_steady_tone_has_its_pitch_and_no_contour(pitch):
    y = played(np.full(len(times()), pitch))
    (note,) = follow_pitches([na.Note(0.0, SECONDS, round(pitch))], y, SR)
    assert note.pitch == pytest.approx(pitch, abs=0.05)
    assert note.contour == ()
    assert (note.onset, note.offset) == (0.0, SECONDS)


@pytest.mark.parametrize("depth", [0.5, 1.0])
@pytest.mark.parametrize("rate", [5.0, 7.0])
def test_a_vibrato_is_one_note(depth, rate):
    def pitch_at(t):
        return 67 + depth * np.sin(2 * np.pi * rate * t)

    (note,) = follow_pitches(fragments(pitch_at), played(pitch_at(times())), SR)
    assert note.pitch == pytest.approx(67, abs=0.2)
    assert np.median(errors(note, pitch_at)) < 0.1
    assert errors(note, pitch_at).max() < 0.4


@pytest.mark.parametrize("interval", [-7, -2, 2, 5])
def test_a_slide_is_one_note(interval):
    def pitch_at(t):
        return 65 + interval * np.clip((t - 0.5) / 0.4, 0, 1)

    (note,) = follow_pitches(fragments(pitch_at), played(pitch_at(times())), SR)
    assert errors(note, pitch_at).max() < 0.4
    assert note.offset == pytest.approx(SECONDS, abs=0.05)


def test_a_step_to_a_neighbour_is_two_notes():
    pitches = np.where(times() < 0.7, 60, 62)
    notes = [na.Note(0.0, 0.7, 60), na.Note(0.7, SECONDS, 62)]
    found = follow_pitches(notes, played(pitches), SR)
    assert [note.pitch for note in found] == pytest.approx([60, 62], abs=0.05)
    assert found[1].onset == 0.7


def test_neighbours_that_sound_together_are_two_notes():
    y = played(np.full(len(times()), 60.0)) + played(np.full(len(times()), 62.0))
    notes = [na.Note(0.0, SECONDS, 60), na.Note(0.3, SECONDS, 62)]
    assert len(follow_pitches(notes, y, SR)) == 2


def test_a_note_that_is_struck_again_is_two_notes():
    steady = np.full(len(times()), 64.0)
    y = played(steady) * np.exp(-3 * (times() % 0.75)).astype(np.float32)
    notes = [na.Note(0.0, 0.75, 64), na.Note(0.75, SECONDS, 64)]
    assert [note.onset for note in follow_pitches(notes, y, SR)] == [0.0, 0.75]


def test_what_stronger_partials_leave_behind_is_no_note():
    def pitch_at(t):
        return 67 + np.sin(2 * np.pi * 6 * t)

    ghosts = [na.Note(0.4, 0.6, 36), na.Note(0.8, 1.0, 79)]
    notes = sorted([*fragments(pitch_at), *ghosts], key=lambda note: note.onset)
    assert len(follow_pitches(notes, played(pitch_at(times())), SR)) == 1


def test_a_fragment_may_precede_the_sound():
    y = np.concatenate([np.zeros((1, SR // 20), np.float32), played(np.full(SR, 62.0))], axis=1)
    notes = [na.Note(0.0, 0.8, 62), na.Note(0.01, 0.03, 61), na.Note(0.02, 0.5, 63)]
    assert follow_pitches(notes, y, SR)[0].pitch == pytest.approx(62, abs=0.05)


def test_a_note_beyond_the_salience_stays_as_it_is():
    high = na.Note(0.5, 0.7, 120)
    y = played(np.full(len(times()), 60.0))
    assert follow_pitches([na.Note(0.0, SECONDS, 60), high], y, SR)[1] == high


def test_notes_of_silence_stay_as_they_are():
    notes = [na.Note(0.1, 0.5, 60), na.Note(1.2, 5.0, 61)]
    assert list(follow_pitches(notes, np.zeros((2, SR), np.float32), SR)) == notes
    assert follow_pitches([], np.zeros((1, 10), np.float32), SR) == ()


def test_a_transcriber_follows_pitches_in_blocks_too():
    def pitch_at(t):
        return 69 + 0.5 * np.sin(2 * np.pi * 6 * t)

    y = played(pitch_at(times()))
    dictionary = na.dictionaries.harmonic_notes(na.Stft(SR, 2048), pitches=range(64, 76))
    plain, follower = (na.Transcriber(dictionary, contours=on) for on in (False, True))
    assert not any(note.contour for note in plain(y, SR).notes)
    found = follower(y, SR)
    assert found.settings["contours"] is True
    longest = max(found.notes, key=lambda note: note.offset - note.onset)
    assert np.median(errors(longest, pitch_at)) < 0.1
    assert follower.transcribe_file(y, SR).notes == found.notes
    stems = found.stems(by="note")
    assert np.abs(stems.residual()).max() <= 4e-7
