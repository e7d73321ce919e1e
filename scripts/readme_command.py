"""Print a command as README.md gives it, so that whoever runs it (.ci/run, the tests) cannot drift from the page.

    python scripts/readme_command.py demo
    python scripts/readme_command.py test

A command is the one line in the code block that follows `<!-- command: NAME -->`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def readme_command(name: str) -> str:
    """Return the command called `name`. Raises SystemExit where the README has no such line, or more than one."""
    text = README.read_text(encoding="utf-8")
    found = re.findall(rf"<!-- command: {re.escape(name)} -->\s*```\w*\n(.*?)\n```", text, re.DOTALL)
    if len(found) != 1 or "\n" in found[0]:
        raise SystemExit(f"README.md: expected one line after '<!-- command: {name} -->', found {found!r}.")
    return str(found[0])


if __name__ == "__main__":
    print(readme_command(*sys.argv[1:]))
