"""XML from a stranger, looked through before a parser reads it: pieces so long that the parser would hang."""

from __future__ import annotations

import codecs
import re
from typing import IO

MOST_IN_ONE_PIECE = 2**20
"""Bytes of a tag or comment: a parser reads an unfinished one from its start again and again."""
MOST_COMMENTS = 100_000
"""Comments, instructions and CDATA of one part; Excel writes none but the first line."""

_ENDS = {b"<?": b"?>", b"<!--": b"-->", b"<![CDATA[": b"]]>"}
_SPECIAL = re.compile(rb"<(?:\?|!--|!\[CDATA\[|!)")
_TAG = re.compile(rb"""<(?:[^<>"']|"[^"<]*"|'[^'<]*')*+>""")
_UTF_16 = re.compile(rb"\xfe\xff|\xff\xfe|[<\s]\0|\0[<\s]")


def wrong_xml(content: IO[bytes]) -> str:
    """Return what is wrong with XML, or ''; of anything else, such as a picture, too. It is read once, in pieces."""
    held = content.read(4)
    decoder = None
    if _UTF_16.match(held):
        big = held[:2] == b"\xfe\xff" or held[0] == 0
        decoder = codecs.getincrementaldecoder("utf-16-be" if big else "utf-16-le")("replace")
        held = decoder.decode(held).encode("utf-8", "replace")
    elif held.removeprefix(b"\xef\xbb\xbf").strip()[:1] not in (b"<", b""):
        return ""  # no XML: a parser stops at once
    comments = 0
    while piece := content.read(2**18):
        held += piece if decoder is None else decoder.decode(piece).encode("utf-8", "replace")
        at = 0
        unfinished = False
        while not unfinished and (found := _SPECIAL.search(held, at)):
            begin, end = found.start(), _ENDS.get(found[0])
            comments += 1
            if end is None and len(held) - begin >= len(b"<![CDATA["):
                return "a document type"
            stop = held.find(end, found.end()) if end else -1
            unfinished = stop < 0
            at = begin if end is None or unfinished else stop + len(end)
        if comments > MOST_COMMENTS:
            return "too many comments"
        # keep what is not finished: the comment, or else all from the last tag on
        held = held[at if unfinished else max(held.rfind(b"<", at), at) :]
        if len(held) > MOST_IN_ONE_PIECE and not unfinished and (not held.startswith(b"<") or _TAG.match(held)):
            held = b""  # text, which a parser gives out as it comes
        elif len(held) > MOST_IN_ONE_PIECE:
            return f"over {MOST_IN_ONE_PIECE // 2**20} MB in one piece"
    return ""
