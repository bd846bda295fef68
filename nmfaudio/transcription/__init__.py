"""Which notes are played when: dictionaries of notes, and what is transcribed with them."""

from nmfaudio.transcription.dictionary import STAGES, NoteDictionary

__all__ = ["STAGES", "NoteDictionary"]
