"""A study to report on: real Parquet files, asked with DuckDB, and pictures made here."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from vasculum import tables
from vasculum.processing.types import Gives

DOCUMENT = {
    "format": 1,
    "id": "study-1",
    "created": "2026-11-14T10:00:00+00:00",
    "command": "vasculum apply corpus greenness -o study",
    "versions": {"vasculum": "0.1.0", "python": "3.11.7"},
    "corpus": {"id": "c0ffee", "path": "corpus"},
    "subset": {"where": None, "sample": None, "seed": None, "by": None, "limit": None, "with": None},
    "size": "original",
    "policy": {"rules": 1, "icc": "to sRGB"},
    "processors": [
        {"name": "greenness", "spec": "greenness.py", "settings": {}, "gives": {"green_share": "Float"},
         "wants": "Pixels(256)", "fingerprint": "ab12"}
    ],
    "fingerprint": "3fa9c1d2",
}  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ResultColumn:
    name: str
    processor: str
    column: str
    kind: Gives


class Originals:
    def __init__(self, images: Mapping[str, bytes]) -> None:
        self.images = images

    def image_bytes(self, media_ids: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        return ((media_id, self.images[media_id]) for media_id in media_ids if media_id in self.images)


class StoredStudy:
    """The surface of a study that reports use, over files in `path`."""

    def __init__(
        self,
        path: Path,
        columns: Mapping[str, Gives],
        manifest: Sequence[Mapping[str, Any]],
        results: Sequence[Mapping[str, Any]],
        document: Mapping[str, Any] = {},
        pictures: Mapping[str, Mapping[str, bytes]] = {},
        originals: Mapping[str, bytes] = {},
    ) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.document = {**DOCUMENT, **document}
        self.columns = [ResultColumn(n, *n.split("_", 1), kind) for n, kind in columns.items()]  # type: ignore[call-arg]
        self.corpus = Originals(originals)
        self._pictures = pictures
        statuses = [c for c in (results[0] if results else {}) if c.endswith("_status")]
        schema = pa.schema(
            [
                *tables.schema(tables.RESULTS_COLUMNS),
                *[(c.name, c.kind.arrow) for c in self.columns],
                *[(name, pa.string()) for name in statuses],
            ]
        )
        _write(path / "results.parquet", schema, results)
        _write(path / "manifest.parquet", tables.MANIFEST_SCHEMA, manifest)
        self._connection = duckdb.connect()
        both = ", ".join(n for n in tables.MANIFEST_SCHEMA.names if n in schema.names and n != "media_id")
        self._connection.execute(
            f"create view results as select * from '{path}/results.parquet';"
            f"create view manifest as select * from '{path}/manifest.parquet';"
            "create view joined as select r.*, m.* exclude (media_id"
            f"{', ' + both if both else ''}) from results r left join manifest m using (media_id)"
        )

    def sql(self, query: str, parameters: Sequence[Any] = ()) -> pa.Table:
        return self._connection.sql(query, params=list(parameters)).to_arrow_table()

    def pictures(self, column: str, media_ids: Sequence[str]) -> dict[str, bytes]:
        return {m: self._pictures[column][m] for m in media_ids if m in self._pictures.get(column, {})}


def _write(path: Path, schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = [pa.array([row.get(f.name) for row in rows], f.type) for f in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)


def media_id(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:32]


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (48, 64)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG")
    return written.getvalue()


Make = Callable[..., StoredStudy]
