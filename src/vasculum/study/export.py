"""Write the rows of a study to one file that other programs open: CSV, JSON lines or Parquet.

Rows are streamed, written beside the place they are meant for and renamed when whole: a file that is there is
whole.

- `csv`: RFC 4180 (comma, CRLF, quotes doubled), UTF-8. A null is an empty field, an empty text is `""`. Ids
  are text; lists and vectors are JSON text. A text that a spreadsheet would run as a formula (it begins with
  `=`, `+`, `-`, `@`, a tab, a carriage return or a line feed; source: OWASP, "CSV Injection") gets one
  single quote in front. A text that already has single quotes before such a character gets one more, so
  taking one quote away from every text that matches `'+[=+@tab CR LF-]` gives back the original. Numbers are
  never touched.
- `jsonl`: one JSON object a line, UTF-8, the exact text; a null is `null`.
- `parquet`: the exact values; the meaning, unit and term of each column stay in its field metadata.
"""

from __future__ import annotations

import contextlib
import json
import math
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol, get_args

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vasculum.errors import StoreError, UsageError, nearest
from vasculum.store import disk

Kind = Literal["csv", "jsonl", "parquet"]
KINDS: tuple[str, ...] = get_args(Kind)
STDOUT = "-"
UNSAFE = r"\A('*[=+\-@\t\r\n])"
"""The beginnings of texts that get a quote in CSV (see the top)."""

_ROW_GROUP_ROWS = 65_536
_ROW_GROUP_BYTES = 64 << 20


class Exportable(Protocol):
    """What export asks of a study."""

    def joined(
        self, columns: Sequence[str] | None, where: str | None, sort: str | None
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        """Return the schema and the batches of the wanted rows, results and manifest joined."""


def export(
    study: Exportable,
    kind: Kind,
    out: Path,
    *,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    sort: str | None = None,
    overwrite: bool = False,
) -> int:
    """Write the rows of `study` to `out` and return how many there were.

    `columns`, `where` and `sort` go to `study.joined`; None for columns means its own choice. `out` as `-`
    writes CSV or JSON lines to standard output. Raises UsageError for a kind that does not exist, an `out`
    that is there already (unless `overwrite`) or that cannot be written; StoreError for a number that JSON
    cannot hold.
    """
    if kind not in KINDS:
        raise UsageError(f"export: there is no kind {kind!r}{nearest(kind, KINDS)}. Use {', '.join(KINDS)}.")
    to_stdout = str(out) == STDOUT
    if to_stdout and kind == "parquet":
        raise UsageError("export: Parquet cannot be written to standard output. Name a file, or use csv or jsonl.")
    if not to_stdout:
        check_free(out, overwrite)
    schema, batches = study.joined(columns, where, sort)
    writers: dict[str, Callable[[BinaryIO, pa.Schema, Iterator[pa.RecordBatch]], int]] = {
        "csv": _write_csv,
        "jsonl": _write_jsonl,
        "parquet": _write_parquet,
    }
    if to_stdout:
        rows = writers[kind](sys.stdout.buffer, schema, batches)
        sys.stdout.buffer.flush()
        return rows
    with replacing(out, overwrite=overwrite) as file:
        return writers[kind](file, schema, batches)


def check_free(out: Path, overwrite: bool) -> None:
    """Raise UsageError unless `out` is a file name in a folder that exists, free or to be overwritten."""
    if out.is_dir():
        raise UsageError(f"{out}: is a folder. Name a file in it.")
    if not out.parent.is_dir():
        raise UsageError(f"{out}: there is no folder {out.parent}. Create it, or choose another place.")
    if out.exists() and not overwrite:
        raise UsageError(f"{out}: exists already. Choose another name, or say that it may be overwritten.")


@contextlib.contextmanager
def replacing(out: Path, *, overwrite: bool = True) -> Iterator[BinaryIO]:
    """Open a temporary file beside `out` that takes its place, whole, after a block that raised nothing.

    The bytes are flushed to disk before the renaming, and the folder after it. Otherwise the temporary file
    is removed and `out` stays as it was. Raises UsageError as `check_free` does, at the start and before the
    renaming, and StoreError where the disk refuses.
    """
    check_free(out, overwrite)
    temporary = out.with_name(f".{out.name[:80]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            disk.fsync(file)
        check_free(out, overwrite)
        disk.replace(temporary, out)
        disk.fsync_folder(out.parent)
    except FileNotFoundError:
        raise  # a file that is read, not the one that is written
    except OSError as error:
        raise disk.explain(error, out, "write") from error
    finally:
        with contextlib.suppress(OSError):  # on a read-only disk there is nothing to remove
            temporary.unlink(missing_ok=True)


def harmless(texts: pa.Array) -> pa.Array:
    """Return the texts with a single quote before each that a spreadsheet would run as a formula."""
    return pc.replace_substring_regex(texts, pattern=UNSAFE, replacement=r"'\1", max_replacements=1)


def _write_csv(file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    header = _quoted(harmless(pa.array(schema.names, pa.string()))).to_pylist()
    file.write((",".join(header) + "\r\n").encode())
    # Where a null is the only field of a line, the line would be blank, and readers pass over blank lines.
    nothing = "" if len(schema) > 1 else '""'
    rows = 0
    for batch in batches:
        if batch.num_rows:
            fields = [_csv_column(column).fill_null(nothing) for column in batch.columns]
            lines = pc.binary_join_element_wise(*fields, ",")
            file.write(("\r\n".join(lines.to_pylist()) + "\r\n").encode())
            rows += batch.num_rows
    return rows


def _csv_column(values: pa.Array) -> pa.Array:
    """Return one CSV field a value, quoted where needed; null stays null. Whatever is no number is text."""
    type_ = values.type
    if pa.types.is_nested(type_):
        return _quoted(_json_column(values))
    if pa.types.is_timestamp(type_):
        return pc.replace_substring(values.cast(pa.string()), " ", "T")
    if pa.types.is_primitive(type_):
        return values.cast(pa.string())
    if pa.types.is_binary(type_) or pa.types.is_large_binary(type_):
        return pa.array([None if value is None else value.hex() for value in values.to_pylist()], pa.string())
    return _quoted(harmless(values.cast(pa.string())))


def _quoted(texts: pa.Array) -> pa.Array:
    needed = pc.or_(pc.match_substring_regex(texts, r'[",\r\n]'), pc.equal(texts, ""))
    wrapped = pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', "")
    return pc.if_else(needed, wrapped, texts)


def _json_column(values: pa.Array) -> pa.Array:
    """Return JSON text for a list, vector or structure; float32 with the fewest digits that give it back."""
    inner = values.flatten() if _is_list(values.type) else None
    if inner is not None and pa.types.is_floating(inner.type) and not inner.null_count:
        if not pc.all(pc.is_finite(inner), min_count=0).as_py():
            raise _no_json()
        texts = pc.binary_join(values.cast(pa.list_(pa.string())), ",")
        return pc.binary_join_element_wise("[", texts, "]", "")
    return pa.array([None if v is None else _json(_plain(v)) for v in values.to_pylist()], pa.string())


def _write_jsonl(file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    keys = [_json(name) for name in schema.names]
    rows = 0
    for batch in batches:
        columns = [_json_texts(column) for column in batch.columns]
        lines = [
            "{" + ",".join(f"{key}:{value}" for key, value in zip(keys, row, strict=True)) + "}\n"
            for row in zip(*columns, strict=True)
        ]
        file.write("".join(lines).encode())
        rows += batch.num_rows
    return rows


def _json_texts(values: pa.Array) -> list[str]:
    if pa.types.is_nested(values.type):
        return ["null" if value is None else value for value in _json_column(values).to_pylist()]
    return [_json(_plain(value)) for value in values.to_pylist()]


def _plain(value: Any) -> Any:
    """Return `value` in the types of JSON: bytes as hex, times as ISO 8601."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise _no_json()
    if hasattr(value, "isoformat"):
        return value.isoformat().replace("+00:00", "Z")
    return value


def _json(value: Any) -> str:
    """Return JSON on one line, whatever a reader takes for the end of a line."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "\x7f\x85\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _no_json() -> StoreError:
    return StoreError(
        "export: a value is infinite or not a number, and JSON cannot hold it. Export to Parquet instead."
    )


def _write_parquet(file: BinaryIO, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> int:
    rows = waiting_rows = waiting_bytes = 0
    waiting: list[pa.RecordBatch] = []
    with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
        for batch in batches:
            waiting.append(pa.RecordBatch.from_arrays(batch.columns, schema=schema))
            rows += batch.num_rows
            waiting_rows += batch.num_rows
            waiting_bytes += batch.nbytes
            if waiting_rows >= _ROW_GROUP_ROWS or waiting_bytes >= _ROW_GROUP_BYTES:
                writer.write_table(pa.Table.from_batches(waiting, schema))
                waiting, waiting_rows, waiting_bytes = [], 0, 0
        if waiting:
            writer.write_table(pa.Table.from_batches(waiting, schema))
    return rows


def _is_list(type_: pa.DataType) -> bool:
    return bool(pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_))
