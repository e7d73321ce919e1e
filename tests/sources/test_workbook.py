"""Excel workbooks as tables: everything is the text that a person sees, and nothing of a stranger's zip is trusted."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum.errors import SourceError, UsageError
from vasculum.sources.reading import TableFile
from vasculum.sources.rejects import Tally
from vasculum.sources.shown import shown
from vasculum.sources.table import read_table


def made(path: Path, fill: Callable[[Any, Any], None], sheet: str = "Export") -> Path:
    """Write a workbook whose first sheet `fill(book, sheet)` fills."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    fill(book, book.add_worksheet(sheet))
    book.close()
    return path


def plain(path: Path, *rows: list[Any]) -> Path:
    return made(path, lambda book, sheet: [sheet.write_row(i, 0, row) for i, row in enumerate(rows)] and None)


def read(path: Path, **options: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the rows of a workbook with their line, and what was said of them."""
    tally = Tally()
    rows = [
        {"line": line, **dict(zip(chunk.columns, row, strict=True))}
        for chunk in TableFile(path, **options).chunks(tally)
        for row, line in zip(chunk.rows, chunk.lines, strict=True)
    ]
    return rows, tally.sentences()


def test_cells_are_what_a_person_sees(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        formats = {f: book.add_format({"num_format": f}) for f in ("00000000", '"E"000000', "000-000", "0.00")}
        day = book.add_format({"num_format": "dd.mm.yyyy hh:mm"})
        sheet.write_row(0, 0, list("abcdefghijklm"))
        sheet.write_number(1, 0, 457728, formats["00000000"])
        sheet.write_number(1, 1, 457728, formats['"E"000000'])
        sheet.write_number(1, 2, 12345, formats["000-000"])
        sheet.write_number(1, 3, 457728.0)
        sheet.write_number(1, 4, 0.1 + 0.2)
        sheet.write_number(1, 5, 2.5, formats["0.00"])
        sheet.write_datetime(1, 6, datetime.datetime(1950, 5, 1), day)
        sheet.write_datetime(1, 7, datetime.datetime(1950, 5, 1, 8, 30), day)
        sheet.write_boolean(1, 8, True)
        sheet.write_string(1, 9, "00457728")
        sheet.write_string(1, 10, "=1+1")
        sheet.write_formula(1, 11, "=1/0", None, "#DIV/0!")
        sheet.write_formula(1, 12, "=B2", None, "E457728")

    rows, said = read(made(tmp_path / "t.xlsx", fill))
    assert list(rows[0].values()) == [
        2, "00457728", "E457728", "012-345", "457728", "0.3", "2.5", "1950-05-01", "1950-05-01T08:30:00", "TRUE",
        "00457728", "=1+1", "", "E457728",
    ]  # fmt: skip
    assert said == ["1 error cell such as #N/A or #REF! (taken as empty) (first: line 2)"]


@pytest.mark.parametrize(
    ("value", "number_format", "text", "damaged"),
    [
        (457728, "00000000;-00000000", "00457728", False),
        (12345678901, "000000", "12345678901", False),
        (7, r"\B 00 000", "B 00 007", False),
        (7, "[$-407]000", "007", False),
        (7, "General", "7", False),
        (7, "#,##0", "7", False),
        (0.25, "0%", "0.25", False),
        (7, "0.00", "7", False),
        (-7, "0000", "-7", False),
        (999_999_999_999_999, "General", "999999999999999", False),
        (1e15, "General", "1000000000000000", True),
        ("1.23457E+14", "General", "1.23457E+14", True),
        ("1,23457E+14", "General", "1,23457E+14", True),
        ("E+14", "General", "E+14", False),
        (float("nan"), "General", "", False),
        (datetime.time(8, 30), "hh:mm", "08:30:00", False),
        ("a_x000D_b_xD800__x0000_", "", "a\rb_xD800__x0000_", False),
    ],
)
def test_numbers_keep_the_zeros_of_their_format_and_cut_ones_are_told(
    value: Any, number_format: str, text: str, damaged: bool
) -> None:
    assert shown(value, number_format) == (text, damaged)


@pytest.mark.parametrize(
    ("serial", "number_format", "text"),
    [
        (0, "dd.mm.yyyy", "1900-01-00"),
        (0, "hh:mm", "00:00:00"),
        (0.5, "hh:mm:ss", "12:00:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (18384 - 1e-11, "yyyy-mm-dd hh:mm", "1950-04-30T23:59:59.999000"),
        (18384 + 8.5 / 24, "yyyy-mm-dd hh:mm", "1950-05-01T08:30:00"),
        (2_958_465, "yyyy-mm-dd", "9999-12-31"),
        (2_958_466, "yyyy-mm-dd", "2958466"),
        (-1, "yyyy-mm-dd", "-1"),
        (1e300, "yyyy-mm-dd", None),
        (1.5, "[h]:mm", "1 day, 12:00:00"),
    ],
)
def test_dates_are_the_days_that_excel_shows(
    tmp_path: Path, serial: float, number_format: str, text: str | None
) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["date", "other"])
        sheet.write_number(1, 0, serial, book.add_format({"num_format": number_format}))
        sheet.write_string(1, 1, "x")

    rows, _ = read(made(tmp_path / "t.xlsx", fill))
    assert rows[0]["date"] == (text or str(int(serial)))


def test_days_are_counted_from_1904_where_the_workbook_says_so(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "t.xlsx"), {"date_1904": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["date", "other"])
    for row, serial in enumerate((0, 60), start=1):
        sheet.write_number(row, 0, serial, book.add_format({"num_format": "yyyy-mm-dd"}))
    book.close()
    assert [row["date"] for row in read(tmp_path / "t.xlsx")[0]] == ["1904-01-01", "1904-03-01"]


def test_hidden_rows_empty_rows_merged_cells_and_formulas_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["number", "name"], ["1", "a"], [None, None], ["2", "b"], ["3", "=A1&1"], ["4", "d"]):
        sheet.append(row)
    sheet.row_dimensions[4].hidden = True
    sheet.merge_cells("B2:B3")
    book.save(tmp_path / "t.xlsx")
    rows, said = read(tmp_path / "t.xlsx")
    assert [(row["line"], row["number"], row["name"]) for row in rows] == [
        (2, "1", "a"), (4, "2", "b"), (5, "3", ""), (6, "4", "d"),
    ]  # fmt: skip
    assert "1 hidden row (taken like the others)" in said[0]
    assert said[1].startswith("1 merged cell")
    assert said[2].startswith("1 formula without a stored value")


def test_the_first_sheet_with_rows_is_read_and_others_are_offered(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["only", "a", "header"])
        for name in ("Daten", "Alt"):
            more = book.add_worksheet(name)
            more.write_row(0, 0, ["number"])
            more.write_row(1, 0, [name])

    path = made(tmp_path / "t.xlsx", fill, "Leer")
    rows, said = read(path)
    assert rows == [{"line": 2, "number": "Daten"}]
    assert said == ["sheet 'Daten' is read; others have rows too: 'Alt' (--sheet NAME takes another)"]
    assert read(path, sheet="alt") == ([{"line": 2, "number": "Alt"}], [])
    with pytest.raises(UsageError, match=r"no such sheet.*did you mean Daten.*'Leer', 'Daten', 'Alt'"):
        read(path, sheet="Datten")


def test_a_title_above_the_column_names_is_told_and_not_guessed_away(tmp_path: Path) -> None:
    path = plain(tmp_path / "t.xlsx", ["Export of 2024"], [], ["number", "name", "place"], ["1", "a", "b"])
    with pytest.raises(SourceError, match=r"row 1 .*'Export of 2024'.*--header-row 3"):
        read(path)
    rows, _ = read(path, header_row=3)
    assert rows == [{"line": 4, "number": "1", "name": "a", "place": "b"}]
    assert read(path, header_row=1)[0][0]["Export of 2024"] == "number"
    with pytest.raises(UsageError, match=r"row 2 .*is empty"):
        read(path, header_row=2)


def test_rejects_name_the_row_as_excel_numbers_it(tmp_path: Path) -> None:
    path = plain(tmp_path / "t.xlsx", ["catalogNumber", "image"], ["1", "a.jpg"], [], ["2", "C:\\x\\b.jpg"])
    source = read_table(path, label="x")
    assert sum(batch.num_rows for batch in source.batches()) == 1
    assert [reject.line for reject in source.rejects] == [4]
    assert source.query == {"file": "t.xlsx", "format": "workbook"}


text = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=20)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(text, text), min_size=1, max_size=8))
def test_texts_come_back_as_they_were_written(cells: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xlsx"

        def fill(book: Any, sheet: Any) -> None:
            sheet.write_row(0, 0, ["number", "name"])
            for i, pair in enumerate(cells, start=1):
                for j, cell in enumerate(pair):
                    sheet.write_string(i, j, cell)
            sheet.write_string(len(cells) + 1, 0, "end")

        rows, _ = read(made(path, fill))
    assert [(row["number"], row["name"]) for row in rows] == [*(pair for pair in cells if any(pair)), ("end", "")]


def changed(path: Path, part: str, content: bytes) -> Path:
    """Write `content` in place of a part of the workbook."""
    target = path.with_name("changed.xlsx")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return target


def test_bombs_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    good = plain(tmp_path / "t.xlsx", ["number"], ["1"])
    bomb = changed(good, "xl/worksheets/sheet1.xml", b" " * 120_000_000)
    with pytest.raises(SourceError, match="unpacks to 120 MB"):
        read(bomb)
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    content = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e0 "ha">{entities}]><sst>&e11;</sst>'
    with pytest.raises(SourceError, match=r"not a whole Excel workbook .*could not read strings"):
        read(changed(good, "xl/sharedStrings.xml", content.encode()))
    far = good.parent / "far"
    far.mkdir()
    sheet = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="{0}"><c r="A{0}"><v>1</v></c></row>'
    with pytest.raises(SourceError, match=r"no sheet with|more rows than"):
        read(changed(good, "xl/worksheets/sheet1.xml", sheet.format(rows.format(99_999_999_999)).encode()))
    with pytest.raises(SourceError, match="more rows than"):
        read(changed(good, "xl/worksheets/sheet1.xml", sheet.format(rows.format(99_999_999)).encode()), sheet="Export")
    wide = '<row r="1"><c r="A1"><v>1</v></c></row><row r="2"><c r="ZZZZZZZZ2"><v>1</v></c></row>'
    with pytest.raises(SourceError, match="not a whole Excel workbook"):
        read(changed(good, "xl/worksheets/sheet1.xml", sheet.format(wide).encode()))


@pytest.mark.parametrize(
    ("inserted", "says"),
    [
        (b"<!--" + b" " * 90 * 10**6 + b"-->", "1 MB in one piece"),
        (b"<!--" + b"<a>" * 2 * 10**6 + b"-->", "1 MB in one piece"),
        (b"<?x " + b"<a>" * 2 * 10**6 + b"?>", "1 MB in one piece"),
        (b"<x y='" + b">" * 6 * 10**6 + b"'/>", "1 MB in one piece"),
        (b"<![CDATA[" + b"<" * 6 * 10**6 + b"]]>", "1 MB in one piece"),
        (b"<!---->" * 200_000, "too many comments"),
        (b"<!DOCTYPE a>" + b" " * 2**20, "a document type"),
    ],
    ids=["blanks", "comment", "instruction", "attribute", "cdata", "many", "doctype"],
)
def test_xml_that_hangs_a_parser_is_refused_at_once(tmp_path: Path, inserted: bytes, says: str) -> None:
    source = plain(tmp_path / "t.xlsx", ["a", "b"], ["1", "2"])
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "u.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(
                part, content.replace(b"<sheetData>", inserted + b"<sheetData>") if "sheet1" in part else content
            )
    begin = time.monotonic()
    with pytest.raises(SourceError, match=says):
        read(tmp_path / "u.xlsx")
    assert time.monotonic() - begin < 3


def test_honest_parts_are_read_whatever_their_length_and_encoding(tmp_path: Path) -> None:
    source = plain(tmp_path / "t.xlsx", ["a", "b"], ["1", "2"])
    long = b"<!-- <row hidden> --><x a='>'>" + b"text " * 500_000 + b"</x>"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(tmp_path / "u.xlsx", "w") as new:
        for part in old.namelist():
            content = old.read(part)
            new.writestr(part, content.replace(b"<sheetData>", long + b"<sheetData>") if "sheet1" in part else content)
        new.writestr("customXml/item1.xml", f"<x>{'base64' * 500_000}</x>".encode("utf-16"))
    assert [row["a"] for row in read(tmp_path / "u.xlsx")[0]] == ["1"]


def test_utf_16_hides_nothing(tmp_path: Path) -> None:
    source = plain(tmp_path / "t.xlsx", ["a", "b"], ["1", "2"])
    with zipfile.ZipFile(source, "a") as archive:
        archive.writestr("xl/more.xml", f"<x><!--{'<a>' * 500_000}--></x>".encode("utf-16"))
    with pytest.raises(SourceError, match="1 MB in one piece"):
        read(source)


def test_damaged_workbooks_are_one_line(tmp_path: Path) -> None:
    good = plain(tmp_path / "t.xlsx", ["number"], *(["1"] for _ in range(50))).read_bytes()
    path = tmp_path / "cut.xlsx"
    for at in range(4, len(good), len(good) // 40):
        for data in (good[:at], good[:at] + b"\xff" + good[at + 1 :]):
            path.write_bytes(data)
            with contextlib.suppress(SourceError):  # and nothing else
                assert len(read(path)[0]) == 50


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel workbook .*save it as .xlsx"),
        ("t.xlsx", b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        ("~$t.xlsx", b"\x05Anna", "give t.xlsx and close it in Excel"),
        ("t.xlsx", b"PK\x03\x04 cut off", "damaged zip archive or workbook"),
    ],
)
def test_what_is_no_workbook_is_told_with_what_to_do(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=says):
        TableFile(tmp_path / name)


@pytest.mark.parametrize(
    ("part", "says"),
    [("xl/workbook.bin", "xlsb"), ("word/document.xml", "Word document"), ("a.txt", "a zip archive; unpack it")],
)
def test_other_zips_are_told_apart(tmp_path: Path, part: str, says: str) -> None:
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "")
        archive.writestr(part, "")
    with pytest.raises(SourceError, match=says):
        TableFile(tmp_path / "t.xlsx")


def test_a_file_that_another_program_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain(tmp_path / "t.xlsx", ["number"], ["1"])
    real = Path.open

    def refused(self: Path, *arguments: Any, **options: Any) -> Any:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(SourceError, match="open in Excel, close it there"):
        TableFile(path)


def test_sheets_are_for_workbooks(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("number\n1\n")
    with pytest.raises(UsageError, match="for Excel workbooks"):
        TableFile(tmp_path / "t.csv", sheet="x")
