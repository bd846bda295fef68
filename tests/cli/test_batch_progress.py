"""Progress of a batch on a terminal."""

import pytest

from nmfaudio.cli.batch_progress import BatchProgress
from tests.cli.test_progress import terminal  # noqa: F401  # a fixture


def report(name, exit_code=0):
    return {"input": name, "exit_code": exit_code}


def test_a_terminal_shows_how_many_files_are_done_and_have_failed(terminal):  # noqa: F811
    stderr = terminal()
    with BatchProgress("hpss", {"a": 1, "b": 3, "c": 4}, form=None, quiet=False) as progress:
        progress.add(report("a"))
        progress.add(report("b", exit_code=3))
    assert "1 of 3 files" in stderr.text
    assert "2 of 3 files, 1 failed" in stderr.text
    assert stderr.lines[-1] == ""


@pytest.mark.parametrize(("form", "quiet"), [(None, True), ("json", False), ("lines", False)])
def test_no_bar_where_it_is_not_wanted(terminal, form, quiet):  # noqa: F811
    stderr = terminal()
    with BatchProgress("hpss", {"a": 1}, form=form, quiet=quiet) as progress:
        progress.add(report("a"))
    assert "━" not in stderr.text
