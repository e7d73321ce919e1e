"""A folder collected with a table of its records: opened as it was told, now or the last time, and its list written."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vasculum.errors import SourceError, UsageError
from vasculum.sources.folder import FolderSource
from vasculum.sources.pairs import read_pairs
from vasculum.sources.reading import TableFile
from vasculum.sources.recorded import COLUMNS, RecordedFolder
from vasculum.sources.records import Records
from vasculum.store.formulas import harmless

if TYPE_CHECKING:
    from vasculum.corpus.corpus import Corpus


@dataclasses.dataclass(frozen=True, slots=True)
class RecordOptions:
    """What a person said of the table of records; None: nothing, so what was said the last time counts."""

    records: Path | None = None
    key: str | None = None
    match: Path | None = None
    columns: Mapping[str, str] | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None

    def told(self) -> list[str]:
        """Return the options that were given."""
        names = {"columns": "--map", "header_row": "--header-row"}
        return [names.get(f.name, f"--{f.name}") for f in dataclasses.fields(self) if getattr(self, f.name)]


def with_records(corpus: Corpus, folder: FolderSource, options: RecordOptions) -> FolderSource | RecordedFolder:
    """Return the folder with the records that were told, now or when it was collected before; or the folder alone.

    Raises UsageError for options without a table, SourceError for a remembered table that is gone.
    """
    before = corpus.sources.get(folder.label, {}).get("query", {}).get("records")
    if options.records is None and before is None:
        if told := options.told():
            raise UsageError(f"{told[0]} goes with a table of records: add --records FILE.")
        return folder
    query = _query(options, before or {})
    path = Path(query["file"])
    if options.records is None and not path.exists():
        raise SourceError(
            f"{path}: the records of source {folder.label!r} were read from there the last time, and it is gone; "
            "say where they are with --records FILE."
        )
    file = TableFile(path, encoding=query.get("encoding"), sheet=query.get("sheet"), header_row=query.get("header_row"))
    records = Records(file, query.get("key"), query.get("map", {}))
    query["key"] = query.get("key") or records.key_columns[0]
    if options.records is None:
        records.remarks.insert(0, f"records as before: {path}, by {query['key']!r}")
    if query.get("match") and options.match is None:
        records.remarks.insert(0, f"match file as before: {query['match']} (without it: give --records again)")
        if not Path(query["match"]).exists():
            raise SourceError(
                f"{query['match']}: the match file of source {folder.label!r} was there the last time, and it is gone; "
                "say where it is with --match FILE, or give --records FILE again to do without."
            )
    pairs = read_pairs(Path(query["match"]), records.key_columns[0]) if query.get("match") else None
    return RecordedFolder(folder, records, pairs, query)


def _query(options: RecordOptions, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be remembered: what was told now, and of the same table what was told before."""
    now = {
        "file": str(options.records.resolve()) if options.records else None,
        "key": options.key,
        "match": str(options.match.resolve()) if options.match else None,
        "map": dict(options.columns) if options.columns else None,
        "encoding": options.encoding,
        "sheet": options.sheet,
        "header_row": options.header_row,
    }
    told = {name: value for name, value in now.items() if value is not None}
    same = "file" not in told or told["file"] == before.get("file")
    kept = {name: value for name, value in before.items() if same and not (name == "match" and "file" in told)}
    return {**kept, **told}


def list_name(label: str) -> str:
    """Return the name of the file that lists the matches of a source; odd labels keep apart by a hash."""
    plain = re.sub(r"[^\w\-. ]+", "_", label).strip(" .")[:80]
    same = plain == label and plain.casefold() == plain
    return f"matches-{plain}{'' if same else '-' + hashlib.sha256(label.encode()).hexdigest()[:4]}.csv"


def write_list(corpus: Corpus, source: RecordedFolder) -> Path:
    """Write what became of every file and record as CSV that Excel opens (UTF-8 with its mark); return its path."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in source.report())
    name = list_name(source.label)
    with corpus.folder.commit(name) as file:
        file.write(text.getvalue().encode("utf-8-sig"))
    return corpus.folder.file(name)


def _harmless(value: object) -> object:
    return harmless(value) if isinstance(value, str) else value
