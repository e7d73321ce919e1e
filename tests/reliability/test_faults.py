"""Any one change of the disk fails, or is the last one that a process makes: nothing is lost, and running again mends all."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from trials import (
    KILLED,
    OPERATIONS,
    States,
    check_whole,
    copy,
    corpus_truth,
    do,
    fault,
    litter,
    signature,
    skip_where_no_fork,
    small,
    truth_of,
)  # fmt: skip

from vasculum import Corpus
from vasculum.errors import StoreError
from vasculum.study.verify import verify

MOST = 400


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> States:
    return States(tmp_path_factory.mktemp("states"))


def begin(states: States, verb: str, place: Path) -> Path:
    """A fresh copy of the state before a verb."""
    return copy(getattr(states, f"before_{verb}"), place)


def wanted(states: States, verb: str, place: Path) -> dict[str, object]:
    """What is true after a verb that nothing disturbed."""
    begin(states, verb, place)
    with small():
        do(verb, place, states.table, states.corpus.path)
    assert verify(place).problems == []
    return truth_of(verb, place)


def keys(verb: str, place: Path) -> set[str]:
    table = truth_of(verb, place)["results" if verb == "apply" else "manifest"]
    return {row["media_id"] for row in table}


def told(verb: str, place: Path, states: States) -> str | None:
    """Run a verb; return what the StoreError says that ends it, or None."""
    try:
        do(verb, place, states.table, states.corpus.path)
    except StoreError as error:
        return str(error)
    return None


def fail_each(states: States, verb: str, operation: str, tmp_path: Path) -> int:
    """Let each call of an operation fail once; return how many there were."""
    undisturbed = wanted(states, verb, tmp_path / "undisturbed")
    known = keys(verb, begin(states, verb, tmp_path / "known"))
    tried: set[object] = set()
    for n in range(1, MOST):
        place = begin(states, verb, tmp_path / "place")
        with small():
            with fault(operation, n) as counter:
                said = told(verb, place, states)
            if said is None:
                assert not counter.struck or operation == "unlink"  # what is swept may as well stay
            else:
                assert counter.struck
                assert str(place) in said
                assert "\n" not in said
                assert operation == "unlink" or "disk is full" in said
            check_whole(place)
            assert known <= keys(verb, place)
            if signature(place) not in tried:
                tried.add(signature(place))
                do(verb, place, states.table, states.corpus.path)
                assert truth_of(verb, place) == undisturbed, f"{verb}, {operation} {n}"
                assert verify(place).problems == []
        if not counter.struck:
            return n - 1
    raise AssertionError(f"more than {MOST} calls")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("verb", ["collect", "fetch", "apply"])
def test_a_change_of_the_disk_that_fails_is_one_line_and_loses_nothing(
    states: States, verb: str, operation: str, tmp_path: Path
) -> None:
    assert fail_each(states, verb, operation, tmp_path) >= 3
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("job", "heartbeat"))]


def test_a_fetch_on_a_full_disk_says_so_and_goes_on_when_there_is_space(states: States, tmp_path: Path) -> None:
    undisturbed = wanted(states, "fetch", tmp_path / "undisturbed")
    place = begin(states, "fetch", tmp_path / "place")
    with (
        fault("fsync", 3),
        pytest.raises(StoreError, match=r"the disk is full\. Free some space and run the same command"),
    ):
        do("fetch", place, states.table, states.corpus.path)
    do("fetch", place, states.table, states.corpus.path)
    assert corpus_truth(place) == undisturbed
    assert litter(place) == []


def test_a_corpus_that_could_not_be_begun_is_begun_the_second_time(tmp_path: Path) -> None:
    for operation in ("write", "fsync", "replace", "fsync_folder"):
        place = tmp_path / operation
        with fault(operation, 1), pytest.raises(StoreError, match="the disk is full"):
            Corpus.create(place)
        assert Corpus.create(place).manifest().num_rows == 0


class ForkServer:
    """Runs verbs in processes of their own that end at the n-th change of the disk."""

    def __init__(self, states: States) -> None:
        self.states = states
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("fork_server.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._answer() == "ready"

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def run(self, verb: str, place: Path, n: int = 0) -> int:
        """Run a verb, to its end where n is 0; return the exit code."""
        assert self.process.stdin is not None
        asked = {
            "verb": verb,
            "place": str(place),
            "table": str(self.states.table),
            "corpus": str(self.states.corpus.path),
            "n": n,
        }
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture(scope="module")
def forks(states: States) -> Iterator[ForkServer]:
    server = ForkServer(states)
    yield server
    server.close()


@skip_where_no_fork
@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("verb", ["collect", "fetch", "apply"])
def test_a_process_that_dies_between_any_two_changes_of_the_disk_loses_nothing(
    states: States, forks: ForkServer, verb: str, tmp_path: Path
) -> None:
    undisturbed = wanted(states, verb, tmp_path / "undisturbed")
    known = keys(verb, begin(states, verb, tmp_path / "known"))
    tried: set[object] = set()
    for n in range(1, MOST):
        place = begin(states, verb, tmp_path / "place")
        code = forks.run(verb, place, n)
        assert code in (0, KILLED)
        check_whole(place)
        assert known <= keys(verb, place)
        if signature(place) not in tried:
            tried.add(signature(place))
            assert forks.run(verb, place) == 0
            assert truth_of(verb, place) == undisturbed, f"{verb}, killed at {n}"
            assert verify(place).problems == []
            if verb != "apply":
                assert litter(place) == []
        if code == 0:
            assert n > 20
            return
    raise AssertionError(f"more than {MOST} changes")
