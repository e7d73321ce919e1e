"""`vasculum verify`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from vasculum.cli.options import json_option
from vasculum.errors import EXIT_BROKEN_CONTRACT, EXIT_OK


@click.command(epilog="\b\nExample:\n  vasculum verify sheets")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Hash every image of a corpus or study again, count both ways, and name what is wrong. Nothing is changed."""
    from vasculum.study.verify import verify

    found = verify(folder)
    if as_json:
        click.echo(json.dumps({"checked": found.checked, "problems": found.problems}))
    else:
        click.echo(f"checked: {', '.join(f'{count:,} {what}' for what, count in found.checked.items())}")
        for problem in found.problems:
            click.echo(problem)
        click.echo(
            "all is well"
            if not found.problems
            else f"{len(found.problems):,} problem{'' if len(found.problems) == 1 else 's'}"
        )
    return EXIT_BROKEN_CONTRACT if found.problems else EXIT_OK
