"""Write the pages of docs/ that are made from the code: statuses.md, columns.md, cli.md and python.md.

`python scripts/generate_docs.py` writes them; with `--check` it writes nothing and exits with 1 where one is out of date.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

import vasculum as package
from vasculum import tables
from vasculum.cli.main import COMMANDS, vasculum
from vasculum.outcomes import Status
from vasculum.tables import Column

DOCS = Path(__file__).resolve().parents[1] / "docs"
MADE = "<!-- Made by scripts/generate_docs.py from {source}. Change that, then run the script. -->\n"
HELP_WIDTH = 100
FIRST = ("Corpus", "Subset", "Study", "processor")
"""What the page on Python begins with; the other names follow by the alphabet."""

MANIFEST = (
    "In a corpus: one row a medium (an image somewhere) with its specimen's terms. `history/` has the same columns: rows "
    "that a later collect replaced."
)
FILES: tuple[tuple[str, str, Sequence[Column]], ...] = (
    ("manifest/", MANIFEST, tables.MANIFEST_COLUMNS),
    ("images/", "In a corpus: what came of getting each medium. Small columns only.", tables.IMAGES_COLUMNS),
    ("bytes/", "In a corpus: the encoded images, and nothing else.", tables.BYTES_COLUMNS),
    ("rejects/", "In a corpus: rows of a source that could not be taken.", tables.REJECTS_COLUMNS),
    (
        "results/",
        "In a study: one row for every wanted image. The processors' own columns follow, each as "
        "`<processor>_<column>`, and with several processors `<processor>_status` for each.",
        tables.RESULTS_COLUMNS,
    ),
    ("blobs/", "In a study: images that processors made.", tables.BLOBS_COLUMNS),
)  # fmt: skip


def statuses_page() -> str:
    """Return docs/statuses.md."""
    rows = [f"| `{one.value}` | {one.meaning} | {'yes' if one.transient else ''} |" for one in Status]
    return "\n".join([
        MADE.format(source="src/vasculum/outcomes.py"),
        "# Statuses",
        "",
        "What came of one image is one of these words, in the column `status` of a corpus' `images/` and of a study's",
        "`results/`. Where it is not `ok`, the column `detail` says more. The list is closed: nothing else stands there.",
        "",
        "*Transient* ones may end otherwise when the same is tried again later: `--retry transient` redoes just those,",
        "`--retry STATUS` those of one kind. This version fetches local files; the statuses of web servers are reserved",
        "for the fetching from the web that is to come.",
        "",
        "| status | meaning | transient |",
        "|---|---|---|",
        *rows,
        "",
    ])  # fmt: skip


def columns_page() -> str:
    """Return docs/columns.md."""
    parts = [
        MADE.format(source="src/vasculum/tables.py"),
        "# Columns",
        "",
        "Every column of every Parquet file that vasculum writes. A column that carries a standard term has the term's own",
        "name, spelled exactly (`catalogNumber`); one that vasculum derives is in lower case with underscores (`media_id`).",
        "Meaning, unit and term also stand in the field metadata of the files.",
        "",
    ]
    for folder, about, columns in FILES:
        parts += [f"## {folder}", "", about, "", "| column | type | meaning | term |", "|---|---|---|---|"]
        parts += [_column(column) for column in columns]
        parts.append("")
    return "\n".join(parts)


def _column(column: Column) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    term = f"[{column.iri.rsplit('/', 1)[-1]}]({column.iri})" if column.iri else ""
    return f"| `{column.name}` | {_type(str(column.type))} | {column.meaning}{unit} | {term} |"


def _type(name: str) -> str:
    """Return an Arrow type in the words of the page: `list<element: struct<…>>` is a list of structs."""
    if name.startswith("list<element: struct<"):
        return f"list of {{{name.removeprefix('list<element: struct<').removesuffix('>>').replace(': string', '')}}}"
    if name == "list<element: string>":
        return "list of text"
    words = {"string": "text", "binary": "bytes", "double": "float64", "timestamp[us, tz=UTC]": "timestamp, UTC"}
    return words.get(name, name)


def cli_page() -> str:
    """Return docs/cli.md."""
    parts = [MADE.format(source="the --help of every command"), "# The command line", ""]
    parts += ["```text", _help(vasculum, "vasculum"), "```", ""]
    for name in COMMANDS:
        context = click.Context(vasculum, info_name="vasculum")
        command = vasculum.get_command(context, name)
        assert command is not None
        parts += [f"## {name}", "", "```text", _help(command, f"vasculum {name}"), "```", ""]
    return "\n".join(parts)


def _help(command: click.Command, name: str) -> str:
    context = click.Context(
        command, info_name=name, terminal_width=HELP_WIDTH, max_content_width=HELP_WIDTH,
        help_option_names=["-h", "--help"],
    )  # fmt: skip
    lines = command.get_help(context).splitlines()
    return "\n".join(line.rstrip() for line in lines).strip()


class Bare(str):
    """An annotation that prints without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def python_page() -> str:
    """Return docs/python.md."""
    parts = [
        MADE.format(source="the docstrings of what vasculum.__all__ names"),
        "# Python",
        "",
        "What `from vasculum import …` offers; the [tutorial](tutorial.md) shows it at work. All else is inner life and may change.",
        "",
    ]
    for name in [*FIRST, *(name for name in package.__all__ if name not in FIRST)]:
        found = getattr(package, name)
        if inspect.isfunction(found):
            parts += [f"## {name}", "", f"`{name}{_signature(found)}`", "", _prose(found), ""]
        elif inspect.isclass(found):
            parts += [f"## {name}", "", *_class(name, found)]
    return "\n".join(parts)


def _class(name: str, kind: type) -> Iterator[str]:
    if issubclass(kind, Exception):
        above = next(base.__name__ for base in kind.__mro__[1:] if base.__name__ in (*package.__all__, "Exception"))
        yield from (f"An error, a kind of `{above}`. {_prose(kind)}", "")
        return
    yield from (_prose(kind), "")
    if name == "Status":
        yield from ("Its values and their meanings: [statuses.md](statuses.md).", "")
    elif kind.__module__.endswith("processing.types"):
        yield from (f"`{name}{_signature(kind)}`", "")
    else:
        for member, value in vars(kind).items():
            target = value.__func__ if isinstance(value, classmethod) else value
            if member.startswith("_") or not (inspect.isfunction(target) or isinstance(target, property)):
                continue
            call = "" if isinstance(target, property) else _signature(target)
            yield from (f"- `.{member}{call}`: {' '.join(_prose(target).split())}",)
        yield ""


def _prose(found: Any) -> str:
    return inspect.getdoc(found) or ""


def _signature(found: Callable[..., Any]) -> str:
    """Return a signature without `self`, its annotations as they stand in the code."""
    signature = inspect.signature(found)
    parameters = [
        one.replace(annotation=Bare(one.annotation)) if isinstance(one.annotation, str) else one
        for one in signature.parameters.values() if one.name not in ("self", "cls")
    ]  # fmt: skip
    returns = signature.return_annotation
    told = signature.replace(
        parameters=parameters, return_annotation=Bare(returns) if isinstance(returns, str) else returns
    )
    return re.sub(r" -> None$", "", str(told))


PAGES: dict[str, Callable[[], str]] = {
    "statuses.md": statuses_page,
    "columns.md": columns_page,
    "cli.md": cli_page,
    "python.md": python_page,
}


def out_of_date() -> list[str]:
    """Return the pages that do not say what the code says; how lines are wrapped does not matter."""
    return [
        name for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8").split() != page().split()
    ]  # fmt: skip


def main(arguments: list[str]) -> int:
    """Write or check the pages and return the exit code."""
    if arguments == ["--check"]:
        stale = out_of_date()
        for name in stale:
            print(f"docs/{name}: out of date. Run: python scripts/generate_docs.py", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
