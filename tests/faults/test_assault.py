"""No run of a sample of the assault misbehaves."""

import subprocess
import sys

import pytest
from processes import ROOT


@pytest.mark.slow
def test_hostile_options_and_files_are_refused_well():
    command = [sys.executable, str(ROOT / "tests/faults/assault.py"), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
