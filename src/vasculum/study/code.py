"""A copy of the users' code beside its results, so that a study can go on where the original file is not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vasculum.errors import StoreError
from vasculum.processing import fingerprint
from vasculum.processing.load import Loaded, Reference, refer
from vasculum.store.folder import Folder


def keep_code(folder: Folder, loaded: Loaded, entry: dict[str, Any]) -> None:
    """Copy the files of a processor from a FILE.py into the study and note in `entry` where they are."""
    entry["reference"] = reference_entry(loaded.reference)
    if loaded.reference.road != "file":
        return
    path = Path(loaded.reference.where)
    root = f"code/{entry['fingerprint']}"
    entry["code"] = f"{root}/{path.name}"
    for file in fingerprint.source_files(path):
        beside = path.resolve().parent
        inside = (
            file.relative_to(beside).as_posix() if file.is_relative_to(beside) else file.name
        )  # a link to elsewhere
        name = f"{root}/{inside}"
        if not folder.file(name).exists():
            with folder.commit(name) as copy:
                copy.write(file.read_bytes())


def reference_entry(reference: Reference) -> dict[str, Any]:
    """Return a reference as study.json keeps it; pickled code is not kept."""
    return {
        "road": reference.road, "where": reference.where, "attribute": reference.attribute,
        "settings": {key: repr(value) for key, value in reference.settings}, "alias": reference.alias,
    }  # fmt: skip


def reference_of(folder: Folder, entry: Mapping[str, Any]) -> Reference:
    """Return the reference of a processor in study.json; where its file is gone or changed, the copy's.

    Raises StoreError where neither is there, or the processor was defined in a notebook.
    """
    import ast

    kept = entry.get("reference")
    if kept is None:  # killed before the first result, and before the code was copied
        return refer(entry["spec"])
    if kept["road"] == "pickled":
        raise StoreError(
            f"{folder.path}: processor {entry['name']} was defined in a notebook or script. Run that again; it goes on from here."
        )
    where = kept["where"]
    if kept["road"] == "file":
        copy = folder.file(entry["code"])
        where = str(copy) if copy.exists() else where
    if kept["road"] in ("file", "model") and not Path(where).exists():
        raise StoreError(
            f"{folder.path}: processor {entry['name']} is not at {where}. Put it back there and run again."
        )
    settings = tuple((key, ast.literal_eval(value)) for key, value in kept["settings"].items())
    return Reference(kept["road"], where, kept["attribute"], settings, kept["alias"])
