"""Texts that a spreadsheet would run as a formula, and how a CSV file keeps them harmless."""

from __future__ import annotations

import re

UNSAFE = r"\A('*[=+\-@\t\r\n])"
"""The beginnings of texts that get a single quote in front (source: OWASP, "CSV Injection"). A text with quotes before such
a character gets one more, so that taking one away gives back the original."""


def harmless(text: str) -> str:
    """Return the text with a single quote before it where a spreadsheet would run it."""
    return re.sub(UNSAFE, r"'\1", text, count=1)
