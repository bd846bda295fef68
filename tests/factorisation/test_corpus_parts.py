"""Division of a corpus into shards and parts, sums in a tree, and results on disk."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmfaudio.factorisation.corpus.plan import Plan
from nmfaudio.factorisation.corpus.shard_sums import Sums
from nmfaudio.factorisation.corpus.store import Stored, load, save
from nmfaudio.factorisation.corpus.tasks import spread
from nmfaudio.factorisation.sums import add_in_order, add_shards
from nmfaudio.kernels import layout
from nmfaudio.kernels.packing import add_chunks

lengths = st.lists(st.integers(1, 300), min_size=1, max_size=40)


@given(lengths, st.integers(1, 100))
def test_parts_hold_every_frame_once_and_in_order(frames, shard):
    plan = Plan([{}] * len(frames), frames, {}, shard)
    flat = [s for part in plan.parts for s in part]
    assert flat == plan.shards
    covered = [(s.block, t) for s in flat for t in range(s.first, s.stop)]
    assert covered == [(block, t) for block, count in enumerate(frames) for t in range(count)]
    assert [s.offset for s in flat] == np.cumsum([0, *(s.frames for s in flat)])[:-1].tolist()
    assert all(sum(s.frames for s in part) <= shard for part in plan.parts)
    assert [n for g in range(plan.n_groups) for n in plan.group(g)] == list(range(len(plan.parts)))


@given(lengths, st.integers(1, 400))
def test_a_sample_is_spread_evenly_however_the_corpus_is_divided(frames, count):
    plan = Plan([{}] * len(frames), frames, {}, 50)
    total = plan.n_frames
    count = min(count, total)
    chosen = [spread(s.offset, s.offset + s.frames, count, total) for s in plan.shards]
    indices = np.concatenate(chosen)
    assert len(indices) == count == len(set(indices))
    assert all(
        ((s.offset <= c) & (c < s.offset + s.frames)).all()
        for s, c in zip(plan.shards, chosen, strict=True)
    )
    assert np.diff(indices, prepend=-1, append=total).max() <= -(-total // count)


def test_the_plan_of_other_blocks_or_settings_has_another_hash():
    first = ("a", 9, 0, 5)
    others = ("b", 9, 0, 5), ("a", 8, 0, 5), ("a", 9, 1, 5), ("a", 9, 0, 6)
    plans = [
        Plan([{"file": name}], [frames], {"seed": seed}, shard)
        for name, frames, seed, shard in (first, *others)
    ]
    assert len({plan.digest for plan in plans}) == len(plans)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_kernel_and_tasks_add_more_shards_than_a_group_in_the_same_order(dtype):
    rng = np.random.default_rng(0)
    depth, freq = layout.padded_shape(3, 20, np.dtype(dtype))
    strips = layout.strips(np.zeros((depth, freq), dtype))
    shards = 2 * np.arange(layout.GROUP + 8)
    parts = rng.random((shards[-1], *strips.shape)).astype(dtype) ** 9
    out = np.empty((depth, freq), dtype)
    for s in range(len(strips) // depth):
        add_chunks(parts, shards, s, s + 1, out)
    sums = [parts[c] + parts[c + 1] for c in shards[:-1]]
    total = add_shards(sums).astype(dtype)
    np.testing.assert_array_equal(out, layout.from_strips(total, (depth, freq)))
    # Tasks: the sum of each group, then of the groups.
    groups = [sums[: layout.GROUP], sums[layout.GROUP :]]
    as_sums = [[Sums(s, s, s, s, s) for s in group] for group in groups]
    by_tasks = Sums.added([Sums.added(group) for group in as_sums])
    np.testing.assert_array_equal(by_tasks.neg.astype(dtype), total)
    if dtype == np.float64:  # the tree is not the plain sum
        assert (add_in_order(sums) != add_shards(sums)).any()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "changed", "text"])
def test_a_damaged_result_counts_as_missing(tmp_path, damage):
    path = tmp_path / "result.npz"
    save(path, Stored({"loss": float("nan")}, {"H": np.arange(600.0)}))
    assert load(path).arrays["H"][-1] == 599
    content = bytearray(path.read_bytes())
    if damage == "missing":
        path.unlink()
    elif damage == "changed":
        content[2000] ^= 1
        path.write_bytes(content)
    else:
        path.write_bytes({"empty": b"", "cut": content[:-30], "text": b"x" * 999}[damage])
    assert load(path) is None


def test_equal_results_have_equal_bytes(tmp_path):
    for name in "ab":
        save(tmp_path / name, Stored({"x": 1.5, "a": [1]}, {"H": np.eye(2)}))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
