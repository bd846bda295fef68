"""Excerpts: times of all annotations count from the beginning of the file.

The law: an excerpt with its annotations at the times of the file has the stems of a file that holds
only the excerpt, with the annotations shifted by its start.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.cli import main
from nmfaudio.errors import AudioWarning

SR = 8000
START, STOP, END = 1.0, 2.0, 3.0  # s of the excerpt, and of the file
QUICK = {"n_fft": 512, "max_iter": 3}


@pytest.fixture
def song(tmp_path, monkeypatch):
    """Three seconds of tones and noise, in a file."""
    monkeypatch.chdir(tmp_path)
    t = np.arange(round(END * SR)) / SR
    noise = np.random.default_rng(0).standard_normal(len(t))
    y = np.sin(2 * np.pi * 440 * t) * (t % 0.5 > 0.2) + 0.1 * noise
    soundfile.write("song.wav", y / 4, SR, subtype="FLOAT")
    return Path("song.wav")


def hits(shift):
    return {"kick": [0.25 - shift, 1.25 - shift, 2.5 - shift], "snare": [1.5 - shift]}


def onsets(shift):
    """Hits from the beginning of the file, or those within the excerpt from its start."""
    if shift == 0:
        return hits(0)
    return {part: [s for s in times if 0 <= s < 1] for part, times in hits(shift).items()}


def pitch(shift):
    times = np.arange(0, END, 1 / 64) - shift
    hertz = 300 + 100 * np.sin(5 * (times + shift))
    kept = times >= 0
    return na.separators.Pitch(times[kept], hertz[kept] * (times[kept] + shift <= STOP))


def boxes(shift):
    whole = [("low", 0.0, 0.5), ("low", 0.75, 1.5), ("high", 1.25, 1.75), ("high", 2.5, 3.0)]
    inside = whole if shift == 0 else whole[1:3]
    low = {"low": (100, 900), "high": (1000, 3000)}
    return [
        {
            "source": name,
            "start": max(start - shift, 0),
            "end": end - shift,
            "low": low[name][0],
            "high": low[name][1],
        }
        for name, start, end in inside
    ]


def notes(shift):
    score = [na.Note(0.5, 1.5, 69, track="a"), na.Note(1.25, 2.5, 72, track="b")]
    return [replace(n, onset=max(n.onset - shift, 0), offset=n.offset - shift) for n in score]


CASES = {
    "f0": (na.F0Separator, lambda s: {"pitch": pitch(s), "n_components": 2, "filters": 5}),
    "paint": (na.PaintSeparator, lambda s: {"boxes": boxes(s), "n_components": 2}),
    "score": (na.ScoreSeparator, lambda s: {"score": notes(s), "aligned": True}),
    "denoise": (na.DenoiseSeparator, lambda s: {"noise": (1.5 - s, 1.75 - s), "models": 1}),
    "drums": (na.DrumSeparator, lambda s: {"parts": ("kick", "snare"), "onsets": onsets(s)}),
}


@pytest.mark.parametrize("name", CASES)
def test_an_excerpt_equals_a_cut_file_with_shifted_annotations(song, name):
    kind, settings = CASES[name]
    y, sr = na.read(song, start=START, stop=STOP)
    excerpt = na.separators.Excerpt(song, START)
    found = kind(**settings(0), **QUICK)(y, sr, excerpt=excerpt)
    cut = kind(**settings(START), **QUICK)(y, sr)
    unshifted = kind(**settings(START), **QUICK)(*na.read(song, start=0, stop=1))
    assert list(found) == list(cut)
    for stem in cut:
        np.testing.assert_allclose(found[stem], cut[stem], atol=1e-6)
        assert np.abs(found[stem] - unshifted[stem]).max() > 1e-2  # the test can fail


def write_annotations():
    track = pitch(0)
    rows = zip(track.times, track.hertz, strict=True)
    Path("pitch.csv").write_text("\n".join(f"{s},{hz}" for s, hz in rows))
    Path("boxes.json").write_text(json.dumps(boxes(0)))
    na.symbolic.write_notes("score.mid", notes(0))
    Path("hits.csv").write_text(
        "\n".join(f"{s},{part}" for part, times in hits(0).items() for s in times)
    )


COMMANDS = {
    "f0": (["pitch.csv"], lambda: {"pitch": "pitch.csv"}),
    "paint": (["boxes.json"], lambda: {"boxes": "boxes.json"}),
    "score": (["score.mid", "--aligned"], lambda: {"score": "score.mid", "aligned": True}),
    "denoise": (["--noise", "0-0.2"], lambda: {"noise": (0.0, 0.2)}),
    "drums": (["--onsets", "hits.csv"], lambda: {"onsets": "hits.csv"}),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_preview_takes_the_times_of_the_file(song, name):
    write_annotations()
    arguments, settings = COMMANDS[name]
    command = [name, "song.wav", *arguments, "--max-iter", "3", "--n-fft", "512", "-o", "out"]
    assert main([*command, "--preview", "1-2", "--quiet"]) == 0
    y, sr = na.read(song, start=START, stop=STOP)
    excerpt = na.separators.Excerpt(song, START)
    stems = CASES[name][0](**settings(), **QUICK)(y, sr, excerpt=excerpt)
    for stem in stems:
        written, _ = na.read(f"out/song.preview-1-2/{stem}.wav")
        np.testing.assert_array_equal(written, stems[stem])


def test_noise_outside_the_excerpt_is_read_from_the_file(song):
    y, sr = na.read(song, start=START, stop=STOP)
    noise, _ = na.read(song, start=0, stop=0.2)
    excerpt = na.separators.Excerpt(song, START)
    found = na.DenoiseSeparator(noise=(0, 0.2), models=1, **QUICK)(y, sr, excerpt=excerpt)
    # As a time range of this recording, it is not compared with the quietest frames.
    first = np.concatenate([noise, y], axis=1)
    whole = na.DenoiseSeparator(noise=(0, 0.2), models=1, **QUICK)(first, sr)
    assert np.abs(found["noise"]).max() > 0
    assert np.corrcoef(found["noise"][0], whole["noise"][0, noise.shape[1] :])[0, 1] > 0.9
    with pytest.raises(na.ParameterError, match=r"within the recording of 3 s"):
        na.DenoiseSeparator(noise=(4, 5), models=1)(y, sr, excerpt=excerpt)


def test_a_picture_covers_the_whole_file(song):
    image = pytest.importorskip("matplotlib.image")
    pixels = np.zeros((8, 3))
    pixels[:, 1] = 1  # the second of three seconds
    image.imsave("middle.png", pixels, cmap="gray")
    drawn = [{"source": "middle", "image": "middle.png"}]
    box = [{"source": "middle", "start": START, "end": STOP, "low": 0, "high": SR / 2}]
    y, sr = na.read(song, start=START, stop=STOP)
    stems = [
        na.PaintSeparator(boxes=strokes, rest=True, n_components=2, **QUICK)(
            y, sr, excerpt=na.separators.Excerpt(song, START)
        )
        for strokes in (drawn, box)
    ]
    inside = slice(round(0.9 * SR))  # the last frame, at 2 s, is in the third pixel
    np.testing.assert_allclose(
        stems[0]["middle"][:, inside], stems[1]["middle"][:, inside], atol=1e-5
    )


def test_a_source_outside_the_excerpt_is_named(song):
    separator = na.PaintSeparator(boxes=boxes(0), n_components=2, **QUICK)
    y, sr = na.read(song, start=0, stop=0.5)
    with pytest.raises(na.ContentError, match="no box of high lies within 0-0"):
        separator(y, sr, excerpt=na.separators.Excerpt(song, 0))
    beyond = [*boxes(0), {"source": "low", "start": 90, "end": 91, "low": 0, "high": 9}]
    y, sr = na.read(song, start=1, stop=2)
    with pytest.raises(na.ContentError, match=r"box 5 begins at 90 s .* which ends at 3 s"):
        na.PaintSeparator(boxes=beyond)(y, sr, excerpt=na.separators.Excerpt(song, 1))


def test_a_pitch_that_ends_with_the_file_needs_no_warning(song, recwarn):
    times = np.arange(0, END, 0.01)
    track = na.separators.Pitch(times, np.full(len(times), 440.0))
    y, sr = na.read(song, start=0, stop=0.5)
    separator = na.F0Separator(pitch=track, n_components=2, filters=5, **QUICK)
    separator(y, sr, excerpt=na.separators.Excerpt(song, 0))
    assert not list(recwarn)
    with pytest.warns(AudioWarning, match=r"goes on until 3.0 s, the recording ends at 0.5 s"):
        separator(y, sr)


def test_a_plot_of_a_preview_has_the_times_of_the_file(song):
    pytest.importorskip("matplotlib")
    y, sr = na.read(song, start=START, stop=STOP)
    stems = na.separate(y, sr, n_components=2, max_iter=1)
    panels = na.plot_stems(stems, start=START)
    assert panels["mixture"].get_xlim() == (START, STOP)


def test_a_short_excerpt_of_a_score_tells_of_aligned():
    score = [na.Note(i / 2, i / 2 + 0.5, 40 + 5 * (i % 7)) for i in range(20)]
    with pytest.warns(AudioWarning, match=r"may not be located .* with --aligned"):
        na.symbolic.align(score, np.random.default_rng(0).standard_normal(SR), SR)
