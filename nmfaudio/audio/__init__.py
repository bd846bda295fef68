"""Sound and spectrograms: reading and writing, transforms, masks, phase and spatial filters."""
