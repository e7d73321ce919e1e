"""`vasculum run`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from vasculum.cli.apply import asking_anew, tell_results
from vasculum.cli.options import given, selection, source_options, strict_option, subset_options
from vasculum.cli.progress import Watcher, say
from vasculum.errors import EXIT_FAILED_ROWS, EXIT_OK

LONG_SECONDS = 3600.0
"""From here on a person is asked before it begins."""


@click.command(
    epilog="""\b
Examples:
  vasculum run scans thumbnail quality
  vasculum run scans thumbnail quality color --records export.xlsx --key catalogNumber
  vasculum run records.csv thumbnail my.py --out results --limit 100"""
)
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("processors", nargs=-1, required=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for all of it (default: SOURCE's name with '-results')."
)
@source_options
@subset_options
@click.option("--redo", is_flag=True, help="Let results go that were made by other code or lie beyond the subset.")
@click.option("--keep", is_flag=True, help="Let results stand that were made by other code; do only what is missing.")
@strict_option
def command(
    source: Path, processors: tuple[str, ...], out: Path | None, redo: bool, keep: bool, strict: bool, **options: Any,
) -> int:  # fmt: skip
    """Take the images of SOURCE (a folder, a table or a corpus) through PROCESSORS to a report, and open it.

    What takes long is said first, from the first 20 images, and asked about where it is over an hour. The images are read
    where they lie; nothing is written there. Run again, it does what is missing or changed.
    """
    from vasculum.report.report import write_report
    from vasculum.study.road import results_folder, run

    chosen = selection(options)
    collecting = given(options)
    folder = results_folder(source, out)

    def go(choices: dict[str, Any]) -> Any:
        return run(
            source, *processors, out=folder, selection=chosen, told=say, before=_tell_what_is_ahead, watching=Watcher,
            **choices, **collecting,
        )  # fmt: skip

    study = asking_anew(go, {"redo": redo, "keep": keep})
    failed = tell_results(folder / "study", study.counts())
    report = write_report(study, folder / "report.html")
    click.echo(report)
    _open(report, say)
    return EXIT_FAILED_ROWS if strict and failed else EXIT_OK


def _tell_what_is_ahead(estimate: Any) -> None:
    """Say how much there is to do, and ask on a terminal where that is more than an hour. Raises click.Abort."""
    if not estimate.images:
        return
    files = "1 image" if estimate.images == 1 else f"{estimate.images:,} images"
    said = f"To do: {files}, {volume(estimate.n_bytes)}"
    if estimate.web:
        say(f"{estimate.web:,} media have web addresses only; this version reads local files.")
    if estimate.seconds is None:
        say(f"{said}.")
        return
    say(f"{said}; about {duration(estimate.seconds)} with {estimate.workers} cores, going by the first 20.")
    if estimate.seconds > LONG_SECONDS and sys.stdin.isatty() and sys.stderr.isatty():
        click.confirm(
            "Begin? (It can be stopped with Ctrl-C at any time, and goes on from there.)",
            default=True,
            abort=True,
            err=True,
        )


def volume(n_bytes: int) -> str:
    """Return a number of bytes as a person says it: '4.3 GB', '82 MB'."""
    if n_bytes >= 1e9:
        return f"{n_bytes / 1e9:,.1f} GB"
    return f"{n_bytes / 1e6:.0f} MB" if n_bytes >= 1e6 else "under 1 MB"


def duration(seconds: float) -> str:
    """Return a duration as a person says it: '40 seconds', '25 minutes', '3.5 hours', '2.1 days'."""
    for limit, unit, name in ((90, 1, "seconds"), (5400, 60, "minutes"), (48 * 3600, 3600, "hours")):
        if seconds < limit:
            number = max(1, round(seconds / unit))
            if unit < 3600:
                return f"{number} {name if number > 1 else name[:-1]}"
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds / 86400:.1f} days"


def _open(report: Path, told: Callable[[str], None]) -> None:
    """Open the report in the person's browser where there is a person and a screen."""
    screen = sys.platform in ("win32", "darwin") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not (screen and sys.stderr.isatty()):
        return
    import webbrowser

    if not webbrowser.open(report.resolve().as_uri()):
        told("No browser could be opened; open that file in one.")
