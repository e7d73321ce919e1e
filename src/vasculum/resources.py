"""How many cores and how much memory this process was given: asked of the scheduler and the system, never guessed."""

from __future__ import annotations

import math
import os
from pathlib import Path

import psutil

MEMORY_SHARE = 0.8
"""The part of the memory that workers may fill together; the rest is for the system and its page cache."""

CGROUP = Path("/sys/fs/cgroup")


def cores() -> int:
    """Return the cores given: SLURM_CPUS_PER_TASK, else the affinity mask and the cgroup's quota, whichever is less."""
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if slurm.isdigit() and int(slurm) > 0:
        return int(slurm)
    try:
        given = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no affinity mask
        given = os.cpu_count() or 1
    quota = _cgroup_cores()
    return max(1, min(given, math.ceil(quota)) if quota else given)


def memory() -> int:
    """Return the bytes of memory given: SLURM_MEM_PER_NODE, the cgroup's limit or what the machine has, the least."""
    limits = [int(psutil.virtual_memory().total)]
    slurm = os.environ.get("SLURM_MEM_PER_NODE", "")
    if slurm.isdigit():
        limits.append(int(slurm) * 2**20)
    limit = _read("memory.max") or _read("memory/memory.limit_in_bytes")
    if limit.isdigit():
        limits.append(int(limit))
    return min(limits)


def memory_per_worker(workers: int) -> int:
    """Return the bytes that one of `workers` may hold before it is stopped."""
    return int(memory() * MEMORY_SHARE / max(1, workers))


def _cgroup_cores() -> float | None:
    words = _read("cpu.max").split()
    if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
        return int(words[0]) / int(words[1])
    quota, period = _read("cpu/cpu.cfs_quota_us"), _read("cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit() and int(quota) > 0:
        return int(quota) / int(period)
    return None


def _read(name: str) -> str:
    try:
        return (CGROUP / name).read_text().strip()
    except OSError:
        return ""
