"""Doctor: whether this installation can do its work, each point tried rather than looked up."""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path

from vasculum import resources
from vasculum.errors import VasculumError
from vasculum.pixels.codecs import codecs
from vasculum.pixels.policy import DecodePolicy
from vasculum.processing.guard import Guard
from vasculum.processing.items import Setup
from vasculum.store import runs


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One point, what was found, and what to do where it is not good."""

    what: str
    good: bool
    found: str
    remedy: str = ""


def examine() -> list[Finding]:
    """Return what was found, one point after the other."""
    versions = runs.versions()
    needed = ("numpy", "pillow", "simplejpeg", "pyarrow", "duckdb", "onnxruntime")
    findings = [Finding("Python", sys.version_info >= (3, 11), versions["python"], "Install Python 3.11 or newer")]
    for name in needed:
        findings.append(Finding(name, name in versions, versions.get(name, "missing"), "Run: pip install -U vasculum"))
    findings += [
        Finding(f"decodes {name}", good, "yes" if good else "no", "Run: pip install -U pillow")
        for name, good in codecs().items()
    ]
    findings.append(Finding("cores given", True, str(resources.cores())))
    findings.append(Finding("memory given", True, f"{resources.memory() / 1e9:.1f} GB"))
    free = shutil.disk_usage(tempfile.gettempdir()).free
    findings.append(
        Finding(
            "temporary folder",
            free > 1e9,
            f"{tempfile.gettempdir()}, {free / 1e9:.1f} GB free",
            "Free some space, or set TMPDIR",
        )
    )
    findings.append(_worker())
    return findings


def _worker() -> Finding:
    guard = Guard(Setup((), DecodePolicy(), frozenset(), tuple(sys.path)), resources.memory_per_worker(1))
    try:
        guard.check([])
    except VasculumError as error:
        return Finding("guarded worker", False, str(error), f"Check that {Path(sys.executable)} can start itself")
    finally:
        guard.close()
    return Finding("guarded worker", True, "starts and answers")
