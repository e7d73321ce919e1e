"""Apply: load and check the processors, plan, run the jobs, tidy what they wrote."""

from __future__ import annotations

import dataclasses
import functools
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vasculum import resources
from vasculum.corpus import results_view
from vasculum.corpus.fetch import check_statuses
from vasculum.corpus.subset import Subset
from vasculum.errors import ProcessorError, StoreError, SubsetError, UsageError
from vasculum.jobs import Engine, Watch, at_work
from vasculum.outcomes import Status
from vasculum.processing.guard import Guard
from vasculum.processing.items import Item, Setup
from vasculum.processing.job import PLAN_SCHEMA, ApplyJob
from vasculum.store import runs, tidy
from vasculum.store.parquet import TableWriter
from vasculum.study import plan as planning
from vasculum.study.code import keep_code
from vasculum.study.finish import finish
from vasculum.study.prepare import Prepared, prepare
from vasculum.study.study import Study, corpus_entry
from vasculum.tables import FORMAT

IMAGES_TO_CHECK = 8
Told = Callable[[str], None]


class ChangedError(UsageError):
    """Results exist that no longer fit: the caller must choose `redo`, `keep` or another folder."""


def apply(
    subset: Subset,
    processors: Sequence[Any],
    *,
    out: Path | str,
    size: str | None = None,
    retry: Sequence[str] = (),
    redo: bool = False,
    keep: bool = False,
    engine: Engine | None = None,
    progress: Watch | None = None,
    told: Told | None = None,
) -> Study:
    """Run processors over a subset and return the study in `out`; only what is not done yet is done.

    A processor is a name, `FILE.py:NAME`, a model folder, or a function or class under `@processor`. `retry` redoes just
    the rows with these statuses; results of changed code go with `redo` and stand with `keep`, those beyond a narrower
    subset go with `redo`. `progress` is told how many images there are and receives counts by status as they end, `told` lines for a person.
    Raises ChangedError where that choice is missing, ProcessorError where a contract is broken, StoreError, UsageError.
    """
    tell = told or (lambda _: None)
    if retry and redo:
        raise UsageError("--retry and --redo exclude each other: one redoes some rows, the other all of them.")
    again = check_statuses(retry)
    prepared = prepare(subset.corpus, processors, size)
    asked = functools.partial(_asked, Path(out), subset, prepared, again, redo=redo, keep=keep)
    study, what, settled = asked()  # before anything is written, so that what is refused leaves nothing behind
    if not what.todo.num_rows:
        tell(_nothing(what, again))
    if settled:
        return study
    setup = _checked_setup(prepared, what, tell)
    if engine is None:
        from vasculum.engines.local import LocalEngine

        engine = LocalEngine()
    parameters = {"fingerprint": prepared.fingerprint, "selection": subset.selection.as_dict(), "retry": list(retry)}
    with runs.running(study.folder, "apply", parameters) as run:
        study, what, _ = asked()  # again, now that no other run can change what is there
        if what.beyond:
            tell(f"{what.beyond:,} results beyond this subset are let go.")
        _remember(study, subset, prepared)
        if what.todo.num_rows:
            _run_jobs(study, run, prepared, setup, what, engine, progress)
        finish(study, run.name, prepared.columns.schema)
    return study


def _asked(
    out: Path, subset: Subset, prepared: Prepared, again: Sequence[Status], *, redo: bool, keep: bool
) -> tuple[Study, planning.Plan, bool]:
    """Return the study, what there is to do in it, and whether all of it stands as asked already. Writes nothing."""
    study, known = _study(out, subset, prepared, redo=redo, keep=keep)
    what = planning.plan(
        subset.corpus, subset.selection, prepared.size, study.path if known else None, study.document, again
    )
    told_before = known and study.document["subset"] == subset.selection.as_dict()
    if what.beyond and not redo and not told_before:
        raise ChangedError(
            f"{study.path}: holds {what.beyond:,} results beyond this subset. Let them go with --redo (redo=True); "
            "or choose another --out."
        )
    if not what.wanted and not what.beyond:
        raise SubsetError(f"no image of {subset.corpus.path} is wanted ({subset.selection}); nothing was made.")
    as_stored = known and results_view.read_study_file(study.path) == study.document and told_before
    return study, what, as_stored and not what.todo.num_rows and not what.beyond and not _left_over(study)


def dry_run(
    subset: Subset, processors: Sequence[Any], *, out: Path | str | None = None, size: str | None = None
) -> planning.Plan:
    """Return what an apply would do, without doing it."""
    prepared = prepare(subset.corpus, processors, size)
    study = Path(out) if out is not None and planning.study_folder(out) is not None else None
    if study is not None and results_view.read_study_file(study)["fingerprint"] != prepared.fingerprint:
        study = None
    return planning.plan(subset.corpus, subset.selection, prepared.size, study)


def _study(out: Path, subset: Subset, prepared: Prepared, *, redo: bool, keep: bool) -> tuple[Study, bool]:
    """Return the study in `out`, set to the present fingerprint, and whether it was known. Nothing is written yet."""
    folder = planning.study_folder(out)
    if folder is None:
        if out.is_file() or (out.is_dir() and any(name.name not in ("_tmp", "runs") for name in out.iterdir())):
            raise StoreError(f"{out}: holds other things already. Choose a new folder for the study with --out.")
        document: dict[str, Any] = {
            "format": FORMAT,
            "id": secrets.token_hex(16),
            "created": runs.now_text(),
            "kept": [],
        }
        study = Study(out, document, subset.corpus)
        _describe(study, subset, prepared)
        return study, False
    document = results_view.read_study_file(out)
    if document["corpus"]["id"] != subset.corpus.id:
        raise UsageError(f"{out}: is a study of another corpus ({document['corpus']['path']}). Choose another --out.")
    study = Study(out, document, subset.corpus)
    if document["fingerprint"] == prepared.fingerprint:
        document["kept"] = [] if redo else document["kept"]
    elif keep:
        _keep(study, prepared)
    elif redo or not results_view.counted_files(study.folder, document):
        document.update(kept=[], fingerprint=prepared.fingerprint)
    else:
        raise ChangedError(_changed(study, prepared))
    return study, True


def _keep(study: Study, prepared: Prepared) -> None:
    known = [(entry["name"], entry["gives"]) for entry in study.document["processors"]]
    if sorted(map(repr, known)) != sorted(repr((entry["name"], entry["gives"])) for entry in prepared.entries):
        raise UsageError(
            f"{study.path}: --keep needs the same processors and columns as before. Choose another --out, or --redo."
        )
    kept = [mark for mark in [*study.document["kept"], study.document["fingerprint"]] if mark != prepared.fingerprint]
    study.document.update(kept=kept, fingerprint=prepared.fingerprint)


def _changed(study: Study, prepared: Prepared) -> str:
    before = {entry["name"]: entry["fingerprint"] for entry in study.document["processors"]}
    now = {entry["name"]: entry["fingerprint"] for entry in prepared.entries}
    words = [f"{name} is new" for name in now if name not in before]
    words += [f"{name} is left out" for name in before if name not in now]
    words += [
        f"{name} has changed (code, settings or model)" for name in now if name in before and before[name] != now[name]
    ]
    rows = sum(study.counts().values())
    return (
        f"{study.path}: {rows:,} results were made differently: {', '.join(words) or 'the decode policy or size has changed'}. "
        "--redo (redo=True) makes all of them anew, --keep (keep=True) lets them stand and does only what is missing; "
        "or choose another --out."
    )


def _describe(study: Study, subset: Subset, prepared: Prepared) -> None:
    known = study.document
    before = ([entry["fingerprint"] for entry in known.get("processors", [])], known.get("subset"))
    same = before == ([entry["fingerprint"] for entry in prepared.entries], subset.selection.as_dict())
    command = known["command"] if same and "command" in known else sys.argv  # a resume asks for nothing of its own
    study.document.update(
        corpus=corpus_entry(study.path, subset.corpus), subset=subset.selection.as_dict(), size=prepared.size,
        policy=prepared.policy.as_dict(), processors=prepared.entries, fingerprint=prepared.fingerprint,
        versions=runs.versions(), command=command, updated=runs.now_text(),
    )  # fmt: skip


def _remember(study: Study, subset: Subset, prepared: Prepared) -> None:
    """Write study.json and a copy of the users' code, before the first result."""
    _describe(study, subset, prepared)
    for loaded, entry in zip(prepared.loaded, prepared.entries, strict=True):
        keep_code(study.folder, loaded, entry)
    study.save()


def _left_over(study: Study) -> bool:
    """Return whether files of a fingerprint that no longer counts, or many small files, are there to be tidied."""
    counted = results_view.counted_files(study.folder, study.document)
    return len(study.folder.names("results")) > len(counted) or len(counted) > 1 + len(study.document["kept"])


def _nothing(what: planning.Plan, again: Sequence[str]) -> str:
    if again:
        return f"nothing to do: none of the {what.wanted:,} wanted images has the status {' or '.join(again)}."
    waiting = sum(what.waiting.values())
    more = f" ({waiting:,} of them have no image to work on: {_counts(what.waiting)})" if waiting else ""
    return f"nothing to do: all {what.wanted:,} wanted images have results by this fingerprint{more}."


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {status}" for status, count in counts.items())


def _checked_setup(prepared: Prepared, what: planning.Plan, tell: Told) -> Setup:
    """Return what the workers need, after the contract was tried on one image. Raises ProcessorError."""
    references = tuple(loaded.reference for loaded in prepared.loaded)
    setup = Setup(references, prepared.policy, frozenset(), tuple(sys.path))
    items = [
        Item(row["media_id"], row["place"], row["etag"], row["sha256"], row["image_key"])
        for row in what.todo.filter(what.todo["place"].is_valid()).slice(0, IMAGES_TO_CHECK).to_pylist()
    ]  # fmt: skip
    if not items:
        return setup
    guard = Guard(setup, resources.memory_per_worker(1))
    try:
        checked = guard.check(items)
    except BaseException:
        guard.stop.set()  # nobody waits for processors to close
        raise
    finally:
        guard.close()
    for name, mismatch in checked.mismatches.items():
        raise ProcessorError(f"processor {name}: {mismatch}. Nothing was run; mend the processor and run again.")
    for name, error in checked.raised.items():
        tell(f"warning: {name} failed on the first image tried: {error}. Going on; each row says how it ended.")
    for name in sorted(checked.alone):
        tell(f"note: {name} gives other numbers for an image among others than alone; it is run one image at a time.")
    return dataclasses.replace(setup, alone=checked.alone)


def _run_jobs(
    study: Study, run: runs.Run, prepared: Prepared, setup: Setup, what: planning.Plan, engine: Engine, progress: Watch | None
) -> None:  # fmt: skip
    done: Counter[str] = Counter()
    total = what.todo.num_rows
    if progress:
        progress.begin(total)

    def note(counts: Mapping[str, int]) -> None:
        done.update(counts)
        run.progress({"total": total, "done": sum(done.values()), "counts": dict(done)})
        if progress:
            progress(counts)

    plan_file = f"runs/{run.name}/plan.parquet"
    with TableWriter(study.folder, plan_file, PLAN_SCHEMA) as writer:
        count = 0
        for chunk in planning.cut(what, getattr(engine, "workers", 1)):
            writer.write(chunk, rows_per_group=chunk.num_rows)
            count += 1
    jobs = [
        ApplyJob(str(study.path), run.name, number, plan_file, prepared.fingerprint, setup, prepared.columns)
        for number in range(count)
    ]
    files: list[str] = []
    try:
        with at_work(engine, jobs, note) as reports:
            for report in reports:
                files += [report.file] if report.file else []
                if len(files) >= tidy.FOLD_AT:
                    tidy.fold(study.folder, "results", run.name, files, prepared.columns.schema, prepared.fingerprint)
                    files = []
    finally:
        study.folder.delete([plan_file])
        study.folder.remove_folder(f"runs/{run.name}")
