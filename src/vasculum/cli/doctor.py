"""`vasculum doctor`."""

from __future__ import annotations

import json

import click

from vasculum.cli.options import json_option
from vasculum.errors import EXIT_BROKEN_CONTRACT, EXIT_OK


@click.command()
@json_option
def command(as_json: bool) -> int:
    """Check this installation: libraries, codecs, cores, memory, the guarded worker."""
    from vasculum.study.doctor import examine

    findings = examine()
    if as_json:
        click.echo(
            json.dumps([{"what": f.what, "good": f.good, "found": f.found, "remedy": f.remedy} for f in findings])
        )
    else:
        for finding in findings:
            click.echo(
                f"{'ok  ' if finding.good else 'BAD '} {finding.what}: {finding.found}{'' if finding.good else f'. {finding.remedy}'}"
            )
    return EXIT_OK if all(finding.good for finding in findings) else EXIT_BROKEN_CONTRACT
