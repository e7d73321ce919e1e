"""Which kind of source a path is, for those who only name it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyarrow as pa

from vasculum.errors import SourceError
from vasculum.sources.encoded import image_columns, open_parquet
from vasculum.sources.identity import IMAGE_EXTENSIONS
from vasculum.sources.tar import BLOCK, is_tar

SHARDS = (".tar", ".parquet")


def kind_of(source: Path | str) -> str:
    """Return 'folder', 'table' or 'shards'. Raises SourceError where there is nothing, or a folder with nothing in it.

    A folder is one of images where it has a single one, else one of shards. A Parquet file with images in it is a shard.
    """
    path = Path(source)
    if re.match(r"https?:/", str(source)):  # one slash: a Path drops the other
        raise SourceError(
            f"{source}: an address on the web; this version reads folders and tables, so download it and give the file."
        )
    if not path.exists():
        raise SourceError(f"{path}: no such file or folder.")
    if path.is_dir():
        return _kind_of_folder(path)
    return "shards" if _is_shard(path) else "table"


def _kind_of_folder(path: Path) -> str:
    shards = False
    other: set[str] = set()
    for _, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            extension = Path(name).suffix.lower()
            if extension in IMAGE_EXTENSIONS and not name.startswith("."):
                return "folder"
            shards = shards or extension in SHARDS
            other.add(extension or "without an extension")
    if shards:
        return "shards"
    met = f"; there are files {', '.join(sorted(other)[:5])}" if other else ""
    raise SourceError(
        f"{path}: no image in it{met}. Give the folder that the images lie in, or a table that names them."
    )


def _is_shard(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(BLOCK)
            if is_tar(start):
                return True
            return start[:4] == b"PAR1" and bool(image_columns(open_parquet(file)))
    except (OSError, pa.ArrowException):
        return False  # whoever reads it says what is wrong with it
