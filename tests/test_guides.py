"""The README and the pages tell the truth: every command and every Python block runs, in order."""

import sys
from pathlib import Path

import guides
import pytest


@pytest.mark.slow  # the other pages run in CI, with the package alone
def test_pages_that_need_extras_run_and_say_what_is_shown(tmp_path):
    runner = guides.run_all(Path(sys.executable).parent, tmp_path, ["plot"])
    assert not runner.problems, "\n".join(runner.problems)
    assert not runner.passed_over


def run(tmp_path, monkeypatch, text, available=()):
    monkeypatch.setattr(guides, "ROOT", tmp_path)
    (tmp_path / "page.md").write_text(text)
    runner = guides.Runner(Path(sys.executable).parent, tmp_path, available)
    for block in guides.blocks(tmp_path / "page.md"):
        runner.run(block)
    return runner


def test_a_wrong_output_is_a_problem(tmp_path, monkeypatch):
    text = "```sh\necho 'done in 3.1 s'\n```\n```text\n{}\n```\n"
    assert not run(tmp_path, monkeypatch, text.format("done in 2.0 s")).problems
    (problem,) = run(tmp_path, monkeypatch, text.format("finished in 2.0 s")).problems
    assert "finished" in problem


@pytest.mark.parametrize("block", ["```sh\nfalse\ntrue\n```\n", "```python\nraise OSError\n```\n"])
def test_a_failure_is_a_problem(tmp_path, monkeypatch, block):
    assert len(run(tmp_path, monkeypatch, block).problems) == 1


def test_an_error_that_is_shown_is_none(tmp_path, monkeypatch):
    text = "```console\n$ echo 'x: error: no' >&2; exit 2\nx: error: no\n$ echo yes\nyes\n```\n"
    assert not run(tmp_path, monkeypatch, text).problems
    assert run(tmp_path, monkeypatch, text.replace("error: no\n", "error: yes\n")).problems


def test_a_block_that_needs_an_extra_runs_with_it_only(tmp_path, monkeypatch):
    text = "```sh\n# needs the extra plot\nfalse\n```\n"
    assert run(tmp_path, monkeypatch, text).passed_over == ["page.md: needs plot"]
    assert run(tmp_path, monkeypatch, text, ["plot"]).problems


def test_all_pages_are_linked():
    assert set(guides.pages()[1:]) == set((guides.ROOT / "docs").glob("*.md"))
