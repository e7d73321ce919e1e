"""The images of the benchmarks: real sheets under many names, and webviews made of them. No two files are equal."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

WEB_WIDTH = 600
WEB_QUALITY = 85
LICENCE = "https://creativecommons.org/publicdomain/zero/1.0/"


def make(kind: str, samples: Path, folder: Path, count: int) -> Path:
    """Write `count` images of a kind ('sheets': as they are, 'webviews': 600 px wide) and their table; return the table.

    Each sample comes equally often. A few bytes behind the end of each file make their hashes differ.
    """
    files = sorted(samples.glob("*.jpg"))
    if not files:
        raise SystemExit(f"{samples}: has no *.jpg. Name a folder of JPEG sheets with --images-from.")
    images = [_webview(file) if kind == "webviews" else file.read_bytes() for file in files[:count]]
    folder.mkdir(parents=True, exist_ok=True)
    rows = ["catalogNumber,accessURI,license"]
    for number in range(count):
        name = f"{number:06d}.jpg"
        (folder / name).write_bytes(images[number % len(images)] + b"%06d" % number)
        rows.append(f"{number:06d},{name},{LICENCE}")
    table = folder / "records.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def whole_rounds(count: int, samples: Path) -> int:
    """Return the number of images at or under `count` at which each sample comes equally often."""
    files = len(list(samples.glob("*.jpg"))) or 1
    return count if count < files else count - count % files


def describe(folder: Path, count: int) -> str:
    """Return a clause on the images of a folder."""
    files = sorted(folder.glob("*.jpg"))
    sizes = []
    for file in files:
        with Image.open(file) as image:
            sizes.append(image.size)
    pixels = sum(width * height for width, height in sizes) / len(sizes) / 1e6
    weight = sum(file.stat().st_size for file in files) / len(files) / 1e3
    longest = max(max(size) for size in sizes)
    return f"{count:,} JPEGs, mean {weight:,.0f} kB and {pixels:.1f} megapixels, longest side {longest:,} px"


def _webview(file: Path) -> bytes:
    with Image.open(file) as image:
        profile = image.info.get("icc_profile")
        height = round(image.height * WEB_WIDTH / image.width)
        small = image.convert("RGB").resize((WEB_WIDTH, height), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=WEB_QUALITY, icc_profile=profile)
    return stream.getvalue()
