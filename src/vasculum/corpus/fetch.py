"""Fetch: plan which local images are missing or changed, cut them into shard jobs, run them, fold what they wrote."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from vasculum.corpus.subset import Selection
from vasculum.errors import StoreError, UsageError, nearest
from vasculum.fetching.local import PLAN_SCHEMA, FetchLocalJob
from vasculum.fetching.members import Finder, state_in
from vasculum.jobs import Engine, Watch, at_work
from vasculum.outcomes import Status
from vasculum.store import names, runs, tidy, truth
from vasculum.store.parquet import TableWriter
from vasculum.store.sql import lists_anew
from vasculum.tables import IMAGES_SCHEMA

if TYPE_CHECKING:
    from vasculum.corpus.corpus import Corpus

SHARD_BYTES = 256 * 2**20
"""A fetch job fills one shard: at least 256 MB (a herbarium sheet is about 3.5 MB), so that HDFS holds few files."""

SHARD_ROWS = 4096
"""The most media of one job, for corpora of small images."""

LARGEST_SHARD_BYTES = 2 * 2**30
MOST_SHARDS = 40_000
"""A corpus of 120 TB is cut into shards of 2 GB, not 470,000 of 256 MB."""

URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


@dataclasses.dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch came to, in media."""

    wanted: int
    already: int
    """Had their bytes, unchanged."""
    failing: Mapping[str, int]
    """Failed before and are as they were, so not tried again, by status."""
    counts: Mapping[str, int]
    """Of those tried now, by status."""
    kept: int
    """Of those that failed now: whose earlier bytes are kept and go on being used."""
    examples: tuple[str, ...]
    """Details of the first few that failed now."""
    on_the_web: int
    """Media whose only address is on the web; they are not fetched by this version."""

    @property
    def failed(self) -> int:
        """Media tried now that could not be got."""
        return sum(count for status, count in self.counts.items() if status != Status.OK)


EXAMPLES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Survey:
    """What a fetch would meet, as far as the file system tells."""

    sizes: Mapping[str, int]
    """Bytes of each wanted medium whose file is there, by media_id."""
    on_the_web: int
    """Media whose only address is on the web."""


def survey(corpus: Corpus, selection: Selection) -> Survey:
    """Look at the files of a subset without reading them; see Corpus.survey."""
    wanted, web = _plan(corpus, selection, corpus.roots(), in_place=True)
    return Survey({row["media_id"]: row["bytes"] for row in wanted if row["bytes"]}, web)


def check_statuses(statuses: Sequence[str]) -> list[Status]:
    """Return the statuses named; 'transient' stands for all that may end otherwise next time. Raises UsageError."""
    found: list[Status] = []
    for name in statuses:
        if name == "transient":
            found += [status for status in Status if status.transient]
        elif name in set(Status):
            found.append(Status(name))
        else:
            raise UsageError(
                f"--retry {name}: there is no such status{nearest(name, list(Status))}. Known: transient, {', '.join(Status)}."
            )
    return found


def fetch(
    corpus: Corpus, selection: Selection, *, in_place: bool, retry: Sequence[str], roots: Mapping[str, Path],
    engine: Engine | None, progress: Watch | None,
) -> Fetched:  # fmt: skip
    """Get what is wanted and missing; see Corpus.fetch."""
    again = check_statuses(retry)
    parameters = {"selection": selection.as_dict(), "in_place": in_place, "retry": list(retry)}
    if engine is None:
        from vasculum.engines.local import LocalEngine

        engine = LocalEngine()
    corpus.check_files()
    with runs.running(corpus.folder, "fetch", parameters) as run:
        located = corpus.roots(roots)
        corpus.save_sources({label: {**corpus.sources[label], "root": str(located[label])} for label in roots})
        wanted, web = _plan(corpus, selection, located, in_place)
        _check_roots(located, wanted)
        todo = [row for row in wanted if (row["status"] in again if again else not row["done"])]
        if again:
            todo = [{**row, "known_sha256": None} for row in todo]  # asked for, so kept anew even where it seems there
        jobs = list(_cut(corpus, run.name, todo, in_place))
        counts = _run(corpus, run, jobs, engine, progress, len(todo))
        kept, examples = _failures(corpus, run.name, {row["media_id"] for row in todo if row["known_shard"]})
        _tidy(corpus, run.name)
    tried = {row["media_id"] for row in todo}
    rest = Counter(row["status"] for row in wanted if row["media_id"] not in tried)
    already = rest.pop(Status.OK, 0)
    return Fetched(len(wanted), already, dict(rest), counts, kept, examples, web)


def _check_roots(roots: Mapping[str, Path], wanted: Sequence[Mapping[str, Any]]) -> None:
    """Raise StoreError where the folder of a source is not there at all: a drive that is away is no missing image."""
    for label in sorted({row["source"] for row in wanted if row["path"]}):
        if not roots[label].is_dir():
            raise StoreError(
                f"source {label!r}: its folder {roots[label]} is not there. Connect the drive, or say where it is now: "
                f"--root {label}=FOLDER"
            )


@lists_anew
def _failures(corpus: Corpus, run: str, had_bytes: set[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many that failed in a run have earlier bytes, and the details of the first few."""
    with corpus.database() as database:
        failed = database.rows(
            "SELECT media_id, status, detail FROM images__files WHERE run = ? AND status <> 'ok' ORDER BY detail", [run]
        )
    shown = tuple(dict.fromkeys(f"{status}: {detail}" for _, status, detail in failed))[:EXAMPLES]
    return sum(media_id in had_bytes for media_id, _, _ in failed), shown


@lists_anew
def _plan(
    corpus: Corpus, selection: Selection, roots: Mapping[str, Path], in_place: bool
) -> tuple[list[dict[str, Any]], int]:
    """Return every wanted medium that has a local file, each with whether it is done, and how many are on the web."""
    shards = set(corpus.folder.names("bytes"))
    with selection.open(corpus.path) as database:
        corpus.add_views(database)
        selection.prepare(database)
        rows = database.rows(
            "SELECT m.media_id, m.source_name, m.local_path, m.accessURI, i.status, i.etag, i.door, i.shard, i.sha256, "
            "i.attempts FROM manifest AS m JOIN selected USING (media_id) "
            "LEFT JOIN (SELECT * FROM images WHERE size = 'original') AS i USING (media_id) ORDER BY m.media_id"
        )
    wanted: list[dict[str, Any]] = []
    web = 0
    finder = Finder()
    for media_id, source, local_path, uri, status, etag, door, shard, sha256, attempts in rows:
        if status == Status.DROPPED:
            continue
        if local_path is None and uri and URL.match(uri):
            web += 1
            continue
        path, problem = _locate(roots, source, local_path)
        now, through = finder.find(path) if path else (None, None)
        same_way = status != Status.OK or door == ("in_place" if in_place else "copy")
        wanted.append({
            "media_id": media_id, "source": source, "path": path, "shard_path": through, "problem": problem, "attempts": attempts or 0,
            "known_sha256": sha256, "known_shard": shard if shard in shards else None, "known_door": door, "status": status, "bytes": int(now.split("-")[0], 16) if now else 0,
            "done": status is not None and state_in(etag) == now and same_way and (shard is None or shard in shards),
        })  # fmt: skip
    return _by_shard(wanted), web


def _by_shard(wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put what lies in other people's shards in the order of these, and tell each image of its shard's bytes its share."""
    inside = Counter(row["shard_path"] for row in wanted)
    for row in wanted:
        if row["shard_path"] is not None:
            row["bytes"] //= inside[row["shard_path"]]
    plain = [row for row in wanted if row["shard_path"] is None]
    members = [row for row in wanted if row["shard_path"] is not None]
    # rows of a column by number, since the longer number is the higher one
    members.sort(key=lambda row: (row["shard_path"], row["path"].rpartition("/")[0], len(row["path"]), row["path"]))
    return plain + members


def _locate(roots: Mapping[str, Path], source: str, local_path: str | None) -> tuple[str | None, str | None]:
    """Return the file of a medium, or why there is none."""
    if local_path is None:
        return None, "the record has no address of an image"
    root = roots.get(source)
    if root is None:
        return None, f"source {source!r} has no root. Give one with --root {source}=FOLDER"
    return f"{str(root).rstrip('/')}/{local_path}", None


def _cut(corpus: Corpus, run: str, todo: list[dict[str, Any]], in_place: bool) -> Iterator[FetchLocalJob]:
    """Write the plan, a row group a job, and yield the jobs. A job fills one shard."""
    if not todo:
        return
    total = sum(row["bytes"] for row in todo)
    target = min(max(SHARD_BYTES, total // MOST_SHARDS), LARGEST_SHARD_BYTES)
    plan = f"runs/{run}/plan.parquet"
    chunks: list[list[dict[str, Any]]] = [[]]
    size = 0
    for row in todo:
        if chunks[-1] and (size + row["bytes"] > target or len(chunks[-1]) >= SHARD_ROWS):
            chunks.append([])
            size = 0
        chunks[-1].append(row)
        size += row["bytes"]
    with TableWriter(corpus.folder, plan, PLAN_SCHEMA) as writer:
        for chunk in chunks:
            writer.write(pa.Table.from_pylist(chunk, schema=PLAN_SCHEMA), rows_per_group=len(chunk))
    for job in range(len(chunks)):
        yield FetchLocalJob(str(corpus.path), run, job, plan, in_place)


def _run(
    corpus: Corpus,
    run: runs.Run,
    jobs: Sequence[FetchLocalJob],
    engine: Engine,
    progress: Watch | None,
    total: int,
) -> dict[str, int]:
    done: Counter[str] = Counter()

    def note(counts: Mapping[str, int]) -> None:
        done.update(counts)
        run.progress({"total": total, "done": sum(done.values()), "counts": dict(done)})
        if progress:
            progress(counts)

    files: list[str] = []
    counts: Counter[str] = Counter()
    run.progress({"total": total, "done": 0, "counts": {}})
    if progress:
        progress.begin(total)
    try:
        with at_work(engine, jobs, note) as reports:
            for report in reports:
                counts.update(report.counts)
                files += [report.file] if report.file else []
                if len(files) >= tidy.FOLD_AT:
                    tidy.fold(corpus.folder, "images", run.name, files, IMAGES_SCHEMA)
                    files = []
    finally:
        corpus.folder.delete([f"runs/{run.name}/plan.parquet"])
        corpus.folder.remove_folder(f"runs/{run.name}")
    return dict(counts)


def _tidy(corpus: Corpus, run: str) -> None:
    """Leave one file of true outcomes, unless another run is at work."""
    if not [name for name, _ in runs.live(corpus.folder) if name != run]:
        tidy.tidy(corpus.folder, "images", run, IMAGES_SCHEMA, truth.images("files"))
        _drop_orphans(corpus)
        tidy.sweep(corpus.folder)


@lists_anew
def _drop_orphans(corpus: Corpus) -> None:
    """Delete shards that no outcome names, of runs that are over: their job was killed before its commit."""
    shards = corpus.folder.names("bytes")
    if not shards:
        return
    over = runs.over(corpus.folder)  # asked before the outcomes are read: a run that ends in between has committed them
    with corpus.database() as database:
        named = {row[0] for row in database.rows("SELECT DISTINCT shard FROM images__files WHERE shard IS NOT NULL")}
    corpus.folder.delete([shard for shard in shards if shard not in named and names.run_of(shard) in over])
