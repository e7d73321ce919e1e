"""JSON lines: one object a line, numbers kept as they are written, nested objects under dotted names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vasculum.errors import SourceError
from vasculum.sources.chunk import Chunk
from vasculum.sources.opening import open_lines
from vasculum.sources.rejects import Tally
from vasculum.sources.values import Cell

MOST_COLUMNS = 5_000


class _Number(str):
    """A number as it stands in the file: `1.10` stays `1.10`."""

    __slots__ = ()


class BadObjectError(ValueError):
    """A line that is no usable object; the text says why."""


def read_objects(path: Path, encoding: str, tally: Tally, size: int) -> Iterator[Chunk]:
    """Yield the objects of a JSON lines file, `size` a chunk. Later chunks may have more columns.

    A line that is no object is a reject; where it is the first one, SourceError is raised.
    """
    columns: dict[str, None] = {}
    with open_lines(path, encoding) as lines:
        number = 0
        found: list[tuple[dict[str, Cell], int, int]] = []
        for line in lines:
            lines.forget()
            text = line.strip("\ufeff \t\r\n")
            if not text:
                tally.count("blank lines")
                continue
            number += 1
            try:
                cells = cells_of(text)
            except BadObjectError as why:
                if number == 1:
                    raise SourceError(
                        f"{path}: line {lines.number} {why}; JSON lines have one object a line."
                    ) from None
                tally.reject(
                    path.name,
                    lines.number,
                    f"line {lines.number} {why}",
                    text,
                    "lines without a JSON object",
                )
                continue
            columns.update(dict.fromkeys(cells))
            if len(columns) > MOST_COLUMNS:
                raise SourceError(
                    f"{path}: line {lines.number}: more than {MOST_COLUMNS:,} different names; not a table."
                )
            found.append((cells, number, lines.number))
            if len(found) == size:
                yield _chunk(path, columns, found)
                found = []
        yield _chunk(path, columns, found)


def _chunk(path: Path, columns: dict[str, None], found: list[tuple[dict[str, Cell], int, int]]) -> Chunk:
    rows: list[Any] = [[cells.get(c, "") for c in columns] for cells, _, _ in found]
    return Chunk(path.name, tuple(columns), rows, [n for _, n, _ in found], [line for _, _, line in found])


def cells_of(text: str) -> dict[str, Cell]:
    """Return the cells of one JSON object, numbers as they are written. Raises BadObjectError, whose text says why not."""
    return _flat(_parsed(text))


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number)
    except RecursionError:
        raise BadObjectError("is JSON that is nested too deep") from None
    except ValueError as error:
        raise BadObjectError(f"is not JSON ({error})") from None
    if not isinstance(found, dict):
        kinds = ((list, "an array"), (_Number, "a number"), (str, "a text"))
        kind = next((name for kind, name in kinds if isinstance(found, kind)), "a single value")
        raise BadObjectError(f"is {kind}, not an object")
    if "\\u" in text and (r"\ud" in text.lower()):
        _refuse_half_characters(found)
    return found


def _refuse_half_characters(found: dict[str, Any]) -> None:
    try:
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BadObjectError(r"holds half of a character (a lone \ud800 to \udfff)") from None


def _flat(found: dict[str, Any]) -> dict[str, Cell]:
    """Return the cells of an object; those of an object within it under `outer.inner`."""
    cells: dict[str, Cell] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            for inner, deep in value.items():
                cells[f"{name}.{inner}"] = _cell(deep)
        else:
            cells[name] = _cell(value)
    return {name.strip() or "column": cell for name, cell in cells.items()}


def _cell(value: Any) -> Cell:
    if isinstance(value, list) and value and all(type(v) is str for v in value):
        return value
    if value is None or value == []:
        return ""
    return str(value) if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    """Return JSON text with its numbers as they came."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k, ensure_ascii=False)}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
