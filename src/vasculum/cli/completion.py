"""`vasculum completion`."""

from __future__ import annotations

import click


@click.command(epilog="\b\nExample:\n  vasculum completion bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print a script for SHELL that completes vasculum's commands and options."""
    from click.shell_completion import get_completion_class

    from vasculum.cli.main import vasculum

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(vasculum, {}, "vasculum", "_VASCULUM_COMPLETE").source())
