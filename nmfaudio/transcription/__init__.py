"""Which notes are played when: dictionaries of notes, and what is transcribed with them."""

from nmfaudio.transcription.dictionary import NoteDictionary

__all__ = ["NoteDictionary"]
