"""`vasculum processors`."""

from __future__ import annotations

import inspect

import click


@click.command()
def command() -> None:
    """List the processors that can be named, with what they give and their settings."""
    from vasculum.processing.load import known_names, load, refer

    for name in sorted(known_names()):
        loaded = load(refer(name))
        target = loaded.call if inspect.isfunction(loaded.call) else type(loaded.call)
        first = (inspect.getdoc(target) or "").split("\n")[0]
        settings = ", ".join(f"{key}={value!r}" for key, value in loaded.settings.items())
        click.echo(f"{click.style(name, bold=True)}{f'({settings})' if settings else ''}: {first}")
        for column, kind in loaded.declaration.gives.items():
            unit = f" ({kind.unit})" if kind.unit else ""
            click.echo(f"  {name}_{column}: {kind.meaning or 'not explained'}{unit}")
