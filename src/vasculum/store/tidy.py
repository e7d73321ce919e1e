"""Few files: folding a run's small files into one, and writing a base that holds the winning rows only.

Both write first and delete afterwards, exactly what they read; a kill in between leaves doubles, and truth dissolves them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import pyarrow as pa

from vasculum.errors import StoreError
from vasculum.store import disk, names, runs
from vasculum.store.folder import TEMPORARY, Folder
from vasculum.store.parquet import TableWriter
from vasculum.store.sql import LISTINGS, Database, quoted

FOLD_AT = 200
"""A driver folds its own run's small files when there are so many."""

LITTER_SECONDS = 24 * 3600.0


def fold(folder: Folder, sub: str, run: str, files: Sequence[str], schema: pa.Schema, prefix: str = "") -> None:
    """Write all rows of `files` into one new file and delete them; where another run tidied them away, do nothing."""
    with contextlib.suppress(FileNotFoundError):
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
    """Delete what runs that can write nothing more left behind: their temporary files and their plans."""
    over = runs.over(folder)
    _sweep_plans(folder, over)
    try:
        entries = list((folder.path / TEMPORARY).iterdir())
        # the store's own clock, which stamped the file of the present run a moment ago
        newest = max((folder.file(name).stat().st_mtime for name in folder.names("runs", ".json")), default=0.0)
    except OSError:
        return
    for entry in entries:
        with contextlib.suppress(OSError):
            if names.run_of(entry.name) in over or newest - entry.stat().st_mtime > LITTER_SECONDS:
                disk.unlink(entry)


def _sweep_plans(folder: Folder, over: set[str]) -> None:
    for name in folder.names("runs", ""):
        run = name.removeprefix("runs/")
        if run in over:
            with contextlib.suppress(OSError, StoreError):
                folder.delete([f"{name}/plan.parquet"])
                folder.remove_folder(name)
