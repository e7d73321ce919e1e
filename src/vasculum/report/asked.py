"""What a report asks of a study, and of one of its results columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from vasculum.processing.types import Gives


class Column(Protocol):
    """A results column `name`: the `column` of a `processor`, with its declared type."""

    @property
    def name(self) -> str:
        """Its name in the results."""

    @property
    def processor(self) -> str:
        """The processor that gives it."""

    @property
    def column(self) -> str:
        """Its name within the processor."""

    @property
    def kind(self) -> Gives:
        """Its declared type."""


class Originals(Protocol):
    """A corpus, as far as a report asks it."""

    def image_bytes(self, media_ids: Sequence[str], /) -> Iterable[tuple[str, bytes]]:
        """Return media ids with the encoded original images."""


class Readable(Protocol):
    """A study, as far as a report asks it. `vasculum.study.study.Study` is one."""

    @property
    def path(self) -> Path:
        """Its folder."""

    @property
    def document(self) -> Mapping[str, Any]:
        """Its study.json."""

    @property
    def columns(self) -> Sequence[Column]:
        """Its results columns."""

    @property
    def corpus(self) -> Originals:
        """The corpus that it is about."""

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        """Return what a query over `results`, `manifest`, `images` and `joined` gives."""

    def pictures(self, column: str, media_ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return encoded images of a `Picture` column by media id."""


def yes_or_no(name: str) -> str:
    """Return the SQL expression of a Boolean column in words: 'yes', 'no' or null."""
    return f"case {quoted(name)} when true then 'yes' when false then 'no' end"


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
