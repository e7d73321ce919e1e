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
    """Return what there is to do; results in the folder `study` that count by `document` are done.

    With `retry`, just the results with one of these statuses are to do.
    """
    folders = [corpus.path, *([study] if study else []), *(Path(path) for _, path in selection.studies)]
    with Database(folders) as database:
        corpus.add_views(database)
        selection.prepare(database)
        if study is None:
            database.run(
                "CREATE TEMP TABLE results AS SELECT '' AS media_id, 0::BIGINT AS image_key, '' AS status LIMIT 0"
            )
        else:
            results_view.add_results(database, "results", study, document)
        rows = database.run(_JUDGED, [size]).to_pylist()
        beyond = database.rows("SELECT count(*) FROM results ANTI JOIN selected USING (media_id)")[0][0]
    todo = [row for row in rows if (row["result_status"] in retry if retry else not row["done"])]
    waiting = Counter(row["status"] for row in rows if not row["readable"])
    roots = corpus.roots()
    jobs = [_job_row(corpus, roots, row) for row in todo]
    return Plan(len(rows), len(rows) - len(todo), jobs, dict(waiting), beyond)


_JUDGED = f"""
    WITH found AS (
        SELECT s.media_id, m.source_name, m.local_path, i.shard, i.etag, i.sha256, i.image_key, i.detail,
               coalesce({truth.READABLE.replace("status", "i.status")}, false) AS readable,
               i.status AS image_status, r.media_id IS NOT NULL AS has_result, r.status AS result_status,
               r.image_key AS result_key
        FROM selected AS s JOIN manifest AS m USING (media_id)
        LEFT JOIN (SELECT * FROM images WHERE size = ?) AS i USING (media_id)
        LEFT JOIN results AS r USING (media_id)
    ), judged AS (
        SELECT * REPLACE (CASE WHEN readable THEN image_key END AS image_key),
               CASE WHEN readable THEN 'ok' WHEN coalesce(image_status, 'ok') = 'ok' THEN '{Status.NOT_FETCHED}'
                    ELSE image_status END AS status
        FROM found
    )
    SELECT *, has_result AND result_key IS NOT DISTINCT FROM image_key AND (readable OR result_status = status) AS done
    FROM judged ORDER BY shard, media_id"""
"""What is wanted, with its image and its result. Done is what has a result of the very image that there is now, or, where
there is none to read, a result that says so for the same reason."""


def _job_row(corpus: Corpus, roots: Mapping[str, Path], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the plan (job.PLAN_SCHEMA): where its image lies, or why there is none."""
    place = None
    if row["readable"]:
        in_shard = row["shard"] is not None
        place = (
            corpus.folder.file(row["shard"]).absolute() if in_shard else roots[row["source_name"]] / row["local_path"]
        )
    detail = row["detail"]
    if row["status"] == Status.NOT_FETCHED:
        never = row["image_status"] is None
        detail = "its bytes are not in the corpus yet: run `vasculum fetch`" if never else "its bytes were not kept"
    return {
        "media_id": row["media_id"],
        "place": str(place) if place else None,
        "etag": row["etag"] if row["readable"] and row["shard"] is None else None,
        "sha256": row["sha256"],
        "image_key": row["image_key"],
        "status": row["status"],
        "detail": detail or Status(row["status"]).meaning,
    }


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
