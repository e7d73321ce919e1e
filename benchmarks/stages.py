"""Where the time of `vasculum apply` goes: by stage and image in the worker, and by step in the whole command.

    python benchmarks/stages.py [--images 119] [--rounds 3] [--images-from FOLDER]

The worker's stages are clocked in one pass of its own pipeline, in a process of this script's, one thread, CPU time.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pictures
from apply import WEBVIEWS_A_SHEET, options
from measure import environment, measured, spread, table, vasculum

PROCESSORS = ("thumbnail", "histogram")
STAGES = (
    "read from the shard", "take the JPEG apart", "decode, scaled", "colour to sRGB", "fit into 256 (Lanczos)",
    "thumbnail", "histogram", "the rest of the worker", "all of the worker",
)  # fmt: skip
STEPS = {
    "imports": "imports (numpy, pyarrow, DuckDB)",
    "prepare": "load and fingerprint the processors",
    "plan": "plan",
    "_checked_setup": "contract check in a worker of its own",
    "_run_jobs": "jobs (start of the workers, all images)",
    "finish": "finish: one results file, tidied",
    "counts": "count the results",
    "all": "the whole command",
}


def main(arguments: Sequence[str] | None = None) -> str:
    """Run the benchmark, print its Markdown and return it."""
    asked = options(__doc__).parse_args(arguments)
    work = asked.work.resolve() / "stages"
    shutil.rmtree(work, ignore_errors=True)
    columns: dict[str, dict[str, str]] = {}
    steps: dict[str, dict[str, str]] = {}
    for kind, many in (("sheets", 1), ("webviews", WEBVIEWS_A_SHEET)):
        count = many * pictures.whole_rounds(asked.images, asked.images_from)
        corpus = _corpus(kind, asked.images_from, work, count)
        columns[kind] = _asked_apart("stages", corpus, asked)
        steps[f"{count:,} {kind}"] = _asked_apart("steps", corpus, asked)
    steps = {
        "1 webview": _asked_apart("steps", _corpus("webviews", asked.images_from, work / "one", 1), asked),
        **steps,
    }
    text = "\n".join([
        "### where the time goes\n",
        f"CPU ms an image in the worker, rounds: {asked.rounds}, median (least-most):\n",
        table(("stage", *columns), [(name, *(found[name] for found in columns.values())) for name in STAGES]),
        "The whole command, seconds of wall time (CPU s of the driver alone), medians:\n",
        table(("step", *steps), [(told, *(found[name] for found in steps.values())) for name, told in STEPS.items()]),
    ])  # fmt: skip
    print(text)
    return text


def _corpus(kind: str, samples: Path, work: Path, count: int) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    corpus = work / f"corpus-{kind}"
    records = pictures.make(kind, samples, work / kind, count)
    measured(vasculum("collect", corpus, "table", records), environment(work), work / "log")
    measured(vasculum("fetch", corpus), environment(work), work / "log")
    return corpus


def _asked_apart(what: str, corpus: Path, asked: argparse.Namespace) -> dict[str, str]:
    """Measure in processes of their own, one a round, since what is imported and cached already costs nothing."""
    rounds: list[dict[str, Any]] = []
    command = [sys.executable, str(Path(__file__).resolve()), what, str(corpus), str(asked.workers)]
    cold = 1 if asked.rounds > 1 else 0  # not counted: compiled files and the disk's cache are not there yet
    for turn in range(asked.rounds + cold):
        done = subprocess.run(command, env=environment(asked.work), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        if turn >= cold:
            rounds.append(json.loads(done.stdout.splitlines()[-1]))
    if what == "stages":
        return {name: spread([found[name] for found in rounds], 2) for name in rounds[0]}
    middle = {n: [statistics.median(found[n][which] for found in rounds) for which in (0, 1)] for n in rounds[0]}
    return {name: f"{wall:.2f} ({cpu:.2f})" for name, (wall, cpu) in middle.items()}


def stages(corpus_path: str) -> dict[str, float]:
    """Return CPU ms an image of each stage, all taken in one pass of the worker's own pipeline."""
    from vasculum import Corpus
    from vasculum.pixels import decode as decoding
    from vasculum.pixels.policy import DecodePolicy
    from vasculum.processing import pipeline as working
    from vasculum.processing.items import Item, Setup
    from vasculum.processing.load import refer

    corpus = Corpus.open(corpus_path)
    rows = sorted(corpus.images().to_pylist(), key=lambda row: (row["shard"], row["media_id"]))
    items = [
        Item(row["media_id"], str(corpus.folder.file(row["shard"]).resolve()), None, row["sha256"], row["image_key"])
        for row in rows
    ]
    spent = dict.fromkeys(STAGES, 0.0)
    pipeline = working.Pipeline(
        Setup(tuple(map(refer, PROCESSORS)), DecodePolicy(), frozenset(), ()), lambda message: None
    )
    for owner, name, stage in (
        (decoding, "read_parts", STAGES[1]), (decoding, "decode_jpeg", STAGES[2]), (decoding, "to_srgb", STAGES[3]),
        (decoding.Decoded, "fit", STAGES[4]),
    ):  # fmt: skip
        setattr(owner, name, _clocked(getattr(owner, name), spent, stage))
    pipeline.processors = [  # partial: what is no plain function is called without settings, as the instance it stands for
        dataclasses.replace(loaded, call=functools.partial(_clocked(loaded.call, spent, loaded.name)))
        for loaded in pipeline.processors
    ]
    reading = working.read_items
    working.read_items = lambda wanted: _clocked_steps(reading(wanted), spent, STAGES[0])
    list(pipeline.run(items[: len(items) // 4 + 1]))  # warm
    spent.update(dict.fromkeys(STAGES, 0.0))
    began = time.process_time()
    outcomes = [outcome for batch in pipeline.run(items) for outcome in batch]
    everything = time.process_time() - began
    if len(outcomes) != len(items) or any(outcome.failure or outcome.failures for outcome in outcomes):
        raise SystemExit(f"{corpus_path}: not every image ended well.")
    spent["the rest of the worker"] = everything - sum(spent.values())
    spent["all of the worker"] = everything
    return {name: seconds / len(items) * 1000 for name, seconds in spent.items()}


def _clocked(do: Callable[..., Any], spent: dict[str, float], stage: str) -> Callable[..., Any]:
    def clocked(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return do(*given, **named)
        finally:
            spent[stage] += time.process_time() - began

    return clocked


def _clocked_steps(steps: Iterator[Any], spent: dict[str, float], stage: str) -> Iterator[Any]:
    take = _clocked(lambda: next(steps, None), spent, stage)
    while (step := take()) is not None:
        yield step


def steps(corpus: str, workers: int) -> dict[str, tuple[float, float]]:
    """Run `vasculum apply` in this process and return wall and CPU seconds of each of its steps."""
    found: dict[str, tuple[float, float]] = {}
    start = time.perf_counter()

    def timed(owner: Any, name: str) -> None:
        inner = getattr(owner, name)

        def outer(*given: Any, **named: Any) -> Any:
            wall, cpu = time.perf_counter(), time.process_time()
            try:
                return inner(*given, **named)
            finally:
                before = found.get(name, (0.0, 0.0))
                found[name] = before[0] + time.perf_counter() - wall, before[1] + time.process_time() - cpu

        setattr(owner, name, outer)

    import duckdb  # noqa: F401 (imported here to be counted among the imports)

    import vasculum.cli.apply
    import vasculum.engines.local  # noqa: F401 (as is this one)
    from vasculum.study import apply, plan
    from vasculum.study.study import Study

    found["imports"] = time.perf_counter() - start, time.process_time()
    for owner, name in ((apply, "prepare"), (plan, "plan"), (apply, "_checked_setup"), (apply, "_run_jobs"),
                        (apply, "finish"), (Study, "counts")):  # fmt: skip
        timed(owner, name)
    from vasculum.cli.main import run

    out = Path(corpus).parent / "study"
    shutil.rmtree(out, ignore_errors=True)
    code = run(["apply", corpus, *PROCESSORS, "--out", str(out), "--workers", str(workers)])
    if code:
        raise SystemExit(code)
    found["all"] = time.perf_counter() - start, time.process_time()
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["stages"]:
        print(json.dumps(stages(sys.argv[2])))
    elif sys.argv[1:2] == ["steps"]:
        print(json.dumps(steps(sys.argv[2], int(sys.argv[3]))))
    else:
        main()
