"""The whole road in one call: collect a folder or table, fetch, apply. A trial of a few images says first how long it takes."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from vasculum import resources
from vasculum.corpus.corpus import Corpus
from vasculum.corpus.subset import Selection, Subset
from vasculum.engines.local import LocalEngine
from vasculum.errors import ProcessorError, SourceError, UsageError
from vasculum.jobs import Watch
from vasculum.outcomes import Status
from vasculum.sources.recognise import kind_of
from vasculum.study.apply import apply, dry_run
from vasculum.study.prepare import load_in_order
from vasculum.study.study import Study

TRIAL = 20
"""Images that the estimate is made from."""

WARMING = 4
"""Images before those: what it takes to start a worker is measured with them and taken off."""

TRIAL_FROM = 60
"""With fewer images than this, the work is over before a trial would have said how long it takes."""

Watching = Callable[[str], AbstractContextManager[Watch]]
"""Gives, for a verb, something to be told of its progress for the length of a block."""


@dataclasses.dataclass(frozen=True, slots=True)
class Estimate:
    """What is ahead, before the long part begins."""

    images: int
    """Images that have no result yet."""
    n_bytes: int
    """Bytes of their files."""
    seconds: float | None
    """About how long they take; None where they are too few for a trial."""
    workers: int
    web: int
    """Media among them that have an address on the web only; they are not fetched by this version."""


def run(
    source: Path | str,
    *processors: Any,
    out: Path | str | None = None,
    selection: Selection | None = None,
    redo: bool = False,
    keep: bool = False,
    told: Callable[[str], None] | None = None,
    before: Callable[[Estimate], None] | None = None,
    watching: Watching | None = None,
    **collecting: Any,
) -> Study:
    """Collect `source`, fetch it in place, apply the processors, and return the study; run again, it does what is missing.

    `source` is a folder of images, a table, shards of others, or a corpus that stands already. The corpus is `out`/corpus, the study
    `out`/study; `out` is a folder beside where you are, named for the source, unless you say. what else is given goes
    to `Corpus.collect` (`records` and `key` join a folder of images with a table). `before` is shown an Estimate before the long part;
    what it raises stops the run there. Files are read where they lie, not copied. `redo` and `keep` are those of
    `Subset.apply`. Raises ProcessorError where no image of the trial gave a result; SourceError, StoreError, UsageError.
    """
    given = Path(source)
    kind = _kind_of(given)
    load_in_order(processors)  # a name that is mistyped is told before anything is read
    tell = told or (lambda _: None)
    watch = watching or (lambda _: contextlib.nullcontext(_Nobody()))
    folder = results_folder(given, out)
    if kind == "corpus":
        if collecting:
            raise UsageError(
                f"{given}: is a corpus already, and {', '.join(collecting)} is for collecting one. Do that with: "
                f"vasculum collect {given} folder DIR --records FILE"
            )
        corpus = Corpus.open(given)
        for entry in corpus.sources.values():
            if entry["kind"] != "table":
                _refuse_inside(folder, Path(entry["root"]))
    else:
        corpus = _collected(folder, kind, given, told, collecting)
    in_place = not corpus.folder.names("bytes")  # a corpus that keeps copies goes on keeping them
    subset = corpus.select(selection or Selection())
    estimate = _estimate(subset, processors, folder, in_place, watch)
    if before is not None:
        before(estimate)
    with watch("fetch") as watcher:
        corpus.fetch(subset, in_place=in_place, progress=watcher)
    with watch("apply") as watcher:
        return apply(subset, processors, out=folder / "study", redo=redo, keep=keep, progress=watcher, told=tell)


def results_folder(source: Path, out: Path | str | None) -> Path:
    """Return the folder that a run writes to. Raises UsageError where that would be inside the source."""
    root = source.resolve()
    name = root.name if root.is_dir() else root.name.split(".")[0]
    folder = Path(out) if out is not None else Path(f"{name or 'images'}-results")
    if root.is_dir() and not (root / "corpus.json").exists():
        _refuse_inside(folder, root)
    return folder


def _refuse_inside(folder: Path, root: Path) -> None:
    """Raise UsageError where `folder` lies in the folder of a source."""
    if folder.resolve().is_relative_to(root.resolve()):
        other = root.resolve().parent / f"{root.resolve().name}-results"
        raise UsageError(
            f"{folder}: lies inside {root}, and nothing is written into a source. Choose another place with --out, "
            f"such as --out {other}"
        )


def _kind_of(source: Path) -> str:
    if (source / "corpus.json").exists():
        return "corpus"
    if (source / "study.json").exists():
        raise SourceError(f"{source}: is a study, not a source of images. Go on with: vasculum resume {source}")
    if (source / "corpus" / "corpus.json").exists():
        raise SourceError(
            f"{source}: holds the results of a run. Go on with: vasculum run {source / 'corpus'} … --out {source}"
        )
    return kind_of(source)


def _collected(
    folder: Path, kind: str, source: Path, told: Callable[[str], None] | None, collecting: Mapping[str, Any]
) -> Corpus:
    """Return the corpus of a run with what its source gives now. A first collect that gives nothing leaves nothing."""
    if folder.exists() and not (folder / "corpus" / "corpus.json").exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: holds other things already. Choose a new folder with --out.")
    corpus = Corpus.create(folder / "corpus")
    try:
        collected = corpus.collect(kind, source, told=told, **collecting)
        if told is not None:
            told(str(collected))
        if not collected.media:
            raise SourceError(f"{source}: it names no image. What was passed over and why stands above.")
    except BaseException:
        corpus.forget_if_empty()
        with contextlib.suppress(OSError):  # there may be something in it
            folder.rmdir()
        raise
    return corpus


def _estimate(subset: Subset, processors: Sequence[Any], folder: Path, in_place: bool, watch: Watching) -> Estimate:
    """Return what is ahead, by a trial where that is long enough to be worth one."""
    ahead = dry_run(subset, processors, out=folder / "study").todo["media_id"].to_pylist()
    survey = subset.corpus.survey(subset)
    n_bytes = sum(survey.sizes.get(media_id, 0) for media_id in ahead)
    workers = resources.cores()
    local = [media_id for media_id in ahead if media_id in survey.sizes]
    seconds = None
    if len(local) >= TRIAL_FROM:
        reading, working = _trial(subset.corpus, processors, local[: WARMING + TRIAL], survey.sizes, in_place, watch)
        again = (
            reading * n_bytes if n_bytes > resources.memory() / 2 else 0.0
        )  # else what was read is in the cache still
        seconds = reading * n_bytes + max(working * len(local) / workers, again)
    return Estimate(len(ahead), n_bytes, seconds, workers, survey.on_the_web)


def _trial(
    corpus: Corpus,
    processors: Sequence[Any],
    media_ids: Sequence[str],
    sizes: Mapping[str, int],
    in_place: bool,
    watch: Watching,
) -> tuple[float, float]:
    """Return the seconds to read a byte, and those that one worker takes for an image.

    Raises ProcessorError where none of the images gave a result: then the others would hardly do.
    """
    first, then = media_ids[:WARMING], media_ids[WARMING:]
    with watch("trial"):
        corpus.fetch(_only(corpus, first), in_place=in_place)
        reading = _Clock()
        corpus.fetch(_only(corpus, then), in_place=in_place, progress=reading)
        took = []
        with tempfile.TemporaryDirectory(prefix="vasculum-trial-") as place:
            for name, ids in (("first", first), ("then", then)):
                clock = _Clock()
                study = apply(
                    _only(corpus, ids), processors, out=Path(place) / name, engine=LocalEngine(1), progress=clock
                )
                took.append(clock.seconds)
            _check_some_result(study)
    working = max((took[1] - took[0]) / (len(then) - len(first)), 0.0)
    return reading.seconds / max(1, sum(sizes[media_id] for media_id in then)), working


def _check_some_result(study: Study) -> None:
    counts = study.counts()
    if not counts or not counts.keys() <= _OF_PROCESSORS:
        return  # images that cannot be read are rows like all others
    query = "SELECT status, detail FROM results ORDER BY status = 'processor_error' DESC, media_id LIMIT 1"
    row = study.sql(query).to_pylist()[0]
    raise ProcessorError(
        f"none of the first {sum(counts.values())} images gave a result; the first: {row['status']}: {row['detail']}. "
        "Nothing more was run. Mend that and run the same command again."
    )


_OF_PROCESSORS = {Status.PROCESSOR_ERROR, Status.BAD_OUTPUT, Status.KILLED, Status.TIMED_OUT}


def _only(corpus: Corpus, media_ids: Sequence[str]) -> Subset:
    return corpus.where(f"media_id IN ({', '.join(repr(media_id) for media_id in media_ids)})")


class _Clock:
    """Measures the seconds from the beginning of a run's work to the last image that ended."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._began = time.monotonic()

    def begin(self, total: int) -> None:
        self._began = time.monotonic()

    def __call__(self, counts: Mapping[str, int]) -> None:
        self.seconds = time.monotonic() - self._began


class _Nobody:
    """Is told how a run goes on, and does nothing with it."""

    def begin(self, total: int) -> None:
        pass

    def __call__(self, counts: Mapping[str, int]) -> None:
        pass
