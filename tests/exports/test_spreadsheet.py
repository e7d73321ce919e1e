"""A workbook, read back by openpyxl and by R's readxl."""

from __future__ import annotations

import csv
import functools
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sheets import make_corpus, sheet_bytes
from vasculum import Study, export
from vasculum.errors import UsageError
from vasculum.exports import spreadsheet, xlsx

NASTY = [
    "00457728", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "'=1", "http://example.org/a b", "ftp://x.org", "1e5", "TRUE",
    " leading and trailing ", "two\nlines", "carriage\r\nreturn", "bell\x07 and \x01", "_x0041_ literal", "<r><t>x</t></r>", "<b>&amp;</b>",
    "ümlaut ñ 苔 🌿", "\ufffe\uffff", "{=1}", "2024-01-02", "{\"a\": 1}", "mailto:a@b.org", "internal:Sheet1!A1",
]  # fmt: skip
SCHEMA = pa.schema([
    ("media_id", pa.string()), ("catalogNumber", pa.string()), ("year", pa.int32()), ("x", pa.float64()),
    ("sure", pa.bool_()), ("big", pa.int64()), ("record_page", pa.string()), ("status", pa.string()), ("license_id", pa.string()),
])  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    corpus = make_corpus(tmp_path_factory.mktemp("sheets"), 6)
    return corpus.apply("thumbnail", "color", out=corpus.path.parent / "study")


def write(path: Path, rows: Sequence[tuple[Any, ...]], schema: pa.Schema = SCHEMA, **changes: Any) -> list[str]:
    """Write rows as a workbook and return what was told."""
    told: list[str] = []
    columns = list(zip(*rows, strict=True))
    table = pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)
    book = {"shown": schema.names, "facts": [("made by", "a test")], "pictures": None, "most_pictures": 0, **changes}
    with path.open("xb") as file:
        rows_written = spreadsheet.write_xlsx(
            file,
            schema,
            iter(table.to_batches(max_chunksize=7)),
            spreadsheet.Book(told=told.append, folder=path.parent, **book),
        )
    assert rows_written == len(rows)
    assert sorted(path.parent.iterdir()) == [path]
    return told


def read(path: Path, sheet: str = "Results") -> list[tuple[Any, ...]]:
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


def as_read(text: str) -> str:
    """What openpyxl gives for a text: it leaves Excel's escapes of characters that XML forbids as they stand."""
    from openpyxl.utils.escape import unescape

    return unescape(text)


def row(text: str | None, number: int = 0) -> tuple[Any, ...]:
    return (
        f"id{number}",
        text,
        1900 + number,
        0.1 * number,
        number % 2 == 0,
        2**60 + number,
        "https://example.org/1",
        "ok",
        "CC0-1.0",
    )


def test_texts_stay_texts_and_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    rows = [row(text, number) for number, text in enumerate(NASTY)]
    write(tmp_path / "a.xlsx", rows)
    header, *found = read(tmp_path / "a.xlsx")
    assert header == tuple(SCHEMA.names)
    for wanted, got in zip(rows, found, strict=True):
        assert as_read(got[1]) == wanted[1]
        assert got[2:5] == wanted[2:5]
        assert [type(value) for value in got[2:5]] == [int, float, bool]
        assert got[5] == str(wanted[5])  # 2**60 has more digits than a number of Excel keeps
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Results"]
    assert {cell.data_type for cell in sheet["B"]} <= {"s", "inlineStr"}
    assert not re.search(rb"<f>", zipfile.ZipFile(tmp_path / "a.xlsx").read("xl/worksheets/sheet1.xml"))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=8)
)
def test_any_text_and_number_reads_back(
    tmp_path_factory: pytest.TempPathFactory, pairs: list[tuple[str, float]]
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.xlsx"
    write(path, pairs, pa.schema([("text", pa.string()), ("number", pa.float64())]))
    found = [(as_read(text or ""), number) for text, number in read(path)[1:]]
    assert found == [(text, number) for text, number in pairs]


def test_header_stays_in_sight_links_lead_on_and_a_second_sheet_says_what_it_is(tmp_path: Path) -> None:
    pages = [
        "https://example.org/a?b=1&c=2#d",
        "javascript:alert(1)",
        "http://user@example.org/",
        "http://a b",
        "file:///etc/passwd",
        None,
    ]
    write(tmp_path / "a.xlsx", [(*row("1")[:6], page, "ok", "CC0-1.0") for page in pages])
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Results", "About"]
    sheet = book["Results"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:I7"
    assert [cell.value for cell in sheet["G"]][1:] == pages
    linked = [cell.hyperlink for cell in sheet["G"] if cell.hyperlink]
    assert [(link.target, link.location) for link in linked] == [("https://example.org/a?b=1&c=2", "d")]
    about = {line[0]: line[1] for line in read(tmp_path / "a.xlsx", "About")}
    assert about["made by"] == "a test"
    assert about["rows written"] == "6"
    assert about["status ok"] == "6 rows: all went well"
    assert about["licence CC0-1.0"] == "6 rows"
    assert about["column catalogNumber"] == "number of the specimen within its collection; text, zeros kept"


def test_more_rows_than_a_sheet_holds_go_on_in_another(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", [row(str(number), number) for number in range(20)], most_rows=8)
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Results", "Results 2", "Results 3", "About"]
    assert [book[name].max_row for name in book.sheetnames[:3]] == [8, 8, 7]
    found = [line[1] for name in book.sheetnames[:3] for line in book[name].iter_rows(min_row=2, values_only=True)]
    assert found == [str(number) for number in range(20)]


def test_a_text_longer_than_a_cell_is_cut_and_listed(tmp_path: Path) -> None:
    told = write(tmp_path / "a.xlsx", [row("x" * 32_767, 1), row("🌿" * 20_000, 2)])
    short, long = (line[1] for line in read(tmp_path / "a.xlsx")[1:])
    assert short == "x" * 32_767
    assert long.startswith("🌿" * 16_000)
    assert long.endswith("… [cut: 40,000 characters in all]")
    assert len(long.encode("utf-16-le")) // 2 <= 32_767
    assert read(tmp_path / "a.xlsx", "Cut cells")[1:] == [("Results", 3, "catalogNumber", "id2", 40_000)]
    assert "1 texts are longer" in told[0]


def test_links_beyond_what_excel_takes_are_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MOST_LINKS", 3)
    write(tmp_path / "a.xlsx", [row("1", number) for number in range(5)])
    column = openpyxl.load_workbook(tmp_path / "a.xlsx")["Results"]["G"][1:]
    assert [cell.value for cell in column] == ["https://example.org/1"] * 5
    assert [bool(cell.hyperlink) for cell in column] == [True] * 3 + [False] * 2


def test_rows_that_are_not_asked_for_pictures_say_so(study: Study, tmp_path: Path) -> None:
    told: list[str] = []
    assert (
        export(study, None, tmp_path / "a.xlsx", thumbnails=4, told=told.append, columns=["catalogNumber", "color_hue"])
        == 6
    )
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Results"]
    assert sheet["A1"].value == "picture"
    assert [(image.anchor._from.row, image.anchor._from.col) for image in sheet._images] == [
        (i, 0) for i in range(1, 5)
    ]
    assert [sheet.row_dimensions[i].height for i in (2, 5)] == [72, 72]
    assert told == [
        "note: 4 rows have a small picture; the last 2 rows have none: at most 4 are put in (--thumbnails N)."
    ]
    export(study, "xlsx", tmp_path / "b.xlsx", thumbnails=0)
    assert openpyxl.load_workbook(tmp_path / "b.xlsx")["Results"]["A1"].value == "institutionCode"


def test_without_thumbnails_the_images_themselves_are_made_small(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3, size=(900, 600))
    found = corpus.apply("color", out=tmp_path / "study")
    export(found, "xlsx", tmp_path / "a.xlsx")
    images = openpyxl.load_workbook(tmp_path / "a.xlsx")["Results"]._images
    assert len(images) == 3
    assert {(round(image.width), round(image.height)) for image in images} == {(256, 171)}
    assert (tmp_path / "a.xlsx").stat().st_size < 60_000


def test_workbook_and_csv_have_the_same_rows_as_the_study(study: Study, tmp_path: Path) -> None:
    export(study, "xlsx", tmp_path / "a.xlsx")
    header, *found = read(tmp_path / "a.xlsx")
    schema, batches = study.joined()
    wanted = pa.Table.from_batches(batches, schema).to_pylist()
    names = header[1:]
    assert list(names) == [*schema.names[1:], "media_id"]  # a person looks for numbers and names first
    for line, full in zip(found, wanted, strict=True):
        for name, got in zip(names, line[1:], strict=True):
            assert got == (full[name] if not isinstance(full[name], list) else "\n".join(full[name])), name
    about = {line[0]: line[1] for line in read(tmp_path / "a.xlsx", "About")}
    assert about["column color_status"] == "what came of color"
    assert "study" in about["study"]
    with pytest.raises(UsageError, match="exists already"):
        export(study, "xlsx", tmp_path / "a.xlsx")


def test_a_second_specimen_of_an_image_stands_there_readable(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.jpg").write_bytes(sheet_bytes())
    (tmp_path / "s" / "t.csv").write_text(
        "catalogNumber,family,accessURI\n00457728,Poaceae,a.jpg\n00457729,Fagaceae,a.jpg\n"
    )
    from vasculum import Corpus

    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("table", tmp_path / "s" / "t.csv")
    corpus.fetch()
    found = corpus.apply("color", out=tmp_path / "study")
    export(found, "xlsx", tmp_path / "a.xlsx")
    header, line = read(tmp_path / "a.xlsx")
    records = dict(zip(header, line, strict=True))["records"].split("\n")
    assert len(records) == 2
    assert "catalogNumber: 00457729, family: Fagaceae" in records[1]
    export(found, "csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as file:
        text = next(csv.DictReader(file))["records"]
    assert '"catalogNumber":"00457729","family":"Fagaceae"' in text
    assert "null" not in text


@functools.cache
def has_readxl() -> bool:
    if shutil.which("Rscript") is None:
        return False
    code = 'quit(status = if (requireNamespace("readxl", quietly = TRUE)) 0 else 1)'
    return subprocess.run(["Rscript", "-e", code], capture_output=True, timeout=60, check=False).returncode == 0


def in_r(code: str, *paths: Path) -> Iterator[list[str | None]]:
    """Run R code that makes a table `t` and yield its cells, as hex of UTF-8; None for NA."""
    write_it = """
    con <- file(commandArgs(TRUE)[2], "wb")
    for (i in seq_len(nrow(t))) {
      cells <- vapply(t, function(column) { v <- column[[i]]; if (is.na(v)) "NA" else paste(charToRaw(enc2utf8(as.character(v))), collapse = "") }, "")
      writeLines(paste(c("row", cells), collapse = "\\t"), con)
    }
    close(con)
    """
    out = paths[0].with_suffix(".tsv")
    done = subprocess.run(
        ["Rscript", "-e", code + write_it, *map(str, (paths[0], out))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for line in out.read_text().splitlines():
        yield [None if cell == "NA" else bytes.fromhex(cell).decode() for cell in line.split("\t")[1:]]


@pytest.mark.skipif(not has_readxl(), reason="R and its package readxl are not here")
def test_r_reads_the_workbook_and_the_csv_alike(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    rows = [row(text, number) for number, text in enumerate(NASTY)]
    write(tmp_path / "x" / "a.xlsx", rows)
    code = 'path <- commandArgs(TRUE)[1]; t <- readxl::read_excel(path, sheet = "Results", trim_ws = FALSE)\n'
    code += "stopifnot(is.character(t$catalogNumber), is.numeric(t$year), is.logical(t$sure), identical(t$x, 0.1 * (seq_len(nrow(t)) - 1)))\n"
    found = list(in_r(code, tmp_path / "x" / "a.xlsx"))
    assert [line[0] for line in found] == [line[0] for line in rows]
    assert [line[1] for line in found] == NASTY
    assert [line[2] for line in found] == [str(line[2]) for line in rows]


@pytest.mark.skipif(not has_readxl(), reason="R and its package readxl are not here")
def test_r_reads_the_csv_with_all_its_zeros(study: Study, tmp_path: Path) -> None:
    for bom in (False, True):
        path = tmp_path / f"bom-{bom}.csv"
        export(study, "csv", path, columns=["catalogNumber", "scientificName", "color_lightness", "detail"], bom=bom)
        code = 't <- read.csv(commandArgs(TRUE)[1], colClasses = "character", encoding = "UTF-8", fileEncoding = "UTF-8-BOM")\n'
        found = list(in_r(code + 'stopifnot(names(t)[1] == "catalogNumber")\n', path))
        schema, batches = study.joined(["catalogNumber", "scientificName", "color_lightness"])
        wanted = pa.Table.from_batches(batches, schema).to_pylist()
        assert [line[:2] for line in found] == [[full["catalogNumber"], full["scientificName"]] for full in wanted]
        assert [float(line[2] or "nan") for line in found] == [full["color_lightness"] for full in wanted]
