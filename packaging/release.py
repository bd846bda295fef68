"""Refuse to build a release unless the commit has the tag of its version; see CONTRIBUTING.md."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def git(*arguments: str) -> str:
    """Output of git in the root of the project."""
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        sys.exit("release: git is not installed; a release is built from a clone")
    except subprocess.CalledProcessError as error:
        sys.exit(f"release: {error.stderr.strip()}; a release is built from a clone")
    return done.stdout.strip()


def problem() -> str | None:
    """What is missing for a release, and what to do."""
    stated = (ROOT / "nmfaudio" / "_version.py").read_text(encoding="utf-8")
    version = re.fullmatch(r'__version__ = "([^"]+)"\n', stated)
    if version is None:
        return f'nmfaudio/_version.py is {stated!r}; it must be one line, __version__ = "X.Y.Z"'
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    if not re.search(rf"^## {re.escape(version[1])} - \d{{4}}-\d\d-\d\d$", changes, re.MULTILINE):
        return f"CHANGELOG.md has no section '## {version[1]} - YYYY-MM-DD'; date it and commit"
    if changed := git("status", "--porcelain").splitlines():
        return f"{len(changed)} files differ from the commit, such as {changed[0][3:]}; commit them"
    tags = git("tag", "--points-at", "HEAD").split()
    if tags != [f"v{version[1]}"]:
        return (
            f"the version is {version[1]}, but the commit has "
            f"{'the tag ' + ', '.join(tags) if tags else 'no tag'}; it needs v{version[1]} alone"
        )
    return None


if __name__ == "__main__":
    found = problem()
    sys.exit(found and f"release: {found}")
