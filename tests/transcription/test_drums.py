"""Hits of drum kits: planted one-shots are found, and kits can be learned."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile

import nmfaudio as na
from nmfaudio.symbolic.drum_hits import read_hits
from nmfaudio.symbolic.names import drum_pitch

SAMPLE = Path(__file__).parents[2] / "audio_samples" / "drums"
SCORE = SAMPLE / "score.mid"
PARTS = ("kick", "snare", "hihat")
PATTERN = ("kick", "hihat", "snare", "hihat")


def one_shots():
    """Hits that no shipped template was learned from."""
    found = {}
    for part in PARTS:
        y, sr = soundfile.read(sorted((SAMPLE / "one_shots" / part).iterdir())[-1], always_2d=True)
        y = y.mean(axis=1)[: sr // 3] * np.linspace(1, 0, sr // 3)[: len(y)]
        found[part] = y / abs(y).max()
    return found, sr


def loop(beats=12, seed=0):
    """A bar played over and over, not quite in time or equally loud; its hits."""
    shots, sr = one_shots()
    rng = np.random.default_rng(seed)
    y = np.zeros(int(sr * (0.25 * beats + 0.5)))
    hits = []
    for beat in range(beats):
        part = PATTERN[beat % len(PATTERN)]
        onset = 0.1 + 0.25 * beat + rng.uniform(-0.02, 0.02)
        start = int(onset * sr)
        y[start : start + len(shots[part])] += rng.uniform(0.4, 1.0) * shots[part]
        hits.append(na.Note(onset, onset + 0.1, drum_pitch(part), track=part, channel=9))
    return y.astype(np.float32), sr, hits


def drums(y, sr, **settings):
    return na.DrumTranscriber(**settings).transcribe(y, sr)


def by_part(notes):
    return {part: [note.onset for note in notes if note.track == part] for part in PARTS}


def assert_alike(notes, others, within):
    for part, onsets in by_part(notes).items():
        assert np.allclose(onsets, by_part(others)[part], atol=within), part


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_planted_hits_are_found_within_20_ms(seed):
    y, sr, hits = loop(seed=seed)
    found = drums(y, sr).notes
    assert_alike(found, hits, 0.02)
    assert {(note.track, note.pitch, note.channel) for note in found} == {
        ("kick", 36, 9), ("snare", 38, 9), ("hihat", 42, 9),
    }  # fmt: skip


@pytest.mark.parametrize("prior_weight", [0.0, math.inf])
def test_planted_hits_are_found_by_free_and_by_fixed_templates(prior_weight):
    y, sr, hits = loop()
    found = by_part(drums(y, sr, prior_weight=prior_weight).notes)
    for part, onsets in by_part(hits).items():
        assert np.abs(np.subtract.outer(onsets, found[part])).min(axis=1).max() < 0.02, part


@pytest.mark.parametrize("samples", [1, 100, 20000])
@pytest.mark.parametrize("channels", [1, 2])
def test_silence_has_no_hits(samples, channels):
    found = drums(np.zeros((channels, samples), np.float32), 44100)
    assert found.notes == ()
    assert not found.salience.values.any()


@pytest.mark.parametrize("scale", [2.0**-15, 2.0**10])
def test_loudness_makes_no_difference(scale):
    y, sr, _ = loop(4)
    loud, soft = (drums(y * s, sr, max_iter=10).notes for s in (np.float32(scale), 1))
    assert [note.track for note in loud] == [note.track for note in soft]
    assert_alike(loud, soft, 1e-4)


def test_a_constant_offset_makes_no_hits():
    y, sr, _ = loop()
    assert_alike(drums(y + np.float32(0.5), sr).notes, drums(y, sr).notes, 0.001)


def assert_sample_is_found(y, sr):
    found = by_part(drums(y.astype(np.float32), sr).notes)
    for part, onsets in read_hits(SCORE).items():
        true = [t for t in onsets if t < 5]
        near = np.abs(np.subtract.outer(true, found[part])).min(axis=1) < 0.05
        assert near.mean() > 0.8, part
        assert len(found[part]) < 1.2 * len(true), part


@pytest.mark.parametrize("sr", [16000, 22050, 48000, 96000])
def test_any_sample_rate(sr):
    import librosa

    y, own = soundfile.read(SAMPLE / "mixture.wav", frames=5 * 44100)
    assert_sample_is_found(librosa.resample(y, orig_sr=own, target_sr=sr), sr)


@pytest.mark.parametrize("cutoff", [8000, 16000])
def test_low_passed_recordings_have_the_same_hits(cutoff):
    y, sr = soundfile.read(SAMPLE / "mixture.wav", frames=5 * 44100)
    spectrum = np.fft.rfft(y)
    spectrum[np.fft.rfftfreq(len(y), 1 / sr) > cutoff] = 0
    assert_sample_is_found(np.fft.irfft(spectrum, len(y)), sr)


def test_later_audio_has_later_hits():
    y, sr, _ = loop(4)
    hop = na.DrumTranscriber().transform(sr).hop
    late = drums(np.pad(y, (40 * hop, 0)), sr).notes
    early = drums(y, sr).notes
    assert [note.track for note in late] == [note.track for note in early]
    shifts = [b.onset - a.onset for a, b in zip(early, late, strict=True)]
    assert np.allclose(shifts, 40 * hop / sr, atol=2e-3)


def test_harder_hits_have_higher_velocities():
    shots, sr = one_shots()
    y = np.zeros(3 * sr, np.float32)
    for place, loudness in enumerate((0.3, 1.0, 0.6)):
        y[place * sr : place * sr + len(shots["snare"])] += loudness * shots["snare"]
    snares = [note for note in drums(y, sr).notes if note.track == "snare"]
    assert np.argsort([note.velocity for note in snares]).tolist() == [0, 2, 1]


def test_the_same_bytes_and_the_audio_untouched():
    y, sr, _ = loop(4)
    before = y.copy()
    first, second = (drums(y, sr, max_iter=10) for _ in range(2))
    assert (y == before).all()
    assert first.notes == second.notes
    assert first.salience.values.tobytes() == second.salience.values.tobytes()


def test_the_parts_as_sound():
    y, sr, _ = loop(8)
    found = drums(y, sr)
    stems = found.stems(by="track")
    assert set(stems) == {*PARTS, "rest"}
    assert np.abs(sum(stems.values()) - found.mixture).max() < 1e-5
    kick, hihat = (np.abs(np.fft.rfft(stems[part][0])) for part in ("kick", "hihat"))
    bins = np.arange(len(kick))
    assert (bins * kick).sum() / kick.sum() < (bins * hihat).sum() / hihat.sum()


def test_what_is_not_asked_for_is_not_written_down():
    y, sr, _ = loop(8)
    found = drums(y, sr, parts=("hihat", "kick"))
    assert found.salience.pitches.tolist() == [36, 42]
    assert {note.track for note in found.notes} == {"kick", "hihat"}
    whole = drums(y, sr)
    assert (found.salience.values == whole.salience.values[[0, 2]]).all()
    assert found.settings["parts"] == ["kick", "hihat"]


def test_crash_and_ride_are_kinds_of_cymbals():
    y, sr, _ = loop(4)
    found = drums(y, sr, parts=("ride", "crash", "kick"))
    assert found.salience.pitches.tolist() == [36, 49, 51]
    assert {*found.pitches} == {36, None, 49}
    assert {note.track for note in found.notes} == {"kick"}


def test_shipped_sounds_decay_exponentially_after_their_attack():
    templates = na.DrumTranscriber().dictionary.templates
    assert np.allclose(templates.sum(axis=(0, 1)), 1, atol=1e-5)
    slopes = np.diff(np.log(templates[4:]), axis=0)  # of the logarithms in each bin
    assert np.allclose(slopes, slopes[:1], atol=1e-3)
    assert (slopes < 0).all()


def test_open_hihats_are_told_from_closed_ones():
    y, sr = na.read(SAMPLE / "mixture.wav")
    closed = read_hits(SCORE)["hihat"]
    opened, until = closed[3::6], closed[4::6]  # they ring until the next stroke
    ringing, _ = soundfile.read(SAMPLE / "one_shots" / "hihat" / "open.flac")
    z = y.copy()
    for begin, end in zip(opened, until, strict=False):
        length = round((end - begin) * sr)
        z[0, round(begin * sr) :][:length] += 0.15 * ringing[:length]
    found, none = (drums(each, sr, parts=("open_hihat", "closed_hihat")) for each in (z, y))
    assert found.salience.pitches.tolist() == [42, 46]
    assert {*found.pitches} == {None, 42}
    assert "open_hihat" not in {note.track for note in none.notes}
    onsets = [note.onset for note in found.notes if note.track == "open_hihat"]
    missed = np.abs(np.subtract.outer(opened, onsets)).min(axis=1) > 0.05
    assert missed.sum() <= 1
    assert len(onsets) <= len(opened)


def test_clicks_of_a_rim_are_no_snares():
    t = np.arange(4410) / 44100
    click = (np.sin(2 * np.pi * 480 * t) + np.sin(2 * np.pi * 1700 * t)) * np.exp(-t / 0.012)
    y = np.tile(np.pad(click, (0, 17640)), 8).astype(np.float32)
    assert "snare" not in {note.track for note in drums(y, 44100).notes}


def test_a_part_and_its_kinds_are_not_both_transcribed():
    with pytest.raises(na.ParameterError, match="cymbals includes crash and ride"):
        na.DrumTranscriber(parts=("cymbals", "ride"))
    y, sr, hits = loop(4)
    kit = na.dictionaries.learn_drums([((y, sr), hits)], max_iter=3)
    with pytest.raises(na.ParameterError, match="choose from the parts"):
        na.DrumTranscriber(kit, parts=("ride",))


def test_a_callback_ends_each_stage():
    y, sr, _ = loop(4)
    heard = []
    na.DrumTranscriber(max_iter=30).transcribe(y, sr, callback=lambda p: heard.append(p) or True)
    assert len(heard) == 3


def test_tuning_never_does_worse_on_its_own_pieces():
    pytest.importorskip("mir_eval")
    pieces = []
    for seed in (2, 3):
        y, sr, hits = loop(seed=seed)
        hiss = 0.05 * np.random.default_rng(seed).standard_normal(len(y))
        pieces.append(((y + hiss.astype(np.float32), sr), hits))
    start = na.DrumTranscriber(threshold=0.5)
    tuning = start.tune(pieces)
    assert tuning.metric == "onset_f"
    assert set(tuning.transcriber.threshold) == set(PARTS)
    scores = [
        np.mean(
            [na.evaluate_transcription(hits, one(*audio).notes).drum_f for audio, hits in pieces]
        )
        for one in (start, tuning.transcriber)
    ]
    assert scores[1] > scores[0]
    again = {row["threshold"]: row["onset_f"] for row in tuning.table if row["part"] == "snare"}
    assert again[tuning.transcriber.threshold["snare"]] >= again[0.5]


def test_a_part_that_is_never_hit_keeps_its_threshold():
    pytest.importorskip("mir_eval")
    y, sr, hits = loop(8)
    kicks = [note for note in hits if note.track == "kick"]
    tuned = na.DrumTranscriber(threshold=0.2).tune([((y, sr), kicks)], metric="onset_p")
    assert {row["part"] for row in tuned.table} == {"kick"}
    assert tuned.transcriber.threshold["snare"] == tuned.transcriber.threshold["hihat"] == 0.2


@pytest.mark.parametrize("pieces", [[], [((np.zeros(500), 8000), [])]])
def test_tuning_needs_hits(pieces):
    with pytest.raises(na.ParameterError, match="no piece has a kick"):
        na.DrumTranscriber().tune(pieces)


@pytest.mark.parametrize(
    "settings",
    [
        {"parts": ()},
        {"parts": ("triangle",)},
        {"threshold": -0.1},
        {"threshold": {"snare": math.nan}},
        {"prior_weight": -1.0},
        {"max_iter": -1},
    ],
)
def test_settings_that_cannot_be(settings):
    with pytest.raises(na.ParameterError, match=next(iter(settings))):
        na.DrumTranscriber(**settings)


def test_a_dictionary_that_is_none_of_drums():
    stft = na.Stft(8000, 512)
    flat = na.Dictionary(np.eye(257)[:, :1], ["kick"], stft)
    with pytest.raises(na.ParameterError, match="convolutive"):
        na.DrumTranscriber(flat)
    other = na.Dictionary(np.ones((2, 257, 1)), ["oboe"], stft, kind="convolutive")
    with pytest.raises(na.ParameterError, match="parts"):
        na.DrumTranscriber(other)


@pytest.mark.parametrize("size", [1, 2])
def test_a_kit_learned_from_known_hits(size):
    y, sr, hits = loop(16)
    kit = na.dictionaries.learn_drums([((y, sr), hits)], size=size)
    assert kit.names == PARTS
    assert kit.n_components == size * len(PARTS)
    assert np.allclose(kit.templates.sum(axis=(0, 1)), 1, atol=1e-5)
    centres = kit.templates.sum(axis=0).T @ kit.transform.frequencies
    assert centres[:size].min() < centres[-size:].min()  # kick and hi-hat
    y, sr, hits = loop(seed=5)
    assert_alike(drums(y, sr, dictionary=kit, prior_weight=math.inf).notes, hits, 0.005)


def test_a_kit_that_adapts_starts_from_what_was_learned():
    y, sr, hits = loop(16)
    kit = na.dictionaries.learn_drums([((y, sr), hits)])
    y, sr, hits = loop(seed=5)
    found = drums(y, sr, dictionary=kit)
    assert_alike(found.notes, hits, 0.005)
    assert found.pitches == (36, 38, 42)


def test_ways_to_say_hits(tmp_path):
    y, sr, hits = loop(8)
    table = tmp_path / "hits.csv"
    table.write_text("".join(f"{note.onset!r},{note.track}\n" for note in hits))
    kicks = by_part(hits)["kick"]
    two_names = {"BD": kicks[::2], "36": kicks[1::2]}
    ways = (hits, two_names | {p: by_part(hits)[p] for p in PARTS[1:]}, table)
    kits = [na.dictionaries.learn_drums([((y, sr), way)], max_iter=5) for way in ways]
    assert {kit.labels for kit in kits} == {PARTS}
    assert all((kit.templates == kits[0].templates).all() for kit in kits)


def test_strokes_of_no_known_part_are_learned_too():
    y, sr, hits = loop(8)
    claps = [na.Note(n.onset, n.offset, 75, channel=9) if n.pitch == 38 else n for n in hits]
    kit = na.dictionaries.learn_drums([((y, sr), claps)], max_iter=5)
    assert kit.names == ("kick", "hihat", "other")
    assert na.DrumTranscriber(kit, parts=("kick", "hihat")).transcribe(y, sr).notes


def test_tuning_takes_hits_in_any_way():
    y, sr, hits = loop(8)
    tables = [na.DrumTranscriber().tune([((y, sr), way)]).table for way in (hits, by_part(hits))]
    assert tables[0] == tables[1]


def test_a_kit_is_the_same_for_the_same_seed():
    y, sr, hits = loop(4)
    one, same, other = (
        na.dictionaries.learn_drums([((y, sr), hits)], max_iter=3, rng=seed).templates
        for seed in (0, 0, 1)
    )
    assert one.tobytes() == same.tobytes() != other.tobytes()


def test_pieces_to_learn_from_that_cannot_be():
    y, sr, hits = loop(4)
    with pytest.raises(na.ParameterError, match="no pieces"):
        na.dictionaries.learn_drums([])
    with pytest.raises(na.ParameterError, match="sample rate"):
        na.dictionaries.learn_drums([((y, sr), hits), ((y, 8000), hits)])
    with pytest.raises(na.ContentError, match="no hit"):
        na.dictionaries.learn_drums([((y, sr), {"kick": [99.0]})])
    with pytest.raises(na.ContentError, match="no hit"):
        na.dictionaries.learn_drums([((np.zeros(5000), sr), {"kick": [0.01]})])


@pytest.mark.slow
def test_the_sample():
    mir_eval = pytest.importorskip("mir_eval")
    y, sr = soundfile.read(SAMPLE / "mixture.wav", dtype="float32")
    found, true = by_part(drums(y, sr).notes), read_hits(SAMPLE / "score.mid")
    for part in PARTS:
        figures = mir_eval.onset.f_measure(np.array(true[part]), np.array(found[part]), 0.02)
        assert figures[0] > 0.95, part


def test_the_best_is_the_thresholds_that_the_transcriber_uses():
    pytest.importorskip("mir_eval")
    y, sr, hits = loop(8)
    tuned = na.DrumTranscriber().tune([((y, sr), hits)])
    assert tuned.best["threshold"] == tuned.transcriber.threshold
    reached = [
        row["onset_f"]
        for row in tuned.table
        if row["threshold"] == tuned.transcriber.threshold[row["part"]]
    ]
    assert tuned.best["onset_f"] == pytest.approx(np.mean(reached))


def test_a_single_pair_of_audio_and_hits_is_refused():
    *_, hits = loop(1)
    for call in (na.dictionaries.learn_drums, na.DrumTranscriber().tune):
        with pytest.raises(na.ParameterError, match=r"pieces has the item 'a.wav'; .* pair"):
            call(("a.wav", hits))


def test_the_limit_of_suitability_holds_for_the_shipped_kit_only():
    y, sr, hits = loop(2)
    assert na.DrumTranscriber()(y, sr).suitability.limit == 0.84
    own = na.dictionaries.learn_drums([((y, sr), hits)])
    found = na.DrumTranscriber(own, parts=("kick",))(y, sr).suitability
    assert found.limit is None
    assert 0 < found.value < 1


def test_a_single_part_may_be_a_string():
    assert na.DrumTranscriber(parts="kick") == na.DrumTranscriber(parts=("kick",))
    with pytest.raises(na.ParameterError, match="parts is 'gong'"):
        na.DrumTranscriber(parts="gong")
