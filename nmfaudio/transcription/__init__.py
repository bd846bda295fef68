"""Which notes are played when: models of notes, and how their activations become notes."""
