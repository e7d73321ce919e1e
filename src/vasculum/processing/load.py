"""From what a person writes to a processor: `thumbnail`, `color(bins=8)`, `greenness.py`, `my.py:Stain(limit=3)`, a model folder.

SPEC = [NAME=](BUILT-IN | FILE.py[:NAME] | FOLDER with card.json | package.module:NAME)[(setting=value, …)]
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from vasculum.errors import ProcessorError, UsageError, nearest
from vasculum.processing.contract import GIVEN_BY_NAME, NAME, Declaration, declaration_of, given_by_name
from vasculum.processing.quiet import be_quiet
from vasculum.processing.user_file import load_file

GROUP = "vasculum.processors"
_SPEC = re.compile(r"(?:(?P<alias>[a-z][a-z0-9_]*)=)?(?P<target>[^()]+?)(?P<call>\(.*\))?", re.DOTALL)
_FILE = re.compile(r"(?P<file>.+\.py)(?::(?P<name>\w+))?")
_MODULE = re.compile(r"(?P<module>[A-Za-z_][\w.]*):(?P<name>\w+)")

Road = Literal["file", "model", "module", "pickled"]


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """Where a processor comes from: all that a worker on another machine needs to load it. Picklable."""

    road: Road
    where: str
    """A file, a model folder, a module, or '' for pickled code."""
    attribute: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    alias: str = ""
    pickled: bytes = b""
    written: str = ""
    """As the person wrote it, a file or folder with its whole path."""

    def __str__(self) -> str:
        if self.written:
            return self.written
        inside = ", ".join(f"{key}={value!r}" for key, value in self.settings)
        place = f"{self.where}:{self.attribute}" if self.attribute and self.where else self.where or self.attribute
        return f"{self.alias + '=' if self.alias else ''}{place}{f'({inside})' if inside else ''}"


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """A processor ready to be opened: `call` is the function or instance."""

    reference: Reference
    declaration: Declaration
    call: Callable[..., Any]
    asks: tuple[str, ...]
    """Names that it is filled by, other columns among them."""
    settings: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name in the columns of results."""
        return self.reference.alias or self.declaration.name

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of other processors that it asks for, with their prefix."""
        return tuple(name for name in self.asks if name not in GIVEN_BY_NAME)

    def open(self) -> None:
        """Open what is heavy, once in a worker."""
        if not inspect.isfunction(self.call) and callable(getattr(self.call, "open", None)):
            self.call.open()  # type: ignore[attr-defined]

    def close(self) -> None:
        """Close what was opened."""
        if not inspect.isfunction(self.call) and callable(getattr(self.call, "close", None)):
            self.call.close()  # type: ignore[attr-defined]


def known_names() -> dict[str, EntryPoint]:
    """Return the processors that can be named: built-ins and those of installed packages."""
    return {point.name: point for point in entry_points(group=GROUP)}


def refer(spec: Any) -> Reference:
    """Return a reference for a spec (text), a function or class under `@processor`, or an instance of such a class.

    Raises UsageError or ProcessorError where there is no such thing.
    """
    if isinstance(spec, Reference):
        return spec
    if isinstance(spec, Path):
        return _refer_text(str(spec))
    if isinstance(spec, str):
        return _refer_text(spec)
    if declaration_of(spec) is None:
        raise ProcessorError(f"{spec!r} is no processor. Put @processor(Pixels(256), gives={{…}}) above it.")
    return _refer_object(spec)


def _refer_text(spec: str) -> Reference:
    found = _SPEC.fullmatch(spec.strip())
    if found is None:
        raise UsageError(
            f"processor {spec!r}: expected NAME, FILE.py:NAME or a model folder, perhaps with (setting=value)."
        )
    alias, target, settings = found["alias"] or "", found["target"].strip(), _settings(spec, found["call"])
    if alias and not NAME.fullmatch(alias):
        raise UsageError(
            f"processor {spec!r}: the name {alias!r} is not lower-case letters, digits and single underscores."
        )
    if file := _FILE.fullmatch(target):
        path = _at_home(file["file"]).resolve()
        if not path.is_file():
            raise UsageError(f"processor {spec!r}: there is no file {file['file']}.")
        name = file["name"] or _only_one(path, spec)
        return Reference("file", str(path), name, settings, alias)
    if (folder := _at_home(target)).is_dir():
        if not (folder / "card.json").is_file():
            raise UsageError(f"processor {spec!r}: the folder has no card.json, so it is no model package.")
        return Reference("model", str(folder.resolve()), "", settings, alias)
    names = known_names()
    if target in names:
        point = names[target]
        return Reference("module", point.module, point.attr, settings, alias, written=spec.strip())
    if module := _MODULE.fullmatch(target):
        return Reference("module", module["module"], module["name"], settings, alias)
    raise UsageError(
        f"processor {spec!r}: there is none of this name{nearest(target, names)}. Built in: {', '.join(sorted(names))}; "
        "or give FILE.py:NAME or a model folder."
    )


def _at_home(path: str) -> Path:
    """Return a path with `~` spelled out; where there is no such user, it is a name like any other."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def _settings(spec: str, call: str | None) -> tuple[tuple[str, Any], ...]:
    if not call:
        return ()
    try:
        node = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(node, ast.Call) or node.args or any(word.arg is None for word in node.keywords):
            raise ValueError("write setting=value")
        return tuple((str(word.arg), ast.literal_eval(word.value)) for word in node.keywords)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"processor {spec!r}: the settings cannot be read ({error}). Write them as (size=128, fit='crop')."
        ) from None


def _refer_object(target: Any) -> Reference:
    import cloudpickle

    module = sys.modules.get(target.__module__)
    name = getattr(target, "__qualname__", "")
    importable = inspect.isfunction(target) or inspect.isclass(target)
    if importable and module is not None and target.__module__ != "__main__" and getattr(module, name, None) is target:
        file = getattr(module, "__file__", None)
        installed = file is not None and any(part in ("site-packages", "dist-packages") for part in Path(file).parts)
        if installed or target.__module__.startswith("vasculum."):
            return Reference("module", target.__module__, name)
        if file is not None and "." not in target.__module__:
            return Reference("file", str(Path(file).resolve()), name)
    return Reference("pickled", "", name or type(target).__name__, pickled=cloudpickle.dumps(target))


def load(reference: Reference) -> Loaded:
    """Return the processor behind a reference. Raises ProcessorError where it cannot be loaded or keeps no contract."""
    be_quiet()
    target = _target(reference)
    settings = dict(reference.settings)
    if inspect.isclass(target) or inspect.isfunction(target):
        _check_settings(reference, target, settings)
    call: Any = target
    if inspect.isclass(target):
        try:
            call = target(**settings)
        except ProcessorError:
            raise
        except (Exception, SystemExit) as error:
            raise ProcessorError(f"processor {reference}: cannot be made: {type(error).__name__}: {error}.") from error
    declaration = declaration_of(call)
    if declaration is None:
        raise ProcessorError(
            f"processor {reference}: is not under @processor. Put @processor(Pixels(256), gives={{…}}) above it."
        )
    asks, defaults = given_by_name(target if inspect.isfunction(target) else type(call))
    if not inspect.isfunction(target):
        defaults = {name: getattr(call, name, default) for name, default in defaults.items()}
    own = {**defaults, **settings} if inspect.isfunction(target) else defaults
    return Loaded(reference, declaration, call, asks, own)


def _check_settings(reference: Reference, target: Callable[..., Any], settings: Mapping[str, Any]) -> None:
    _, known = given_by_name(target)
    for name in settings:
        if name not in known:
            offered = f"It has: {', '.join(known)}." if known else "It has none."
            raise UsageError(f"processor {reference}: there is no setting {name!r}{nearest(name, known)}. {offered}")


def _target(reference: Reference) -> Any:
    if reference.road == "pickled":
        import cloudpickle

        return cloudpickle.loads(reference.pickled)
    if reference.road == "model":
        from vasculum.processing.model import Model

        return Model(Path(reference.where), **dict(reference.settings))
    module = load_file(Path(reference.where)) if reference.road == "file" else _load_module(reference)
    try:
        return getattr(module, reference.attribute)
    except AttributeError:
        known = [name for name, value in vars(module).items() if declaration_of(value) is not None]
        raise ProcessorError(
            f"{reference.where}: has no {reference.attribute!r}{nearest(reference.attribute, known)}. "
            f"Processors in it: {', '.join(known) or 'none'}."
        ) from None


def _load_module(reference: Reference) -> ModuleType:
    try:
        return importlib.import_module(reference.where)
    except Exception as error:
        raise ProcessorError(f"processor {reference}: cannot be imported: {type(error).__name__}: {error}.") from error


def _only_one(path: Path, spec: str) -> str:
    module = load_file(path)
    names = [
        name for name, value in vars(module).items()
        if declaration_of(value) is not None and getattr(value, "__module__", None) == module.__name__
    ]  # fmt: skip
    if len(names) == 1:
        return names[0]
    found = f"several: {', '.join(names)}. Name one" if names else "none. Put @processor(…) above a function"
    raise UsageError(f"processor {spec!r}: the file has {found}, such as {path.name}:{names[0] if names else 'name'}.")
