"""Hugging Face: `data/train-00000-of-00004.parquet` and so on, with an Image column, and a dataset card (README.md)."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from vasculum.exports.attribution import marked, write_small
from vasculum.exports.values import is_list

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
ROWS_A_GROUP = 100
BYTES_A_GROUP = 64 * 2**20
HUB_LICENCES = {
    "CC0-1.0": "cc0-1.0", "Apache-2.0": "apache-2.0", "MIT": "mit",
    **{f"CC-{terms}-{version}": f"cc-{terms.lower()}-{version}" for terms in ("BY", "BY-SA", "BY-NC", "BY-ND", "BY-NC-SA", "BY-NC-ND")
       for version in ("2.0", "2.5", "3.0", "4.0")},
}  # fmt: skip
SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
)
"""Licences and sizes as the hub spells them."""


class HuggingFace:
    """Writes one Parquet file after another."""

    def __init__(self, folder: Path, classes: list[str] | None) -> None:
        self._folder = folder
        self._classes = classes
        self._numbers = {label: number for number, label in enumerate(classes or [])}
        self._ends: list[int] = []
        self._count = self._shard = self._given = 0
        self._schema = pa.schema([])
        self._file: BinaryIO | None = None
        self._writer: pq.ParquetWriter | None = None

    def begin(self, schema: pa.Schema, ends: list[int]) -> None:
        """Note the columns and where each shard ends."""
        (self._folder / "data").mkdir()
        self._ends = ends
        fields = [field for field in schema if field.name != "label" or self._classes is None]
        if self._classes is not None:
            fields.append(pa.field("label", pa.int64()))
        features = {"image": {"_type": "Image"}, **{field.name: _feature(field.type) for field in fields}}
        if self._classes is not None:
            features["label"] = {"names": self._classes, "_type": "ClassLabel"}
        metadata = {"huggingface": json.dumps({"info": {"features": features}}, ensure_ascii=False)}
        self._schema = pa.schema([pa.field("image", IMAGE), *fields], metadata=metadata)

    def file_of(self, folder: str, stem: str, ending: str) -> str:
        """Return shard and name of the next image."""
        shard = bisect.bisect_right(self._ends, self._given)
        self._given += 1
        return f"{self._name(shard)}/{stem}.{ending}"

    def _name(self, shard: int) -> str:
        return f"data/train-{shard:05d}-of-{len(self._ends):05d}.parquet"

    def add(self, rows: pa.RecordBatch, stems: list[str], endings: list[str], images: Iterator[bytes]) -> None:
        """Write images and rows."""
        columns = {name: rows[name] for name in rows.schema.names}
        if self._classes is not None:
            columns["label"] = pa.array([self._numbers[label] for label in rows["label"].to_pylist()], pa.int64())
        waiting: list[dict[str, Any]] = []
        size = begin = 0
        for place, (stem, ending, image) in enumerate(zip(stems, endings, images, strict=True)):
            waiting.append({"bytes": image, "path": f"{stem}.{ending}"})
            size += len(image)
            self._count += 1
            ended = self._count == self._ends[self._shard]
            if ended or size >= BYTES_A_GROUP or len(waiting) >= ROWS_A_GROUP or place == len(stems) - 1:
                part = [columns[name].slice(begin, len(waiting)) for name in self._schema.names[1:]]
                table = pa.Table.from_arrays([pa.array(waiting, IMAGE), *part], schema=self._schema)
                self._opened().write_table(table)
                waiting, size, begin = [], 0, place + 1
            if ended:
                self._end()
                self._shard += 1

    def _opened(self) -> pq.ParquetWriter:
        if self._writer is None:
            self._file = (self._folder / self._name(self._shard)).open("xb")
            texts = [field.name for field in self._schema if pa.types.is_string(field.type)]
            self._writer = pq.ParquetWriter(
                self._file, self._schema, compression="zstd", use_dictionary=texts, write_page_checksum=True
            )
        return self._writer

    def _end(self) -> None:
        if self._writer is not None and self._file is not None:
            self._writer.close()
            self._file.close()
        self._writer = self._file = None

    def finish(self, licences: list[str], told: str) -> None:
        """Write the card."""
        self._end()
        write_small(self._folder / "README.md", _card(licences, told, self._count, self._folder))


def _feature(type_: pa.DataType) -> Any:
    """Return how `datasets` spells a type: the older spellings, which every version of it reads."""
    if is_list(type_):
        if pa.types.is_struct(type_.value_type):
            return [_feature(type_.value_type)]
        length = type_.list_size if pa.types.is_fixed_size_list(type_) else -1
        return {"feature": _feature(type_.value_type), "length": length, "_type": "Sequence"}
    if pa.types.is_struct(type_):
        return {field.name: _feature(field.type) for field in type_}
    named = {pa.float64(): "float64", pa.float32(): "float32"}.get(type_, str(type_))
    return {"dtype": named, "_type": "Value"}


def _card(licences: list[str], told: str, count: int, folder: Path) -> str:
    one = HUB_LICENCES.get(licences[0]) if len(licences) == 1 else None
    size = next((name for most, name in SIZES if count < most), "n>10M")
    licence = (
        f"license: {one}" if one else "license: other\nlicense_name: several-or-unclear\nlicense_link: ATTRIBUTION.md"
    )
    return "\n".join([
        "---", licence, f"pretty_name: {json.dumps(told, ensure_ascii=False)}", "tags:", "- biology", "- image", "- specimens",
        "size_categories:", f"- {size}", "configs:", "- config_name: default", "  data_files:", "  - split: train",
        "    path: data/train-*.parquet", "---", "", f"# {marked(told)}", "",
        "Licences and credits: `ATTRIBUTION.md`, and `ATTRIBUTION.csv` for programs. Name whoever is named there.",
        "Texts such as catalogNumber are text, zeros kept. `vasculum-export.json` says how this was made.",
        "`left_out.csv`, where there is one, lists images that are not here, and why.", "Made by vasculum.", "",
    ])  # fmt: skip
