"""Whether all peers did the same work: as many rows, thumbnails of equal sizes, histograms that agree."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

MOST_MOVED = 0.03
"""The largest share of a picture's pixels that may lie in another range of values than in the plain loop's picture.

A scaled decode and a profile applied before or after the resize move a pixel by a few levels at most, and 16 ranges have
edges: what lies beside one may cross it. Another picture, a wrong profile or padding counted in move far more.
"""

Result = tuple[tuple[int, int], "np.ndarray[tuple[int], np.dtype[np.float64]]"]


def told(outputs: Mapping[str, Path], plain: str) -> str:
    """Return one sentence on how the outputs agree with the plain loop's. Raises SystemExit where they do not."""
    results = {name: dict(_rows(folder)) for name, folder in outputs.items()}
    reference = results[plain]
    moved: dict[str, float] = {}
    for name, own in results.items():
        if own.keys() != reference.keys():
            raise SystemExit(f"{name}: {len(own)} rows of {len(reference)}, or of other images.")
        for file, (size, shares) in own.items():
            if size != reference[file][0]:
                raise SystemExit(f"{name}, {file}: a thumbnail of {size}, the plain loop's has {reference[file][0]}.")
            distance = float(np.abs(shares - reference[file][1]).reshape(3, -1).sum(axis=1).max() / 2)
            moved[name] = max(moved.get(name, 0.0), distance)
            if distance > MOST_MOVED:
                raise SystemExit(
                    f"{name}, {file}: {distance:.1%} of the pixels lie in other ranges than the plain loop's."
                )
    listed = ", ".join(f"{name} {distance:.1%}" for name, distance in moved.items() if name != plain)
    return (
        f"Same work: {len(reference):,} rows each, all thumbnails of equal sizes; of no picture do more than {MOST_MOVED:.0%} of "
        f"the pixels lie in another of 16 ranges than in the plain loop's (most: {listed})."
    )


def _rows(folder: Path) -> Iterator[tuple[str, Result]]:
    if (folder / "study.json").is_file():
        yield from _of_study(folder)
        return
    for row in pq.read_table(folder / "rows.parquet").to_pylist():
        yield row["file"], (_size(row["jpeg"]), np.array(row["shares"]))


def _of_study(folder: Path) -> Iterator[tuple[str, Result]]:
    from vasculum import Study

    study = Study.open(folder)
    names = {
        row["media_id"]: Path(row["local_path"] or row["accessURI"]).name for row in study.corpus.manifest().to_pylist()
    }
    blobs = {}
    for file in sorted((folder / "blobs").glob("*.parquet")):
        blobs.update({row["sha256"]: row["bytes"] for row in pq.read_table(file).to_pylist()})
    for file in sorted((folder / "results").glob("*.parquet")):
        for row in pq.read_table(file).to_pylist():
            if row["status"] != "ok":
                raise SystemExit(f"vasculum, {names[row['media_id']]}: {row['status']}: {row['detail']}.")
            jpeg = blobs[row["thumbnail_image"]]
            assert hashlib.sha256(jpeg).hexdigest() == row["thumbnail_image"]
            yield names[row["media_id"]], (_size(jpeg), np.array(row["histogram_shares"], np.float64))


def _size(jpeg: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(jpeg)) as image:
        image.load()
        return image.size
