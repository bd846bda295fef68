"""The surveyor of containers ends, whatever it is given."""

import io

from audio_files import encode, noise
from hypothesis import given, settings
from hypothesis import strategies as st

from nmfaudio.audio.io.containers import survey
from nmfaudio.audio.io.ogg import checksum


def test_the_ogg_checksum_is_the_one_in_the_pages():
    data = encode(noise(100), "OGG", "VORBIS")
    length = 27 + data[26] + sum(data[27 : 27 + data[26]])
    page = data[:length]
    stored = int.from_bytes(page[22:26], "little")
    assert checksum(page[:22] + bytes(4) + page[26:]) == stored


@settings(max_examples=200)
@given(
    st.sampled_from([b"RIFF", b"RIFX", b"RF64", b"FORM", b"riff", b".snd", b"OggS"]),
    st.binary(max_size=300),
)
def test_a_survey_of_anything_ends(magic, rest):
    data = magic + rest
    facts = survey(io.BytesIO(data), len(data))
    assert facts.available <= len(data)
    assert facts.undeclared <= len(data)


@settings(max_examples=100)
@given(st.integers(0, 1 << 40), st.sampled_from(["WAV", "W64", "RF64", "AIFF", "AU"]), st.data())
def test_a_survey_of_a_broken_header_ends(bits, container, data):
    content = bytearray(encode(noise(50), container))
    at = data.draw(st.integers(4, 120))
    content[at : at + 5] = bits.to_bytes(6, "little")[:5]
    facts = survey(io.BytesIO(bytes(content)), len(content))
    assert facts.available <= len(content)
