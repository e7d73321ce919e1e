"""The command line itself, but with small shards and small files, so that a small corpus has all that a large one has."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import trials  # noqa: E402 (found by the line above)

from vasculum.cli.main import main  # noqa: E402

if __name__ == "__main__":
    trials.small_parts()
    main()
