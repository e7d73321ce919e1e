"""Real commands killed at random moments, two at once, and dead ones that must not stand in the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import psutil
import pytest
from trials import Log, check_whole, copy, corpus_truth, fault, litter

from sheets import make_corpus
from vasculum import Corpus, Study
from vasculum.errors import StoreError
from vasculum.study.verify import verify

KILLS = 20
ROWS_A_JOB = 2
IMAGES_TO_CHECK = 8
pytestmark = pytest.mark.skipif(os.name == "nt", reason="sends POSIX signals")


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start `vasculum` as the head of a process group of its own."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("driver.py")), *map(str, arguments)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command; return its exit code and what it said."""
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def run(*arguments: object) -> str:
    """Run a command to its good end and return what it said."""
    code, said = finish(start(*arguments))
    assert code == 0, said
    return said


def kill_after(seconds: float, *arguments: object) -> bool:
    """Kill a command's process group after so many seconds; return whether it was still at work."""
    process = start(*arguments)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    else:
        finish(process)
        return False
    with_children = psutil.Process(process.pid)
    children = with_children.children(recursive=True)
    os.killpg(process.pid, signal.SIGKILL)
    finish(process)
    _, left = psutil.wait_procs(children, timeout=10)
    assert left == [], "a child outlived the run"
    return True


class Moments:
    """Random moments from the start of the work to a little past its end, earlier after each that came too late."""

    def __init__(self, seed: int, seconds: float) -> None:
        self._source, self._seconds = random.Random(seed), seconds

    def __iter__(self) -> Iterator[float]:
        for _ in range(KILLS):
            yield self._source.uniform(0.2, 1.1) * self._seconds

    def too_late(self) -> None:
        """Note that the work was over already: the machine is faster now than when it was measured."""
        self._seconds *= 0.85


@pytest.mark.slow
def test_a_fetch_killed_at_random_moments_ends_as_one_that_nobody_disturbed(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 60, fetch=False)
    empty = copy(corpus.path, tmp_path / "empty")
    began = time.monotonic()
    run("fetch", corpus.path)
    seconds = time.monotonic() - began
    undisturbed = corpus_truth(corpus.path)
    place = copy(empty, tmp_path / "place")
    killed = 0
    moments = Moments(1, seconds)
    for moment in moments:
        if kill_after(moment, "fetch", place):
            killed += 1
            check_whole(place)
        else:
            moments.too_late()
            assert corpus_truth(place) == undisturbed
            place = copy(empty, tmp_path / "place")
    run("fetch", place)
    assert killed > KILLS / 3
    assert corpus_truth(place) == undisturbed
    assert verify(place).problems == []
    assert litter(place) == []


@pytest.mark.slow
def test_an_apply_killed_at_random_moments_ends_as_one_that_nobody_disturbed(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 60, fetch=False)
    run("fetch", corpus.path)
    log = Log(tmp_path / "code", seconds=0.02)
    began = time.monotonic()
    run("apply", corpus.path, log.processor, "thumbnail", "--out", tmp_path / "undisturbed", "--workers", 2)
    seconds = time.monotonic() - began
    undisturbed = truth_of(tmp_path / "undisturbed")
    assert len(undisturbed["results"]) == 60
    killed = number = 0
    log.seen()
    moments = Moments(2, seconds)
    for moment in chain(moments, [1000.0]):
        place = tmp_path / f"place{number}"
        done = committed(place)
        if kill_after(moment, "apply", corpus.path, log.processor, "thumbnail", "--out", place, "--workers", 2):
            killed += 1
        else:
            moments.too_late()
            assert truth_of(place) == undisturbed
            assert verify(place).problems == []
            number += 1
        seen = log.seen()
        assert not done & set(seen), "what was committed was done again"
        assert len(set(seen) - committed(place)) <= 2 * ROWS_A_JOB + IMAGES_TO_CHECK
        if (place / "study.json").exists():
            check_whole(place)
    assert killed > KILLS / 3
    assert number
    assert litter(place) == []


def truth_of(path: Path) -> dict[str, Any]:
    study = Study.open(path)
    results = {row["media_id"]: row for row in study.results.to_pylist()}
    return {"results": results, "pictures": study.pictures("thumbnail_image", list(results))}


def committed(path: Path) -> set[str]:
    if not (path / "study.json").exists():
        return set()
    return set(Study.open(path).results["media_id"].to_pylist())


@pytest.mark.slow
def test_children_end_when_their_job_is_killed_alone(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 8)
    log = Log(tmp_path / "code", seconds=1)
    process = start("apply", corpus.path, log.processor, "--out", tmp_path / "study", "--workers", 2)
    deadline = time.monotonic() + 60
    while not log.file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.kill()
    finish(process)
    assert psutil.wait_procs(children, timeout=10)[1] == []


@pytest.mark.slow
def test_of_two_fetches_at_once_one_works_and_the_other_says_so(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 40, fetch=False)
    empty = copy(corpus.path, tmp_path / "empty")
    run("fetch", corpus.path)
    undisturbed = corpus_truth(corpus.path)
    for number in range(4):
        place = copy(empty, tmp_path / f"place{number}")
        ends = [finish(process) for process in [start("fetch", place) for _ in range(2)]]
        check_ends(ends, "fetch")
        assert corpus_truth(place) == undisturbed
        run("fetch", place)
        assert corpus_truth(place) == undisturbed
        assert verify(place).problems == []


@pytest.mark.slow
def test_of_two_applies_at_once_one_works_and_the_other_says_so(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 20, fetch=False)
    run("fetch", corpus.path)
    log = Log(tmp_path / "code", seconds=0.05)
    for number in range(3):
        place = tmp_path / f"study{number}"
        ends = [
            finish(process)
            for process in [
                start("apply", corpus.path, log.processor, "--out", place, "--workers", 1) for _ in range(2)
            ]
        ]
        check_ends(ends, "apply")
        run("apply", corpus.path, log.processor, "--out", place)
        assert Study.open(place).counts() == {"ok": 20}
        assert verify(place).problems == []


def check_ends(ends: list[tuple[int, str]], verb: str) -> None:
    assert min(code for code, _ in ends) == 0, ends
    for code, said in ends:
        if code:
            assert code == 1
            assert f"another `{verb}` is at work here" in said
            assert said.count("\n") == 1


@pytest.mark.slow
def test_a_run_that_was_killed_never_blocks_even_before_its_parent_has_buried_it(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 10)
    log = Log(tmp_path / "code", seconds=0.2)
    process = start("apply", corpus.path, log.processor, "--out", tmp_path / "study", "--workers", 1)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("study/runs/*.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()  # and not waited for: a zombie keeps its number
    said = run("apply", corpus.path, log.processor, "--out", tmp_path / "study", "--workers", 2)
    assert "10 results: 10 ok" in said
    finish(process)
    assert verify(tmp_path / "study").problems == []


def test_a_run_whose_end_could_not_be_noted_does_not_block_the_process_that_goes_on(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 2, fetch=False)
    with fault("write", 2), pytest.raises(StoreError, match="disk is full"):  # the plan
        corpus.fetch()
    for file in (corpus.path / "runs").glob("*.json"):  # and the run's end neither
        file.write_text(file.read_text().replace('"ended": "', '"ended_not": "'))
    assert dict(Corpus.open(corpus.path).fetch().counts) == {"ok": 2}
