"""What the documentation says is run: every block of shell, Python and SQL, and what it shows is what comes out."""

from __future__ import annotations

import contextlib
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

import vasculum
from sheets import write_sheets
from vasculum.store import truth

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)")
FOLDER = re.compile(r"`((?:src|tests|docs|samples|scripts|benchmarks)/[\w./-]*)`")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder as the pages suppose it: `samples/` lies in it, and nothing else."""
    shutil.copytree(ROOT / "samples", tmp_path / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_blocks(page: Path) -> None:
    """Run the blocks of a page from top to bottom in the current folder; a `text` block is what the one before it prints."""
    printed: str | None = None
    names: dict[str, Any] = {"__name__": "__main__"}
    for language, more, content in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "text":
            assert printed is not None, f"{page.name}: shows an output of nothing:\n{content}"
            assert shows(content, printed), f"{page.name} shows:\n{content}\nbut this came:\n{printed}"
            printed = None
        elif more.startswith(" file="):
            Path(more.removeprefix(" file=")).write_text(content, encoding="utf-8")
        elif language == "python":
            printed = run_python(content, names)
        elif language == "sh":
            printed = "".join(run_line(line) for line in content.replace("\\\n", " ").splitlines())
        elif language == "sql":
            printed = str(duckdb.sql(content))


def run_python(code: str, names: dict[str, Any]) -> str:
    """Run Python code and return what it prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(code, "<a block of the page>", "exec"), names)
    return out.getvalue()


def run_line(line: str) -> str:
    """Run one `vasculum …` line and return all that it prints; only one that prints an error may fail."""
    program, *arguments = shlex.split(line)
    assert program == "vasculum", line
    done = subprocess.run(
        [sys.executable, "-m", "vasculum.cli.main", *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        encoding="utf-8", env={**os.environ, "NO_COLOR": "1", "PYTHONUTF8": "1"}, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode != 0) == done.stdout.startswith("error:"), f"$ {line}\n{done.stdout}"
    return done.stdout


def shows(shown: str, printed: str) -> bool:
    """Return whether a page's output is what was printed: `…` stands for anything, alone on a line for any lines or none."""
    lines = [
        "(?:.*\n)*" if line == "…" else ".*".join(re.escape(part) for part in line.split("…")) + "\n"
        for line in shown.strip().splitlines()
    ]
    return re.fullmatch("".join(lines), printed.strip() + "\n") is not None


@pytest.mark.slow
def test_the_tutorial_runs_and_shows_what_comes_out(folder: Path) -> None:
    run_blocks(DOCS / "tutorial.md")
    assert (folder / "first" / "report.html").read_text(encoding="utf-8").lstrip().lower().startswith("<!doctype html>")


@pytest.mark.slow
def test_the_page_for_a_folder_and_a_spreadsheet_runs(folder: Path) -> None:
    run_blocks(DOCS / "folder.md")
    assert not (folder / "other").exists()
    assert (
        (folder / "mine.csv").read_bytes().startswith(b"\xef\xbb\xbfcatalogNumber,scientificName,quality_sharpness\r\n")
    )


@pytest.mark.slow
def test_the_page_on_processors_runs(folder: Path) -> None:
    run_line(f"vasculum collect sheets table {write_sheets(folder / 'pictures', 6).as_posix()}")
    run_line("vasculum fetch sheets")
    run_blocks(DOCS / "processors.md")


@pytest.mark.slow
def test_the_readme_runs_in_python_what_its_first_line_made(folder: Path) -> None:
    command = runpy.run_path(str(ROOT / "scripts" / "readme_command.py"))["readme_command"]("demo")
    printed = [run_line(part.strip()) for part in command.split("&&") if part.strip().startswith("vasculum")]
    assert Path(printed[-1].splitlines()[-1]).is_file()
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (code,) = [content for language, _, content in BLOCK.findall(page) if language == "python"]
    assert "{'ok': 17}" in run_python(code, {"__name__": "__main__"})


@pytest.mark.slow
def test_the_page_on_the_format_reads_what_lies_on_disk(folder: Path) -> None:
    run_line(f"vasculum collect CORPUS table {write_sheets(folder / 'pictures', 17).as_posix()}")
    run_line("vasculum fetch CORPUS")
    run_line("vasculum apply CORPUS thumbnail quality --out STUDY")
    run_blocks(DOCS / "format.md")
    text = (DOCS / "format.md").read_text(encoding="utf-8")
    for order in (truth.manifest, truth.images, truth.results):
        ranked = re.search(r"ORDER BY (.*)\) AS __rank", order("files"))
        assert ranked is not None
        assert " ".join(ranked[1].split()) in " ".join(text.split()), f"format.md has another order than {ranked[1]}"


def test_pages_made_from_the_code_are_up_to_date() -> None:
    stale = runpy.run_path(str(ROOT / "scripts" / "generate_docs.py"))["out_of_date"]()
    assert stale == [], f"run: python scripts/generate_docs.py ({', '.join(stale)})"


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")]), ids=lambda page: page.name)
def test_links_and_files_that_a_page_names_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = [page.parent / link for link in LINK.findall(text)] + [ROOT / path for path in FOLDER.findall(text)]
    assert [str(path) for path in named if not path.exists()] == []


def test_the_citation_names_this_version() -> None:
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    fields = dict(re.findall(r'^([\w-]+): "?([^"\n]+)"?$', text, re.MULTILINE))
    assert fields["cff-version"] == "1.2.0"
    assert fields["version"] == vasculum.__version__
    assert fields["license"] == "Apache-2.0"
    assert fields["title"].startswith("vasculum")


def test_the_changelog_has_this_version() -> None:
    assert f"## {vasculum.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
