"""Every exception that vasculum raises on purpose, and the exit code each one ends a command with.

    VasculumError            a broken contract: exit code 1
    ├── UsageError           the caller asked for something that cannot be: exit code 2
    ├── SourceError          a table, folder or archive that cannot be read
    ├── StoreError           a corpus or study that cannot be read or written
    ├── ProcessorError       a processor or model that does not keep its contract
    └── SubsetError          a --where, --sort or --columns that does not hold (also a UsageError)

What befalls a single image is never an exception: it is a status in a row (see outcomes.py).
A message is one line with three parts: what happened, where, what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_BROKEN_CONTRACT = 1
EXIT_USAGE = 2
EXIT_FAILED_ROWS = 3
EXIT_INTERRUPTED = 130


class VasculumError(Exception):
    """A contract is broken and the command cannot go on. The text is one line for a person."""

    exit_code = EXIT_BROKEN_CONTRACT

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """Return `text` with line ends and control characters spelled out: a stranger's text stands in many messages."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)


class UsageError(VasculumError):
    """The call itself is wrong: an option, a name, a combination."""

    exit_code = EXIT_USAGE


class SourceError(VasculumError):
    """A source (table, folder, archive) cannot be read; names file, line and remedy."""


class StoreError(VasculumError):
    """A corpus or study cannot be read or written; names the path and the remedy."""


class ProcessorError(VasculumError):
    """A processor or model package does not keep its contract; says what was expected and what came."""


class SubsetError(UsageError):
    """A subset, sort or column list names something that is not there or is no expression."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """Return ' (did you mean a, b?)' for the known names nearest to `name`, or '' when none is near."""
    by_lower = {k.lower(): k for k in known}
    found = difflib.get_close_matches(name.lower(), list(by_lower), n=most, cutoff=0.6)
    found += [k for k in by_lower if name and name.lower() in k and k not in found][: most - len(found)]
    return f" (did you mean {', '.join(by_lower[f] for f in found)}?)" if found else ""
