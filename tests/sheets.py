"""What many tests stand on: small generated sheets, a corpus of them, and the command line in a process of its own."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from vasculum import Corpus

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "samples"


def sheet_bytes(number: int = 0, size: tuple[int, int] = (160, 240), kind: str = "JPEG") -> bytes:
    """A picture with something green on something white; another number, another picture."""
    random = np.random.default_rng(number)
    width, height = size
    pixels = np.full((height, width, 3), 235, np.uint8)
    left, top = random.integers(5, width // 2), random.integers(5, height // 2)
    pixels[top : top + height // 3, left : left + width // 3] = random.integers(20, 90, 3) + np.array([0, 60, 0])
    pixels += random.integers(0, 8, pixels.shape, dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **({"quality": 90} if kind == "JPEG" else {}))
    return file.getvalue()


def write_sheets(folder: Path, count: int, **options: object) -> Path:
    """Write `count` sheets and a Darwin Core table of them into `folder`; return the table."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "records.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "catalogNumber",
                "institutionCode",
                "family",
                "scientificName",
                "year",
                "accessURI",
                "license",
                "rightsHolder",
            ]
        )
        for number in range(count):
            (folder / f"{number:05d}.jpg").write_bytes(sheet_bytes(number, **options))  # type: ignore[arg-type]
            table.writerow([
                f"{number:08d}", "ABCD"[number % 4], ["Fagaceae", "Rosaceae", "Poaceae"][number % 3], f"Plant number {number}",
                1850 + number, f"{number:05d}.jpg", "https://creativecommons.org/publicdomain/zero/1.0/", "A herbarium",
            ])  # fmt: skip
    return folder / "records.csv"


def make_corpus(folder: Path, count: int = 12, *, fetch: bool = True, **options: object) -> Corpus:
    """A corpus of `count` sheets in `folder / "corpus"`, its files in `folder / "sheets"`."""
    table = write_sheets(folder / "sheets", count, **options)
    corpus = Corpus.create(folder / "corpus")
    corpus.collect("table", table)
    if fetch:
        corpus.fetch()
    return corpus


def run_command(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `vasculum` in a process of its own and return what it printed and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "vasculum.cli.main", *map(str, arguments)], cwd=cwd, capture_output=True, text=True,
        env={**os.environ, "NO_COLOR": "1", **environment}, timeout=240, check=False,
    )  # fmt: skip
