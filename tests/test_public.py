"""What others may rely on: the names of the package, the commands, and that both are explained."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import click
import pytest

import vasculum
from vasculum.cli.main import COMMANDS
from vasculum.cli.main import vasculum as command_line

ROOT = Path(__file__).resolve().parents[1]
NAMES = [name for name in vasculum.__all__ if name != "__version__"]


def pages() -> str:
    """Return the text of the README and all pages of docs/."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def command(name: str) -> click.Command:
    """Return a command of the command line."""
    found = command_line.get_command(click.Context(command_line, info_name="vasculum"), name)
    assert found is not None
    return found


def test_the_public_names_are_sorted_and_without_doubles() -> None:
    assert list(vasculum.__all__) == sorted(set(vasculum.__all__))


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_can_be_imported_and_explains_itself(name: str) -> None:
    found = getattr(vasculum, name)
    assert found.__module__.split(".")[0] == "vasculum"
    assert inspect.getdoc(found)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_stands_in_the_documentation(name: str) -> None:
    assert re.search(rf"\b{name}\b", pages()), f"{name} is in vasculum.__all__ and on no page of docs/"


@pytest.mark.parametrize("kind", [vasculum.Corpus, vasculum.Subset, vasculum.Study], ids=lambda kind: kind.__name__)
def test_every_public_method_explains_itself(kind: type) -> None:
    silent = [
        name for name, member in inspect.getmembers(kind) if not name.startswith("_") and not inspect.getdoc(member)
    ]
    assert silent == []


def test_a_name_that_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Korpus'"):
        _ = vasculum.Korpus


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_for_itself_and_each_of_its_options(name: str) -> None:
    found = command(name)
    assert found.help
    silent = [option.name for option in found.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_takes_something_shows_an_example(name: str) -> None:
    found = command(name)
    if any(isinstance(argument, click.Argument) for argument in found.params):
        assert re.search(rf"Examples?:\n +vasculum {name} ", found.epilog or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_examples_of_a_command_use_options_that_it_has(name: str) -> None:
    found = command(name)
    known = {option for parameter in found.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert set(re.findall(r"(?<=\s)--[\w-]+", found.epilog or "")) <= known


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_stands_in_the_readme(name: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"(vasculum |`){name}\b", readme)
