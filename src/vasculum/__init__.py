"""vasculum: any subset of specimen images, from a query to pixels to a table of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vasculum.corpus.corpus import Corpus
    from vasculum.corpus.subset import Subset
    from vasculum.errors import (
        ProcessorError,
        SourceError,
        StoreError,
        SubsetError,
        UsageError,
        VasculumError,
    )
    from vasculum.exports.export import export
    from vasculum.outcomes import Status
    from vasculum.processing.contract import processor
    from vasculum.processing.types import (
        Boolean,
        Bytes,
        Float,
        Integer,
        ListOf,
        Picture,
        Pixels,
        Text,
        Tiles,
        Vector,
    )
    from vasculum.report.report import write_report
    from vasculum.study.apply import ChangedError
    from vasculum.study.resume import resume
    from vasculum.study.road import run
    from vasculum.study.status import status
    from vasculum.study.study import Study
    from vasculum.study.verify import verify

__version__ = "0.1.0"

_HOMES = {
    "Corpus": "vasculum.corpus.corpus",
    "Subset": "vasculum.corpus.subset",
    "Study": "vasculum.study.study",
    "ChangedError": "vasculum.study.apply",
    "export": "vasculum.exports.export",
    "resume": "vasculum.study.resume",
    "run": "vasculum.study.road",
    "status": "vasculum.study.status",
    "verify": "vasculum.study.verify",
    "write_report": "vasculum.report.report",
    "Status": "vasculum.outcomes",
    "processor": "vasculum.processing.contract",
    **dict.fromkeys(
        ("Boolean", "Bytes", "Float", "Integer", "ListOf", "Picture", "Pixels", "Text", "Tiles", "Vector"),
        "vasculum.processing.types",
    ),
    **dict.fromkeys(
        ("ProcessorError", "SourceError", "StoreError", "SubsetError", "UsageError", "VasculumError"),
        "vasculum.errors",
    ),
}

__all__ = [
    "Boolean",
    "Bytes",
    "ChangedError",
    "Corpus",
    "Float",
    "Integer",
    "ListOf",
    "Picture",
    "Pixels",
    "ProcessorError",
    "SourceError",
    "Status",
    "StoreError",
    "Study",
    "Subset",
    "SubsetError",
    "Text",
    "Tiles",
    "UsageError",
    "VasculumError",
    "Vector",
    "__version__",
    "export",
    "processor",
    "resume",
    "run",
    "status",
    "verify",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that `import vasculum` and `--help` stay fast."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'vasculum' has no attribute {name!r}")
