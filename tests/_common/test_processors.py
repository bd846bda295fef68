"""The number of threads follows the affinity and the quotas of control groups."""

import os
from functools import partial

import pytest
from process_folders import build_process

from nmfaudio._common import processors
from nmfaudio._common.processors import cgroup_quota, usable_processors
from nmfaudio.kernels.threads import get_threads, parallel_for, set_threads


@pytest.fixture
def process(tmp_path):
    """Build the folder of a process from its groups, its mounts and the files of the groups."""

    return partial(build_process, tmp_path)


V2 = ("/", "/cgroup", "cgroup2", "rw,nsdelegate")


@pytest.mark.parametrize(
    ("text", "quota"),
    [("200000 100000\n", 2), ("150000 100000\n", 2), ("5000 100000\n", 1), ("max 100000\n", None)],
)
def test_quota_of_version_2_is_rounded_up(process, text, quota):
    assert cgroup_quota(process(["0::/"], [V2], {"cgroup/cpu.max": text})) == quota


def test_the_least_quota_of_a_group_and_those_around_it_counts(process):
    files = {
        "cgroup/a/cpu.max": "300000 100000",
        "cgroup/a/b/cpu.max": "800000 100000",
        "cgroup/other/cpu.max": "100000 100000",
    }
    assert cgroup_quota(process(["0::/a/b"], [V2], files)) == 3


@pytest.mark.parametrize(("quota", "expected"), [("250000", 3), ("-1", None), ("0", None)])
def test_quota_of_version_1(process, quota, expected):
    files = {"cpu/job/cpu.cfs_quota_us": quota, "cpu/job/cpu.cfs_period_us": "100000"}
    mounts = [("/", "/memory", "cgroup", "rw,memory"), ("/", "/cpu", "cgroup", "rw,cpu,cpuacct")]
    groups = ["5:memory:/job", "4:cpuset:/", "3:cpu,cpuacct:/job", "0::/"]
    assert cgroup_quota(process(groups, mounts, files)) == expected


def test_in_a_container_the_group_is_the_root_of_the_mount(process):
    mounts = [("/docker/1", "/a\\040b", "cgroup", "rw,cpu")]
    files = {"a b/cpu.cfs_quota_us": "400000", "a b/cpu.cfs_period_us": "100000"}
    assert cgroup_quota(process(["3:cpu:/docker/1"], mounts, files)) == 4


def test_a_group_outside_the_mount_has_the_quota_of_the_mount(process):
    folder = process(
        ["0::/../elsewhere"],
        [("/docker/1", "/cgroup", "cgroup2", "rw")],
        {"cgroup/cpu.max": "100000 100000"},
    )
    assert cgroup_quota(folder) == 1


@pytest.mark.parametrize("text", ["", "max", "100000", "a b", "100000 0"])
def test_files_in_another_format_are_no_quota(process, text):
    assert cgroup_quota(process(["0::/"], [V2], {"cgroup/cpu.max": text})) is None


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert cgroup_quota(tmp_path) is None


@pytest.mark.parametrize(("quota", "expected"), [(None, 8), (2, 2), (99, 8)])
def test_threads_are_limited_by_quota_and_affinity(monkeypatch, quota, expected):
    monkeypatch.delenv("NMFAUDIO_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(processors, "_quota", lambda: quota)
    set_threads(None)
    assert usable_processors() == get_threads() == expected
    parts = []
    parallel_for(lambda part: parts.append(len(part)), 16)
    assert len(parts) == expected


def test_a_number_of_threads_that_was_set_ignores_the_quota(monkeypatch):
    monkeypatch.setattr(processors, "_quota", lambda: 1)
    monkeypatch.setenv("NMFAUDIO_NUM_THREADS", "3")
    assert get_threads() == 3
