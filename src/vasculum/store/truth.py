"""What is true of a folder of observations: of each key, one row.

Rows are observations (key and run), and the newest run wins. Spark has no QUALIFY, so this is the plain window form.
"""

from __future__ import annotations

from collections.abc import Sequence

READABLE = "(status = 'ok' AND (shard IS NOT NULL OR door = 'in_place'))"
"""An images row whose bytes can be read."""

KEPT = "(status = 'ok' AND shard IS NOT NULL OR coalesce(door = 'in_place', false))"
"""An images row that a later failure to get a copy does not hide: its bytes are kept. Of files read in place nothing
is kept; the newest row says how they are, and of failures only those count that found no bytes kept."""


def newest(files: str, keys: Sequence[str], order: str) -> str:
    """Return SQL for the winning row of each key in the view `files`; `order` ranks rows, best first."""
    over = f"PARTITION BY {', '.join(keys)} ORDER BY {order}"
    return (
        f"SELECT * EXCLUDE (__rank) FROM (SELECT *, row_number() OVER ({over}) AS __rank FROM {files}) WHERE __rank = 1"
    )


def manifest(files: str) -> str:
    """SQL for the true manifest: the newest row of each medium."""
    return newest(files, ["media_id"], "run DESC, row_hash")


def images(files: str) -> str:
    """SQL for the true outcomes: of each medium and size, dropped before all, then kept or in place, then newest."""
    return newest(
        files,
        ["media_id", "size"],
        f"status = 'dropped' DESC, {KEPT} DESC, run DESC, status = 'ok' DESC, shard",
    )


def results(files: str) -> str:
    """SQL for the true results: the newest row of each medium."""
    return newest(files, ["media_id"], "run DESC, status = 'ok' DESC")
