"""What the tests of this folder share: states to begin from, faults to inject, and what is true of a folder."""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sheets import sheet_bytes, write_sheets
from vasculum import Corpus, Study
from vasculum.corpus import fetch as fetching
from vasculum.engines.local import LocalEngine
from vasculum.store import disk, folder, names, parquet, tidy
from vasculum.study.apply import apply
from vasculum.study.verify import verify

OPERATIONS = ("write", "fsync", "replace", "fsync_folder", "unlink")
PROCESSORS = ("thumbnail", "exif")


def small_parts() -> None:
    """Many small files, written in many pieces, folded often: each test has every step in it."""
    fetching.SHARD_ROWS = 2
    tidy.FOLD_AT = 2
    folder.PIECE = 4096


@contextlib.contextmanager
def small() -> Iterator[None]:
    """`small_parts` for the length of a block."""
    kept = fetching.SHARD_ROWS, tidy.FOLD_AT, folder.PIECE
    small_parts()
    try:
        yield
    finally:
        fetching.SHARD_ROWS, tidy.FOLD_AT, folder.PIECE = kept


class States:
    """A corpus whose sheets changed after it was fetched and a study was made, before each of the three verbs."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.table = write_sheets(base / "sheets", 6)
        with small():
            corpus = Corpus.create(base / "corpus")
            corpus.collect("table", self.table)
            corpus.fetch()
            corpus.apply(*PROCESSORS, out=base / "study", engine=LocalEngine(1))
            self._change()
            self.before_collect = self._keep("before-collect")
            corpus.collect("table", self.table)
            self.before_fetch = self._keep("before-fetch")
            corpus.fetch()
            self.before_apply = base / "study"
            self.corpus = corpus

    def _change(self) -> None:
        sheets = self.base / "sheets"
        with self.table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        rows[1][2] = "Another family"
        rows += [[f"{number:08d}", "E", "Fagaceae", "Plant", "1900", f"{number:05d}.jpg", "", ""] for number in (6, 7)]
        with self.table.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        (sheets / "00001.jpg").write_bytes(sheet_bytes(101))
        (sheets / "00002.jpg").unlink()
        for number in (6, 7):
            (sheets / f"{number:05d}.jpg").write_bytes(sheet_bytes(number))

    def _keep(self, name: str) -> Path:
        return copy(self.base / "corpus", self.base / name)


def copy(source: Path, target: Path) -> Path:
    """Copy a folder with its times, in place of what was there."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    return target


def do(verb: str, place: Path, states_table: Path, corpus: Path) -> None:
    """Run one of the three verbs on a copy of its state: a corpus, or for apply a study of `corpus`."""
    if verb == "collect":
        Corpus.create(place).collect("table", states_table)
    elif verb == "fetch":
        Corpus.open(place).fetch(engine=LocalEngine(1))
    else:
        apply(Corpus.open(corpus).all(), PROCESSORS, out=place, engine=LocalEngine(1))


def corpus_truth(path: Path) -> dict[str, Any]:
    """All that is true of a corpus, but for names, times and counts of attempts."""
    corpus = Corpus.open(path)
    history = {
        (row["media_id"], row["row_hash"])
        for name in corpus.folder.names("history")
        for row in parquet.open_file(corpus.folder.file(name)).read().to_pylist()
    }
    return {
        "manifest": _rows(corpus.manifest().drop_columns(["run"])),
        "history": history,
        "images": _rows(corpus.images().drop_columns(["run", "shard", "at", "seconds"])),
        "bytes": dict(corpus.image_bytes(corpus.manifest()["media_id"].to_pylist())),
        "sources": corpus.sources,
    }


def study_truth(path: Path) -> dict[str, Any]:
    """All that is true of a study, but for names and times."""
    study = Study.open(path)
    ids = study.results["media_id"].to_pylist()
    return {"results": _rows(study.results), "pictures": study.pictures("thumbnail_image", ids)}


def truth_of(verb: str, path: Path) -> dict[str, Any]:
    """What is true after a verb."""
    return study_truth(path) if verb == "apply" else corpus_truth(path)


def _rows(table: Any) -> list[dict[str, Any]]:
    return sorted((dict(row) for row in table.to_pylist()), key=lambda row: str(row["media_id"]))


def check_whole(path: Path) -> None:
    """Whatever happened: what is visible is whole, and no committed image or result lacks its bytes."""
    for file in path.rglob("*.parquet"):
        if "_tmp" not in file.parts:
            parquet.check_whole(file)
            parquet.open_file(file).read()
    problems = [
        line for line in verify(path).problems if not line.startswith(("images that no outcome", "wanted without"))
    ]
    assert problems == []


def litter(path: Path) -> list[str]:
    """What should not be there once a verb has ended well: temporary files of known runs, and plans."""
    known = {file.stem for file in path.glob("runs/*.json")}  # a run that died in writing its file is swept a day later
    found = [file for file in path.glob("_tmp/*") if names.run_of(file.name) in known]
    return sorted(file.relative_to(path).as_posix() for file in [*found, *path.glob("runs/*/*")])


WITNESS = """
import time
from vasculum import Bytes, Integer, processor

@processor(wants=Bytes(), gives={{"size": Integer()}}, batch=1)
def witness(images, media_id):
    time.sleep({seconds} * len(images))
    with open({log!r}, "a") as file:
        file.write("".join(name + "\\n" for name in media_id))
    return {{"size": [len(data) for data in images]}}
"""


def signature(path: Path) -> tuple[Any, ...]:
    """What a run that goes on from here would see, but for names: the same again needs no second trial."""
    seen = []
    for file in path.rglob("*"):
        place = file.relative_to(path).parent.as_posix()
        if file.suffix == ".parquet" and "_tmp" not in file.parts:
            table = parquet.open_file(file).read()
            seen.append((re.sub(r"r\d{6}\w{4}", "RUN", place), str(sorted(table["media_id"].to_pylist()))))
        elif file.name in ("corpus.json", "study.json"):
            content = json.loads(file.read_text())
            seen.append(
                (file.name, json.dumps({key: content[key] for key in content if key not in ("updated", "command")}))
            )
        elif file.is_file():
            seen.append((re.sub(r"r\d{6}\w{4}", "RUN", place), file.suffix))
    return tuple(sorted(seen))


class Log:
    """A processor that notes every image it sees, and what it noted since it was last asked."""

    def __init__(self, folder: Path, seconds: float = 0) -> None:
        folder.mkdir(exist_ok=True)
        self.file = folder / "log.txt"
        self.processor = folder / "witness.py"
        self.processor.write_text(WITNESS.format(log=str(self.file), seconds=seconds))

    def seen(self) -> list[str]:
        """Images seen since the last call, sorted. The contract's check before the run sees some, too."""
        found = self.file.read_text().split() if self.file.exists() else []
        self.file.unlink(missing_ok=True)
        return sorted(found)


class Counter:
    """Counts calls of the disk's functions and does something at the n-th."""

    def __init__(self, operations: tuple[str, ...], n: int, strike: Callable[[str, tuple[Any, ...]], None]) -> None:
        self.left = n
        self.struck = False
        self._strike = strike
        self._lock = threading.Lock()
        self._real = {name: getattr(disk, name) for name in OPERATIONS}
        for name in operations:
            setattr(disk, name, self._wrapped(name))

    def _wrapped(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            with self._lock:
                self.left -= 1
                now = self.left == 0
            if now:
                self.struck = True
                self._strike(name, arguments)
            return self._real[name](*arguments)

        return call

    def close(self) -> None:
        """Put the real functions back."""
        for name, function in self._real.items():
            setattr(disk, name, function)


@contextlib.contextmanager
def fault(operation: str, n: int, code: int = errno.ENOSPC) -> Iterator[Counter]:
    """Let the n-th call of one of the disk's functions fail."""

    def strike(name: str, arguments: tuple[Any, ...]) -> None:
        raise OSError(code, os.strerror(code))

    counter = Counter((operation,), n, strike)
    try:
        yield counter
    finally:
        counter.close()


def kill_at(n: int) -> Counter:
    """End this process without any ado at the n-th change of the disk; a write is cut in the middle."""
    kept = disk.write

    def strike(name: str, arguments: tuple[Any, ...]) -> None:
        if name == "write":
            kept(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        os._exit(KILLED)

    return Counter(OPERATIONS, n, strike)


KILLED = 77
skip_where_no_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
