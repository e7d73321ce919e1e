"""`vasculum apply` (thumbnail + histogram) next to what people write instead, on the same images in the same run.

    python benchmarks/apply.py [--images 119] [--rounds 3] [--images-from FOLDER] [--no-torch]

Each peer is run on one image (its start-up) and on all, interleaved with the others, round after round. Steady is what lies
between the two. CPU is user + system of the whole process tree. See README.md for how to read it.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import agreement
import pictures
from measure import ROOT, Measured, environment, measured, spread, table, vasculum

WEBVIEWS_A_SHEET = 6
TORCH = "torch==2.13.0"
TUNED = {"MALLOC_MMAP_THRESHOLD_": "1000000000", "MALLOC_TOP_PAD_": "200000000"}
HEAD = (
    "peer", "images/s, whole command", "images/s, steady", "CPU s per 1,000, steady", "times vasculum's CPU",
    "start-up s (CPU s)", "peak MiB",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """One way to do the work."""

    name: str
    words: tuple[str, ...]
    """Arguments of peers.py; empty for vasculum."""
    python: str = sys.executable
    more: tuple[tuple[str, str], ...] = ()
    """Environment variables."""


PLAIN = Peer("Pillow loop", ("loop",))
PEERS = (
    Peer("vasculum apply", ()),
    PLAIN,
    Peer("Pillow loop, glibc's allocator tuned", ("loop",), more=tuple(TUNED.items())),
    Peer("Pillow loop with draft", ("loop", "--draft")),
    Peer("pool of processes with draft", ("pool", "--draft")),
    Peer("PyTorch DataLoader", ("loader",)),
    Peer("PyTorch DataLoader with draft", ("loader", "--draft")),
)


@dataclasses.dataclass(slots=True)
class Images:
    """One set of images, and the corpora and folders that hold all of them and only one."""

    kind: str
    count: int
    folder: Path
    fetched: Measured


def main(arguments: Sequence[str] | None = None) -> str:
    """Run the benchmark, print its Markdown and return it."""
    asked = options(__doc__).parse_args(arguments)
    work = asked.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    peers, skipped = _available(work, torch=not asked.no_torch)
    told = ["### apply: thumbnail and histogram\n"]
    for kind, many in (("sheets", 1), ("webviews", WEBVIEWS_A_SHEET)):
        count = many * pictures.whole_rounds(asked.images, asked.images_from)
        images = _prepare(kind, asked.images_from, work / kind, count)
        told.append(_compare(images, peers, asked, work))
    told += [f"Not run: {reason}\n" for reason in skipped]
    text = "\n".join(told)
    print(text)
    return text


def options(description: str | None) -> argparse.ArgumentParser:
    """Return the options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=119, help="sheets (webviews: 6 times as many)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--images-from", type=Path, default=ROOT / "samples" / "sheets", help="a folder of JPEG sheets")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "benchmarks", help="where to work")
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="default: the cores given")
    parser.add_argument("--no-torch", action="store_true", help="leave the DataLoader out")
    return parser


def _available(work: Path, *, torch: bool) -> tuple[list[Peer], list[str]]:
    """Return the peers that can be run, and why the others cannot; makes the environment with torch where it is missing."""
    python, reason = _torch_python(work) if torch else (None, "--no-torch was given")
    found = [dataclasses.replace(p, python=python) if "loader" in p.words and python else p for p in PEERS]
    skipped = [] if python else [f"{p.name}: {reason}." for p in PEERS if "loader" in p.words]
    return [p for p in found if python or "loader" not in p.words], skipped


def _torch_python(work: Path) -> tuple[str | None, str]:
    from importlib.metadata import version

    folder = work / "torch-environment"
    python = folder / "bin" / "python"
    same = [f"{name}=={version(name)}" for name in ("numpy", "pillow", "pyarrow")]
    ready = folder / "ready"
    try:
        if not ready.is_file():
            print(f"making an environment with {TORCH} in {folder}", file=sys.stderr)
            measured([sys.executable, "-m", "venv", folder], os.environ, work / "torch.log")
            measured([python, "-m", "pip", "install", "--quiet", TORCH, *same], os.environ, work / "torch.log")
            ready.touch()
    except (RuntimeError, OSError) as error:
        return None, f"{TORCH} cannot be installed here ({' '.join(str(error).split())[-160:]})"
    return str(python), ""


def _prepare(kind: str, samples: Path, folder: Path, count: int) -> Images:
    """Make the images, and a corpus of all and one of the first alone."""
    shutil.rmtree(folder, ignore_errors=True)
    everything = pictures.make(kind, samples, folder / "all", count)
    pictures.make(kind, samples, folder / "one", 1)
    fetched = None
    for name in ("one", "all"):
        around, log = environment(folder), folder / "log"
        corpus = folder / f"corpus-{name}"
        measured(vasculum("collect", corpus, "table", folder / name / everything.name), around, log)
        fetched = measured(vasculum("fetch", corpus), around, log)
    assert fetched is not None
    return Images(kind, count, folder, fetched)


def _compare(images: Images, peers: Sequence[Peer], asked: argparse.Namespace, work: Path) -> str:
    runs: dict[str, list[tuple[Measured, Measured]]] = {peer.name: [] for peer in peers}
    others: list[float] = []
    for peer in peers if asked.rounds > 1 else ():  # once unmeasured: compiled files and the disk's cache are then warm
        _run(peer, images, "one", asked.workers, work)
    for turn in range(asked.rounds):
        for peer in peers:
            one, every = (_run(peer, images, which, asked.workers, work) for which in ("one", "all"))
            runs[peer.name].append((one, every))
            others.append(every.others)
            print(f"{images.kind} {turn + 1}/{asked.rounds} {peer.name}: {every.wall:.1f} s", file=sys.stderr)
    rows = [_row(peer, runs, images.count) for peer in peers]
    results = {peer.name: _output(peer, images, "all") for peer in peers}
    return "\n".join([
        f"**{images.kind}**: {pictures.describe(images.folder / 'all', images.count)}; {asked.workers} workers, "
        f"{asked.rounds} round{'s' if asked.rounds > 1 else ''}: median (least-most). "
        f"Others kept {spread(others)} cores busy meanwhile.\n",
        table(HEAD, rows),
        agreement.told(results, PLAIN.name) + "\n",
        f"Before it, `vasculum fetch` (local files into shards): {images.fetched.cpu:.1f} CPU s, {images.fetched.wall:.1f} s, "
        f"{images.fetched.peak:.0f} MiB.\n",
    ])  # fmt: skip


def _output(peer: Peer, images: Images, which: str) -> Path:
    return images.folder / f"out-{which}-{PEERS.index(next(p for p in PEERS if p.name == peer.name))}"


def _run(peer: Peer, images: Images, which: str, workers: int, work: Path) -> Measured:
    out, around = _output(peer, images, which), environment(work, **dict(peer.more))
    shutil.rmtree(out, ignore_errors=True)
    if not peer.words:
        corpus = images.folder / f"corpus-{which}"
        command = vasculum("apply", corpus, "thumbnail", "histogram", "--out", out, "--workers", workers)
    else:
        out.mkdir()
        script = [peer.python, str(ROOT / "benchmarks" / "peers.py"), *peer.words, "--workers", str(workers)]
        command = [*script, str(images.folder / which), str(out / "rows.parquet")]
    return measured(command, around, images.folder / "log")


def _row(peer: Peer, runs: dict[str, list[tuple[Measured, Measured]]], count: int) -> list[str]:
    own = runs[peer.name]
    between = max(1, count - 1)
    cpu = {name: [(all_.cpu - one.cpu) / between * 1000 for one, all_ in pairs] for name, pairs in runs.items()}
    reference = statistics.median(cpu[PEERS[0].name])
    return [
        peer.name,
        spread([count / every.wall for _, every in own]),
        spread([between / max(every.wall - one.wall, 1e-3) for one, every in own]),
        spread(cpu[peer.name]),
        f"{statistics.median(cpu[peer.name]) / reference:.2f}" if reference > 0 else "-",
        f"{spread([one.wall for one, _ in own], 1)} ({spread([one.cpu for one, _ in own], 1)})",
        spread([every.peak for _, every in own], 0),
    ]


if __name__ == "__main__":
    main()
