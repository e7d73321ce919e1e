"""What the results columns mean, in a line for a person, in their processors' own words."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Mapping
from typing import Any

from vasculum.study.study import Study

MOST_CODE = 1_000_000
MOST_WORDS = 400


@dataclasses.dataclass(frozen=True, slots=True)
class Meaning:
    """What a column says, and in what unit; `whose` names the file where the words are a processor's own."""

    words: str = ""
    unit: str = ""
    whose: str = ""


def meanings(study: Study) -> dict[str, Meaning]:
    """Return the meaning of each results column that has one, by its whole name: as its processor declares it.

    Where a processor in a FILE.py declares none, it is the first paragraph of its docstring (else the file's) in the copy
    that the study keeps. That code is read, never run.
    """
    by_name = {entry.get("name"): entry for entry in study.document["processors"] if isinstance(entry, Mapping)}
    own: dict[str, Meaning] = {}
    found: dict[str, Meaning] = {}
    for column in study.columns:
        declared = column.kind.meaning
        if not declared and column.processor not in own:
            own[column.processor] = _own_words(study, by_name.get(column.processor, {}))
        meant = (
            Meaning(f"{declared[:1].upper()}{declared[1:]}"[:MOST_WORDS], column.kind.unit[:80])
            if declared
            else dataclasses.replace(own[column.processor], unit=column.kind.unit[:80])
        )
        if meant.words or meant.unit:
            found[column.name] = meant
    return found


def _own_words(study: Study, entry: Mapping[str, Any]) -> Meaning:
    reference, code = entry.get("reference"), entry.get("code")
    if not isinstance(reference, Mapping) or not isinstance(code, str) or ".." in code or not code.startswith("code/"):
        return Meaning()
    file = study.folder.file(code)
    try:
        if file.stat().st_size > MOST_CODE:
            return Meaning()
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return Meaning()
    wanted = str(reference.get("attribute") or entry.get("name"))
    named = [n for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == wanted]
    words = next((text for node in (*named, tree) if (text := ast.get_docstring(node))), "")
    first = " ".join(words.split("\n\n")[0].split())
    if len(first) > MOST_WORDS:
        first = first[: MOST_WORDS - 1] + "…"
    return Meaning(first, whose=code.rsplit("/", 1)[-1])
