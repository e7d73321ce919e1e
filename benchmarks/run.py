"""Run all benchmarks and write one page of Markdown.

python benchmarks/run.py [--images 119] [--rounds 3] [--images-from FOLDER] [--out benchmarks.md] [--no-torch]
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import apply
import scaling
import stages
from measure import machine


def main(arguments: Sequence[str] | None = None) -> None:
    """Run them one after the other and write what they found."""
    parser = apply.options(__doc__)
    parser.add_argument("--out", type=Path, help="file to write (default: measured.md under --work)")
    asked = parser.parse_args(arguments)
    shared = [
        "--images", str(asked.images), "--rounds", str(asked.rounds), "--images-from", str(asked.images_from),
        "--work", str(asked.work), "--workers", str(asked.workers), *(["--no-torch"] if asked.no_torch else []),
    ]  # fmt: skip
    began = time.monotonic()
    parts = [apply.main(shared), scaling.main(shared), stages.main(shared)]
    minutes = (time.monotonic() - began) / 60
    out = asked.out or asked.work / "measured.md"
    out.write_text(
        f"Measured on {machine()} All of it took {minutes:.0f} minutes.\n\n" + "\n".join(parts), encoding="utf-8"
    )
    print(f"written to {out}")


if __name__ == "__main__":
    main()
