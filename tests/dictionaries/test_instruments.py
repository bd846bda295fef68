"""Instruments whose notes ship with the package."""

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.dictionaries.shipped_instruments import program_of
from nmfaudio.symbolic.names import PROGRAMS

SHIPPED = na.dictionaries.instruments()


@pytest.mark.parametrize("instrument", SHIPPED, ids=lambda each: each.name)
def test_every_instrument_has_all_notes_of_its_range(instrument):
    known = na.dictionaries.instrument_notes(instrument.name)
    assert known.names == (instrument.name,)
    assert sorted(known.groups()) == list(range(instrument.low, instrument.high + 1))
    np.testing.assert_allclose(known.templates.sum(axis=0), 1, rtol=2e-3)
    assert 0 <= instrument.program < len(PROGRAMS)


@pytest.mark.parametrize("instrument", SHIPPED[1:], ids=lambda each: each.name)
def test_notes_have_their_fundamental_or_its_first_partials(instrument):
    known = na.dictionaries.instrument_notes(instrument.name)
    frequencies = np.asarray(known.transform.frequencies)
    peaks = frequencies[known.templates.argmax(axis=0)]
    expected = 440 * 2 ** ((np.array(known.pitches) - 69) / 12)
    partials = peaks / expected
    tuned = np.abs(partials - partials.round()) * expected < 2 * frequencies[1]
    assert tuned.mean() > 0.9


def test_files_are_small_and_shared():
    sizes = {each.name: each.size for each in SHIPPED}
    assert sizes.pop("piano") < 2.5e6
    assert max(sizes.values()) < 250_000
    guitar = na.dictionaries.instrument_notes("guitar")
    assert na.dictionaries.instrument_notes("guitar") is guitar
    assert not guitar.templates.flags.writeable
    assert na.dictionaries.instrument_notes("piano") is na.dictionaries.piano_notes()


def test_names_with_hyphens_and_other_transforms():
    stft = na.Stft(44100, 8192, 1024)
    known = na.dictionaries.instrument_notes("electric-guitar", stft)
    assert (known.names, known.transform) == (("electric guitar",), stft)


def test_an_unknown_instrument_is_refused_with_all_names():
    with pytest.raises(na.ParameterError, match=r"no instrument 'kazoo'.*piano, electric-piano"):
        na.dictionaries.instrument_notes("kazoo")


def test_programs_of_labels():
    labels = ("horn", "violin", "Church organ", "kazoo", "40")
    assert [program_of(label) for label in labels] == [60, 40, 19, 0, 0]
