"""What Windows does differently, as far as it can be brought about elsewhere: files held open, no process groups, no fork."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sheets import make_corpus, write_sheets
from vasculum import Corpus, StoreError
from vasculum.store import disk

SHARING_VIOLATION = 32


def held(path: str) -> PermissionError:
    """What Windows raises while another program has a file open."""
    error = PermissionError(13, "The process cannot access the file because it is being used by another process", path)
    error.winerror = SHARING_VIOLATION  # type: ignore[attr-defined, misc, unused-ignore]
    return error


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "FIRST_PAUSE", 0.001)


@pytest.mark.usefixtures("quick")
def test_a_rename_is_tried_again_while_another_program_holds_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sheets(tmp_path / "sheets", 4)
    real, refused = os.replace, []

    def replace(source: Path, target: Path) -> None:
        if refused.count(target) < 3:
            refused.append(target)
            raise held(str(target))
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    corpus = Corpus.create(tmp_path / "corpus")
    assert corpus.collect("table", tmp_path / "sheets" / "records.csv").new == 4
    assert corpus.fetch().counts == {"ok": 4}
    assert len(refused) > 6
    assert not list((tmp_path / "corpus" / "_tmp").iterdir())


@pytest.mark.usefixtures("quick")
def test_a_file_that_stays_held_is_one_line_that_says_to_close_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(tmp_path, 3, fetch=False)
    monkeypatch.setattr(os, "replace", lambda source, target: (_ for _ in ()).throw(held(str(target))))
    with pytest.raises(StoreError, match=r"another program has it open.*run the same command again") as caught:
        corpus.fetch()
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert corpus.fetch().counts == {"ok": 3}


@pytest.mark.usefixtures("quick")
def test_what_may_not_be_written_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus = make_corpus(tmp_path, 3, fetch=False)
    tried = []

    def replace(source: Path, target: Path) -> None:
        tried.append(target)
        raise PermissionError(13, "Permission denied", str(target))

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(StoreError, match="permission denied"):
        corpus.fetch()
    assert len(tried) == len(set(tried))


HANGS = """
import pathlib, subprocess, sys, time
from vasculum import Pixels, processor
@processor(Pixels(8), gives={"value": float}, batch=1, seconds=3)
def hangs(pixels):
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
    with open(PLACE, "a") as file:
        file.write(f"{other.pid}\\n")
    time.sleep(100)
"""


@pytest.mark.slow
def test_without_process_groups_all_that_a_worker_started_is_ended_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = make_corpus(tmp_path, 1)
    pids = tmp_path / "pids"
    (tmp_path / "hangs.py").write_text(f"PLACE = {str(pids)!r}\n{HANGS}")
    monkeypatch.delattr(os, "killpg")
    study = corpus.apply(str(tmp_path / "hangs.py"), out=tmp_path / "s")
    assert study.counts() == {"timed_out": 1}
    started = [int(line) for line in pids.read_text().split()]
    assert started
    end = time.monotonic() + 10
    while any(alive(pid) for pid in started) and time.monotonic() < end:
        time.sleep(0.1)
    assert not [pid for pid in started if alive(pid)]


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


WITHOUT_A_GUARD = """
import multiprocessing, sys
multiprocessing.set_start_method("spawn", force=True)

def no_fork(event, arguments):
    if event in ("os.fork", "os.forkpty"):
        raise RuntimeError("forked")

sys.addaudithook(no_fork)
print("begun")
import vasculum
from vasculum import Pixels, processor

@processor(Pixels(8), gives={"value": float})
def mean(pixels):
    return {"value": pixels.mean((1, 2, 3))}

study = vasculum.run("sheets", mean, "thumbnail", out="results")
print(study.counts())
"""


def test_a_plain_script_without_a_main_guard_runs_where_processes_are_spawned(tmp_path: Path) -> None:
    write_sheets(tmp_path / "sheets", 5)
    (tmp_path / "script.py").write_text(WITHOUT_A_GUARD)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["begun", "{'ok': 5}"]
