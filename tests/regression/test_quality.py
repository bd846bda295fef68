"""Separation stays as good as it was measured, and so does its measuring."""

import json

import numpy as np
import pytest
import soundfile

from benchmarks.quality.cases import load_cases
from benchmarks.quality.ours import blind
from benchmarks.quality.scoring import by_task, judge
from benchmarks.quality.systems import SYSTEMS, System

CASES = {case.name: case for case in load_cases()}
# Mean SDR in dB over the sources of each sample's test section, of the mixture and of our stems.
MEASURED = {"drums": (-4.0, 12.3), "trio": (-2.8, 4.5), "band": (-2.8, 5.1), "band, 2": (0.1, 8.9)}


@pytest.mark.parametrize("case", MEASURED)
def test_blind_separation_is_as_good_as_it_was(case):
    (row,) = judge(CASES[case], {"blind": System(blind)}, seeds=1)
    before, now = MEASURED[case][0], np.mean(list(row["sdr"].values()))
    assert now > MEASURED[case][1] - 0.7
    assert now > before + 5


def test_peers_have_their_places():
    chosen = {name: SYSTEMS[name] for name in ("mixture", "librosa HPSS", "ideal mask, α = 2")}
    rows = list(judge(CASES["band, 2"], chosen, seeds=3))
    assert [row["seed"] for row in rows] == [0, 0, 0]  # none of them knows chance
    before, peer, ideal = (np.mean(list(row["sdr"].values())) for row in rows)
    assert before + 3 < peer < ideal - 3
    assert list(judge(CASES["drums"], {"librosa HPSS": SYSTEMS["librosa HPSS"]}, seeds=1)) == []


def test_a_folder_of_cases(tmp_path):
    rng = np.random.default_rng(0)
    sources = {name: rng.standard_normal(4000) / 16 for name in ("vocals", "drums", "bass")}
    (tmp_path / "song" / "sources").mkdir(parents=True)
    (tmp_path / "song" / "f0").mkdir()
    for name, y in sources.items():
        soundfile.write(tmp_path / f"song/sources/{name}.wav", y, 1000, subtype="DOUBLE")
    total = np.sum(list(sources.values()), axis=0)
    soundfile.write(tmp_path / "song/mixture.wav", total, 1000, subtype="DOUBLE")
    facts = {"task": "stems", "sources": list(sources), "train": [0, 1.5], "test": [1.5, 4]}
    (tmp_path / "song/case.json").write_text(json.dumps(facts))

    case, voice = load_cases(tmp_path)
    assert (case.name, case.task, case.sr, case.start) == ("song", "stems", 1000, 1.5)
    assert list(case.sources) == list(sources)
    for name, y in sources.items():
        np.testing.assert_array_equal(case.sources[name], y[None, 1500:])
        np.testing.assert_array_equal(case.train[name], y[None, :1500])
    np.testing.assert_array_equal(case.mixture, total[None, 1500:])
    assert list(voice.sources) == ["voice", "rest"]
    np.testing.assert_allclose(sum(voice.sources.values()), voice.mixture, atol=1e-12)


def test_a_table_has_the_mean_of_cases_and_the_spread_of_seeds():
    rows = [
        {
            "task": "t",
            "case": case,
            "system": "blind",
            "seed": seed,
            "sdr": {"a": sdr, "b": sdr + 2},
        }
        for case, seed, sdr in (("x", 0, 1.0), ("x", 1, 3.0), ("y", 0, 5.0), ("y", 1, 7.0))
    ]
    assert by_task(rows, "sdr").splitlines() == [
        "| task | blind |",
        "|---|---|",
        "| t | 5.0 ± 1.0 |",
    ]
