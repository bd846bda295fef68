"""Notes, MIDI files, drum hits, and the alignment of scores with recordings."""
