"""Dictionaries of notes learned from notes, music and fonts are what was put in."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.dictionaries.note_learning import IsolatedNote, find_onset
from nmfaudio.errors import AudioFileError, ContentError, MissingExtraError, ParameterError

SR = 8000
STFT = na.Stft(SR, 512, 128)
FONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")
PLAYED = pytest.mark.skipif(
    not (FONT.exists() and shutil.which("fluidsynth")), reason="needs fluidsynth and a font"
)


def hz(pitch):
    return 440 * 2 ** ((pitch - 69) / 12)


def tone(pitch, seconds=1.0, fall=3.0):
    """A stroke of noise, then partials of which the higher ones die away faster."""
    t = np.arange(round(seconds * SR)) / SR
    h = np.arange(1, int(SR / 2 / hz(pitch)) + 1)[:, None]
    y = (np.exp(-fall * h * t) / h * np.sin(2 * np.pi * hz(pitch) * h * t)).sum(0)
    noise = np.random.default_rng(int(pitch)).standard_normal(len(t))
    return y + 0.5 * noise * np.exp(-t / 0.004)


def write(folder, name, y, sr=SR):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.3 * y, sr, subtype="FLOAT")


def centre(known, stage):
    """The mean frequency of the templates of a stage, in Hz."""
    chosen = [k for k, own in enumerate(known.stages) if own == stage]
    return (STFT.frequencies @ known.templates[:, chosen]).mean()


@pytest.mark.parametrize("lead", [0.0, 0.0317, 0.5])
def test_a_note_begins_where_it_does_whatever_comes_before(lead):
    y = np.pad(tone(60), (round(lead * SR), 0))
    y += 1e-3 * np.random.default_rng(0).standard_normal(len(y))
    found = find_onset(IsolatedNote(y[None], 60, None, "y"), SR) / SR
    assert found == pytest.approx(lead, abs=0.003)


def test_notes_of_a_folder_do_not_depend_on_silence_and_loudness(tmp_path):
    for pitch in (57, 64):
        write(tmp_path, f"plain/{pitch}.wav", tone(pitch))
        late = np.pad(0.01 * tone(pitch), (1000, 0))
        write(tmp_path, f"late/{pitch}.wav", late)
    plain, late = (
        na.dictionaries.learn_notes(tmp_path / name, transform=STFT) for name in ("plain", "late")
    )
    np.testing.assert_allclose(plain.templates, late.templates, atol=2e-3)
    assert plain.pitches == late.pitches == (57, 57, 57, 64, 64, 64)
    assert plain.stages == ("attack", "early", "late") * 2
    assert plain.labels == ("piano",) * 6
    np.testing.assert_allclose(plain.templates.sum(0), 1, rtol=1e-5)
    assert centre(plain, "attack") > centre(plain, "early") > centre(plain, "late")
    again = na.dictionaries.learn_notes(tmp_path / "plain", transform=STFT)
    assert again.templates.tobytes() == plain.templates.tobytes()


def test_names_of_files_and_folders_say_pitch_and_velocity(tmp_path):
    for name in ("A4.wav", "soft/069.wav", "64/A4.wav", "C4_v127.wav", "v100/C4_1.wav"):
        write(tmp_path, name, tone(69))
    known = na.dictionaries.learn_notes(
        tmp_path, instrument="oboe", velocities={"soft": 0.25}, stages={}
    )
    assert known.transform == na.Stft(SR, 2048, 256)
    assert known.names == ("oboe",)
    assert known.pitches == (60, 60, 69, 69, 69)
    assert known.velocities == (1 / 127, 1, None, 0.25, 64 / 127)
    assert known.stages == (None,) * 5


def test_stages_are_those_asked_for(tmp_path):
    write(tmp_path, "60.wav", tone(60, 0.5))
    known = na.dictionaries.learn_notes(
        tmp_path, stages={"late": (0.1, 0.3), "attack": (-0.1, 0.05)}
    )
    assert known.stages == ("attack", "late")
    short = na.dictionaries.learn_notes(tmp_path, stages={"attack": (0, 0.1), "late": (2, 3)})
    assert short.stages == ("attack",)  # no frame falls into the other


def test_convolutive_templates_are_the_frames_from_the_onset_on(tmp_path):
    y = np.pad(tone(60, 0.3), (3 * 128, 0))  # the sound begins in the middle of a frame
    write(tmp_path, "60.wav", y)
    known = na.dictionaries.learn_notes(tmp_path, transform=STFT, lags=40)
    assert known.templates.shape == (40, 257, 1)
    assert known.kind == "convolutive"
    V = STFT.features(STFT.forward(y[None]))
    want = np.zeros((40, 257))
    frames = V.T[3:]
    want[: len(frames)] = frames
    np.testing.assert_allclose(known.templates[..., 0], want / want.sum(), atol=2e-4)


def test_folders_that_tell_nothing_are_refused(tmp_path):
    make = na.dictionaries.learn_notes
    with pytest.raises(AudioFileError, match="No such file"):
        make(tmp_path / "nowhere")
    with pytest.raises(ContentError, match="has no audio files"):
        make(tmp_path)
    write(tmp_path, "silent/60.wav", np.zeros(2000))
    with pytest.raises(ContentError, match=r"60\.wav: is silent"):
        make(tmp_path / "silent")
    write(tmp_path, "a/60.wav", tone(60))
    with pytest.raises(
        ParameterError, match=r"the folder 'loud', which does not exist; folders are: none"
    ):
        make(tmp_path / "a", velocities={"loud": 1})
    with pytest.raises(ParameterError, match="lags and stages are both given"):
        make(tmp_path / "a", lags=3, stages={})
    for stages in (
        {"middle": (0, 1)},
        {"attack": (0, 0.2), "early": (0.1, 0.3)},
        {"attack": (-0.2, 0)},
        {"attack": (0.2, 0.1)},
        {"attack": 0.1},
        {"attack": ("0", 1)},
        3,
    ):
        with pytest.raises(ParameterError, match="stage"):
            make(tmp_path / "a", stages=stages)
    write(tmp_path, "a/61.wav", tone(61), 2 * SR)
    with pytest.raises(ParameterError, match=r"61\.wav has a sample rate of 16000 Hz"):
        make(tmp_path / "a")
    assert make(tmp_path / "a", resample=True).n_components == 6
    for name, words in (("x.wav", "states no pitch"), ("60_v128.wav", "states velocity 128")):
        write(tmp_path, f"{name}/{name}", tone(60))
        with pytest.raises(ContentError, match=words):
            make(tmp_path / name)


def music():
    """Chords in which each pitch meets others, and their notes."""
    rng = np.random.default_rng(0)
    y, notes = np.zeros(12 * SR), []
    for beat in range(20):
        onset = 0.1 + beat * 0.55
        for pitch in rng.choice([50, 55, 59, 62, 66], 2, replace=False):
            sound = tone(pitch, 0.8, fall=1.5)
            begin = round(onset * SR)
            y[begin : begin + len(sound)] += sound
            notes.append(na.Note(onset, onset + 0.8, int(pitch), 0.5))
    return y, notes


def test_notes_come_out_of_music_as_they_are_by_themselves(tmp_path):
    y, notes = music()
    known = na.dictionaries.learn_notes_from_recording(y, notes, sr=SR, transform=STFT)
    for pitch in known.groups():
        write(tmp_path, f"{pitch:.0f}.wav", tone(pitch, 0.8, fall=1.5))
    true = na.dictionaries.learn_notes(tmp_path, transform=STFT)
    assert known.pitches == true.pitches
    assert known.stages == true.stages
    assert set(known.velocities) == {0.5}
    alike = (np.sqrt(known.templates) * np.sqrt(true.templates)).sum(0)
    assert alike.min() > 0.8
    assert np.median(alike) > 0.95
    partials = na.dictionaries.harmonic_notes(STFT, pitches=sorted(known.groups()))
    for pitch, (_, early, late) in known.groups().items():
        (k,) = partials.groups()[pitch]
        between = partials.templates[:, k] == 0
        low = STFT.frequencies < 4 * hz(pitch)
        apart = np.abs(STFT.frequencies / hz(pitch) % 1 - 0.5) < 0.1
        assert not known.templates[np.ix_(between & low & apart, [early, late])].any()


def test_scores_may_be_files_and_drums_do_not_count(tmp_path):
    y, notes = music()
    drum = na.Note(0, 1, 38, channel=9)
    na.write_notes(tmp_path / "notes.csv", [*notes, drum])
    write(tmp_path, "take.wav", y)
    known = na.dictionaries.learn_notes_from_recording(
        tmp_path / "take.wav", tmp_path / "notes.csv", max_iter=2, stages={}
    )
    assert known.pitches == (50, 55, 59, 62, 66)
    assert known.stages == (None,) * 5
    for wrong in ([drum], [na.Note(99, 100, 60)], []):
        with pytest.raises(ContentError, match="lies where the recording has sound"):
            na.dictionaries.learn_notes_from_recording(y, wrong, sr=SR)
    with pytest.raises(ContentError, match="lies where the recording has sound"):
        na.dictionaries.learn_notes_from_recording(0 * y, notes, sr=SR)


def test_narrow_bands_of_a_pitch_sum_to_it():
    whole = na.dictionaries.harmonic_notes(STFT, pitches=[48.5, 70], decay=0)
    bands = na.dictionaries.harmonic_notes(STFT, pitches=[48.5, 70], decay=0, n_bands=8)
    assert list(bands.groups()) == [48.5, 70]
    assert bands.n_components > 8
    assert bands.templates.any(axis=0).all()
    for pitch, members in bands.groups().items():
        centres = STFT.frequencies @ bands.templates[:, members]
        assert (np.diff(centres) > 0).all()
        (k,) = whole.groups()[pitch]
        support = bands.templates[:, members].any(axis=1)
        np.testing.assert_array_equal(support, whole.templates[:, k] > 0)


def test_partials_fall_off_end_and_stretch_as_they_are_told():
    f, pitch = na.Stft(44100, 8192).frequencies, 57
    made = na.dictionaries.harmonic_notes(
        na.Stft(44100, 8192), pitches=[pitch], decay=2, n_partials=6, inharmonicity=[1e-3]
    ).templates[:, 0]
    h = np.arange(1, 8)
    places = h * 220 * np.sqrt(1 + 1e-3 * h**2)
    sums = np.array([made[np.abs(f - place) < 12].sum() for place in places])
    np.testing.assert_allclose(sums[:6] / sums[0], h[:6] ** -2.0, rtol=0.05)
    assert sums[6] == 0
    stiff = na.dictionaries.harmonic_notes(na.Stft(44100, 8192), inharmonicity="piano")
    assert stiff.n_components == 88
    for wrong in ("oboe", [1e-3, 1e-3], -1.0):
        with pytest.raises(ParameterError, match="inharmonicity"):
            na.dictionaries.harmonic_notes(STFT, pitches=[60], inharmonicity=wrong)


@PLAYED
def test_a_font_plays_every_note_at_its_pitch():
    known = na.dictionaries.learn_notes_from_soundfont(
        FONT, program=73, pitches=[72, 79], velocities=(0.4, 0.9), seconds=0.5, sr=16000
    )
    assert known.names == ("flute",)
    assert known.pitches == (72,) * 6 + (79,) * 6
    assert known.velocities == ((0.4,) * 3 + (0.9,) * 3) * 2
    assert known.stages == ("attack", "early", "late") * 4
    late = [k for k, stage in enumerate(known.stages) if stage == "late"]
    loudest = known.transform.frequencies[known.templates[:, late].argmax(0)]
    for k, found in zip(late, loudest, strict=True):
        ratio = found / hz(known.pitches[k])
        assert ratio / round(ratio) == pytest.approx(1, abs=0.02)
    again = na.dictionaries.learn_notes_from_soundfont(
        FONT, program=73, pitches=[72], velocities=(0.4,), seconds=0.3, sr=16000, lags=4
    )
    assert again.templates.shape[0] == 4


@PLAYED
def test_a_font_that_cannot_be_played(tmp_path, monkeypatch):
    make = na.dictionaries.learn_notes_from_soundfont
    with pytest.raises(AudioFileError, match="No such file"):
        make(tmp_path / "no.sf2")
    (tmp_path / "text.sf2").write_text("x" * 100)
    with pytest.raises(AudioFileError, match="not a SoundFont"):
        make(tmp_path / "text.sf2")
    (tmp_path / "cut.sf2").write_bytes(FONT.read_bytes()[:5000])
    with pytest.raises(AudioFileError, match=r"cut\.sf2: .*Failed to load"):
        make(tmp_path / "cut.sf2", pitches=[60], seconds=0.1)
    for wrong in ({"pitches": []}, {"pitches": [60.5]}, {"velocities": [0]}, {"program": 128}):
        with pytest.raises(ParameterError):
            make(FONT, **wrong)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        MissingExtraError, match="fluidsynth, which plays SoundFonts, is not installed"
    ):
        make(FONT)
    monkeypatch.undo()
    for code, text in ((1, b"out of wind"), (0, b"Instrument not found on channel 0, substituted")):
        done = subprocess.CompletedProcess([], code, b"", b"one\n" + text + b"\n")
        monkeypatch.setattr(subprocess, "run", lambda *a, done=done, **k: done)
        with pytest.raises(AudioFileError, match=f"could not play program 0: {text.decode()}"):
            make(FONT)
