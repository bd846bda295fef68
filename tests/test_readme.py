"""The README tells the truth: two commands first, and Python that runs."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)


def test_the_first_two_blocks_are_one_command_each():
    for language, text in BLOCKS[:2]:
        assert language == "sh"
        assert len(text.splitlines()) == 1
    assert "nmfaudio separate" in BLOCKS[0][1]
    assert "pytest" in BLOCKS[1][1]


def test_the_python_block_runs(tmp_path, monkeypatch):
    (code,) = [text for language, text in BLOCKS if language == "python"]
    (tmp_path / "audio_samples").symlink_to(ROOT / "audio_samples")
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code, names)
    assert (tmp_path / "out" / "source-1.wav").exists()
    assert names["nmfd"].W.ndim == 3
    assert (names["H"] >= 0).all()


def test_every_file_it_names_exists():
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
