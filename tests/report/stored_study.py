"""A corpus and a study as they lie on disk, with rows that a test chooses."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from vasculum import tables
from vasculum.corpus.corpus import Corpus
from vasculum.corpus.subset import Selection
from vasculum.processing.types import Gives
from vasculum.study.kinds import kind_to_text
from vasculum.study.study import Study, corpus_entry

MARK = "3fa9c1d2"
Rows = Sequence[Mapping[str, Any]]
Make = Callable[..., Study]


def stored_study(
    corpus_path: Path,
    path: Path,
    columns: Mapping[str, Gives],
    manifest: Rows,
    results: Rows,
    *,
    subset: Selection | None = None,
    document: Mapping[str, Any] | None = None,
    pictures: Mapping[str, Mapping[str, bytes]] | None = None,
    originals: Mapping[str, bytes] | None = None,
) -> Study:
    """Write corpus and study and return the study. A column `name_column` belongs to the processor `name`."""
    corpus = Corpus.create(corpus_path)
    common = {"run": "r000001aaaa", "state": "present"}
    _write(corpus_path / "manifest/r000001aaaa-000000-000-aaaa.parquet", tables.MANIFEST_SCHEMA, manifest, common)
    shard = "bytes/r000002aaaa-000000-000-aaaa.parquet"
    kept = [{"media_id": media_id, "bytes": data} for media_id, data in (originals or {}).items()]
    if kept:
        _write(corpus_path / shard, tables.BYTES_SCHEMA, kept, {})
        common = {"size": "original", "run": "r000002aaaa", "status": "ok", "shard": shard}
        rows = [{"media_id": row["media_id"]} for row in kept]
        _write(corpus_path / shard.replace("bytes/", "images/"), tables.IMAGES_SCHEMA, rows, common)
    gives: dict[str, dict[str, str]] = {}
    for name, kind in columns.items():
        processor, column = name.split("_", 1)
        gives.setdefault(processor, {})[column] = kind_to_text(kind)
    written = {
        "format": 1, "id": "study-1", "created": "2026-11-14T10:00:00+00:00", "kept": [],
        "command": ["/usr/bin/vasculum", "apply", "corpus", "greenness", "--out", "study"],
        "versions": {"vasculum": "0.1.0", "python": "3.11.7"}, "corpus": corpus_entry(path, corpus),
        "subset": (subset or Selection()).as_dict(), "size": "original", "policy": {"rules": 1, "icc": "to sRGB"},
        "processors": [
            {"name": name, "spec": name, "settings": {}, "gives": given, "wants": "Pixels(256)", "fingerprint": "ab"}
            for name, given in gives.items()
        ],
        "fingerprint": MARK, **(document or {}),
    }  # fmt: skip
    study = Study(path, written, corpus)
    study.save()
    statuses = [name for name in (results[0] if results else {}) if name.endswith("_status")]
    schema = pa.schema(
        [
            *tables.schema(tables.RESULTS_COLUMNS),
            *[(name, kind.arrow) for name, kind in columns.items()],
            *[(name, pa.string()) for name in statuses],
        ]
    )
    hashes = {c: {media_id: hash_of(data) for media_id, data in found.items()} for c, found in (pictures or {}).items()}
    results = [{**row, **{c: found.get(row["media_id"]) for c, found in hashes.items()}} for row in results]
    stem = f"{MARK}-r000003aaaa-000000-000-aaaa.parquet"
    _write(path / "results" / stem, schema, results, {"run": "r000003aaaa"})
    blobs = [
        {"media_id": media_id, "column": column, "sha256": hash_of(data), "bytes": data}
        for column, found in (pictures or {}).items()
        for media_id, data in found.items()
    ]
    if blobs:
        _write(path / "blobs" / stem, tables.BLOBS_SCHEMA, blobs, {})
    return study


def _write(path: Path, schema: pa.Schema, rows: Rows, common: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = [pa.array([row.get(f.name, common.get(f.name)) for row in rows], f.type) for f in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path)


def media_id(number: int) -> str:
    return hash_of(str(number).encode())[:32]


def hash_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (48, 64)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, colour).save(written, "JPEG")
    return written.getvalue()
