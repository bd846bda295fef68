"""What every separator shares: its options and the registry the command line reads."""
