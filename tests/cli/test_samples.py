"""`nmfaudio samples` copies every sample file."""

import nmfaudio as na


def test_every_file_is_copied(nmfaudio, folder):
    result = nmfaudio("samples")
    assert result.code == 0
    paths = result.out.splitlines()
    assert "audio_samples/trio/sources/oboe.flac" in paths
    for path in paths:
        assert (folder / path).is_file()
    copy = folder / "audio_samples" / "drums" / "one_shots" / "kick" / "soft.flac"
    assert copy.read_bytes() == na.example("drums", "one_shots/kick/soft.flac").read_bytes()
    assert (folder / "audio_samples" / "LICENSES.md").is_file()


def test_existing_files_are_refused_before_any_copy(nmfaudio, folder):
    (folder / "mine" / "trio").mkdir(parents=True)
    (folder / "mine" / "trio" / "mixture.flac").write_text("my own")
    result = nmfaudio("samples", "-o", "mine")
    assert result.code == 5
    (error,) = result.errors()
    assert "exists" in error
    assert [path.name for path in (folder / "mine").iterdir()] == ["trio"]
    assert nmfaudio("samples", "-o", "mine", "--overwrite").code == 0


def test_copies_that_exist_are_left_alone(nmfaudio, folder):
    assert nmfaudio("samples").code == 0
    copy = folder / "audio_samples" / "band" / "mixture.flac"
    before = copy.stat()
    result = nmfaudio("samples")
    assert result.code == 0
    assert "audio_samples/band/mixture.flac" in result.out
    assert copy.stat().st_mtime_ns == before.st_mtime_ns


def test_arguments_are_refused(nmfaudio):
    result = nmfaudio("samples", "here")
    assert result.code == 2
    assert "-o" in result.err


def test_json_lists_the_files(nmfaudio):
    assert "audio_samples/band/mixture.flac" in nmfaudio("samples", "--json").json["files"]
