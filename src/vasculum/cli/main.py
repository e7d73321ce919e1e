"""The entry point: which commands there are, and how an error ends one. Commands are imported when they are called."""

from __future__ import annotations

import errno
import importlib
import io
import os
import signal
import sys
from types import FrameType
from typing import Any

import click

from vasculum import __version__
from vasculum.errors import EXIT_BROKEN_CONTRACT, EXIT_INTERRUPTED, EXIT_USAGE, VasculumError, nearest

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("vasculum.cli.run", "Folder or table to report, in one line."),
    "collect": ("vasculum.cli.collect", "Add the media of a table or folder to a corpus."),
    "fetch": ("vasculum.cli.fetch", "Get the bytes of the images into the corpus."),
    "apply": ("vasculum.cli.apply", "Run processors over images; write a study."),
    "report": ("vasculum.cli.report", "Write one offline HTML file about a study."),
    "export": ("vasculum.cli.export", "Write results as a spreadsheet or table, or images for training."),
    "status": ("vasculum.cli.status", "Show what a corpus or study holds and who is at work."),
    "resume": ("vasculum.cli.resume", "Go on with a corpus or study from its own files."),
    "verify": ("vasculum.cli.verify", "Hash and count everything again; name what is wrong."),
    "processors": ("vasculum.cli.processors", "List the processors that can be named."),
    "doctor": ("vasculum.cli.doctor", "Check this installation."),
    "completion": ("vasculum.cli.completion", "Print shell completion for bash, zsh or fish."),
}

EPILOG = """\b
Examples:
  vasculum run scans thumbnail quality
  vasculum collect sheets table samples/records.csv
  vasculum fetch sheets
  vasculum apply sheets thumbnail quality --out quality-study
  vasculum report quality-study
\b
Exit codes: 0 finished, 1 a broken contract, 2 usage, 3 --strict with failed rows, 130 interrupted."""


class Commands(click.Group):
    """A group whose commands are imported only when they are called, so that --help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest commands where there is none of this name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"there is no command {args[0]!r}{nearest(args[0], COMMANDS)}.", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "--version", message="vasculum %(version)s")
def vasculum() -> None:
    """Any subset of specimen images: from a table or folder to pixels, through any processing, to a table of results."""


def main() -> None:
    """Run the command line and exit with its code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started this
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 (open as long as the process)
    for stream in (sys.stdout, sys.stderr):  # a console or pipe that is not in UTF-8 gets \u… for what it lacks
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are one line on standard error."""
    try:
        result: Any = vasculum.main(arguments, prog_name="vasculum", standalone_mode=False)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        where = f"\nTry: {error.ctx.command_path} --help" if error.ctx else ""
        return _say(f"{error.format_message()}{where}", EXIT_USAGE)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except VasculumError as error:
        return _say(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _say("interrupted. What was committed stays; run the same command again to go on.", EXIT_INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing more to tell it
        return EXIT_BROKEN_CONTRACT
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            return _say(
                "standard output cannot be written: the disk is full. Free some space and run again.",
                EXIT_BROKEN_CONTRACT,
            )
        if os.environ.get("VASCULUM_DEBUG"):
            raise
        told = " ".join(f"{type(error).__name__}: {error}".split())[:400]
        return _say(
            f"{told}. This is a bug: run again with VASCULUM_DEBUG=1 and report what it prints.",
            EXIT_BROKEN_CONTRACT,
        )


def _say(message: str, code: int) -> int:
    color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    click.echo(
        click.style("error: ", fg="red", bold=True) + message if color else f"error: {message}",
        err=True,
        color=color,
    )
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    """The first signal stops the run and lets it commit; a second one ends the process at once."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(EXIT_INTERRUPTED))
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
