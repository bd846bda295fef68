"""Which notes are played: from a recording and known sounds of notes to notes, and back to sound.

The parts are functions and small classes of their own: what is known of notes, models that say how
strong each note is when, and what makes notes of that. `Transcription` is what comes out.
"""
