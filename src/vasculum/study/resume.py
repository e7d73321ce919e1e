"""Resume: go on with a corpus or study from its own files, on any machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from vasculum.corpus.corpus import CORPUS_FILE, Corpus
from vasculum.corpus.subset import Selection
from vasculum.errors import UsageError
from vasculum.jobs import Watch
from vasculum.store import runs
from vasculum.store.folder import Folder
from vasculum.study.apply import apply
from vasculum.study.code import reference_of
from vasculum.study.study import Study


def resume(
    path: Path | str, *, corpus: Path | str | None = None, progress: Watch | None = None,
    told: Callable[[str], None] | None = None,
) -> Mapping[str, int]:  # fmt: skip
    """Go on with the last fetch of a corpus, or with a study, and return counts by status.

    A study's own copy of the users' code is run. Raises UsageError where a corpus was never fetched, StoreError where
    something that is needed is gone.
    """
    folder = Folder(path)
    if folder.file(CORPUS_FILE).exists():
        return _resume_fetch(Corpus.open(path), progress)
    study = Study.open(path, corpus=corpus)
    references = [reference_of(folder, entry) for entry in study.document["processors"]]
    subset = study.corpus.select(study.selection)
    return apply(subset, references, out=path, size=study.document["size"], progress=progress, told=told).counts()


def _resume_fetch(corpus: Corpus, progress: Watch | None) -> Mapping[str, int]:
    fetches = [content for _, content in runs.history(corpus.folder) if content.get("verb") == "fetch"]
    if not fetches:
        raise UsageError(f"{corpus.path}: nothing was fetched yet. Begin with: vasculum fetch {corpus.path}")
    parameters = fetches[-1]["parameters"]
    subset = corpus.select(Selection.from_dict(parameters["selection"]))
    fetched = corpus.fetch(subset, in_place=parameters["in_place"], progress=progress)
    before = {"already there": fetched.already, **{f"{status} before": n for status, n in fetched.failing.items()}}
    return {**fetched.counts, **{words: count for words, count in before.items() if count}}
