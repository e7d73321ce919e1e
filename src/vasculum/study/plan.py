"""Planning an apply: what is wanted, minus what is done for the same image and fingerprint. Pure: nothing is written."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vasculum.corpus import results_view
from vasculum.corpus.corpus import Corpus
from vasculum.corpus.subset import Selection
from vasculum.errors import UsageError
from vasculum.outcomes import Status
from vasculum.store import truth
from vasculum.store.folder import Folder
from vasculum.store.sql import Database, lists_anew

MEDIA_PER_JOB = 512
FEWEST_PER_JOB = 16
JOBS_PER_WORKER = 4


@dataclasses.dataclass(frozen=True)
class Plan:
    """What an apply would do."""

    wanted: int
    done: int
    todo: list[dict[str, Any]]
    """Rows of job.PLAN_SCHEMA."""
    waiting: Mapping[str, int]
    """Of the wanted: how many have no image to work on, by status."""
    beyond: int
    """Results of the study that this subset does not want."""

    @property
    def to_decode(self) -> int:
        """How many images would be read."""
        return sum(1 for row in self.todo if row["place"] is not None)


@lists_anew
def the_size(corpus: Corpus, asked: str | None) -> str:
    """Return which size of image to work on: the one asked for, or the only one there is. Raises UsageError."""
    with corpus.database() as database:
        sizes = [row[0] for row in database.rows("SELECT DISTINCT size FROM images ORDER BY 1")]
    if asked is None:
        if len(sizes) > 1:
            raise UsageError(f"the corpus holds several sizes: {', '.join(sizes)}. Choose one with --size.")
        return sizes[0] if sizes else "original"
    if sizes and asked not in sizes:
        raise UsageError(f"--size {asked}: the corpus holds {', '.join(sizes)}.")
    return asked


@lists_anew
def plan(
    corpus: Corpus,
    selection: Selection,
    size: str,
    study: Path | None,
    document: Mapping[str, Any] | None = None,
    retry: Sequence[Status] = (),
) -> Plan:
    """Return what there is to do; results in the folder `study` that count by `document` are done."""
    with selection.open(corpus.path) if study is None else _opened(corpus, selection, study) as database:
        corpus.add_views(database)
        selection.prepare(database)
        if study is None:
            database.run(
                "CREATE TEMP TABLE results AS SELECT '' AS media_id, NULL::BIGINT AS image_key, '' AS status LIMIT 0"
            )
        else:
            results_view.add_results(database, "results", study, document)
        rows = database.rows(
            "SELECT s.media_id, i.shard, i.etag, i.sha256, i.image_key, i.status, i.detail, m.source_name, m.local_path, "
            f"coalesce({truth.READABLE.replace('status', 'i.status')}, false), r.media_id IS NOT NULL, r.image_key, r.status "
            "FROM selected AS s JOIN manifest AS m USING (media_id) "
            "LEFT JOIN (SELECT * FROM images WHERE size = ?) AS i USING (media_id) "
            "LEFT JOIN results AS r USING (media_id) ORDER BY i.shard, s.media_id",
            [size],
        )
        beyond = database.rows("SELECT count(*) FROM results ANTI JOIN selected USING (media_id)")[0][0]
    roots = corpus.roots()
    todo: list[dict[str, Any]] = []
    waiting: Counter[str] = Counter()
    for (
        media_id,
        shard,
        etag,
        sha256,
        key,
        status,
        detail,
        source,
        path,
        readable,
        has,
        old_key,
        old_status,
    ) in rows:
        row = {
            "media_id": media_id,
            "place": None,
            "etag": None,
            "sha256": sha256,
            "image_key": None,
            "status": status,
            "detail": detail,
        }
        if readable:
            row.update(
                image_key=key,
                place=str(corpus.folder.file(shard).resolve()) if shard else str(roots[source] / path),
            )
            row["etag"] = None if shard else etag
        else:
            row.update(_unreadable(status, detail))
            waiting[row["status"]] += 1
        done = has and old_key == row["image_key"] and (readable or old_status == row["status"])
        if (old_status in retry and has) if retry else not done:
            todo.append(row)
    return Plan(len(rows), len(rows) - len(todo), todo, dict(waiting), beyond)


def _opened(corpus: Corpus, selection: Selection, study: Path) -> Database:
    return Database([corpus.path, study, *(Path(path) for _, path in selection.studies)])


def _unreadable(status: str | None, detail: str | None) -> dict[str, str]:
    if status is None:
        return {
            "status": Status.NOT_FETCHED,
            "detail": "its bytes are not in the corpus yet: run `vasculum fetch`",
        }
    if status == Status.OK:
        return {"status": Status.NOT_FETCHED, "detail": "its bytes were not kept"}
    return {"status": status, "detail": detail or Status(status).meaning}


def cut(plan: Plan, workers: int) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each job: of one shard, or in place, few enough that all workers have some."""
    fair = -(-len(plan.todo) // max(1, workers * JOBS_PER_WORKER))
    most = min(MEDIA_PER_JOB, max(FEWEST_PER_JOB, fair))
    chunk: list[dict[str, Any]] = []
    lane: object = None
    for row in plan.todo:
        own = row["place"] if row["etag"] is None else "in place"
        if chunk and (own != lane or len(chunk) >= most):
            yield chunk
            chunk = []
        chunk.append(row)
        lane = own
    if chunk:
        yield chunk


def study_folder(path: Path | str) -> Folder | None:
    """Return the folder of a study where it has results to plan with, else None."""
    folder = Folder(path)
    return folder if folder.read_json(results_view.STUDY_FILE) is not None else None
