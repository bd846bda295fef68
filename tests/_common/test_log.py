"""The logger of the package."""

import logging
import subprocess
import sys

import numpy as np

import nmfaudio as na

V = np.random.default_rng(0).random((12, 20))


def fits(records, level):
    return [r.getMessage() for r in records if r.name == "nmfaudio" and r.levelno == level]


def test_a_fit_is_reported(caplog):
    with caplog.at_level(logging.DEBUG, "nmfaudio"):
        d = na.nmf(V, 3, max_iter=20, tol=0, rng=0)
    begin, end = fits(caplog.records, logging.INFO)
    for words in ("(12, 20)", "(12, 3), (3, 20)", "Product", f"{d.losses[0]:.6g}"):
        assert words in begin
    assert "not converged after 20 iterations" in end
    assert f"{d.losses[-1]:.6g}" in end
    steps = fits(caplog.records, logging.DEBUG)
    assert [step.split(", ")[0] for step in steps] == ["fit 0: iteration 10", "fit 0: iteration 20"]
    assert f"{d.losses[1]:.6g}" in steps[0]


def test_the_stages_of_a_separation_are_reported(caplog):
    y = np.random.default_rng(0).standard_normal(4000)
    with caplog.at_level(logging.INFO, "nmfaudio"):
        na.separate(y, 8000, n_components=2, max_iter=1)
    messages = fits(caplog.records, logging.INFO)
    assert "(1, 4000) samples at 8000 Hz" in messages[0]
    assert messages[-1] == "rendering 2 stems: harmonic, percussive"


def test_nothing_is_printed_unless_logging_is_configured():
    code = "import numpy as np, nmfaudio as na; na.nmf(np.ones((4, 5)), 1, max_iter=10)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == done.stderr == ""
