"""The same contract on every engine: one that has one worker, several, runs each job twice, or refuses to run."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from sheets import make_corpus
from vasculum import StoreError
from vasculum.engines.local import LocalEngine
from vasculum.jobs import Engine, Job, JobReport, Progress


class TwiceEngine:
    """Runs every job twice, as a cluster may; the jobs travel as pickles."""

    def run(self, jobs: Iterable[Job], progress: Progress) -> Iterator[JobReport]:
        for job in jobs:
            for _ in range(2):
                yield from LocalEngine(1).run([pickle.loads(pickle.dumps(job))], progress)


class RefusingEngine:
    """Fails where anything is run at all."""

    def run(self, jobs: Iterable[Job], progress: Progress) -> Iterator[JobReport]:
        for job in jobs:
            raise AssertionError(f"{job} was run")
        return iter(())


ENGINES: list[Engine] = [LocalEngine(1), LocalEngine(3), TwiceEngine()]


@pytest.mark.parametrize("engine", ENGINES, ids=["one", "three", "twice"])
def test_every_engine_gives_the_same_rows_and_a_second_run_runs_nothing(tmp_path: Path, engine: Engine) -> None:
    reference = make_corpus(tmp_path / "reference", 30)
    expected = reference.apply("thumbnail", "color", out=tmp_path / "expected").results
    corpus = make_corpus(tmp_path / "own", 30, fetch=False)
    corpus.fetch(engine=engine)
    study = corpus.apply("thumbnail", "color", out=tmp_path / "study", engine=engine)
    assert study.results.equals(expected)
    assert len(study.pictures("thumbnail_image", expected["media_id"].to_pylist())) == 30
    refusing = RefusingEngine()
    assert corpus.fetch(engine=refusing).already == 30
    corpus.apply("thumbnail", "color", out=tmp_path / "study", engine=refusing)


def test_a_job_that_breaks_a_contract_ends_the_run_with_its_error(tmp_path: Path) -> None:
    class Breaking:
        def run(self, context: object) -> JobReport:
            raise StoreError("/there: cannot write: the disk is full.")

    with pytest.raises(StoreError, match="the disk is full"):
        list(LocalEngine(2).run([Breaking(), Breaking(), Breaking()], lambda counts: None))
