"""Fingerprints: equal where the same pixels would give the same results, as far as that can be known.

Covered: decode policy, a processor's source (its file and the local modules it imports) or distribution version,
settings, model bytes, columns. Not covered: paths, hosts, Python's version, workers; those stand in runs/.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np

from vasculum.processing.load import Loaded


def of_study(policy: Mapping[str, Any], size: str | None, processors: Sequence[Mapping[str, Any]]) -> str:
    """Return 8 hex digits for a whole study: how images are decoded and what is applied to them."""
    return _digest({"policy": dict(policy), "size": size, "processors": [dict(entry) for entry in processors]})[:8]


def of_processor(loaded: Loaded) -> str:
    """Return 16 hex digits for one processor with its settings."""
    content = {
        "name": loaded.name,
        "code": _code(loaded),
        "settings": {key: stable(value) for key, value in sorted(loaded.settings.items())},
        "wants": repr(loaded.declaration.wants),
        "gives": {column: repr(kind) for column, kind in loaded.declaration.gives.items()},
    }
    return _digest(content)[:16]


OWN_PACKAGE = Path(__file__).resolve().parents[1]
OWN_ROOMS = ("vasculum.processing.builtin.", "vasculum.pixels.")
"""Modules of vasculum itself whose code decides what a built-in gives; the decode policy names its own rules besides."""


def source_files(path: Path) -> list[Path]:
    """Return a Python file and the files beside and below it that it imports, directly or not, sorted."""
    found: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        waiting += [near for name in _imported(file) for near in _beside(path.resolve().parent, file.parent, name)]
    return sorted(found)


def _code(loaded: Loaded) -> Any:
    reference = loaded.reference
    if reference.road == "model":
        from vasculum.processing.model import model_hash

        return model_hash(Path(reference.where))
    if reference.road == "file":
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in source_files(Path(reference.where))]
    if reference.road == "module":
        top = reference.where.split(".")[0]
        if top != "vasculum":
            for distribution in packages_distributions().get(top, []):
                return f"{distribution} {version(distribution)}"
        file = getattr(sys.modules.get(reference.where), "__file__", None)
        if file and top == "vasculum":
            return [hashlib.sha256(part.read_bytes()).hexdigest() for part in source_files(Path(file))]
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else reference.where
    target = loaded.call if inspect.isfunction(loaded.call) else type(loaded.call)
    try:
        return inspect.getsource(target)
    except (OSError, TypeError):
        return hashlib.sha256(reference.pickled).hexdigest()


def _imported(file: Path) -> list[str]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            names += [base, *(f"{base}.{alias.name}".strip(".") for alias in node.names)]
    return [name for name in names if name]


def _beside(root: Path, folder: Path, name: str) -> list[Path]:
    if OWN_PACKAGE in folder.parents:
        return _own(name)
    parts = name.split(".")
    found: list[Path] = []
    for start in {root, folder}:
        for length in range(1, len(parts) + 1):
            stem = start.joinpath(*parts[:length])
            found += [file.resolve() for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()]
    return found


def _own(name: str) -> list[Path]:
    file = OWN_PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")
    return [file] if name.startswith(OWN_ROOMS) and file.is_file() else []


def stable(value: Any) -> Any:
    """Return what stands for a setting in a fingerprint: the same in every process, another for another value."""
    if isinstance(value, Mapping):
        return {"dict": sorted(([stable(key), stable(item)] for key, item in value.items()), key=repr)}
    if isinstance(value, set | frozenset):
        return {"set": sorted((stable(item) for item in value), key=repr)}
    if isinstance(value, list | tuple):
        return [stable(item) for item in value]
    if isinstance(value, np.ndarray):
        data = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return {"array": [str(value.dtype), list(value.shape), data]}
    if inspect.isroutine(value) or inspect.isclass(value):
        return {"code": [value.__module__, value.__qualname__, _source(value)]}
    shown = repr(value)
    if " at 0x" in shown:
        kept = {key: stable(item) for key, item in sorted(getattr(value, "__dict__", {}).items())}
        return {"object": [type(value).__module__, type(value).__qualname__, kept]}
    return shown


def _source(value: Any) -> str:
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return ""


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()
