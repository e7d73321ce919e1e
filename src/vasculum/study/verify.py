"""Verify: hash everything again, count both ways, and name what is wrong. It changes nothing."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from vasculum.corpus import results_view
from vasculum.corpus.corpus import CORPUS_FILE, Corpus
from vasculum.errors import StoreError, VasculumError
from vasculum.fetching.members import is_member
from vasculum.outcomes import Status
from vasculum.processing.items import Item
from vasculum.processing.reading import read_items
from vasculum.store import parquet, truth
from vasculum.store.folder import Folder
from vasculum.store.sql import lists_anew, quoted
from vasculum.study.study import Study
from vasculum.tables import BLOBS_SCHEMA

Progress = Callable[[int], None]
SHOWN = 20
"""How many of one kind of problem are named; the rest are counted."""


@dataclasses.dataclass(frozen=True)
class Verified:
    """What verify found."""

    checked: dict[str, int]
    """How many of each thing were looked at."""
    problems: list[str]
    """One line each; empty: all is well."""


def verify(path: Path | str, progress: Progress | None = None) -> Verified:
    """Check a corpus or a study. `progress` receives bytes as they are hashed. Raises StoreError where it is neither."""
    folder = Folder(path)
    checker = _Checker(folder, progress or (lambda _: None))
    if folder.file(CORPUS_FILE).exists():
        checker.corpus(Corpus.open(path))
    elif folder.file(results_view.STUDY_FILE).exists():
        checker.study(Study.open(path))
    elif (Path(path) / "study").is_dir():
        raise StoreError(f"{path}: holds the corpus and the study of a run; name one: {Path(path) / 'study'}")
    else:
        raise StoreError(f"{path}: is neither a corpus nor a study (no {CORPUS_FILE}, no {results_view.STUDY_FILE}).")
    return Verified(checker.checked, checker.told())


class _Checker:
    def __init__(self, folder: Folder, progress: Progress) -> None:
        self.folder = folder
        self.progress = progress
        self.checked: dict[str, int] = {}
        self.problems: dict[str, list[str]] = {}

    def problem(self, kind: str, what: str) -> None:
        self.problems.setdefault(kind, []).append(what)

    def told(self) -> list[str]:
        lines = []
        for kind, found in self.problems.items():
            lines += [f"{kind}: {what}" for what in found[:SHOWN]]
            if len(found) > SHOWN:
                lines.append(f"{kind}: and {len(found) - SHOWN:,} more")
        return lines

    def corpus(self, corpus: Corpus) -> None:
        """Hash every image; every outcome must find its bytes and every image its outcome and its medium."""
        self._whole("manifest", "images", "history", "rejects")
        present = self._hash("bytes", ["media_id", "sha256", "bytes"])
        self._counting(lambda: self._count_corpus(corpus, present))
        self._counting(lambda: self._in_place(corpus))

    @lists_anew
    def _in_place(self, corpus: Corpus) -> None:
        """Hash the files that are read where they lie; each must still be the one that was fetched."""
        roots = corpus.roots()
        with corpus.database() as database:
            files = database.rows(
                "SELECT i.media_id, i.sha256, m.source_name, m.local_path, i.etag FROM images AS i JOIN manifest AS m USING (media_id) "
                "WHERE i.status = 'ok' AND i.shard IS NULL AND i.door = 'in_place' AND m.local_path IS NOT NULL ORDER BY 4"
            )
        members = []
        for media_id, recorded, source, local_path, etag in files:
            path = roots[source] / local_path
            if is_member(etag):
                members.append(Item(media_id, f"{roots[source]}/{local_path}", etag, recorded, 0))
                continue
            try:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                self.progress(path.stat().st_size)
            except OSError as error:
                self.problem("file in place that cannot be read", f"{path}: {error.strerror} ({media_id})")
            else:
                self._compare(digest, recorded, str(path), media_id)
        for index, data in read_items(members):
            item = members[index]
            if isinstance(data, bytes):
                self.progress(len(data))
                self._compare(hashlib.sha256(data).hexdigest(), item.sha256, item.place, item.media_id)
            elif data[0] is Status.HASH_MISMATCH:
                self._compare("", item.sha256, item.place, item.media_id)
            else:
                self.problem("file in place that cannot be read", f"{data[1]} ({item.media_id})")
        if files:
            self.checked["files in place"] = len(files)

    def _compare(self, digest: str, recorded: str, path: str, media_id: str) -> None:
        if digest != recorded:
            self.problem("file in place that changed since it was fetched (run fetch again)", f"{path} ({media_id})")

    @lists_anew
    def _count_corpus(self, corpus: Corpus, present: pa.Table) -> None:
        with corpus.database() as database:
            database.table("present", present)
            outcomes = database.rows(
                f"SELECT media_id, shard, coalesce(shard_sha256, sha256), status FROM images WHERE {truth.READABLE} AND shard IS NOT NULL"
            )
            self.checked["outcomes"] = database.rows("SELECT count(*) FROM images")[0][0]
            self.checked["media"] = database.rows("SELECT count(*) FROM manifest")[0][0]
            for (status,) in database.rows("SELECT DISTINCT status FROM images"):
                if status not in set(Status):
                    self.problem("unknown status", status)
            for media_id, size in database.rows(
                "SELECT media_id, size FROM images ANTI JOIN manifest USING (media_id)"
            ):
                self.problem("outcome without a medium in the manifest", f"{media_id} ({size})")
            unnamed = database.rows(
                "SELECT file, count(*) FROM present WHERE file NOT IN (SELECT shard FROM images__files WHERE shard IS NOT NULL) "
                "OR media_id NOT IN (SELECT media_id FROM images__files) GROUP BY 1"
            )  # an image that a newer one took the place of may lie beside others that are needed
            for file, count in unnamed:
                self.problem(
                    "images that no outcome names (left by a killed run; the next fetch removes them)",
                    f"{count:,} in {file}",
                )
        held = set(zip(*(present[name].to_pylist() for name in ("file", "media_id", "sha256")), strict=True))
        for media_id, shard, sha256, _ in outcomes:
            if (shard, media_id, sha256) not in held:
                self.problem("image missing from its shard, or other than recorded", f"{media_id} in {shard}")

    def study(self, study: Study) -> None:
        """Count results against what is wanted; hash every picture; every result must find its pictures."""
        self._whole("results")
        present = self._hash("blobs", BLOBS_SCHEMA.names)
        self._counting(lambda: self._count_study(study, present))

    @lists_anew
    def _count_study(self, study: Study, present: pa.Table) -> None:
        pictures = [column.name for column in study.columns if type(column.kind).__name__ == "Picture"]
        with study.database() as database:
            study.selection.prepare(database)
            counts = {
                "wanted": "SELECT count(*) FROM selected",
                "results": "SELECT count(*) FROM results",
                "wanted without a result": "SELECT count(*) FROM selected ANTI JOIN results USING (media_id)",
                "results not wanted": "SELECT count(*) FROM results ANTI JOIN selected USING (media_id)",
            }
            found = {name: database.rows(query)[0][0] for name, query in counts.items()}
            self.checked.update(wanted=found["wanted"], results=found["results"])
            for name in ("wanted without a result", "results not wanted"):
                if found[name]:
                    self.problem(name, f"{found[name]:,} (run the same apply again)")
            database.table("present", present)
            for column in pictures:
                missing = database.rows(
                    f"SELECT media_id FROM results ANTI JOIN present ON present.media_id = results.media_id AND "
                    f"present.sha256 = results.{quoted(column)} WHERE results.{quoted(column)} IS NOT NULL"
                )
                for (media_id,) in missing:
                    self.problem(f"picture missing from {column}", media_id)
            for (status,) in database.rows("SELECT DISTINCT status FROM results"):
                if status not in set(Status):
                    self.problem("unknown status", status)

    def _counting(self, count: Callable[[], None]) -> None:
        """Count, unless a damaged file forbids it; what is wrong with that was told, or is told now."""
        try:
            count()
        except VasculumError as error:
            self.problem("cannot be counted", str(error))

    def _whole(self, *subs: str) -> None:
        """Check every byte of the small files."""
        for name in (name for sub in subs for name in self.folder.names(sub)):
            self._file(name)

    def _file(self, name: str) -> None:
        self.checked["files"] = self.checked.get("files", 0) + 1
        try:
            parquet.check_whole(self.folder.file(name))
            parquet.open_file(self.folder.file(name))  # and be of a format that is known
        except FileNotFoundError:
            return  # tidied away meanwhile; what took its place is checked as well
        except StoreError as error:
            self.problem("damaged file", str(error))

    def _hash(self, sub: str, columns: list[str]) -> pa.Table:
        """Hash every row of the big files; return file, media_id and the hash found."""
        rows: dict[str, list[str]] = {"file": [], "media_id": [], "sha256": []}
        for name in self.folder.names(sub):
            self._file(name)
            try:
                for table in self._groups(name, columns):
                    self._hash_table(name, table, rows)
            except StoreError as error:
                self.problem("images that cannot be read", str(error))
        self.checked[f"images in {sub}/"] = len(rows["file"])
        return pa.table({name: pa.array(values, pa.string()) for name, values in rows.items()})

    def _hash_table(self, name: str, table: pa.Table, rows: dict[str, list[str]]) -> None:
        for media_id, recorded, data in zip(
            table["media_id"].to_pylist(), table["sha256"].to_pylist(), table["bytes"], strict=True
        ):
            buffer = data.as_buffer()
            digest = hashlib.sha256(buffer).hexdigest()
            self.progress(len(buffer))
            if digest != recorded:
                self.problem("image with other bytes than its hash says", f"{media_id} in {name}")
            rows["file"].append(name)
            rows["media_id"].append(media_id)
            rows["sha256"].append(digest)

    def _groups(self, name: str, columns: list[str]) -> Iterator[pa.Table]:
        try:
            groups = parquet.open_file(self.folder.file(name)).num_row_groups
        except FileNotFoundError:
            return  # tidied away meanwhile; what took its place is checked as well
        yield from parquet.read_groups(self.folder.file(name), range(groups), columns)
