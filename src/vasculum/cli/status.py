"""`vasculum status`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from vasculum.cli.options import json_option
from vasculum.cli.progress import summary


@click.command(
    epilog="\b\nExamples:\n  vasculum status sheets\n  vasculum status quality-study --json\n  vasculum status sheets --failed"
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--failed", is_flag=True, help="List what failed, a line each: status, catalogue number, file, detail.")
@click.option("--rejects", is_flag=True, help="List the rows of sources that were kept aside, with line and reason.")
@json_option
def command(folder: Path, failed: bool, rejects: bool, as_json: bool) -> None:
    """Show what a corpus or study holds, and which runs are at work in it."""
    from vasculum.study.status import failures, rejected, status

    if failed or rejects:
        for row in failures(folder) if failed else rejected(folder):
            click.echo(json.dumps(row) if as_json else "\t".join(str(value or "") for value in row.values()))
        return

    found = status(folder)
    if as_json:
        click.echo(json.dumps(found, default=str))
        return
    for line in _corpus(found) if found["kind"] == "corpus" else _study(found):
        click.echo(line)
    for line in _runs(found["runs"]):
        click.echo(line)


def _corpus(found: dict[str, Any]) -> list[str]:
    media = found["media"]
    lines = [
        f"corpus {found['path']}: {media.get('present', 0):,} media of {found['specimen_records']:,} specimen records"
    ]
    lines += [f"  source {label}: {entry['kind']} {entry['root']}" for label, entry in found["sources"].items()]
    lines.append(
        f"  images: {found['readable']:,} readable, {found['bytes'] / 1e6:,.1f} MB; by status: {summary(found['fetched'])}"
    )
    lines.append(f"  licences: {summary(found['licenses'])}")
    if found["rejected_rows"]:
        lines.append(f"  {found['rejected_rows']:,} rows kept aside in rejects/")
    return lines


def _study(found: dict[str, Any]) -> list[str]:
    lines = [f"study {found['path']}: {', '.join(found['processors'])} over {found['subset']}"]
    lines.append(f"  results: {summary(found['results'])}; wanted: {found['wanted']:,}")
    if found["missing"]:
        lines.append(f"  {found['missing']:,} are still missing: vasculum resume {found['path']}")
    return lines


def _runs(runs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for run in runs[-5:]:
        state = "at work" if run["alive"] else run["end"] or "died"
        progress = run["progress"] or {}
        done = (
            f", {progress['done']:,} of {progress['total']:,} images"
            if "total" in progress and "done" in progress
            else ""
        )
        lines.append(f"  run {run['run']}: {run['verb']}, {state}, since {run['started']}{done}")
    return lines
