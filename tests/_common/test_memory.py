"""The limit of memory is the least of the machine's, the control groups' and the process's."""

import resource
import subprocess
import sys

import pytest
from process_folders import build_process

from nmfaudio._common import control_groups, memory
from nmfaudio._common.memory import cgroup_memory, memory_limit, parse_budget, parse_size
from nmfaudio.errors import ParameterError

V2 = ("/", "/cgroup", "cgroup2", "rw")


def test_each_group_of_version_2_leaves_its_limit_less_what_is_in_use(tmp_path):
    files = {
        "cgroup/a/memory.max": "1000\n",
        "cgroup/a/memory.current": "700\n",
        "cgroup/a/memory.stat": "anon 500\nfile 200\ninactive_file 150\n",
        "cgroup/a/b/memory.max": "max\n",
        "cgroup/a/b/memory.current": "700\n",
        "cgroup/other/memory.max": "5\n",
        "cgroup/other/memory.current": "5\n",
    }
    assert list(cgroup_memory(build_process(tmp_path, ["0::/a/b"], [V2], files))) == [450]


def test_groups_of_version_1_count_the_totals(tmp_path):
    files = {
        "memory/job/memory.limit_in_bytes": "1000",
        "memory/job/memory.usage_in_bytes": "900",
        "memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 50\n",
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": "900",
    }
    mounts = [("/", "/cpu", "cgroup", "rw,cpu"), ("/", "/memory", "cgroup", "rw,memory")]
    groups = ["5:memory:/job", "4:cpuset:/", "3:cpu,cpuacct:/", "0::/"]
    process = build_process(tmp_path, groups, mounts, files)
    assert list(cgroup_memory(process)) == [150, 9223372036854770812]


@pytest.mark.parametrize(
    ("free", "group", "expected"),
    [(4, "8192", 4096), (4, "3000", 2900), (4, "max", 4096), (4, "50", 0)],
)
def test_the_least_limit_counts(tmp_path, monkeypatch, free, group, expected):
    files = {
        "cgroup/memory.max": group,
        "cgroup/memory.current": "100",
        "meminfo": f"MemTotal:   99 kB\nMemAvailable:   {free} kB\n",
    }
    process = build_process(tmp_path, ["0::/"], [V2], files)
    monkeypatch.setattr(control_groups, "PROCESS", process)
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    assert memory_limit() == expected


def test_there_is_none_where_the_system_reports_none(tmp_path, monkeypatch):
    monkeypatch.setattr(control_groups, "PROCESS", tmp_path)
    monkeypatch.setattr(memory, "_MEMINFO", tmp_path / "meminfo")
    assert memory_limit() is None


def test_the_limit_of_the_address_space_counts():
    script = """
import resource
from nmfaudio._common.memory import memory_limit
resource.setrlimit(resource.RLIMIT_AS, (2**29, 2**29))
print(memory_limit())
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert 0 < int(result.stdout) < 2**29
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 2**29


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("2G", 2**31),
        ("500m", 500 * 2**20),
        ("1.5GiB", 3 * 2**29),
        (" 1.5 gb ", 1_500_000_000),
        (".5T", 2**39),
        ("64KB", 64_000),
        ("123", 123),
        ("123 B", 123),
        (123, 123),
    ],
)
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    [
        "",
        "G",
        "-1G",
        "0",
        "0.5",
        "nan",
        "inf",
        "1e9",
        "2X",
        "2 G G",
        "2iB",
        "1,5G",
        "9" * 400,
        True,
    ],
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ParameterError, match=r"limit is .*; need an amount of memory, such as 500"):
        parse_size(text, "limit")


def test_less_than_the_libraries_take_is_refused():
    assert parse_budget("200M") == 200 * 2**20
    for text in ("1", "1K", "199M"):
        with pytest.raises(ParameterError, match=f"'{text}' is too little memory; need 200M"):
            parse_budget(text)
