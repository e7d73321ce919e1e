"""How much faster two workers are than one: a processor in pure Python that holds the interpreter's lock, and a small network.

    python benchmarks/scaling.py [--images 119] [--rounds 3] [--images-from FOLDER]

The ratios are of wall times with the start-up (a run of one image) taken off; wanted are 1.7 or more. Other work on the
machine spoils the first; in the second the time for which the workers stood in the queue for a core is taken off as well.
"""

from __future__ import annotations

import dataclasses
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

import network
import pictures
from apply import options
from measure import ROOT, Measured, environment, measured, spread, table, vasculum

HEAD = (
    "processor", "images", "1 worker: s", "2 workers: s", "ratio", "ratio, waiting for a core taken off",
    "CPU s, 1 and 2 workers", "peak MiB, 1 and 2 workers", "cores busy with others",
)  # fmt: skip
WANTED = 1.7
IMAGES_A_SHEET = 3
"""Webviews for each sheet asked for: decoding them costs little, so the processor is what is measured."""


@dataclasses.dataclass(frozen=True, slots=True)
class Timed:
    """A run of one image and a run of all, with as many workers as are named."""

    one: Measured
    every: Measured

    @property
    def steady(self) -> float:
        """Seconds for all images without the start-up."""
        return max(self.every.wall - self.one.wall, 1e-3)

    @property
    def free(self) -> float:
        """The same without the seconds in which a worker could have run and had no core."""
        return max(self.steady - self.every.queued + self.one.queued, 1e-3)


def main(arguments: Sequence[str] | None = None) -> str:
    """Run the benchmark, print its Markdown and return it."""
    asked = options(__doc__).parse_args(arguments)
    work = asked.work.resolve() / "scaling"
    shutil.rmtree(work, ignore_errors=True)
    count = IMAGES_A_SHEET * pictures.whole_rounds(asked.images, asked.images_from)
    for name, many in (("one", 1), ("all", count)):
        records = pictures.make("webviews", asked.images_from, work / name, many)
        measured(vasculum("collect", work / f"corpus-{name}", "table", records), environment(work), work / "log")
        measured(vasculum("fetch", work / f"corpus-{name}"), environment(work), work / "log")
    package = network.make(work / "small_network")
    rows = [_row("pure Python", ROOT / "benchmarks" / "pure_python.py", work, count, asked.rounds)]
    if package is None:
        rows.append(["small network (ONNX)", "not run: the onnx package, which makes the network, is missing"])
        rows[-1] += [""] * (len(HEAD) - 2)
    else:
        rows.append(_row("small network (ONNX)", package, work, count, asked.rounds))
    text = (
        "### scaling: one worker and two\n\n"
        f"Webviews 600 px wide; rounds: {asked.rounds}, median (least-most); seconds without start-up; wanted ratio: {WANTED} or more.\n\n"
        f"{table(HEAD, rows)}"
    )
    print(text)
    return text


def _row(name: str, processor: Path, work: Path, count: int, rounds: int) -> list[str]:
    timed: dict[int, list[Timed]] = {1: [], 2: []}
    if rounds > 1:
        _apply(processor, "one", 1, work)  # once unmeasured, so that compiled Python files and the cache are warm
    for _ in range(rounds):
        for workers, found in timed.items():
            found.append(Timed(_apply(processor, "one", workers, work), _apply(processor, "all", workers, work)))
    pairs = list(zip(timed[1], timed[2], strict=True))
    both = [run for found in timed.values() for run in found]
    return [
        name,
        f"{count:,}",
        *(spread([run.steady for run in timed[workers]]) for workers in (1, 2)),
        spread([one.steady / two.steady for one, two in pairs], 2),
        spread([one.free / two.free for one, two in pairs], 2),
        " and ".join(f"{statistics.median(run.every.cpu for run in timed[workers]):.1f}" for workers in (1, 2)),
        " and ".join(f"{statistics.median(run.every.peak for run in timed[workers]):.0f}" for workers in (1, 2)),
        spread([run.every.others for run in both]),
    ]


def _apply(processor: Path, which: str, workers: int, work: Path) -> Measured:
    out = work / "study"
    shutil.rmtree(out, ignore_errors=True)
    command = vasculum("apply", work / f"corpus-{which}", processor, "--out", out, "--workers", workers)
    return measured(command, environment(work), work / "log")


if __name__ == "__main__":
    main()
