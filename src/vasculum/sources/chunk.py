"""Rows on their way from a file to the manifest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from vasculum.sources.values import Cell


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows of one file under one header. `numbers` count data rows from 1, `lines` are where rows begin.

    `beyond` holds, by place in `rows`, the cells of a row that has more of them than there are columns.
    """

    file: str
    columns: tuple[str, ...]
    rows: list[Sequence[Cell]] = dataclasses.field(default_factory=list)
    numbers: list[int] = dataclasses.field(default_factory=list)
    lines: list[int] = dataclasses.field(default_factory=list)
    beyond: dict[int, list[str]] = dataclasses.field(default_factory=dict)
