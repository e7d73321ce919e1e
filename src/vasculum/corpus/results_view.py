"""Reading a study's results beside a corpus: which files count, and what is true of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from vasculum.errors import StoreError
from vasculum.store import parquet, truth
from vasculum.store.folder import Folder
from vasculum.store.sql import Database, quoted
from vasculum.tables import MANIFEST_SCHEMA, RESULTS_SCHEMA

STUDY_FILE = "study.json"


def read_study_file(path: Path | str) -> dict[str, Any]:
    """Return the content of a study's study.json. Raises StoreError where there is none or it is newer than this."""
    folder = Folder(path)
    content = folder.read_settings(STUDY_FILE, ("id", "corpus", "subset", "processors", "fingerprint", "size"))
    if content is None and folder.read_json("corpus.json") is not None:
        raise StoreError(
            f"{folder.path}: is a corpus; name a study. Make one with: vasculum apply {folder.path} PROCESSOR --out STUDY"
        )
    if content is None and folder.file("study").is_dir():
        raise StoreError(f"{folder.path}: holds a study; name that: {folder.file('study')}")
    if content is None:
        raise StoreError(
            f"{folder.path}: is no study (it has no {STUDY_FILE}). Make one with: vasculum apply CORPUS PROCESSOR --out {folder.path}"
        )
    return content


def counted_files(folder: Folder, content: Mapping[str, Any]) -> list[str]:
    """Return the results files that count: those of the present fingerprint and of any that was kept."""
    prefixes = tuple(f"results/{mark}-" for mark in [content["fingerprint"], *content.get("kept", [])])
    return [name for name in folder.names("results") if name.startswith(prefixes)]


def results_schema(folder: Folder, files: Iterable[str], otherwise: pa.Schema = RESULTS_SCHEMA) -> pa.Schema:
    """Return the schema of the newest of `files`, or `otherwise` where there is none."""
    newest = sorted(files, key=lambda name: name.rsplit("-", 1)[0])[-1:]
    return parquet.open_file(folder.file(newest[0])).schema_arrow if newest else otherwise


def add_results(
    database: Database, name: str, path: Path | str, document: Mapping[str, Any] | None = None,
    otherwise: pa.Schema = RESULTS_SCHEMA,
) -> list[str]:  # fmt: skip
    """Make a view `name` of a study's true results and return its columns.

    `document` stands for the study.json that is there (None) where it is about to be replaced; `otherwise` are the
    columns where there is no file yet. A processor's column also goes by its short name (`score` for `model_score`)
    where only one has it.
    """
    folder = Folder(path)
    content = read_study_file(path) if document is None else document
    files = counted_files(folder, content)
    database.files(f"{name}__files", [folder.file(file) for file in files], results_schema(folder, files, otherwise))
    database.view(f"{name}__true", truth.results(f"{name}__files"))
    columns = list(database.columns(f"{name}__true"))
    short = _short_names(content, columns)
    more = "".join(f", {quoted(full)} AS {quoted(brief)}" for brief, full in short.items())
    database.view(name, f"SELECT * EXCLUDE (run){more} FROM {name}__true")
    return [column for column in columns if column != "run"] + list(short)


def _short_names(content: Mapping[str, Any], columns: list[str]) -> dict[str, str]:
    full = [(column, f"{entry['name']}_{column}") for entry in content["processors"] for column in entry["gives"]]
    taken = {*columns, *MANIFEST_SCHEMA.names}  # a guess at the family is not the specimen's family
    count = Counter(brief for brief, _ in full)
    return {brief: name for brief, name in full if count[brief] == 1 and brief not in taken and name in columns}
