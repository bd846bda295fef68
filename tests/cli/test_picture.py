"""`nmfaudio picture`: axes that are true, and the file that it writes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from nmfaudio.cli.picture import _DPI

from .conftest import SR, write_wav

pytest.importorskip("matplotlib")
START, END, HZ = 0.5, 1.0, 1500.0


def tone():
    """Two seconds of silence with a tone of `HZ` from `START` to `END`."""
    t = np.arange(2 * SR) / SR
    return np.where((t >= START) & (t < END), np.sin(2 * np.pi * HZ * t) / 2, 0)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_a_tone_appears_where_the_axes_say(log, offset):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from nmfaudio.display.spectrogram import spectrogram_figure

    figure = spectrogram_figure(tone()[None], SR, start=offset, log=log, n_fft=512)
    figure.set_dpi(_DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3].sum(axis=2, dtype=int)
    axes = figure.axes[0]

    def brightness(seconds, hertz):
        x, y = axes.transData.transform((offset + seconds, hertz))
        # Rows count from the top; the mean of a few pixels does not depend on a line of the grid.
        row, column = len(pixels) - round(y), round(x)
        return pixels[row - 2 : row + 3, column - 2 : column + 3].mean()

    inside = [brightness(s, HZ) for s in (START + 0.05, 0.77, END - 0.05)]
    outside = [brightness(s, f) for s in (START - 0.1, END + 0.1) for f in (HZ,)]
    outside += [brightness(0.77, f) for f in (HZ - 150, HZ + 150)]
    assert min(inside) > 500
    assert max(outside) < 0.6 * min(inside)


def test_a_picture_with_boxes_is_written(nmfaudio):
    write_wav("tone.wav", tone())
    box = {"source": "tone", "start": START, "end": END, "low": 1400, "high": 1600}
    Path("boxes.json").write_text(json.dumps([box]))
    plain = nmfaudio("picture", "tone.wav")
    assert (plain.code, plain.out, plain.err) == (0, "tone.png\n", "")
    boxed = nmfaudio("picture", "tone.wav", "--boxes", "boxes.json", "-o", "out/boxed.png")
    assert (boxed.code, boxed.out) == (0, "out/boxed.png\n")
    first, second = Path("tone.png").read_bytes(), Path("out/boxed.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    assert first != second


@pytest.mark.parametrize(
    "view", [(), ("--preview", "0.6-0.9"), ("--preview", "1-2"), ("--high", "1000"), ("--log",)]
)
def test_boxes_outside_the_view_leave_the_picture_as_it_is(nmfaudio, view):
    image = pytest.importorskip("matplotlib.image")
    write_wav("tone.wav", tone())
    sides = [(0, 0.4, 10, 90), (0, 0.2, 2000, 9000), (1.6, 9, 3000, 4000), (START, END, 1400, 1600)]
    sides.append((0.1, 1e308, 500, 1e308))
    keys = ("start", "end", "low", "high")
    boxes = [{"source": "a long name", **dict(zip(keys, box, strict=True))} for box in sides]
    Path("boxes.json").write_text(json.dumps(boxes))
    plain = nmfaudio("picture", "tone.wav", *view)
    assert plain.code == 0
    boxed = nmfaudio("picture", "tone.wav", *view, "--boxes", "boxes.json", "-o", "boxed.png")
    assert (boxed.code, boxed.err) == (0, "")
    # The axes are where they were: the left edge with its labels has not changed.
    first, second = image.imread("tone.png"), image.imread("boxed.png")
    np.testing.assert_array_equal(first[:, :60], second[:, :60])


def test_too_many_boxes_for_a_picture_are_refused(nmfaudio):
    write_wav("tone.wav", tone())
    box = {"source": "tone", "start": 0, "end": 1, "low": 1400, "high": 1600}
    Path("boxes.json").write_text(json.dumps([box] * 2001))
    result = nmfaudio("picture", "tone.wav", "--boxes", "boxes.json")
    assert result.code == 6
    assert "boxes.json: has 2001 boxes, and a picture shows up to 2000" in result.errors()[0]
    assert not Path("tone.png").exists()


@pytest.mark.parametrize("view", [(), ("--preview", "1-2")])
def test_a_box_beyond_the_recording_is_refused(nmfaudio, view):
    write_wav("tone.wav", tone())
    box = {"source": "tone", "start": 90, "end": 91, "low": 1400, "high": 1600}
    Path("boxes.json").write_text(json.dumps([box]))
    result = nmfaudio("picture", "tone.wav", *view, "--boxes", "boxes.json")
    assert result.code == 4
    assert "box 1 begins at 90 s" in result.err
    assert "ends at 2 s" in result.err


def test_an_existing_picture_is_kept(nmfaudio):
    write_wav("tone.wav", tone())
    Path("tone.png").write_bytes(b"mine")
    assert nmfaudio("picture", "tone.wav").code == 5
    assert Path("tone.png").read_bytes() == b"mine"
    assert nmfaudio("picture", "tone.wav", "--overwrite", "--preview", "0-1", "--log").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no FILE given"),
        (["a.wav", "b.wav"], "one FILE per run"),
        (["a.wav", "-o", "x.jpg"], "--output x.jpg must end in .png"),
    ],
)
def test_wrong_arguments(nmfaudio, arguments, message):
    result = nmfaudio("picture", *arguments)
    assert result.code == 2
    assert message in result.err


def test_without_matplotlib_it_says_what_to_install(nmfaudio, monkeypatch):
    write_wav("tone.wav", tone())
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = nmfaudio("picture", "tone.wav")
    assert result.code == 2
    assert "plot" in result.err


def test_the_help_offers_no_folder_where_one_file_is_drawn(nmfaudio):
    assert "a folder of such files" not in nmfaudio("picture", "--help").out
    assert "a folder of such files" in nmfaudio("hpss", "--help").out
