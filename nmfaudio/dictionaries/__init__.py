"""Templates of sounds, notes and drums: learned, made, shipped and saved."""
