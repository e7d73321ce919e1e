"""Smoke: the benchmarks run on four small sheets and their page has every row. Nothing is asserted of any time."""

import subprocess
import sys
from pathlib import Path

import pytest

from sheets import sheet_bytes

ROOT = Path(__file__).resolve().parents[1]
ROWS = {
    "vasculum apply": 2,
    "Pillow loop": 2,
    "Pillow loop, glibc's allocator tuned": 2,
    "Pillow loop with draft": 2,
    "pool of processes with draft": 2,
    "pure Python": 1,
    "small network (ONNX)": 1,
    "decode, scaled": 1,
    "fit into 256 (Lanczos)": 1,
    "thumbnail": 1,
    "histogram": 1,
    "the whole command": 1,
}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_benchmarks_run_and_their_page_has_every_row(tmp_path: Path) -> None:
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    for number in range(2):
        (sheets / f"{number}.jpg").write_bytes(sheet_bytes(number, size=(700, 1000)))
    page = tmp_path / "page.md"
    done = subprocess.run(
        [
            sys.executable, ROOT / "benchmarks" / "run.py", "--images", "4", "--rounds", "1", "--no-torch",
            "--images-from", sheets, "--work", tmp_path / "work", "--out", page,
        ],
        capture_output=True, text=True, timeout=880, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = page.read_text(encoding="utf-8").splitlines()
    found = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert {name: found.count(name) for name in ROWS} == ROWS
    agreed = [line for line in lines if line.startswith("Same work: ")]
    assert len(agreed) == 2
    assert any("PyTorch DataLoader: --no-torch was given" in line for line in lines)
    small_network = next(line for line in lines if line.startswith("| small network (ONNX)"))
    assert "not run" not in small_network
