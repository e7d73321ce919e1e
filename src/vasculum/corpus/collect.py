"""Collect: fold a source's links into one row a medium, and write those that are new or changed."""

from __future__ import annotations

import dataclasses
import os
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vasculum.corpus import matches
from vasculum.corpus.matches import RecordOptions
from vasculum.errors import UsageError
from vasculum.sources.folder import FolderSource, read_folder
from vasculum.sources.recorded import RecordedFolder
from vasculum.sources.shards import ShardsSource, read_shards
from vasculum.sources.table import TableSource, read_table
from vasculum.store import names, runs, tidy, truth
from vasculum.store.folder import TEMPORARY
from vasculum.store.parquet import TableWriter, write_table
from vasculum.store.sql import Database, lists_anew, quoted
from vasculum.tables import MANIFEST_SCHEMA, RECORD_TERMS, REJECTS_SCHEMA, SOURCE_SCHEMA

if TYPE_CHECKING:
    from vasculum.corpus.corpus import Corpus

Source = TableSource | FolderSource | RecordedFolder | ShardsSource
KINDS = ("table", "folder", "shards")


@dataclasses.dataclass(frozen=True, slots=True)
class Collected:
    """What a collect came to, in media (and in rows of the source where it says so)."""

    label: str
    media: int
    new: int
    changed: int
    unchanged: int
    gone: int
    """Media of a folder that were collected before and whose files are not in it any more; they are wanted no longer."""
    elsewhere: int
    """Media that another source of the corpus gave before; its rows stand."""
    several_records: int
    """Media that more than one record shows."""
    rejected: int
    """Rows of the source that were kept aside under rejects/."""
    source_counts: Mapping[str, int]

    def __str__(self) -> str:
        gone = f", {self.gone:,} gone (no longer in the folder, so no longer wanted)" if self.gone else ""
        return (
            f"{self.media:,} media in source {self.label!r}: {self.new:,} new, {self.changed:,} changed, "
            f"{self.unchanged:,} as before{gone}."
        )


def open_source(
    corpus: Corpus, kind: str, path: Path, *, label: str | None, root: Path | None, columns: Mapping[str, str],
    encoding: str | None, labels: bool, sheet: str | None = None, header_row: int | None = None,
    records: Path | None = None, key: str | None = None, match: Path | None = None,
) -> Source:  # fmt: skip
    """Return a source ready to be read. Raises SourceError where it cannot be, UsageError for a clash of labels."""
    named = label or _known_label(corpus, kind, path) or _default_label(path)
    told = RecordOptions(records, key, match)
    if kind != "folder" and told.told():
        raise UsageError(f"{told.told()[0]} is for folders of images.")
    if kind in ("table", "shards") and named in corpus.sources:  # as it was told before
        query = corpus.sources[named]["query"]
        columns = columns or query.get("map", {})
        sheet, header_row = sheet or query.get("sheet"), header_row or query.get("header_row")
    if kind == "table":
        source: Source = read_table(
            path, label=named, root=root, overrides=columns, encoding=encoding, sheet=sheet, header_row=header_row
        )
    elif kind == "folder":
        folder = read_folder(root or path, label=named, labels=labels)
        _check_not_moved(corpus, folder, label)
        told = dataclasses.replace(told, columns=columns, encoding=encoding, sheet=sheet, header_row=header_row)
        source = matches.with_records(corpus, folder, told)
    elif kind == "shards":
        source = read_shards(root or path, label=named, overrides=columns)
        _check_not_moved(corpus, source, label)
    else:
        raise UsageError(f"{kind!r} is no kind of source. Use one of: {', '.join(KINDS)}.")
    known = corpus.sources.get(named)
    same = known is None or (known["kind"] == kind and known.get("root") == str(source.root))
    if not same and label is None and root is None:
        raise UsageError(
            f"the corpus has a source {named!r} already, from {known['root'] if known else ''}. If this is the same one, moved, add "
            f"--label {shlex.quote(named)}; if it is another, give it a name of its own with --label NAME."
        )
    return source


def _check_not_moved(corpus: Corpus, source: Source, label: str | None) -> None:
    """Raise UsageError where a new folder may be a known one mounted elsewhere: its images would come in twice."""
    for known, entry in corpus.sources.items():
        if "folder" not in entry["query"] or "folder" not in source.query or entry["kind"] != source.kind:
            continue
        if not Path(entry["root"]).is_dir() and label is None and source.label not in corpus.sources:
            raise UsageError(
                f"source {known!r} was at {entry['root']}, which is gone. If {source.root} is the same folder, mounted "
                f"elsewhere, add --label {shlex.quote(known)}; if it is another, give it a name of its own with --label NAME."
            )


def _known_label(corpus: Corpus, kind: str, path: Path) -> str | None:
    """Return the label under which this very folder was collected before, whatever it was called then."""
    for known, entry in corpus.sources.items():
        whole = "folder" in entry["query"] and path.is_dir()  # not one shard of it
        if whole and entry["kind"] == kind and entry["root"] == os.path.normpath(Path.cwd() / path):
            return known
    return None


def _default_label(path: Path) -> str:
    name = path.resolve().name
    return name.removesuffix(".gz").rsplit(".", 1)[0] if path.is_file() and "." in name else name


def collect(corpus: Corpus, source: Source, told: Callable[[str], None]) -> Collected:
    """Read a source and commit what is new. A medium that is there unchanged adds nothing."""
    if source.kind != "table":
        told(f"{source.kind} {source.root}, as source {source.label!r}")
    if len(source.mapping):
        told(str(source.mapping))
    parameters = {"kind": source.kind, "label": source.label, "query": source.query, "root": str(source.root)}
    corpus.check_files()
    with runs.running(corpus.folder, "collect", parameters) as run:
        corpus.save_sources({source.label: {"kind": source.kind, "query": source.query, "root": str(source.root)}})
        staged = f"{TEMPORARY}/{run.name}-staged.parquet"
        try:
            with TableWriter(corpus.folder, staged, SOURCE_SCHEMA) as writer:
                for batch in source.batches():
                    writer.write(pa.Table.from_batches([batch], schema=SOURCE_SCHEMA))
                    run.progress({"rows": writer.rows})
            for note in source.notes:
                told(f"  {note}")
            _keep_rejects(corpus, source, run.name)
            counts = _write_new(corpus, staged, run.name, source.label if _complete(source) else None)
            if isinstance(source, RecordedFolder):
                told(f"  all of them, file by file: {matches.write_list(corpus, source)}")
        finally:
            corpus.folder.delete([staged])
        result = Collected(
            source.label,
            *counts,
            rejected=len(source.rejects) + source.counts.get("rejects counted but not listed", 0),
            source_counts=dict(source.counts),
        )
        run.progress(dataclasses.asdict(result))
        if not [name for name, _ in runs.live(corpus.folder) if name != run.name]:
            _tidy_manifest(corpus, run.name)
            tidy.sweep(corpus.folder)
    return result


def _keep_rejects(corpus: Corpus, source: Source, run: str) -> None:
    """Write the rows that were not taken; they take the place of those of an earlier collect of the same source."""
    with Database([corpus.path]) as database:
        earlier = []
        for name in corpus.folder.names("rejects"):
            database.files("rejects", [corpus.folder.file(name)], REJECTS_SCHEMA)
            if database.rows("SELECT DISTINCT source_name FROM rejects") == [(source.label,)]:
                earlier.append(name)
    rows: list[dict[str, Any]] = [
        {"run": run, "source_name": source.label, "file": r.file, "line": r.line, "reason": r.reason, "text": r.text}
        for r in source.rejects
    ]
    with corpus.folder.sweeping(earlier):
        if rows:
            table = pa.Table.from_pylist(rows, schema=REJECTS_SCHEMA)
            write_table(corpus.folder, names.part_name("rejects", run, 0), table)


def _complete(source: Source) -> bool:
    """Return whether a folder was seen whole, so that what was not seen is not there."""
    unseen = ("folders that cannot be read", "files that cannot be looked at")
    return source.kind == "folder" and not any(source.counts.get(kind) for kind in unseen)


@lists_anew
def _write_new(corpus: Corpus, staged: str, run: str, whole: str | None) -> tuple[int, int, int, int, int, int, int]:
    """Write rows that are not there as they are, and of a source seen `whole`, that those it had before are gone.

    Return media, new, changed, unchanged, gone, known elsewhere, with several records.
    """
    with corpus.database() as database:
        database.files("links", [corpus.folder.file(staged)], SOURCE_SCHEMA)
        database.run(f"CREATE TEMP TABLE folded AS {_folded()}")
        database.run(
            "CREATE TEMP TABLE judged AS SELECT folded.*, CASE WHEN old.media_id IS NULL THEN 'new' "
            "WHEN old.state = 'present' AND old.source_name <> folded.source_name THEN 'elsewhere' "
            "WHEN old.row_hash = folded.row_hash AND old.state = 'present' THEN 'unchanged' ELSE 'changed' END AS judgement "
            "FROM folded LEFT JOIN manifest AS old USING (media_id)"
        )
        counted = dict(database.rows("SELECT judgement, count(*) FROM judged GROUP BY 1"))
        several = database.rows("SELECT count(*) FROM judged WHERE records IS NOT NULL")[0][0]
        new, changed = counted.get("new", 0), counted.get("changed", 0)
        database.run(
            "CREATE TEMP TABLE left_over AS SELECT * FROM manifest ANTI JOIN folded USING (media_id) "
            "WHERE source_name = ? AND state = 'present'", [whole],
        )  # fmt: skip
        gone = int(database.rows("SELECT count(*) FROM left_over")[0][0])
        if new + changed + gone:
            present, absent = (_columns_of(run, state) for state in ("present", "gone"))
            _, batches = database.stream(
                f"SELECT {present} FROM judged WHERE judgement IN ('new', 'changed') "
                f"UNION ALL BY NAME SELECT {absent} FROM left_over ORDER BY place, media_id", rows=65_536,
            )  # fmt: skip
            with TableWriter(corpus.folder, names.part_name("manifest", run, 0), MANIFEST_SCHEMA) as writer:
                for batch in batches:
                    writer.write(pa.Table.from_batches([batch]).select(MANIFEST_SCHEMA.names).cast(MANIFEST_SCHEMA))
    unchanged, elsewhere = counted.get("unchanged", 0), counted.get("elsewhere", 0)
    return sum(counted.values()), new, changed, unchanged, gone, elsewhere, several


def _columns_of(run: str, state: str) -> str:
    """SQL: the columns of the manifest, written by `run` with this state, and their order in the source."""
    own = {"run": f"'{run}' AS run", "state": f"'{state}' AS state"}
    place = "place" if state == "present" else "NULL AS place"
    return ", ".join([*(own.get(name, quoted(name)) for name in MANIFEST_SCHEMA.names), place])


def _folded() -> str:
    """SQL: one row a medium. Its first record in source order fills the columns; all of them stand in `records`."""
    record = ", ".join(f"{quoted(name)} := {quoted(name)}" for name in RECORD_TERMS)
    kept = [name for name in SOURCE_SCHEMA.names if name not in ("media_id", "record_keys", "records")]
    ordered = "SELECT *, row_number() OVER () AS place FROM links"
    links = f"""
        SELECT media_id, place, record_keys[1] AS record_key, record_keys,
               struct_pack(record_key := record_keys[1], {record}) AS record,
               row_number() OVER (PARTITION BY media_id, record_keys[1] ORDER BY place) AS turn FROM ({ordered})"""
    grouped = f"""
        SELECT media_id, min(place) AS place,
               list_distinct(flatten(list(record_keys ORDER BY place))) AS keys,
               list(record ORDER BY place) FILTER (turn = 1) AS records, count(DISTINCT record_key) AS n
        FROM ({links}) GROUP BY media_id"""
    columns = ", ".join(f"links.{quoted(name)}" for name in kept)
    folded = f"""
        SELECT grouped.media_id, {columns}, grouped.place, list_sort(grouped.keys) AS record_keys,
               CASE WHEN n > 1 THEN grouped.records END AS records
        FROM ({grouped}) AS grouped JOIN ({ordered}) AS links USING (place)"""
    # unit separator between columns, another sign for null: no two different rows give one text
    hashed = ", ".join(
        f"coalesce(CAST({quoted(name)} AS VARCHAR), chr(30))" for name in [*kept, "record_keys", "records"]
    )
    return f"SELECT *, CAST('0x' || substr(md5(concat_ws(chr(31), {hashed})), 1, 15) AS BIGINT) AS row_hash FROM ({folded})"


@lists_anew
def _tidy_manifest(corpus: Corpus, run: str) -> None:
    """Keep one manifest file with the true rows; rows that were replaced move to history/ first."""
    files = corpus.folder.names("manifest")
    if len(files) < 2:
        return
    with Database([corpus.path]) as database:
        database.files("files", [corpus.folder.file(name) for name in files], MANIFEST_SCHEMA)
        losers = database.run(
            f"SELECT * FROM files ANTI JOIN ({truth.manifest('files')}) AS winners USING (media_id, run)"
        )
    if losers.num_rows:
        write_table(
            corpus.folder,
            names.part_name("history", run, 0),
            losers.select(MANIFEST_SCHEMA.names).cast(MANIFEST_SCHEMA),
        )
    tidy.tidy(corpus.folder, "manifest", run, MANIFEST_SCHEMA, truth.manifest("files"), only=files)
