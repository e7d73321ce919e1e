"""Checking what a processor returned against what it promised: nothing is cast in silence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from vasculum.errors import nearest
from vasculum.processing.contract import Declaration
from vasculum.processing.types import Boolean, Float, Gives, Integer, ListOf, Picture, Text, Vector


class BadOutput(Exception):
    """A returned value does not keep the promise; the text says what was expected and what came.

    `by_chance`: the type is right and this one value is not (NaN, None), so that another image may be well.
    """

    def __init__(self, message: str, *, by_chance: bool = False) -> None:
        super().__init__(message)
        self.by_chance = by_chance


def check_columns(declaration: Declaration, returned: Any, n: int) -> dict[str, list[Any]]:
    """Return each promised column as a list of n checked values; a value that breaks its promise is a BadOutput in it.

    Raises BadOutput where the whole is wrong: no dict, a column missing or too many, a wrong shape or type.
    """
    if not isinstance(returned, Mapping):
        raise BadOutput(f"expected a dict with {', '.join(declaration.gives)}; got {_shown(returned)}")
    missing = [column for column in declaration.gives if column not in returned]
    extra = [str(column) for column in returned if column not in declaration.gives]
    if missing or extra:
        words = [f"column {missing[0]!r} is missing"] if missing else []
        words += [f"column {extra[0]!r} was not promised{nearest(extra[0], declaration.gives)}"] if extra else []
        raise BadOutput(f"expected the columns {', '.join(declaration.gives)}: {'; '.join(words)}")
    return {column: _check(column, kind, returned[column], n) for column, kind in declaration.gives.items()}


def _check(column: str, kind: Gives, value: Any, n: int) -> list[Any]:
    if isinstance(value, np.ma.MaskedArray):
        raise BadOutput(f"column {column!r}: a masked array. Give a list with None where there is no value")
    if isinstance(kind, Float | Integer | Boolean) and isinstance(value, np.ndarray) and value.dtype != object:
        return _numbers(column, kind, value, n)
    if isinstance(kind, Vector) and isinstance(value, np.ndarray) and value.dtype != object:
        if value.shape != (n, kind.length):
            raise BadOutput(f"column {column!r}: expected shape ({n}, {kind.length}), got {value.shape}")
        return [_vector(column, kind, row) for row in value]
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence | np.ndarray):
        raise BadOutput(f"column {column!r}: expected {n} values ({type(kind).__name__}), got {_shown(value)}")
    if len(value) != n:
        raise BadOutput(f"column {column!r}: expected {n} values, one an image, got {len(value)}")
    return [_one(column, kind, single) for single in value]


def _numbers(column: str, kind: Float | Integer | Boolean, value: np.ndarray[Any, Any], n: int) -> list[Any]:
    allowed = {Float: "fiu", Integer: "iu", Boolean: "b"}[type(kind)]
    if value.shape != (n,):
        raise BadOutput(f"column {column!r}: expected {n} values (shape ({n},)), got shape {value.shape}")
    if value.dtype.kind not in allowed:
        raise BadOutput(f"column {column!r}: expected {type(kind).__name__} values, got an array of {value.dtype}")
    if isinstance(kind, Float):
        return [_float(column, kind, float(single)) for single in value]
    if isinstance(kind, Integer):
        return [_integer(column, single) for single in value.tolist()]
    return list(value.tolist())


def _one(column: str, kind: Gives, value: Any) -> Any:
    if value is None:
        return (
            None if kind.missing else BadOutput(f"column {column!r}: None, where a value was promised", by_chance=True)
        )
    match kind:
        case Float() if isinstance(value, float | int | np.floating | np.integer) and not isinstance(value, bool):
            return _float(column, kind, float(value))
        case Integer() if isinstance(value, int | np.integer) and not isinstance(value, bool):
            return _integer(column, int(value))
        case Boolean() if isinstance(value, bool | np.bool_):
            return bool(value)
        case Text() if isinstance(value, str):
            return _text(column, value)
        case Picture() if isinstance(value, bytes) and value:
            return bytes(value)
        case Vector():
            return _vector(column, kind, value)
        case ListOf() if isinstance(value, list | tuple | np.ndarray):
            singles = [_one(column, kind.element, single) for single in value]
            return next((single for single in singles if isinstance(single, BadOutput)), singles)
    return BadOutput(f"column {column!r}: expected {type(kind).__name__}, got {_shown(value)}")


def _integer(column: str, value: int) -> Any:
    if -(2**63) <= value < 2**63:
        return value
    return BadOutput(f"column {column!r}: {value} does not fit into 64 bits", by_chance=True)


def _float(column: str, kind: Float, value: float) -> Any:
    if math.isfinite(value):
        return value
    if math.isnan(value) and kind.missing:
        return None
    return BadOutput(f"column {column!r}: {value}, where a finite number was promised", by_chance=True)


def _text(column: str, value: str) -> Any:
    try:
        value.encode()
    except UnicodeEncodeError:
        return BadOutput(f"column {column!r}: a text that is no Unicode: {value!r:.80}")
    return str.__str__(value)  # a plain text, whatever kind of text it was: it travels to another process


def _vector(column: str, kind: Vector, value: Any) -> Any:
    if isinstance(value, np.ma.MaskedArray):
        return BadOutput(f"column {column!r}: a masked array")
    try:
        vector = np.asarray(value)
    except ValueError:
        return BadOutput(f"column {column!r}: expected {kind.length} numbers, got {_shown(value)}")
    if vector.shape != (kind.length,) or vector.dtype.kind not in "fiu":
        return BadOutput(
            f"column {column!r}: expected {kind.length} numbers, got {vector.dtype} of shape {vector.shape}"
        )
    vector = vector.astype(np.float32)
    if not np.isfinite(vector).all():
        return BadOutput(f"column {column!r}: not all numbers of the vector are finite", by_chance=True)
    return vector


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype}, shape {value.shape}"
    return f"{type(value).__name__} {value!r:.60}"
