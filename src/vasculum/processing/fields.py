"""Strict reading of a JSON object: each field is taken once, of one type, and what is left over is unknown.

Every complaint is one ProcessorError: the file, the field, what came and what was expected.
"""

from __future__ import annotations

import reprlib
from typing import Any

from vasculum.errors import ProcessorError, nearest
from vasculum.processing.contract import NAME, RESERVED_COLUMNS

MOST_ITEMS = 100_000


class Fields:
    """The fields of one JSON object, taken one by one; what is not taken is unknown."""

    def __init__(self, value: object, where: str, prefix: str) -> None:
        self.where, self.prefix = where, prefix
        if not isinstance(value, dict):
            name = prefix.rstrip(".") or "the card"
            raise ProcessorError(f"{where}: {name} is {_shown(value)}; expected a JSON object.")
        self.left: dict[str, Any] = dict(value)
        self.known: list[str] = []

    def fail(self, name: str, expected: str, got: object) -> None:
        """Raise the one-line error about the field `name`."""
        raise ProcessorError(f"{self.where}: field {self.prefix}{name} is {_shown(got)}; expected {expected}.")

    def take(self, name: str, default: object = None) -> Any:
        """Return the value of a field, or `default`; without a default it must be there."""
        self.known.append(name)
        if name not in self.left and default is None:
            near = nearest(name, self.left)
            raise ProcessorError(f"{self.where}: field {self.prefix}{name} is missing{near}. Add it to the card.")
        return self.left.pop(name, default)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; one that must be there must say something."""
        value = self.take(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.fail(name, "a text", value)
        return str(value)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, at least one, none empty, none twice."""
        value = self.take(name)
        whole = isinstance(value, list) and 1 <= len(value) <= MOST_ITEMS
        if not whole or not all(isinstance(one, str) and one.strip() for one in value):
            self.fail(name, "a list of texts, none empty", value)
        if len(set(value)) != len(value):
            self.fail(name, "texts that all differ", value)
        return tuple(value)

    def column(self, name: str, value: object) -> str:
        """Return `value`, of the field `name`, where a column can be called so."""
        if not isinstance(value, str) or not NAME.fullmatch(value) or value in RESERVED_COLUMNS:
            self.fail(name, "lower-case letters, digits and single underscores, as a column is named", value)
        return str(value)

    def whole(self, name: str, least: int, most: int, default: int | None = None) -> int:
        """Return a whole number from `least` to `most`."""
        value = self.take(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            self.fail(name, f"a whole number from {least} to {most}", value)
        return int(value)

    def one_of(self, name: str, known: tuple[str, ...], of: str = "") -> Any:
        """Return a value that is one of those known."""
        value = self.take(name)
        if value not in known:
            self.fail(name, " or ".join(repr(one) for one in known) + of, value)
        return value

    def three(self, name: str, above: float) -> tuple[float, float, float]:
        """Return a list of three numbers, each greater than `above`."""
        value = self.take(name)
        fine = isinstance(value, list) and len(value) == 3 and all(_is_number(one) and one > above for one in value)
        if not fine:
            self.fail(name, "three numbers" + (f" above {above:g}" if above == 0 else ""), value)
        return (float(value[0]), float(value[1]), float(value[2]))

    def share(self, name: str) -> float | None:
        """Return a number from 0 to 1; None where it is null or missing."""
        value = self.left.pop(name, None)
        self.known.append(name)
        if value is not None and not (_is_number(value) and 0 <= value <= 1):
            self.fail(name, "a number from 0 to 1, or null", value)
        return None if value is None else float(value)

    def anything(self, name: str) -> dict[str, Any]:
        """Return a JSON object with whatever is in it; empty where it is missing."""
        value = self.take(name, {})
        if not isinstance(value, dict):
            self.fail(name, "a JSON object", value)
        return dict(value)

    def finish(self, of: str = "") -> None:
        """Raise ProcessorError where a field is left that no card has."""
        for name in self.left:
            near = nearest(name, self.known)
            raise ProcessorError(
                f"{self.where}: field {self.prefix}{name[:60]} is unknown{of}{near}. Put it under 'more'."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e30


def _shown(value: object) -> str:
    return reprlib.repr(value)[:80]
