from nmfaudio.io import load_archive as load_archive, save_archive as save_archive, show as show  # TEMPORARY
