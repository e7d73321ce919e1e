"""Names of runs and of files. Text order is the order of runs; no clock is asked; no name is used twice."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_RUN = re.compile(r"(?:^|[/-])r(\d{6})[0-9a-z]{4}(?=[-./]|$)")


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def next_run(names: Iterable[str]) -> str:
    """Return a run name, one higher than the highest in `names` (of run files or of any file), such as r000017k3f9."""
    highest = max((int(found) for name in names for found in _RUN.findall(name)), default=0)
    return f"r{highest + 1:06d}{_random(4)}"


def part_name(sub: str, run: str, job: int, part: int = 0, prefix: str = "") -> str:
    """Return a fresh file name `SUB/[PREFIX-]RUN-JOB-PART-xxxx.parquet`."""
    return f"{sub}/{prefix + '-' if prefix else ''}{run}-{job:06d}-{part:03d}-{_random(4)}.parquet"


def base_name(sub: str, run: str, prefix: str = "") -> str:
    """Return a fresh name for the file that tidying writes."""
    return f"{sub}/{prefix + '-' if prefix else ''}base-{run}-00of01-{_random(4)}.parquet"


def twin(name: str, sub: str) -> str:
    """Return the name of the same stem in another folder (bytes ↔ images, blobs ↔ results)."""
    return f"{sub}/{name.rsplit('/', 1)[-1]}"


def run_of(name: str) -> str | None:
    """Return the run in a file name, or None."""
    found = re.search(r"r\d{6}[0-9a-z]{4}", name.rsplit("/", 1)[-1])
    return found[0] if found else None
