"""Imports vasculum once, then runs verbs in forked children that may be killed: a start costs milliseconds.

Reads one JSON object a line on standard input, {verb, place, table, corpus, n}, and answers each with one line: the exit code.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

import trials  # noqa: E402 (found by the line above)

from vasculum.store import folder  # noqa: E402


def main() -> None:
    """Serve until standard input ends."""
    trials.small_parts()
    folder.PIECE = 2**20  # a write is cut in its middle: more of them show nothing new
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 0
            try:
                os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
                if asked["n"]:
                    trials.kill_at(asked["n"])
                trials.do(asked["verb"], Path(asked["place"]), Path(asked["table"]), Path(asked["corpus"]))
            except BaseException:
                traceback.print_exc()
                code = 1
            os._exit(code)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
