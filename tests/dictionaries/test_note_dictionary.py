"""Dictionaries of notes: kept whole in files and merges, filled and fitted by one rule."""

from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio._common.files import save_archive
from nmfaudio.dictionaries.template_conversion import transpose
from nmfaudio.errors import AudioFileError, ParameterError, ShapeError

STFT = na.Stft(8000, 512, 128)
PITCHES = (64, 60, 60.5, 64)
STAGES = ("late", None, "attack", "early")
VELOCITIES = (None, 0.5, 0, 1)


def notes(lags=1, **changes):
    shape = (257, 4) if lags == 1 else (lags, 257, 4)
    templates = np.random.default_rng(0).random(shape).astype(np.float32)
    fields = {
        "pitches": PITCHES,
        "kind": "templates" if lags == 1 else "convolutive",
        "stages": STAGES,
        "velocities": VELOCITIES,
        "metadata": {"from": ["a.wav"]},
    }
    return na.NoteDictionary(
        templates, ("piano", "oboe", "piano", "oboe"), STFT, **fields | changes
    )


def assert_same(a, b):
    np.testing.assert_array_equal(a.templates, b.templates)
    for name in ("labels", "pitches", "transform", "beta_loss", "kind", "metadata"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("velocities", "stages"):
        assert getattr(a, name, None) == getattr(b, name, None), name


@pytest.mark.parametrize("lags", [1, 3])
def test_files_are_those_of_dictionaries(tmp_path, lags):
    known = notes(lags)
    known.save(tmp_path / "a.npz")
    assert_same(na.NoteDictionary.load(tmp_path / "a.npz"), known)
    plain = na.Dictionary.load(tmp_path / "a.npz")
    assert type(plain) is na.Dictionary
    assert (plain.labels, plain.pitches) == (known.labels, known.pitches)
    plain.save(tmp_path / "b.npz")
    bare = na.NoteDictionary.load(tmp_path / "b.npz")
    assert_same(bare, replace(known, velocities=None, stages=None))
    assert bare.velocities == bare.stages == (None,) * 4


def test_what_is_no_dictionary_of_notes_is_not_read(tmp_path):
    plain = na.Dictionary(np.ones((257, 2)), ["a", "a"], STFT, [60, None])
    plain.save(tmp_path / "a.npz")
    with pytest.raises(AudioFileError, match="component 1 has no pitch"):
        na.NoteDictionary.load(tmp_path / "a.npz")
    header = {
        "kind": "dictionary",
        "templates": "templates",
        "labels": ["a"],
        "pitches": [60],
        "transform": STFT.to_dict(),
        "beta": 1.0,
        "metadata": {},
    }
    for wrong in ({"stages": ["middle"]}, {"stages": 3}, {"velocities": [2]}):
        path = tmp_path / "b.npz"
        save_archive(path, header | wrong, {"templates": np.ones((257, 1))}, overwrite=True)
        with pytest.raises(AudioFileError, match="not a dictionary"):
            na.NoteDictionary.load(path)


@pytest.mark.parametrize("lags", [1, 3])
def test_what_was_taken_apart_merges_again(lags):
    known = notes(lags)
    parts = [known.select(name) for name in known.names]
    assert type(parts[0]) is na.NoteDictionary
    assert_same(parts[0].merge(*parts[1:]), known.select(known.names))
    assert known.select("oboe").stages == (None, "early")


def test_only_notes_merge_with_notes():
    plain = na.Dictionary(np.ones((257, 1), np.float32), ["a"], STFT, [60])
    with pytest.raises(ParameterError, match="dictionary 3 is a Dictionary"):
        notes().merge(notes(), plain)


def test_groups_hold_every_component_once_by_pitch():
    known = notes()
    groups = known.groups()
    assert groups == {60.0: (1,), 60.5: (2,), 64.0: (0, 3)}
    assert list(groups) == sorted(groups)
    assert sorted(k for group in groups.values() for k in group) == [0, 1, 2, 3]


def test_a_range_keeps_what_lies_in_it():
    known = notes()
    assert known.restrict(60.5, 64).pitches == (64, 60.5, 64)
    assert known.restrict(60.5, 64).velocities == (None, 0, 1)
    assert_same(known.restrict(0, 127), known)
    with pytest.raises(
        ParameterError, match="no note lies between 61 and 63; the pitches range from 60 to 64"
    ):
        known.restrict(61, 63)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"pitches": None}, ParameterError, "component 0 has no pitch"),
        ({"stages": ["attack"]}, ShapeError, "stages has 1 entries for 4 components"),
        ({"stages": ["middle"] * 4}, ParameterError, "attack, early, late"),
        ({"velocities": [0.5] * 5}, ShapeError, "velocities has 5 entries for 4 components"),
        ({"velocities": [1.5] * 4}, ParameterError, "velocity is 1.5"),
        ({"velocities": [-1] * 4}, ParameterError, "velocity"),
    ],
)
def test_what_cannot_be_is_refused(change, error, words):
    with pytest.raises(error, match=words) as caught:
        notes(**change)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("lags", [1, 3])
def test_the_average_of_what_is_alike_counts_each_alike(lags):
    known = notes(lags, pitches=(64, 60, 64, 60), stages=("late", None, "late", "early"))
    loud = replace(known, templates=1000 * known.templates[..., ::-1])
    mean = loud.average()
    assert mean.pitches == (64, 60, 60)
    assert mean.labels == ("piano", "oboe", "oboe")
    assert mean.stages == ("late", None, "early")
    assert mean.velocities == (None,) * 3
    axes = tuple(range(mean.templates.ndim - 1))
    np.testing.assert_allclose(mean.templates.sum(axes), 1, rtol=1e-5)
    shares = known.templates / known.templates.sum(axes)
    np.testing.assert_allclose(
        mean.templates[..., 0], (shares[..., 1] + shares[..., 3]) / 2, rtol=1e-5
    )
    np.testing.assert_allclose(mean.merge(mean).average().templates, mean.templates, rtol=1e-5)


@pytest.mark.parametrize("lags", [1, 3])
def test_filling_gives_every_instrument_every_semitone(lags):
    known = notes(lags)
    whole = known.fill(58, 66)
    n = known.n_components
    np.testing.assert_array_equal(whole.templates[..., :n], known.templates)
    assert whole.pitches[:n] == known.pitches
    for name in known.names:
        assert set(range(58, 67)) <= set(whole.select(name).pitches)
    axes = tuple(range(whole.templates.ndim - 1))
    np.testing.assert_allclose(whole.templates[..., n:].sum(axes), 1, rtol=1e-5)
    # The piano has 60.5 and 64; the oboe 60 and 64: 62 is the lower one's.
    piano, oboe = whole.select("piano"), whole.select("oboe")
    assert {piano.stages[k] for k in piano.groups()[62]} == {"attack", "late"}
    assert oboe.stages[oboe.pitches.index(62)] is None
    assert_same(whole.fill(58, 66), whole)


def test_filling_adds_the_stages_that_a_note_lacks():
    spectra = np.zeros((257, 4), np.float32)
    spectra[[40, 80, 40, 50], range(4)] = 1
    known = na.NoteDictionary(
        spectra,
        ["piano"] * 4,
        STFT,
        [60, 60, 62, 64],
        stages=["attack", "late", "attack", "attack"],
    )
    whole = known.fill(60, 64)
    found = dict(zip(zip(whole.pitches, whole.stages, strict=True), whole.templates.T, strict=True))
    assert set(found) == {(p, stage) for p in range(60, 65) for stage in ("attack", "late")}
    for semitones in range(1, 5):  # only the lowest note has a late stage
        late = found[60 + semitones, "late"]
        assert late.argmax() == pytest.approx(80 * 2 ** (semitones / 12), abs=1)


def test_transposed_partials_lie_where_those_of_the_pitch_do():
    stft = na.Stft(44100, 4096)
    known = na.dictionaries.harmonic_notes(stft, pitches=[60])
    whole = known.fill(48, 72)
    true = na.dictionaries.harmonic_notes(stft, pitches=range(48, 73))
    for pitch, (k,) in whole.groups().items():
        (j,) = true.groups()[pitch]
        assert whole.templates[:, k].argmax() == pytest.approx(true.templates[:, j].argmax(), abs=1)
        alike = np.sqrt(whole.templates[:, k]) @ np.sqrt(true.templates[:, j])
        assert alike > 0.95 - 0.02 * abs(pitch - 60), pitch


def test_transposing_a_constant_q_template_shifts_it():
    cqt = na.Cqt(8000, fmin=110, n_bins=48, bins_per_octave=12)
    template = np.zeros((48, 1), np.float32)
    template[10:14, 0] = 0.1, 0.2, 0.3, 0.4
    for semitones in (-10, -3, 5, 34):
        moved = transpose(template, cqt.frequencies, semitones)
        np.testing.assert_allclose(moved, np.roll(template, semitones, axis=0), atol=1e-6)
        assert moved.dtype == np.float32
    assert not transpose(template, cqt.frequencies, 40).any()


def test_notes_beyond_the_transform_are_refused():
    known = na.NoteDictionary(np.eye(257)[:, 100:101], ["a"], STFT, [84])
    with pytest.raises(ParameterError, match=r"a note of pitch 101 has no energy below .* 4000 Hz"):
        known.fill(84, 120)
    with pytest.raises(ParameterError, match="low is 70 and high is 60"):
        known.fill(70, 60)


def heard(transform, pitch):
    """What a transform makes of a note whose partials have any phases."""
    f0, t = 440 * 2 ** ((pitch - 69) / 12), np.arange(transform.sr) / transform.sr
    phases = np.random.default_rng(pitch).uniform(0, 7, 200)
    h = np.arange(1, int(transform.sr / 2 / f0) + 1)
    y = (h[:, None] ** -1.5 * np.sin(2 * np.pi * f0 * h[:, None] * t + phases[h, None])).sum(0)
    V = transform.features(transform.forward(y[None]))
    middle = V[:, V.shape[1] // 3 : V.shape[1] * 2 // 3].mean(1)
    return middle / middle.sum()


@pytest.mark.parametrize(
    ("other", "least"),
    [
        (na.Stft(44100, 4096), 0.98),
        (na.Stft(16000, 2048, 500), 0.93),
        (na.Stft(22050, 2048, power=2), 0.98),
        (na.Mel(22050, n_mels=100), 0.98),
        (na.Erb(22050, n_bands=80), 0.98),
        (na.Cqt(22050, fmin=110, n_bins=78, bins_per_octave=12), 0.9),
        (na.Cqt(22050, fmin=55, n_bins=90, bins_per_octave=12, gamma=10), 0.9),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_templates_made_and_fitted_look_like_the_sound(other, least):
    pitches = range(57, 82, 8)
    made = na.dictionaries.harmonic_notes(other, pitches=pitches)
    source = na.Stft(44100, 4096)
    fitted = na.dictionaries.harmonic_notes(source, pitches=pitches).to_transform(other)
    assert (fitted.transform, fitted.pitches) == (other, made.pitches)
    for known, bound in ((made, 0.98), (fitted, least)):
        np.testing.assert_allclose(known.templates.sum(0), 1)
        for k, pitch in enumerate(pitches):
            alike = np.sqrt(known.templates[:, k]) @ np.sqrt(heard(other, pitch))
            assert alike > bound, (known is made, pitch)


def test_fitting_keeps_times_in_seconds():
    templates = np.zeros((8, 257, 1), np.float32)
    templates[3] = 1  # at 48 ms
    known = na.NoteDictionary(templates, ["a"], STFT, [60], kind="convolutive", stages=[None])
    other = na.Stft(16000, 1024, 128)
    fitted = known.to_transform(other)
    assert fitted.lags == 16
    assert other.times(16)[fitted.templates.sum((1, 2)).argmax()] == 0.048
    assert fitted.templates.dtype == np.float32


def test_fitting_to_its_own_transform_changes_nothing():
    known = notes()
    assert known.to_transform(na.Stft(8000, 512, 128)) is known


def test_what_does_not_fit_is_refused():
    mel = na.Mel(8000, n_mels=40)
    known = na.NoteDictionary(np.ones((40, 1)), ["a"], mel, [60])
    with pytest.raises(ParameterError, match="of kind mel cannot be converted"):
        known.to_transform(STFT)
    high = na.NoteDictionary(np.eye(257)[:, 250:251], ["a"], STFT, [107])
    with pytest.raises(ParameterError, match="1 of 1 components have no energy between 0 and 2000"):
        high.to_transform(na.Stft(4000, 512))


def test_repr_tells_of_its_notes():
    assert repr(notes()) == (
        "NoteDictionary(2 labels: piano 2, oboe 2; templates of 257 frequencies, stft, 8000 Hz, "
        "3 pitches from 60 to 64, stages attack/early/late)"
    )
    one = na.NoteDictionary(np.ones((257, 1)), ["a"], STFT, [60.5])
    assert repr(one).endswith("8000 Hz, pitch 60.5)")


def test_the_shipped_piano_has_every_key_in_three_stages():
    known = na.dictionaries.piano_notes()
    assert list(known.groups()) == list(range(21, 109))
    assert known.stages == ("attack", "early", "late") * 88
    np.testing.assert_allclose(known.templates.sum(0), 1, rtol=1e-2)  # rounded, to pack small
    partials = na.dictionaries.harmonic_notes(known.transform, inharmonicity="piano")
    late = known.templates[:, 2::3]
    nearest = (np.sqrt(partials.templates).T @ np.sqrt(late)).argmax(0)
    assert (np.abs(nearest - np.arange(88)) % 12 == 0)[12:].mean() > 0.9
    cqt = na.Cqt(22050, fmin=27.5, n_bins=100, bins_per_octave=12)
    assert na.dictionaries.piano_notes(cqt).transform == cqt


def test_the_shipped_piano_is_loaded_once_and_cannot_be_changed():
    piano = na.dictionaries.piano_notes()
    assert na.dictionaries.piano_notes() is piano
    with pytest.raises(ValueError, match="read-only"):
        piano.templates[0, 0] = 1


def test_note_names_are_no_bounds():
    with pytest.raises(na.ParameterError, match=r"low must be .* 'C3'"):
        na.dictionaries.piano_notes().restrict("C3", "C5")
