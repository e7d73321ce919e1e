"""Few files: folding a run's small files into one, and writing a base that holds the winning rows only.

Both write first and delete afterwards, exactly what they read; a kill in between leaves doubles, and truth dissolves them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pyarrow as pa

from vasculum.store import disk, names, runs
from vasculum.store.folder import TEMPORARY, Folder
from vasculum.store.parquet import TableWriter
from vasculum.store.sql import Database, quoted

FOLD_AT = 200
"""A driver folds its own run's small files when there are so many."""

LITTER_SECONDS = 24 * 3600.0
LISTINGS = 5
"""How often a folder is listed anew when a file that was listed is gone: another run tidied meanwhile."""


def fold(folder: Folder, sub: str, run: str, files: Sequence[str], schema: pa.Schema, prefix: str = "") -> None:
    """Write all rows of `files` into one new file and delete them."""
    _rewrite(folder, names.part_name(sub, run, 999_999, 0, prefix), files, schema, "SELECT * FROM files")


def tidy(
    folder: Folder, sub: str, run: str, schema: pa.Schema, truth: str, *, prefix: str = "",
    only: Sequence[str] | None = None, tables: Mapping[str, pa.Table] | None = None, even_one: bool = False,
) -> bool:  # fmt: skip
    """Write one base file with the winning rows of all files under `sub`, and delete what was read.

    `truth` is SQL over the view `files` and `tables`; `only` names the files where not all of the folder's count.
    Returns whether there was anything to do. A base that stands alone is left as it is, unless `even_one`.
    """
    for _ in range(LISTINGS):
        found = list(only) if only is not None else folder.names(sub)
        if not found or (len(found) == 1 and "base-" in found[0] and not even_one):
            return False
        try:
            _rewrite(folder, names.base_name(sub, run, prefix), found, schema, truth, tables)
            return True
        except FileNotFoundError:
            only = None if only is None else [name for name in only if folder.file(name).exists()]
    return False


def _rewrite(
    folder: Folder, target: str, files: Sequence[str], schema: pa.Schema, query: str,
    tables: Mapping[str, pa.Table] | None = None,
) -> None:  # fmt: skip
    columns = ", ".join(quoted(field.name) for field in schema)
    with Database([folder.path]) as database:
        database.files("files", [folder.file(name) for name in files], schema)
        for name, table in (tables or {}).items():
            database.table(name, table)
        found, batches = database.stream(f"SELECT {columns} FROM ({query})", rows=65_536)
        with folder.sweeping(list(files)), TableWriter(folder, target, schema) as writer:
            for batch in batches:
                writer.write(pa.Table.from_batches([batch], schema=found).cast(schema))


def sweep(folder: Folder) -> None:
    """Delete temporary files of runs that ended or died more than a day ago."""
    alive = {name for name, _ in runs.live(folder)}
    try:
        entries = list((folder.path / TEMPORARY).iterdir())
        newest = max((entry.stat().st_mtime for entry in entries), default=0.0)
    except OSError:
        return
    for entry in entries:
        try:
            old = newest - entry.stat().st_mtime > LITTER_SECONDS
        except OSError:
            continue
        run = names.run_of(entry.name)
        if (run is not None and run not in alive) or old:
            try:
                disk.unlink(entry)
            except OSError:
                continue
