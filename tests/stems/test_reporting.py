"""Report pages of stems: component sounds, measures and the page of a transcription."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import nmfaudio as na
from nmfaudio.stems import reporting


@pytest.fixture(scope="module")
def stems():
    rng = np.random.default_rng(0)
    y = rng.standard_normal((2, 16000)).astype(np.float32)
    y[:, 9000:12000] *= 4
    return na.separate(y, 8000, n_components=4, max_iter=10, rng=0)


def test_whole_sounds_of_a_stem_sum_to_its_mean_over_channels(stems):
    contents = reporting.report_contents(stems)
    for name, group in contents.groups.items():
        total = sum(contents.sounds[k].samples for k in group)
        assert np.allclose(total, stems[name].mean(0), atol=1e-5)
    assert {sound.start for sound in contents.sounds.values()} == {0}


def test_the_strongest_have_whole_sounds_and_the_others_excerpts(stems, monkeypatch):
    singles = reporting.report_contents(stems).sounds
    monkeypatch.setattr(reporting, "_MOST_SECONDS", 2.0)  # of one component
    monkeypatch.setattr(reporting, "_SHORTEST_EXCERPT", 0.25)
    contents = reporting.report_contents(stems)
    strongest = int(np.argmax(reporting.component_shares(stems.decomposition)))
    assert len(contents.sounds[strongest].samples) == 16000
    for k in set(contents.sounds) - {strongest}:
        excerpt = contents.sounds[k]
        start, length = round(excerpt.start * 8000), len(excerpt.samples)
        assert 0.4 * 8000 < length <= 0.5 * 8000
        assert start >= 0
        assert start + length <= 16000
        inner = slice(stems.transform.n_fft, length - stems.transform.n_fft)
        part = singles[k].samples[start : start + length]
        assert np.allclose(excerpt.samples[inner], part[inner], atol=1e-5)
        energies = np.convolve(singles[k].samples ** 2, np.ones(length), "valid")
        assert (part**2).sum() > 0.5 * energies.max()


@pytest.mark.parametrize("most", [1, 2, 3])
def test_whole_sounds_and_the_rest_sum_to_the_stem(stems, monkeypatch, most):
    monkeypatch.setattr(reporting, "_MOST_SECONDS", 2.0 * most)
    contents = reporting.report_contents(stems)
    whole = {k for k, sound in contents.sounds.items() if len(sound.samples) == 16000}
    assert len(whole) == most
    for name, group in contents.groups.items():
        own = [contents.sounds[k].samples for k in group if k in whole]
        rest = set(group) - whole
        assert (name in contents.rests) == bool(own and rest)
        if own:
            total = sum(own) + contents.rests.get(name, 0)
            assert np.allclose(total, stems[name].mean(0), atol=1e-5)


def test_the_strongest_of_many_components_have_sounds(stems, monkeypatch):
    monkeypatch.setattr(reporting, "_MOST_SOUNDS", 2)
    contents = reporting.report_contents(stems)
    shares = reporting.component_shares(stems.decomposition)
    assert shares.sum() == pytest.approx(1)
    assert set(contents.sounds) == set(np.argsort(-shares)[:2])
    share = round(100 * float(np.sort(shares)[-2:].sum()))
    (remark,) = contents.remarks
    assert f"2 strongest components in full ({share} % of the model)" in remark
    assert remark.endswith("; the rest are silent.")


def test_notes_have_the_stems_that_they_were_divided_into(stems):
    divided = replace(
        stems,
        stems=dict(zip(("left", "right"), stems.values(), strict=True)),
        groups=dict(zip(("left", "right"), stems.groups.values(), strict=True)),
    )
    notes = [na.Note(0, 1, 48), na.Note(0, 1, 72)]
    tracks = [note.track for note in reporting.report_contents(divided, notes=notes).notes]
    assert tracks == ["left", "right"]
    others = replace(divided, stems=dict(stems), groups=dict(stems.groups))
    assert list(reporting.report_contents(others, notes=notes).notes) == notes


def test_page_has_measures_where_there_are_references(tmp_path):
    y = np.random.default_rng(0).standard_normal((1, 2000))
    stems = na.separate(y, 8000, n_components=2, max_iter=2)
    (page,) = stems.report(
        tmp_path / "a.html", references=dict(stems), title="noise", model="n.npz"
    )
    data = page_data(page)
    assert set(data["scores"]) == {*stems, "mean"}
    assert "SI-SDR" in data["scores"]["mean"]
    assert (data["title"], data["model"]) == ("noise", "n.npz")


@pytest.mark.slow
def test_notes_and_stems_of_a_transcription_are_on_its_page(tmp_path):
    time = np.arange(22050) / 22050
    y = np.sin(2 * np.pi * 440 * time) * np.linspace(1, 0, 22050) ** 3
    transcription = na.Transcriber()(y, 22050)
    (page,) = transcription.report(tmp_path / "a.html", by="pitch")
    data = page_data(page)
    assert [note[2] for note in data["notes"]] == [69.0]
    assert [stem["name"] for stem in data["stems"]] == ["A4", "rest"]


def page_data(page):
    return json.loads(re.search(r'id="report-data">(.*?)</script>', page.read_text("utf-8"))[1])
