"""`vasculum resume`."""

from __future__ import annotations

from pathlib import Path

import click

from vasculum.cli.progress import Watcher, say, summary


@click.command(epilog="\b\nExample:\n  vasculum resume quality-study")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--corpus", type=click.Path(path_type=Path), help="Where a study's corpus is now, if it was moved.")
def command(folder: Path, corpus: Path | None) -> None:
    """Go on with the last fetch of a corpus, or with a study, from what its own files say."""
    from vasculum.study.resume import resume

    with Watcher("resume") as watcher:
        counts = resume(folder, corpus=corpus, progress=watcher, told=say)
    say(f"{folder}: {summary(counts)}.")
