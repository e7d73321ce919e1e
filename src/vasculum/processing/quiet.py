"""Asking libraries not to send word of their use: `apply` opens no socket and writes nothing to the user's home.

ONNX Runtime's wheels for Linux and macOS (seen in 1.32) else write a device id and a database of events into
`~/.cache/Microsoft` as they are imported, and send it to mobile.events.data.microsoft.com while the process lasts.
"""

from __future__ import annotations

import os

QUIET = {
    "ORT_DISABLE_TELEMETRY": "1",  # read once, as onnxruntime is imported
    "ORT_TELEMETRY_DISABLED": "1",  # the name in other versions
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def be_quiet() -> None:
    """Set these for this process and its children, before a processor or model is loaded."""
    os.environ.update(QUIET)
