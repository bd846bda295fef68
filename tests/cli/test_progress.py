"""Estimate of progress, compiling time, and the lines that show them."""

from __future__ import annotations

import re
import sys

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmfaudio._common.steps import listen, report_step
from nmfaudio.cli import progress
from nmfaudio.cli.compiling import Stopwatch, watch_compiler
from nmfaudio.cli.estimate import Estimate
from nmfaudio.cli.progress import Bar, times
from nmfaudio.factorisation.loop import Progress

STAGES = {"reading": 1, "fitting": 5, "rendering": 4}


class Terminal:
    """A stderr that claims to be a terminal of some columns."""

    encoding = "utf-8"

    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text

    def flush(self): ...

    @property
    def lines(self):
        return re.sub(r"\x1b\[\?7[lh]", "", self.text).split("\r\x1b[K")[1:]


@pytest.fixture
def terminal(monkeypatch):
    """Make stderr a terminal; within the test, since pytest sets stderr before it."""
    monkeypatch.setenv("TERM", "xterm")

    def make(columns=80):
        monkeypatch.setattr("sys.stderr", Terminal())
        monkeypatch.setattr(progress, "_columns", lambda: columns)
        return sys.stderr

    return make


steps = st.lists(st.tuples(st.sampled_from(sorted(STAGES)), st.floats(0, 1), st.floats(0, 9)))


@given(steps)
def test_the_share_never_falls_and_the_time_left_is_no_less_than_none(steps):
    estimate, now, shares, lefts = Estimate(STAGES), 0.0, [0.0], [0.0]
    for stage, share, seconds in steps:
        estimate.begin(stage, now)
        now += seconds
        shares.append(estimate.share(now))
        estimate.advance(share)
        left = estimate.left(now)
        shares.append(estimate.share(now))
        lefts += [] if left is None else [left]
    assert shares == sorted(shares)
    assert shares[-1] <= 1 + 1e-9
    assert min(lefts) >= -1e-9


def test_the_estimate_covers_the_stages_to_come():
    estimate = Estimate(STAGES)
    estimate.begin("fitting", 1)
    estimate.advance(1)
    assert estimate.left(6) == pytest.approx(4)


def test_a_stage_that_reports_nothing_goes_on_by_the_rate_so_far():
    estimate = Estimate(STAGES)
    estimate.begin("rendering", 6)
    shares = [estimate.share(6 + seconds) for seconds in (0, 1, 4, 100)]
    assert shares[0] == pytest.approx(0.6)
    assert shares[1] == pytest.approx(0.6 + 0.4 / 4)
    assert shares[2] == pytest.approx(0.6 + 0.4 * (1 - 0.3 / np.e))
    assert shares[2] < shares[3] <= 1


def test_time_before_the_first_report_is_no_measure_of_speed():
    estimate = Estimate(STAGES)
    estimate.begin("reading", 0)
    estimate.begin("fitting", 8)  # imports took 8 s
    assert estimate.left(8) is None
    estimate.advance(0.4)
    assert estimate.left(10) == pytest.approx(7)


def test_iterations_before_the_first_report_are_no_measure_of_speed():
    estimate = Estimate(STAGES)
    estimate.begin("fitting", 8)
    estimate.advance(0.2)
    estimate.measure_from(8)
    estimate.advance(0.4)
    assert estimate.left(10) == pytest.approx(14)


def test_loading_machine_code_is_not_compiling():
    now = [0.0]
    watch = Stopwatch(lambda: now[0])
    watch.lock(1)
    now[0] = 5
    watch.lock(-1)
    assert (watch.seconds, watch.running) == (0, False)


def test_nested_compiling_counts_once():
    now = [10.0]
    watch = Stopwatch(lambda: now[0])
    watch.lock(1)
    watch.compile()
    watch.lock(1)
    now[0] = 13
    watch.compile()
    watch.lock(-1)
    assert (watch.seconds, watch.running) == (3, True)
    now[0] = 14
    watch.lock(-1)
    now[0] = 20
    assert (watch.seconds, watch.running) == (4, False)


def test_numba_announces_what_it_compiles():
    with watch_compiler() as watch:
        assert numba.njit(lambda x: x + 1)(1) == 2
    assert watch.seconds > 0


def test_one_bar_over_all_stages_and_models(terminal):
    terminal = terminal()
    with Bar("2 of 7 song", {"fitting": 1, "computing the stems": 1}) as bar:
        bar.update(Progress(10, 20, 1.0, 0, 2))
        bar._redraw()
        bar.update(Progress(20, 20, 1.0, 1, 2))
        bar._redraw()
        report_step("computing the stems")
        report_step("computing the stems", 0.5)
        bar._redraw()
    shown = [(line.count("━"), line.split("  ")[2]) for line in terminal.lines if "━" in line]
    assert all(line.startswith("2 of 7 song  ") for line in terminal.lines if line)
    shares = [share for share, _ in shown]
    assert shares == sorted(shares)
    assert list(dict.fromkeys(stage for _, stage in shown)) == [
        "fitting model 1 of 2",
        "fitting model 2 of 2",
        "computing the stems",
    ]


@pytest.mark.parametrize("columns", [12, 20, 40, 80, 200])
def test_the_bar_fits_the_terminal(terminal, monkeypatch, columns):
    terminal = terminal(columns)
    with Bar("a recording with a long name", {"fitting": 1}) as bar:
        bar.update(Progress(10, 20, 1.0, 2, 5))
        bar._redraw()
        bar._compiling.lock(1)
        bar._compiling.compile()
        monkeypatch.setattr(progress, "_COMPILING", -1.0)
        bar._redraw()
        bar._compiling.lock(-1)
    assert max(map(len, terminal.lines)) < columns
    assert any("fitting mod"[: columns - 1] in line for line in terminal.lines)
    assert any("compiling, once"[: columns - 1] in line for line in terminal.lines)


def test_a_warning_goes_above_the_bar(terminal):
    terminal = terminal()
    with Bar("song", STAGES) as bar:
        bar.show_stage("reading")
        bar.print("warning")
    assert "\r\x1b[Kwarning\n" in terminal.text
    assert terminal.text.endswith("\r\x1b[K")


def test_lines_of_progress(capfd, monkeypatch):
    monkeypatch.setattr(progress, "_INTERVAL", 0.01)
    with Bar("song", {"fitting": 1}, lines=True) as bar:
        bar.update(Progress(10, 20, 1.0, 0, 1))
        bar._thread.join(0.2)
    lines = capfd.readouterr().err.splitlines()
    assert lines[-1].startswith("song: fitting the model, 50% done")


def test_nothing_is_drawn_where_there_is_no_terminal(capfd):
    with Bar("song", STAGES) as bar:
        bar.show_stage("reading")
        bar.clear()
    assert capfd.readouterr() == ("", "")


def test_steps_reach_the_listener_only():
    seen = []
    with listen(lambda *step: seen.append(step)):
        report_step("writing", 1)
    report_step("reading")
    assert seen == [("writing", 1)]


@pytest.mark.parametrize(
    ("duration", "text"), [(0.5, "4.1 s for 0.5 s of audio"), (12.2, "4.1 s for 0:12 of audio")]
)
def test_time_taken_and_length_of_the_recording(duration, text):
    assert times(4.08, duration) == text
