"""A release is built only from a clean commit that has the tag of its version."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "packaging" / "release.py"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_each_thing_that_is_missing_is_one_line(tmp_path):
    def git(*arguments):
        names = {
            f"GIT_{who}_{what}": "x"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        command = ["git", "-C", str(tmp_path), *arguments]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | names)

    def commit():
        git("add", "-A")
        git("commit", "--no-verify", "-qm", "x")

    def problem():
        command = [sys.executable, str(tmp_path / "packaging" / "release.py")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == bool(done.stderr)
        assert not done.stderr or len(done.stderr.splitlines()) == 1
        return done.stderr

    version, changes = tmp_path / "nmfaudio" / "_version.py", tmp_path / "CHANGELOG.md"
    for folder in (version.parent, tmp_path / "packaging"):
        folder.mkdir()
    shutil.copy(SCRIPT, tmp_path / "packaging")
    version.write_text('__version__ = "0.2.0"\n')
    changes.write_text("## Unreleased\n\n## 0.1.0 - 2026-01-31\n")
    assert "no section '## 0.2.0 - YYYY-MM-DD'" in problem()
    changes.write_text("## 0.2.0 - 2026-12-01\n")
    git("init", "-q")
    commit()
    assert "the version is 0.2.0, but the commit has no tag" in problem()
    git("tag", "v0.1.9")
    assert "the tag v0.1.9; it needs v0.2.0 alone" in problem()
    git("tag", "-d", "v0.1.9")
    git("tag", "v0.2.0")
    assert problem() == ""
    (tmp_path / "new.py").touch()
    assert "1 files differ from the commit, such as new.py" in problem()
    commit()
    assert "no tag" in problem()
    version.write_text('__version__ = "0.2.0"\nextra = 1\n')
    assert "it must be one line" in problem()
