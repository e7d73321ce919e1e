"""Values as text: JSON for what is nested, and the words of a record for a person."""

from __future__ import annotations

import json
import math
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from vasculum.errors import StoreError


def json_column(values: pa.Array) -> pa.Array:
    """Return JSON text for a list, vector or structure; float32 with the fewest digits that give it back.

    Of a structure, members that are null are left out. Raises StoreError for a number that JSON cannot hold.
    """
    inner = values.flatten() if is_list(values.type) else None
    if inner is not None and pa.types.is_floating(inner.type) and not inner.null_count:
        if not pc.all(pc.is_finite(inner), min_count=0).as_py():
            raise no_json()
        texts = pc.binary_join(values.cast(pa.list_(pa.string())), ",")
        return pc.binary_join_element_wise("[", texts, "]", "")
    return pa.array(
        [None if v is None else json_text(without_nulls(plain(v))) for v in values.to_pylist()], pa.string()
    )


def without_nulls(value: Any) -> Any:
    """Return `value` with the null members of its objects left out."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def plain(value: Any) -> Any:
    """Return `value` in the types of JSON: bytes as hex, times as ISO 8601. Raises StoreError for NaN and infinity."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise no_json()
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value


def json_text(value: Any) -> str:
    """Return JSON on one line, whatever a reader takes for the end of a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "\x7f\x85\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def lines_for_a_person(value: list[Any]) -> str:
    """Return a list as a person reads it in a cell: one element a line, a record as `catalogNumber: 0042, family: …`."""
    return "\n".join(
        ", ".join(f"{name}: {inner}" for name, inner in element.items() if inner is not None)
        if isinstance(element, dict)
        else "" if element is None else str(element)
        for element in value
    )  # fmt: skip


def no_json() -> StoreError:
    """Return the error for a number that JSON cannot hold."""
    return StoreError(
        "export: a value is infinite or not a number, and JSON cannot hold it. Export to Parquet instead."
    )


def is_list(type_: pa.DataType) -> bool:
    """Return whether a type is a list of any kind."""
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))
