"""Small sound files of every kind that is read, made by code."""

import io
import json
import math
import tempfile
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

import nmfaudio as na
from nmfaudio.audio.io import write_group
from nmfaudio.audio.io.extra_tags import cover_text
from nmfaudio.experiments import ExperimentResults, Run
from nmfaudio.symbolic import Beats
from nmfaudio.transcription.analysis import Analysis
from nmfaudio.transcription.salience import Salience
from nmfaudio.transcription.suitability import Suitability

SR = 8000
_CODINGS = {
    "WAV": "PCM_16 PCM_24 PCM_U8 FLOAT DOUBLE ULAW IMA_ADPCM MS_ADPCM GSM610",
    "WAVEX": "FLOAT",
    "RF64": "FLOAT",
    "W64": "PCM_16",
    "FLAC": "PCM_16 PCM_24",
    "OGG": "VORBIS OPUS",
    "MP3": "MPEG_LAYER_III",
    "AIFF": "PCM_16 FLOAT",
    "CAF": "FLOAT ALAC_16",
    "AU": "FLOAT",
    "VOC": "PCM_16",
    "NIST": "PCM_16",
    "SVX": "PCM_16",
    "IRCAM": "PCM_16",
    "PAF": "PCM_16",
}
_NOTES = (
    na.Note(0.0, 0.5, 60, 0.5, "left"),
    na.Note(0.25, 1.0, 64.5, 0.9, "right", contour=((0.0, 0.0), (0.25, 0.5))),
    na.Note(0.5, 0.6, 38, 1.0, "snare", channel=9),
)
_BOXES = [
    {"source": "a", "start": 0, "end": 0.5, "low": 0, "high": 900, "weight": 0.5},
    {"source": "b", "start": 0.5, "end": 1, "low": 900, "high": 4000},
]
_TOML = """
title = "x"
seeds = [0, 3]
measures = ["onset_f"]
[systems.plain]
dictionary = "flute"
model = { adaptation = inf, max_iter = 4 }
decoding.threshold = 0.5
[systems.drums]
kind = "drums"
[systems.tuned]
dictionary = "flute"
tune.grid.threshold = [0.1, 1e6]
"""


def audio():
    """A tone and noise in every format that libsndfile writes."""
    t = np.arange(900) / SR
    y = np.sin(3000 * t)[:, None] / 3 + np.random.default_rng(0).uniform(-0.1, 0.1, (900, 2))
    codings = [(container, coding) for container, all in _CODINGS.items() for coding in all.split()]
    for container, subtype in codings:
        file = io.BytesIO()
        channels = 1 if subtype in ("GSM610", "IMA_ADPCM") or container == "SVX" else 2
        with soundfile.SoundFile(file, "w", SR, channels, subtype, format=container) as sound:
            if container in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
                sound.title, sound.artist = "Título", "x"
            sound.write(y[:, :channels])
        yield file.getvalue()


def tagged():
    """Noise with a cover, and in WAV with markers and a time stamp, as the package writes it."""
    tags = {"title": "x", "cover": cover_text(next(pictures()))}
    more = {"markers": '[[0, "a"], [7, "b"]]', "time_reference": "9"}
    y = np.random.default_rng(0).uniform(-0.1, 0.1, 400)
    with tempfile.TemporaryDirectory() as place:
        for format in ("wav", "flac", "ogg", "opus", "mp3", "aiff"):
            path = Path(place, "x")
            own = {path: tags | more if format == "wav" else tags}
            write_group({path: y}, SR, format=format, tags=own, overwrite=True)
            yield path.read_bytes()


def containers():
    """Sound in containers that PyAV reads."""
    import av

    for kind, codec in (("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("avi", "mp2")):
        file = io.BytesIO()
        with av.open(file, "w", format=kind) as output:
            stream = output.add_stream(codec, rate=48_000, layout="mono")
            samples = np.random.default_rng(0).uniform(-0.3, 0.3, (1, 3000)).astype("f4")
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate = 48_000
            for packet in (*stream.encode(frame), *stream.encode(None)):
                output.mux(packet)
        yield file.getvalue()


@cache
def written():
    """Files that functions of the package write, by name."""
    with tempfile.TemporaryDirectory() as place, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = Path(place)
        _write_notes(folder)
        _write_archives(folder)
        run = Run("a", "b", 0, {"onset_f": 0.5}, 9, 9, {"threshold": 0.5})
        ExperimentResults((run, run), ("onset_f",), "x", {"seeds": [0]}).save(
            folder / "results.json"
        )
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def _write_notes(folder):
    beats = Beats(np.arange(5) / 2, 4, 0)
    for name in ("a.mid", "a.csv", "a.jams"):
        na.write_notes(folder / name, list(_NOTES))
    na.write_notes(folder / "beats.jams", list(_NOTES), beats=beats)


def _write_archives(folder):
    t = np.arange(2000) / SR
    y = np.sin(2764 * t) / 3 + np.random.default_rng(0).uniform(-0.05, 0.05, 2000)
    options = {"n_fft": 64, "max_iter": 2}
    na.separate(y, SR, n_components=2, **options).decomposition.save(folder / "model.npz")
    na.hpss(y[:500], SR, lags=2, n_components=2, **options).decomposition.save(folder / "nmfd.npz")
    transform = na.Stft(SR, n_fft=64, hop=32)
    rows = len(transform.frequencies)
    templates = np.random.default_rng(0).random((rows, 3))
    about = {"transform": transform, "beta_loss": 1.0, "kind": "templates"}
    na.Dictionary(templates, ("a", "a", "b"), **about).save(folder / "templates.npz")
    notes = {"pitches": (60, 62, 64), "velocities": (0.5, None, 1), "stages": ("attack",) * 3}
    na.NoteDictionary(templates, ("a",) * 3, **about, **notes).save(folder / "notes.npz")
    salience = Salience(np.ones((2, 4), np.float32), np.array([60.0, 61.0]), np.arange(4) / 50)
    Analysis(salience, 0.25, Suitability(math.nan, 0.5)).save(folder / "analysis.npz")


def pictures():
    """Small pictures of several kinds."""
    from PIL import Image

    pixels = (np.eye(6) * 255).astype(np.uint8)
    colours = np.stack([pixels, pixels.T, pixels, 255 - pixels], axis=2)
    for array, mode in ((pixels, "L"), (colours[..., :3], "RGB"), (colours, "RGBA")):
        file = io.BytesIO()
        Image.fromarray(array, mode).save(file, "png")
        yield file.getvalue()
    file = io.BytesIO()
    Image.fromarray(pixels).convert("P").save(file, "png", transparency=0)
    yield file.getvalue()


def tables():
    """Texts that are read as tables, by kind."""
    pitch = "".join(f"{n / 10},440.5\n" for n in range(9))
    return {
        "notes": [
            written()["a.csv"],
            b"start_time_s,end_time_s,pitch_midi,velocity,pitch_bend\n0,1,60,90,1,2,3\n",
        ],
        "hits": [b"0.5,kick\n1.0,SD\n1.5,42\n", b"time,part\n0.5,hi-hat\n"],
        "pitch": [pitch.encode(), b"time frequency confidence\n0.0\t0\t1\n0.5\t330\t0.9\n"],
        "beats": [b"0.5 3\n1.0 1\n1.5 2\n2.0 3\n2.5 1\n", b"time,beat\n0.5\n# x\n1.0\n"],
        "scales": [b"! x.scl\nthirds\n3\n350.0\n3/2\n2/1\n"],
        "list": [b"a.wav\n\nfolder/b.wav\n"],
        "toml": [_TOML.encode()],
    }


def boxes():
    """List of boxes."""
    return json.dumps(_BOXES).encode()


def groups():
    """Components of stems."""
    return json.dumps({"a": [0, 3], "b": [1]}).encode()


def annotations():
    """Annotations of data sets, by name of their reader."""
    import scipy.io

    file = io.BytesIO()
    part = np.empty((1, 1), object)
    part[0, 0] = np.empty((1, 1), object)
    notes = np.empty((1, 4), object)
    for n in range(4):
        cell = np.empty((1, 1), object)
        cell[0, 0] = np.array([[1, 2, 3], [60, 60, 61]])
        notes[0, n] = cell
    scipy.io.savemat(file, {"GTNotes": notes})
    musicnet = "start_time,end_time,instrument,note,start_beat,end_beat,note_value\n"
    events = "<e><event><onsetSec>0.5</onsetSec><instrument>KD</instrument></event></e>"
    return {
        "maps": b"OnsetTime\tOffsetTime\tMidiPitch\n0.5\t1.0\t60\n",
        "musicnet": musicnet.encode() + b"44100,88200,41,60,0,1,Quarter\n",
        "urmp": b"0.5\t440.0\t0.5\n1.0\t220.0\t1.0\n",
        "bach10": file.getvalue(),
        "jams": written()["a.jams"],
        "hits": b"0.5\tKD\n1.0\tSD\n",
        "idmt": b"<?xml version='1.0'?>" + events.encode(),
    }
