"""Importing a Python file of a user's that is not installed, with the modules beside it; nothing is written there."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from vasculum.errors import ProcessorError
from vasculum.processing.quiet import be_quiet


def load_file(path: Path) -> ModuleType:
    """Import a Python file that is not installed; modules beside it can be imported by it.

    Raises ProcessorError with file and line where it cannot.
    """
    be_quiet()
    try:
        mark = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    except OSError as error:
        raise ProcessorError(f"{path}: cannot be read: {error.strerror}.") from error
    name = f"vasculum_user_{path.stem}_{mark}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ProcessorError(f"{path}: is no Python file.")
    module = importlib.util.module_from_spec(spec)
    _forget_helpers()
    sys.modules[name] = module
    folder = str(path.parent)
    _USER_FOLDERS.add(folder)
    sys.path.insert(0, folder)  # its own helper, not that of another file
    caches, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # no __pycache__ in a folder of the user's
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except SyntaxError as error:
        del sys.modules[name]
        raise ProcessorError(
            f"{error.filename or path}, line {error.lineno}: {error.msg}. Mend it and run again."
        ) from error
    except BaseException as error:
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise ProcessorError(f"{path}{line_in(error, path)}: {type(error).__name__}: {error}.") from error
    finally:
        sys.dont_write_bytecode = caches
        sys.path.remove(folder)
        sys.path.append(folder)  # for what it imports later
    return module


_USER_FOLDERS: set[str] = set()


def _forget_helpers() -> None:
    """Forget modules that lie beside files loaded before: another file's helper may have the same name, or have changed."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and str(Path(file).parent) in _USER_FOLDERS and not name.startswith("vasculum_user_"):
            del sys.modules[name]


def line_in(error: BaseException, path: Path | None = None) -> str:
    """Return ', line N' for where in `path` (or at all) an error was raised, or ''."""
    trace, found = error.__traceback__, ""
    while trace is not None:
        if path is None or trace.tb_frame.f_code.co_filename == str(path):
            found = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return found
