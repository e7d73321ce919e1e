"""The types of results columns as study.json spells them, such as `Float(missing=True)`, and back."""

from __future__ import annotations

import ast
from typing import Any

from vasculum.errors import StoreError
from vasculum.processing import types
from vasculum.processing.types import Gives

_KNOWN: dict[str, Any] = {
    kind.__name__: kind
    for kind in (
        types.Float,
        types.Integer,
        types.Text,
        types.Boolean,
        types.Vector,
        types.ListOf,
        types.Picture,
    )
}


def kind_to_text(kind: Gives) -> str:
    """Return a type as study.json spells it: its repr."""
    return repr(kind)


def kind_from_text(text: str) -> Gives:
    """Return the type that `kind_to_text` spelled. Raises StoreError for anything else; no code is run."""
    try:
        kind = _built(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, KeyError, TypeError) as error:
        raise StoreError(f"study.json: {text!r} is no type of a column ({error}). Restore it from a copy.") from None
    return kind  # type: ignore[no-any-return]


def _built(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.args:
        return _KNOWN[node.func.id](**{str(word.arg): _built(word.value) for word in node.keywords})
    return ast.literal_eval(node)
