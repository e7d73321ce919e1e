"""Each heavy dependency has one door, and nothing heavy is imported before it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import vasculum

SOURCE = Path(vasculum.__file__).parent

DOORS = {
    "duckdb": {"store/sql.py"},
    "onnxruntime": {"processing/onnx.py"},
    "simplejpeg": {"pixels/jpeg.py"},
    "cloudpickle": {"processing/load.py"},
    "openpyxl": {"sources/workbook.py"},
    "psutil": {"store/runs.py", "resources.py", "processing/child_process.py"},
    "xlsxwriter": {"exports/xlsx.py"},
}
"""The modules that import a dependency: just these."""

ROOMS = {"PIL": "pixels", "jinja2": "report", "markupsafe": "report", "click": "cli", "rich": "cli"}
"""The room within which a dependency is imported, and only there."""

ANYWHERE = {"numpy", "pyarrow", "vasculum"}
OPTIONAL = {"polars": {"study/study.py"}}
"""What a user may have, imported where it is asked for."""

HEAVY = (
    "numpy",
    "pyarrow",
    "duckdb",
    "PIL",
    "onnxruntime",
    "rich",
    "jinja2",
    "psutil",
    "cloudpickle",
    "simplejpeg",
    "openpyxl",
    "xlsxwriter",
)


def imports() -> Iterator[tuple[str, str]]:
    """Yield the name of each package that is imported from outside the standard library, and the module that does so."""
    for file in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            for name in names:
                if name.split(".")[0] not in sys.stdlib_module_names:
                    yield name.split(".")[0], file.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("dependency", DOORS)
def test_a_heavy_dependency_is_imported_by_its_door_alone(dependency: str) -> None:
    assert {module for name, module in imports() if name == dependency} == DOORS[dependency]


@pytest.mark.parametrize("dependency", ROOMS)
def test_a_dependency_stays_in_its_room(dependency: str) -> None:
    rooms = {module.split("/")[0] for name, module in imports() if name == dependency}
    assert rooms == {ROOMS[dependency]}


def test_every_other_import_is_known() -> None:
    known = {*DOORS, *ROOMS, *ANYWHERE}
    others = {(name, module) for name, module in imports() if name not in known}
    assert others == {(name, module) for name, modules in OPTIONAL.items() for module in modules}


def loaded_after(code: str) -> set[str]:
    """Return which heavy packages a fresh Python has loaded after running `code`."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint('|', *sys.modules)"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(done.stdout.rsplit("|", 1)[-1].split()) & set(HEAVY)


def test_import_vasculum_loads_nothing_heavy() -> None:
    assert loaded_after("import vasculum") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []], ids=["--help", "--version", "nothing"])
def test_the_help_of_the_command_line_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_after(f"from vasculum.cli.main import run\nrun({arguments!r})") == set()


def test_the_help_of_a_command_loads_nothing_heavy() -> None:
    code = "from vasculum.cli.main import COMMANDS, run\nfor command in COMMANDS: run([command, '--help'])"
    assert loaded_after(code) == set()
