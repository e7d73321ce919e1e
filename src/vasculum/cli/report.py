"""`vasculum report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(epilog="\b\nExample:\n  vasculum report quality-study")
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="The file to write (default: STUDY/report.html).")
@click.option("--corpus", type=click.Path(path_type=Path), help="Where the study's corpus is now, if it was moved.")
def command(study: Path, out: Path | None, corpus: Path | None) -> None:
    """Write one offline HTML file about STUDY and print its path."""
    from vasculum.report.report import write_report
    from vasculum.study.study import Study

    click.echo(write_report(Study.open(study, corpus=corpus), out or study / "report.html"))
