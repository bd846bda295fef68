"""Drums: the stems of a kit, from shipped templates and from a kit's own hits."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.audio.transforms import Stft
from nmfaudio.dictionaries.drum_detection import detect_hits, detect_hits_in_blocks
from nmfaudio.dictionaries.drum_kit import bundled_kit_templates, convert_drum_templates
from nmfaudio.dictionaries.drum_model import drum_bands
from nmfaudio.symbolic.drum_hits import EARLY, read_hits

SAMPLE = Path(__file__).parents[2] / "audio_samples" / "drums"
EXCLUDED = {"bass_hard", "bass_soft", "snare_hard", "snare_soft"} | {
    f"cymbal_{way}" for way in ("closed", "open", "pedal")
}


def noise(channels=1, samples=6000, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, samples)).astype(np.float32)


def quick(**settings):
    return na.DrumSeparator(**{"max_iter": 3} | settings)


@pytest.mark.parametrize("sr", [8000, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_stems_sum_to_the_mixture_at_any_rate(sr, channels):
    y = noise(channels)
    stems = quick()(y, sr)
    assert list(stems) == ["kick", "snare", "hihat"]
    assert np.abs(sum(stems.values()) - y).max() < 1e-5


@pytest.mark.parametrize("samples", [1, 100, 5000])
def test_silence_gives_silence(samples):
    stems = quick()(np.zeros((2, samples), np.float32), 44100)
    assert not any(stem.any() for stem in stems.values())


def test_parts_are_those_asked_for():
    parts = ("cymbals", "kick", "toms")
    assert tuple(quick(parts=parts)(noise(), 44100)) == parts


@pytest.mark.parametrize("parts", [(), ("kick", "kick"), ("triangle",)])
def test_parts_that_there_are_not(parts):
    with pytest.raises(na.ParameterError, match="parts"):
        na.DrumSeparator(parts=parts)


def test_parts_are_suggested():
    with pytest.raises(na.ParameterError, match="'sanre'; did you mean snare"):
        na.DrumSeparator(parts=("kick", "sanre"))
    with pytest.raises(na.ParameterError, match="open_hihat, which can be transcribed"):
        na.DrumSeparator(parts=("kick", "open_hihat"))


@pytest.mark.parametrize("blocks", [False, True])
def test_the_warning_of_hits_is_that_of_the_transcriber(blocks):
    seconds = np.arange(5 * 8000, dtype=np.float32) / 8000
    chirp = np.sin(2 * np.pi * (200 + 300 * seconds) * seconds)[None]
    warned = []
    for detect in (
        lambda: na.DrumTranscriber(max_iter=1).transcribe(chirp, 8000),
        lambda: (detect_hits_in_blocks if blocks else detect_hits)(
            chirp, 8000, ["kick"], max_iter=1
        ),
    ):
        with pytest.warns(na.errors.AudioWarning, match="does not sound like drums") as caught:
            detect()
        warned.append(str(caught[0].message).partition(" of drums")[0])
    assert warned[0] == warned[1]


def test_a_single_part_is_refused(tmp_path):
    with pytest.raises(na.ParameterError, match="parts is 'kick', whose only stem"):
        na.DrumSeparator(parts=("kick",))
    soundfile.write(tmp_path / "kick.wav", noise()[0], 44100)
    with pytest.raises(na.ContentError, match="has only kick"):
        quick(one_shots=tmp_path)(noise(), 44100)


def test_the_same_seed_gives_the_same_bytes():
    y = noise()
    first, second, other = (quick()(y, 44100, rng=seed) for seed in (0, 0, 1))
    assert all((first[part] == second[part]).all() for part in first)
    assert any((first[part] != other[part]).any() for part in first)


def test_templates_under_their_own_transform_stay():
    own = Stft(44100, 2048, 512)
    W = np.random.default_rng(0).random((8, 1025, 3))
    assert np.allclose(convert_drum_templates(W, own, own), W / W.sum(axis=(0, 1)))


@pytest.mark.parametrize("sr", [16000, 22050, 48000, 96000])
def test_templates_keep_their_pitch_and_length_at_other_rates(sr):
    own, other = Stft(44100, 2048, 512), na.DrumSeparator().transform(sr)
    W = np.zeros((8, 1025, 1))
    W[:, 100] = 0.5 ** np.arange(8)[:, None]  # 2153 Hz, halved every 11.6 ms
    found = convert_drum_templates(W, own, other)[..., 0]
    peak = other.frequencies[found.sum(axis=0).argmax()]
    assert abs(peak - 100 * 44100 / 2048) <= other.sr / other.n_fft
    assert len(found) * other.hop / sr == pytest.approx(8 * 512 / 44100, rel=0.1)
    assert found.sum() == pytest.approx(1)


def test_bands_keep_what_they_pool():
    X = np.random.default_rng(0).random((3, 1025, 2))
    bands = drum_bands(1025)
    pooled = bands.pool(X)
    assert pooled.shape[1] < 110
    assert np.allclose(pooled.sum(axis=1), X.sum(axis=1))
    assert np.allclose(bands.pool(bands.spread(pooled)), pooled)


def test_shipped_templates_leave_out_what_judges_them():
    known = na.Dictionary.load(Path(na.__file__).parent / "data" / "drums.npz")
    assert known.labels == ("kick", "snare", "hihat", "toms", "cymbals")
    sources = known.metadata["sources"]
    assert {name.rsplit(" (")[0] for name in sources} == {"sonic-pi-samples", "fluid-soundfont-gm"}
    used = {name for names in sources.values() for name in names}
    assert not used & {f"drum_{name}" for name in EXCLUDED}
    W = bundled_kit_templates(known.labels, Stft(44100, 2048, 512))
    centres = (W.sum(axis=0) * np.arange(1025)[:, None]).sum(axis=0)
    assert centres[0] < centres[1] < centres[2]  # kick, snare, hi-hat


def clicks(seconds, sr=8000, length=1.0):
    y = np.zeros((1, int(sr * length)), np.float32)
    for t in seconds:
        y[0, int(t * sr) :] += np.exp(-np.arange(y.shape[1] - int(t * sr)) / 200)
    return y * np.random.default_rng(0).standard_normal(y.shape).astype(np.float32)


@pytest.mark.parametrize("suffix", [".csv", ".mid"])
def test_hits_are_written_and_can_be_given_again(tmp_path, suffix):
    y, sr = na.read(na.example("drums"))
    stems = quick(hits=True, max_iter=10)(y[:, : 2 * sr], sr)
    assert stems.notes
    assert {note.track for note in stems.notes} <= set(stems)
    midi, table = stems.save_notes(tmp_path)
    assert (midi.name, table.name) == ("notes.mid", "notes.csv")
    assert na.read_notes(table) == list(stems.notes)  # as Transcription.save writes them
    again = read_hits(midi if suffix == ".mid" else table)
    assert set(again) == {note.track for note in stems.notes}
    times = sorted(note.onset for note in stems.notes)
    assert np.allclose(sorted(t for part in again.values() for t in part), times, atol=1e-3)
    with pytest.raises(na.errors.OutputError, match="exists"):
        stems.save_notes(tmp_path)


def table(folder, text):
    path = folder / "hits.csv"
    path.write_text(text)
    return path


def test_a_part_sounds_only_when_it_is_hit(tmp_path):
    onsets = table(tmp_path, "seconds,part\n0.1,KD\n0.7,kick\n0.4,38\n")
    stems = quick(onsets=onsets)(clicks([0.1, 0.4, 0.7]), 8000)
    H, groups = stems.decomposition.H, stems.groups
    times = stems.transform.times(H.shape[1])
    assert not H[list(groups["hihat"].components)].any()
    early = H[list(groups["snare"].components)][:, times < 0.4 - EARLY]
    assert not early.any()
    assert H[list(groups["snare"].components)].any()


def test_onsets_may_be_notes_or_times_of_each_part(tmp_path):
    y = clicks([0.1, 0.4, 0.7])
    path = table(tmp_path, "0.7,kick\n0.1,KD\n0.4,38\n")
    forms = (na.read_notes(path), {"KD": [0.7, 0.1], "snare": [0.4]}, iter(na.read_notes(path)))
    expected = quick(onsets=path)(y, 8000)
    for form in forms:
        separator = quick(onsets=form)
        for _ in range(2):
            stems = separator(y, 8000)
            assert all((stems[name] == expected[name]).all() for name in expected)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (
            "0.1,KD\n0.2,triangle\n",
            na.AudioFileError,
            "line 2: 'triangle' is not a part of a drum kit",
        ),
        ("0.1,KD\nsoon,SD\n", na.AudioFileError, "line 2: 'soon,SD' is not a hit"),
        ("0.1,KD\n7.5,SD\n", na.ContentError, "a snare at 7.5 s is outside the recording"),
    ],
)
def test_hits_that_cannot_be(tmp_path, text, error, said):
    with pytest.raises(error, match=said):
        quick(onsets=table(tmp_path, text))(clicks([0.1]), 8000)


def test_one_shots_of_the_very_kit(tmp_path):
    rng = np.random.default_rng(0)
    decay = np.exp(-np.arange(2000) / 300)
    low = np.sin(2 * np.pi * 90 / 8000 * np.arange(2000)) * decay
    high = np.diff(rng.standard_normal(2001)) * decay
    for name, y in (("BD", low), ("click-1", high)):
        soundfile.write(tmp_path / f"{name}.wav", y / abs(y).max() / 2, 8000, subtype="FLOAT")
    truth = np.zeros((2, 16000))
    for k, (y, starts) in enumerate(((low, (500, 9000)), (high, (4000, 9400, 12000)))):
        for start in starts:
            truth[k, start : start + 2000] += y
    stems = na.DrumSeparator(one_shots=tmp_path)(truth.sum(axis=0).astype(np.float32), 8000)
    assert list(stems) == ["kick", "click"]
    assert (
        min(na.metrics.si_sdr(t, stems[name][0]) for t, name in zip(truth, stems, strict=True)) > 10
    )


def test_one_shots_that_are_not_there(tmp_path):
    with pytest.raises(na.ContentError, match="there are no recordings"):
        quick(one_shots=tmp_path)(noise(), 44100)
    with pytest.raises(na.AudioFileError, match="nowhere"):
        quick(one_shots=tmp_path / "nowhere")(noise(), 44100)


@pytest.mark.slow
def test_the_stems_of_the_sample():
    y, sr = soundfile.read(SAMPLE / "mixture.wav", dtype="float32")
    stems = na.DrumSeparator()(y, sr)
    for part, least in (("kick", 17), ("snare", 12), ("hihat", 4)):
        truth, _ = soundfile.read(SAMPLE / "sources" / f"{part}.flac", dtype="float32")
        assert na.metrics.si_sdr(truth, stems[part][0]) > least, part
