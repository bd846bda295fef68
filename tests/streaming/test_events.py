"""Notes and hits of a stream: in time, and those of the whole recording where that is possible."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.streaming.hits import HitPicker
from nmfaudio.streaming.note_endings import DecayEnds
from nmfaudio.streaming.notes import NoteDecoder
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_ends import note_ends

SR = 22050


def events(stream, y, size=500):
    """Events of a stream, each with the number of samples that had been pushed."""
    found = []
    for first in range(0, len(y), size):
        pushed = min(first + size, len(y))
        found += [(pushed, event) for event in stream.push(y[first:pushed])["notes"]]
    return found + [(len(y), event) for event in stream.flush()["notes"]]


def strings(onsets, pitches, seconds):
    """Decaying tones with partials."""
    t = np.arange(int(seconds * SR)) / SR
    y = np.zeros(len(t))
    for onset, pitch in zip(onsets, pitches, strict=True):
        f0, late = 440 * 2 ** ((pitch - 69) / 12), t[t >= onset] - onset
        partials = sum(np.sin(2 * np.pi * f0 * k * late) / k**2 for k in range(1, 6))
        damped = np.clip((0.52 - late) / 0.02, 0, 1)  # a click would sound like another note
        y[t >= onset] += 0.2 * np.exp(-4 * late) * partials * damped
    return y


def test_notes_begin_and_end_within_the_delay():
    onsets, pitches = [0.5, 1.2, 1.9], [69, 72, 64]
    stream = na.Stream(na.Transcriber(), SR)
    found = events(stream, strings(onsets, pitches, 3))
    begun = [(pushed, e) for pushed, e in found if e.kind == "on"]
    assert [e.pitch for _, e in begun] == pitches
    np.testing.assert_allclose([e.time for _, e in begun], onsets, atol=0.05)
    for pushed, event in begun:
        assert pushed - 500 <= event.time * SR + stream.delay
    ended = [e for _, e in found if e.kind == "off"]
    assert [e.pitch for e in ended] == pitches
    np.testing.assert_allclose([e.time for e in ended], np.add(onsets, 0.5), atol=0.1)


def test_notes_at_other_rates_are_those_of_their_own():
    y = strings([0.4], [60], 1.5)
    slower = np.interp(np.arange(int(len(y) * 32000 / SR)) * SR / 32000, np.arange(len(y)), y)
    for sr, samples in ((SR, y), (32000, slower)):
        begun = [e for _, e in events(na.Stream(na.Transcriber(), sr), samples) if e.kind == "on"]
        assert [(e.pitch, round(e.time, 1)) for e in begun] == [(60.0, 0.4)]


def test_a_note_that_is_struck_again_ends_first_and_the_last_ones_end_with_the_stream():
    decoder = NoteDecoder(Decoding(), np.array([60.0, 61.0]), 0.02, 1e-6)
    level = np.where(np.arange(60) < 30, 1.0, 3.0) * (np.arange(60) >= 5)
    found = [e for x in level for e in decoder.step(np.array([x, 0.0]))]
    assert [(e.kind, round(e.time, 2)) for e in found] == [("on", 0.1), ("off", 0.6), ("on", 0.6)]
    # Louder notes may follow the first one; amplitude is the square of velocity.
    assert [found[0].velocity, found[2].velocity] == pytest.approx([0.5, 0.5 * 3**0.5])
    assert decoder.finish(1.2) == [na.streaming.NoteEvent("off", 1.2, 60.0)]


def test_a_small_rise_of_a_sustained_note_is_not_a_repeated_note():
    level = np.where(np.arange(60) < 30, 1.0, 1.4) * (np.arange(60) >= 5)
    for repeat, count in ((0.0, 2), (0.3, 2), (0.5, 1)):
        decoder = NoteDecoder(Decoding(repeat=repeat), np.array([60.0]), 0.02, 1e-6)
        found = [e for x in level for e in decoder.step(np.array([x]))]
        assert sum(e.kind == "on" for e in found) == count


def test_pitches_out_of_range_are_left_out():
    decoder = NoteDecoder(Decoding(lowest=61), np.array([60.0, 61.0]), 0.02, 1e-6)
    found = [e for n in range(40) for e in decoder.step(np.full(2, float(n > 9)))]
    assert [e.pitch for e in found] == [61.0]


def test_scaling_the_salience_changes_nothing():
    rng = np.random.default_rng(0)
    levels = rng.random((200, 12)) ** 8
    found = []
    for scale in (1.0, 1024.0):
        decoder = NoteDecoder(Decoding(), np.arange(60.0, 72.0), 0.02, 1e-6 * scale)
        events = (e for row in levels for e in decoder.step(row * scale))
        found.append([replace(e, velocity=round(e.velocity, 9)) for e in events])
    assert found[0] == found[1]
    assert found[0]


def test_hits_are_those_of_the_whole_recording():
    levels = np.zeros((2, 200))
    for row, frames in enumerate([[20, 80, 140], [50, 110, 170]]):
        for frame in frames:
            levels[row, frame - 1 : frame + 4] = [4, 9, 3, 2, 1]
    times = np.arange(200) * 0.01
    expected = na.symbolic.pick_hits(levels, ["kick", "snare"], times)
    picker = HitPicker(["kick", "snare"], 0.01, 0.125)
    found = [e for n in range(200) for e in picker.step(levels[:, n])]
    assert [(e.track, e.pitch) for e in found] == [(n.track, n.pitch) for n in expected]
    np.testing.assert_allclose([e.time for e in found], [n.onset for n in expected], atol=1e-9)


def test_what_leaks_into_a_silent_part_is_no_hit():
    picker = HitPicker(["kick", "snare"], 0.01, 0.125)
    levels = np.zeros((60, 2))
    levels[20], levels[40] = (8, 0.05), (8, 0.05)
    found = [e.track for row in levels for e in picker.step(row)]
    assert found == ["kick", "kick"]


def test_hits_of_the_sample_are_found_within_the_delay():
    y, sr = na.read(na.example("drums"))
    stream = na.Stream(na.DrumTranscriber(), sr)
    found = events(stream, y[0])
    for pushed, event in found:
        assert pushed - 500 <= event.time * sr + stream.delay
    truth = na.symbolic.read_hits(na.example("drums", "score.mid"))
    for part in ("kick", "hihat"):
        times = np.array([e.time for _, e in found if e.track == part])
        near = np.abs(np.subtract.outer(times, truth[part])).min(axis=0) < 0.05
        assert near.mean() > 0.85, part


def test_a_stream_does_not_tell_open_hihats():
    with pytest.raises(na.ParameterError, match=r"no open_hihat: .* choose hihat"):
        na.Stream(na.DrumTranscriber(parts=("kick", "open_hihat")), SR)


@pytest.mark.parametrize("transcriber", [na.Transcriber, na.DrumTranscriber])
def test_templates_can_be_learned_from_a_recording(transcriber):
    y = strings([0.1], [60], 0.6).astype(np.float32)
    stream = na.Stream(transcriber(), SR, learn_from=y)
    assert isinstance(stream.push(y)["notes"], list)


def test_piano_notes_of_a_stream_end_as_those_of_a_recording():
    step, pitches = 512 / SR, np.array([45.0, 60.0, 72.0])
    times = np.arange(150) * step
    ends = np.array([[0.4], [1.0], [1.7]])
    ages = times - 10 * step
    values = (ages >= 0) * np.exp(-2 * ages - 40 * (ages - ends).clip(0)) + 1e-4
    search, found = DecayEnds(Decoding(ends="piano"), pitches, step), {}
    for frame, salience in enumerate(values.T):
        for row in search.step(salience, frame).tolist():
            found[row] = search.end(row, frame)
            search.active[row] = False
        if frame == 12:  # the onsets are reported late
            for row in range(3):
                search.begin(row, 10, float(values[row, 10:13].max()))
    onsets = [(row, 10) for row in range(3)]
    expected = note_ends(values, times, pitches, onsets, [10, 10, 10])
    assert [found[row] for row in range(3)] == pytest.approx(expected)
