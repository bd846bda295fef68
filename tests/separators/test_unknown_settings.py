"""A setting that a separator, a transcriber or a note model does not have is named and refused."""

import copy
import inspect
import pickle
from dataclasses import dataclass, replace

import pytest
from minimal import SETTINGS

import nmfaudio as na
from nmfaudio._common.options import option
from nmfaudio.separators import SEPARATORS
from nmfaudio.separators.base import load_separator
from nmfaudio.transcription.attack_decay import AttackDecayModel
from nmfaudio.transcription.decoding import Decoding
from nmfaudio.transcription.note_model import NoteModel

TRANSCRIBERS = (na.DrumTranscriber, NoteModel, AttackDecayModel, Decoding)
KINDS = (*(load_separator(name) for name in SEPARATORS), *TRANSCRIBERS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_setting_is_named_with_all_that_there_are(kind):
    with pytest.raises(na.ParameterError) as caught:
        kind(tempo=3)
    known = ", ".join(inspect.signature(kind).parameters)
    assert str(caught.value) == f"{kind.__name__} has no setting 'tempo'; choose from {known}"
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("name", SEPARATORS)
def test_values_without_a_name_are_refused(name):
    kind = load_separator(name)
    with pytest.raises(na.ParameterError, match=f"{kind.__name__} takes no settings by position"):
        kind(3)


def test_the_closest_setting_is_proposed():
    with pytest.raises(na.ParameterError, match=r"'components'; did you mean n_components\?"):
        na.HpssSeparator(components=3)
    with pytest.raises(na.ParameterError, match=r"'treshold'; did you mean threshold\?"):
        na.DrumTranscriber(treshold=3)


def test_a_separator_of_ones_own_refuses_them_too():
    @dataclass(frozen=True, kw_only=True)
    class Own(na.HpssSeparator):
        depth: int = option(1, "a setting of its own")

    assert Own(depth=2, models=1).depth == 2
    with pytest.raises(
        na.ParameterError, match=r"Own has no setting 'deepth'; did you mean depth\?"
    ):
        Own(deepth=2)


@pytest.mark.parametrize("name", SEPARATORS)
def test_copies_are_equal(name):
    one = load_separator(name)(**SETTINGS.get(name, {}))
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == replace(one) == one
