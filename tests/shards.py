"""Shards as other people write them: WebDataset tars and Parquet files of images, for tests."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sheets import sheet_bytes

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write_tar(path: Path, members: Iterable[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> Path:
    """A tar of files."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=form) as archive:
        for name, data in members:
            told = tarfile.TarInfo(name)
            told.size = len(data)
            archive.addfile(told, io.BytesIO(data))
    return path


def samples(numbers: Iterable[int], folder: str = "d/") -> list[tuple[str, bytes]]:
    """Members of WebDataset samples: a sheet, its record and its class."""
    found = []
    for number in numbers:
        record = {"catalogNumber": f"{number:08d}", "family": "Fagaceae", "year": 1900 + number, "collection no": 7}
        key = f"{folder}{number:05d}"
        found += [(f"{key}.jpg", sheet_bytes(number)), (f"{key}.json", json.dumps(record).encode())]
        found.append((f"{key}.cls", [b"oak", b"beech"][number % 2]))
    return found


def hugging_face(path: Path, images: Sequence[bytes | None], rows_per_group: int = 4, **columns: Any) -> Path:
    """A Parquet file as the `datasets` library writes one: struct{bytes, path}, a ClassLabel, and its metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "image": {"_type": "Image"},
        "species": {"_type": "ClassLabel", "names": ["Fagus sylvatica", "Quercus robur"]},
    }
    values = [None if data is None else {"bytes": data, "path": f"{i}.jpg"} for i, data in enumerate(images)]
    table = pa.table({
        "image": pa.array(values, IMAGE), "species": [i % 2 for i in range(len(images))],
        "catalogNumber": [f"{i:08d}" for i in range(len(images))], **columns,
    })  # fmt: skip
    metadata = {"huggingface": json.dumps({"info": {"features": told}})}
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=rows_per_group)
    return path
