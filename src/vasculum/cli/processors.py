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
        click.echo(f"{name}{f'({settings})' if settings else ''}: {first}")
        click.echo(f"  gives {', '.join(loaded.declaration.gives)}")
