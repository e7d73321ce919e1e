"""What people write instead of vasculum, doing the same work; needs Pillow, numpy and pyarrow only (and torch for the loader).

    python peers.py loop|pool|loader FOLDER OUT.parquet [--draft] [--workers N]

The work: each JPEG of FOLDER → sRGB, upright, 256 pixels on the longer side (Lanczos) → a JPEG of it (quality 85) and the
shares of 16 ranges of red, green and blue → one row of a Parquet file.
"""

from __future__ import annotations

import argparse
import functools
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, ImageCms, ImageOps

SIZE, OVERSAMPLE, QUALITY, BINS = 256, 2, 85, 16
Row = tuple[str, bytes, int, int, list[float]]


def work(path: Path, draft: bool) -> Row:
    """Do the work on one file."""
    with Image.open(path) as image:
        longest = max(image.size)
        width, height = ((2 * side * SIZE + longest) // (2 * longest) for side in image.size)
        profile = image.info.get("icc_profile")
        box = None
        if draft:  # the JPEG decoder skips what the small picture does not need
            found = image.draft("RGB", (width * OVERSAMPLE, height * OVERSAMPLE))
            box = found[1] if found else None
        small = ImageOps.exif_transpose(image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS, box=box))
    if profile:
        small = ImageCms.applyTransform(small, _to_srgb(profile))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=QUALITY, optimize=True, exif=b"", icc_profile=b"")
    pixels = np.asarray(small)
    counts = [np.bincount(pixels[..., c].ravel() // (256 // BINS), minlength=BINS) for c in range(3)]
    shares = (np.concatenate(counts) / pixels[..., 0].size).tolist()
    return path.name, stream.getvalue(), small.width, small.height, shares


@functools.lru_cache(maxsize=32)
def _to_srgb(profile: bytes) -> ImageCms.ImageCmsTransform:
    srgb = ImageCms.createProfile("sRGB")
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), srgb, "RGB", "RGB", intent)


def loop(files: list[Path], draft: bool, workers: int) -> Iterator[Row]:
    """One image after the other."""
    for file in files:
        yield work(file, draft)


def pool(files: list[Path], draft: bool, workers: int) -> Iterator[Row]:
    """A pool of processes, eight images at a time."""
    from multiprocessing import Pool

    with Pool(workers) as processes:
        yield from processes.imap_unordered(functools.partial(work, draft=draft), files, chunksize=8)


class Sheets:
    """The files as a data set of PyTorch."""

    def __init__(self, files: list[Path], draft: bool) -> None:
        self.files, self.draft = files, draft

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Any, Row]:
        import torch

        row = work(self.files[index], self.draft)
        return torch.tensor(row[4]), row


def as_they_are(batch: list[tuple[Any, Row]]) -> tuple[Any, list[Row]]:
    """Put a batch together: histograms as one tensor, the rest as it is."""
    import torch

    return torch.stack([shares for shares, _ in batch]), [row for _, row in batch]


def loader(files: list[Path], draft: bool, workers: int) -> Iterator[Row]:
    """A DataLoader with as many workers as cores, batches of 32."""
    from torch.utils.data import DataLoader

    for _, rows in DataLoader(Sheets(files, draft), batch_size=32, num_workers=workers, collate_fn=as_they_are):
        yield from rows


def main() -> None:
    """Run one peer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=["loop", "pool", "loader"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--draft", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    Image.MAX_IMAGE_PIXELS = None
    rows = list({"loop": loop, "pool": pool, "loader": loader}[asked.peer](
        sorted(asked.folder.glob("*.jpg")), asked.draft, asked.workers
    ))  # fmt: skip
    columns = dict(zip(("file", "jpeg", "width", "height", "shares"), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), asked.out, compression="zstd", use_dictionary=False)


if __name__ == "__main__":
    main()
