"""A folder of images and a spreadsheet of their records: what is matched, what is said, what is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from sheets import sheet_bytes
from vasculum import Corpus, SourceError, UsageError

HEADER = ["Barcode", "institutionCode", "Familie", "Gattung", "Art"]
ROWS = [
    ["E00457728", "E", "Fagaceae", "Quercus", "robur"],
    ["E 00457729", "E", "Fagaceae", "Quercus", "petraea"],
    ["00457730", "E", "Rosaceae", "Rosa", "canina"],
    ["00457731", "E", "Rosaceae", "Rosa", "gallica"],
]
FILES = ("E00457728.jpg", "E00457728_b.jpg", "sub/e-457729.tif", "sub/e-457729.jpg", "E00457730.jpg", "mystery.jpg")


def scans(folder: Path, *files: str) -> Path:
    for number, name in enumerate(files or FILES):
        path = folder / "scans" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(sheet_bytes(number, (40, 60), "TIFF" if name.endswith("tif") else "JPEG"))
    return folder / "scans"


def table(path: Path, *rows: list[Any], header: list[str] | None = None) -> Path:
    """Write a table in the format that its name says."""
    rows, header = rows or tuple(ROWS), header or HEADER
    if path.suffix == ".xlsx":
        book = xlsxwriter.Workbook(str(path))
        sheet = book.add_worksheet()
        for i, row in enumerate([header, *rows]):
            for j, cell in enumerate(row):
                sheet.write_string(i, j, cell)
        book.close()
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({name: [row[i] for row in rows] for i, name in enumerate(header)}), path)
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",").writerows([header, *rows])
    return path


def listed(corpus: Corpus, name: str = "matches-scans.csv") -> list[dict[str, str]]:
    data = (corpus.path / name).read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(data.decode("utf-8-sig").splitlines()))


def by_path(corpus: Corpus) -> dict[str, dict[str, Any]]:
    return {row["local_path"]: row for row in corpus.manifest().to_pylist()}


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx", "parquet"])
def test_files_are_joined_with_their_records_whatever_the_table(tmp_path: Path, kind: str) -> None:
    told: list[str] = []
    corpus = Corpus.create(tmp_path / "c")
    records = table(tmp_path / f"t.{kind}")
    collected = corpus.collect("folder", scans(tmp_path), records=records, key="catalognumber", told=told.append)
    assert collected.media == 5
    rows = by_path(corpus)
    assert rows["E00457728.jpg"]["catalogNumber"] == rows["E00457728_b.jpg"]["catalogNumber"] == "E00457728"
    assert rows["sub/e-457729.jpg"]["catalogNumber"] == "E 00457729"
    assert rows["sub/e-457729.jpg"]["variants"][0]["uri"] == "sub/e-457729.tif"
    assert rows["E00457730.jpg"]["catalogNumber"] == "00457730"
    assert (rows["E00457730.jpg"]["genus"], rows["E00457730.jpg"]["specificEpithet"]) == ("Rosa", "canina")
    assert rows["E00457730.jpg"]["record_keys"] == ["E:00457730"]
    assert (rows["mystery.jpg"]["catalogNumber"], rows["mystery.jpg"]["record_keys"]) == (None, [])
    said = "\n".join(told)
    assert "4 of 5 files have a record, by 'Barcode': 1 exactly, 1 written otherwise" in said
    assert "1 file without a record, such as 'mystery.jpg'" in said
    assert "1 record without a file, such as '00457731'" in said
    assert "1 record with more than one image" in said
    assert str(corpus.path / "matches-scans.csv") in said
    assert [(row["file"], row["number"], row["how"], row["row"]) for row in listed(corpus)][:2] == [
        ("E00457728.jpg", "E00457728", "exact", "1" if kind == "parquet" else "2"),
        ("E00457728_b.jpg", "E00457728", "suffix", "1" if kind == "parquet" else "2"),
    ]
    assert [row["how"] for row in listed(corpus)][2:] == ["prefix", "none", "normalised", "none"]
    assert listed(corpus)[-1]["number"] == "00457731"


def test_collecting_again_remembers_the_records_and_adds_nothing(tmp_path: Path) -> None:
    folder, records = scans(tmp_path), table(tmp_path / "t.xlsx")
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", folder)
    ids = set(corpus.manifest()["media_id"].to_pylist())
    with_records = corpus.collect("folder", folder, records=records, key="Barcode", columns={"locality": "Familie"})
    assert (with_records.changed, with_records.unchanged) == (4, 1)
    assert set(corpus.manifest()["media_id"].to_pylist()) == ids
    files = sorted((corpus.path / "manifest").iterdir())
    told: list[str] = []
    again = corpus.collect("folder", folder, told=told.append)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 5)
    assert sorted((corpus.path / "manifest").iterdir()) == files
    assert any("records as before" in line and "t.xlsx" in line for line in told)
    assert by_path(corpus)["E00457728.jpg"]["locality"] == "Fagaceae"
    records.unlink()
    with pytest.raises(SourceError, match=r"read from there the last time, and it is gone; .*--records FILE"):
        corpus.collect("folder", folder)
    assert len(corpus.manifest()) == 5


def test_without_a_key_the_column_of_catalogue_numbers_is_taken_and_said(tmp_path: Path) -> None:
    told: list[str] = []
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", scans(tmp_path), records=table(tmp_path / "t.csv"), told=told.append)
    assert "  files are matched with column 'Barcode'" in told
    odd = table(tmp_path / "odd.csv", header=["Signatur", *HEADER[1:]])
    with pytest.raises(UsageError, match=r"no column is known to hold catalogue numbers.*Signatur"):
        corpus.collect("folder", tmp_path / "scans", records=odd, label="odd")
    corpus.collect("folder", tmp_path / "scans", records=odd, key="signatur", label="odd")
    assert {row["catalogNumber"] for row in corpus.manifest().to_pylist() if row["source_name"] == "odd"} >= {
        "E00457728", "00457730",
    }  # fmt: skip


def test_what_is_ambiguous_is_collected_without_a_record_and_listed(tmp_path: Path) -> None:
    rows_told = (["12", ""], ["0012", ""], ["7", "a"], ["7", "b"], ["9", "c"], ["9", "c"], ["=1", ""])
    records = table(tmp_path / "t.csv", *map(list, rows_told), header=["number", "x"])
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    folder = scans(tmp_path, "012.jpg", "7.jpg", "9.jpg", "=2.jpg")
    corpus.collect("folder", folder, records=records, key="number", told=told.append)
    rows = by_path(corpus)
    assert [rows[f]["catalogNumber"] for f in ("012.jpg", "7.jpg", "9.jpg")] == [None, None, "9"]
    assert "2 files not matched because several records fit" in "\n".join(told)
    assert "stand there twice, word for word" in "\n".join(told)
    notes = {row["file"] or row["number"]: (row["how"], row["note"]) for row in listed(corpus)}
    assert notes["012.jpg"] == ("ambiguous", "fits 2 numbers: '12', '0012'")
    assert notes["7.jpg"] == ("ambiguous", "the number '7' stands in 2 rows")
    assert notes["0012"] == ("none", "ambiguous: 012.jpg fits several rows")
    assert "'=1" in notes
    assert "'=2.jpg" in notes


def test_a_match_file_wins_and_its_mistakes_are_listed(tmp_path: Path) -> None:
    match = tmp_path / "match.csv"
    match.write_text(
        "file;Nummer;remark\nmystery;457731;x\nE00457728_b.jpg;E 00457729;\nE00457730.jpg;E999;\nnowhere.jpg;00457731;\n"
        "mystery.jpg;E00457728;two on one sheet\n;00457731;\n"
    )
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    folder, records = scans(tmp_path), table(tmp_path / "t.csv")
    collected = corpus.collect("folder", folder, records=records, key="Barcode", match=match, told=told.append)
    rows = by_path(corpus)
    assert rows["E00457728_b.jpg"]["catalogNumber"] == "E 00457729"
    assert rows["E00457730.jpg"]["catalogNumber"] is None
    assert [record["catalogNumber"] for record in rows["mystery.jpg"]["records"]] == ["E00457728", "00457731"]
    assert collected.source_counts["rows of the match file that could not be used"] == 2
    assert collected.source_counts["rows of the match file with only one of number and file"] == 1
    said = "\n".join(told)
    assert "line 4: no record has the number 'E999'; line 5: there is no file 'nowhere.jpg' in the folder" in said
    unused = [row for row in listed(corpus) if row["how"] == "not used"]
    assert [(row["file"], row["number"]) for row in unused] == [("E00457730.jpg", "E999"), ("nowhere.jpg", "00457731")]
    assert corpus.collect("folder", folder).unchanged == 5
    bad = table(tmp_path / "bad.csv", ["1", "2", "3"], header=["x", "y", "z"])
    with pytest.raises(UsageError, match="Call them number and file"):
        corpus.collect("folder", folder, match=bad)


def test_the_list_of_matches_can_be_filled_in_and_given_as_a_match_file(tmp_path: Path) -> None:
    folder, records = scans(tmp_path, *FILES, "-odd.jpg"), table(tmp_path / "t.csv")
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", folder, records=records)
    text = (corpus.path / "matches-scans.csv").read_text(encoding="utf-8-sig")
    filled = tmp_path / "filled.csv"
    # as a German Excel saves it: semicolons, and the zeros of numbers gone
    text = text.replace("mystery.jpg,,", "mystery.jpg,457731,").replace("'-odd.jpg,,", "'-odd.jpg,00457731,")
    filled.write_text(text.replace('"', "").replace(",", ";"))
    corpus.collect("folder", folder, match=filled)
    assert by_path(corpus)["mystery.jpg"]["catalogNumber"] == "00457731"
    assert by_path(corpus)["-odd.jpg"]["catalogNumber"] == "00457731"
    assert not [row for row in listed(corpus) if row["how"] == "not used"]


def test_two_columns_without_names_are_number_and_file(tmp_path: Path) -> None:
    match = tmp_path / "m.csv"
    match.write_text("00457731,mystery.jpg\nE00457728,E00457730.jpg\n")
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", scans(tmp_path), records=table(tmp_path / "t.csv"), match=match)
    rows = by_path(corpus)
    assert (rows["mystery.jpg"]["catalogNumber"], rows["E00457730.jpg"]["catalogNumber"]) == ("00457731", "E00457728")


def test_nothing_that_fits_is_refused_with_examples_and_what_would_fit(tmp_path: Path) -> None:
    folder = scans(tmp_path, "B_10_0000123.jpg", "B_10_0000124.jpg")
    records = table(tmp_path / "t.csv", ["1", "B 10 0000123", "x"], header=["Inventarnummer", "Signatur", "name"])
    corpus = Corpus.create(tmp_path / "c")
    with pytest.raises(
        SourceError, match=r"like 'B_10_0000123', .* look like '1'\. Column 'Signatur' fits some"
    ) as told:
        corpus.collect("folder", folder, records=records)
    assert "--match" in str(told.value)
    named = table(tmp_path / "n.csv", ["1", "D:\\x\\B_10_0000123.jpg"], header=["Inventarnummer", "Bilddatei"])
    with pytest.raises(SourceError, match=r"names the files in column 'Bilddatei': .*--map 'accessURI=Bilddatei'"):
        corpus.collect("folder", folder, records=named)
    assert corpus.sources == {}
    assert not (corpus.path / "manifest").exists()


def test_zeros_that_the_table_lost_are_told_and_nothing_is_changed(tmp_path: Path) -> None:
    folder = scans(tmp_path, "00457728.jpg")
    pq.write_table(pa.table({"catalogNumber": [457728], "family": ["Fagaceae"]}), tmp_path / "t.parquet")
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    corpus.collect("folder", folder, records=tmp_path / "t.parquet", told=told.append)
    assert by_path(corpus)["00457728.jpg"]["catalogNumber"] == "457728"
    said = "\n".join(told)
    assert "column 'catalogNumber' holds numbers, not text: leading zeros, if there were any, are lost" in said
    assert "such as 00457728 / 457728" in said


def test_long_numbers_that_a_spreadsheet_cut_are_told(tmp_path: Path) -> None:
    records = table(tmp_path / "t.csv", ["1.23457E+14"], ["1"], header=["Barcode"])
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    corpus.collect("folder", scans(tmp_path, "1.jpg"), records=records, told=told.append)
    assert "that Excel has cut" in "\n".join(told)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"key": "x"}, UsageError, "--key goes with a table of records: add --records FILE"),
        ({"columns": {"genus": "x"}}, UsageError, "--map goes with a table of records"),
        ({"records": "none.csv"}, SourceError, "none.csv: no such file"),
        ({"records": "t.csv", "key": "Barkode"}, UsageError, r"did you mean Barcode.*Say --key COLUMN with one of"),
        ({"records": "t.csv", "columns": {"accessURI": "Barcode"}}, UsageError, "the images are the files"),
        ({"records": "empty.csv", "key": "Barcode"}, SourceError, "'Barcode' is empty in every row"),
        ({"records": "header.csv", "key": "Barcode"}, SourceError, "0 records, a header only"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path: Path, options: dict[str, Any], error: Any, says: str) -> None:
    table(tmp_path / "t.csv")
    (tmp_path / "empty.csv").write_text("Barcode,x\n,1\n")
    (tmp_path / "header.csv").write_text("Barcode,x\n")
    options = {k: tmp_path / v if k == "records" else v for k, v in options.items()}
    corpus = Corpus.create(tmp_path / "c")
    with pytest.raises(error, match=says):
        corpus.collect("folder", scans(tmp_path), **options)
    assert corpus.sources == {}


def test_a_folder_without_images_says_what_is_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("a.CR2", "b.cr2", "c.txt", "~$t.xlsx"):
        (folder / name).write_bytes(b"x")
    told: list[str] = []
    corpus = Corpus.create(tmp_path / "c")
    assert corpus.collect("folder", folder, told=told.append).media == 0
    assert "0 images in the folder; its other files: 2 .cr2, 1 .txt" in "\n".join(told)
    with pytest.raises(SourceError, match=r"0 images .*2 \.cr2"):
        corpus.collect("folder", folder, records=table(tmp_path / "t.csv"))


def test_an_odd_label_is_a_safe_name_of_a_file(tmp_path: Path) -> None:
    corpus = Corpus.create(tmp_path / "c")
    for label in ("../x", "..", "A/b"):
        corpus.collect("folder", scans(tmp_path), records=table(tmp_path / "t.csv"), label=label)
    assert len(list(corpus.path.glob("matches-*.csv"))) == 3
    assert not list(tmp_path.glob("*matches*"))


def test_the_query_stands_in_corpus_json(tmp_path: Path) -> None:
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", scans(tmp_path), records=table(tmp_path / "t.csv"), key="Barcode")
    entry = json.loads((corpus.path / "corpus.json").read_text())["sources"]["scans"]
    assert entry["kind"] == "folder"
    assert entry["query"]["records"] == {"file": str(tmp_path / "t.csv"), "key": "Barcode"}


def test_of_two_files_of_one_name_a_match_file_means_the_one_at_that_path(tmp_path: Path) -> None:
    folder, records = (
        scans(tmp_path, "scan1.jpg", "sub/scan1.jpg", "sub/more/scan2.jpg", "other/scan2.jpg"),
        table(tmp_path / "t.csv"),
    )
    match = tmp_path / "match.csv"
    match.write_text("number,file\nE00457728,scan1.jpg\n00457730,sub/scan1.jpg\n00457731,scan2.jpg\n")
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    corpus.collect("folder", folder, records=records, key="Barcode", match=match, told=told.append)
    rows = by_path(corpus)
    assert rows["scan1.jpg"]["catalogNumber"] == "E00457728"
    assert rows["sub/scan1.jpg"]["catalogNumber"] == "00457730"
    assert rows["other/scan2.jpg"]["catalogNumber"] is None
    assert any("'scan2.jpg' is the name of 2 files; give the path" in line for line in told)


def test_a_match_file_is_remembered_until_the_records_are_given_without_it(tmp_path: Path) -> None:
    folder, records = scans(tmp_path), table(tmp_path / "t.csv")
    match = tmp_path / "match.csv"
    match.write_text("number,file\n00457731,mystery.jpg\n")
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", folder, records=records, key="Barcode", match=match)
    told: list[str] = []
    assert corpus.collect("folder", folder, told=told.append).unchanged == 5
    assert any("match file as before" in line and "give --records again" in line for line in told)
    match.unlink()
    with pytest.raises(
        SourceError, match=r"the match file .* is gone; say where it is with --match FILE, or give --records"
    ):
        corpus.collect("folder", folder)
    corpus.collect("folder", folder, records=records)
    assert by_path(corpus)["mystery.jpg"]["catalogNumber"] is None
    assert by_path(corpus)["E00457728.jpg"]["catalogNumber"] == "E00457728"


def test_a_match_file_says_which_of_two_institutions_has_the_number(tmp_path: Path) -> None:
    rows = [["123", "B", "", "Abies", ""], ["123", "M", "", "Picea", ""], ["124", "B", "", "Pinus", ""]]
    records = table(tmp_path / "t.csv", *rows)
    files = ("a.jpg", "b.jpg", "c.jpg", "B_123.jpg")
    match = table(
        tmp_path / "m.csv", ["B 123", "a.jpg", ""], ["M:123", "b.jpg", ""], ["123", "c.jpg", "3"],
        header=["number", "file", "row"],
    )  # fmt: skip
    told: list[str] = []
    corpus = Corpus.create(tmp_path / "c")
    corpus.collect("folder", scans(tmp_path, *files), records=records, match=match, key="Barcode", told=told.append)
    genera = {name: row["genus"] for name, row in by_path(corpus).items()}
    assert genera == {"a.jpg": "Abies", "b.jpg": "Picea", "c.jpg": "Picea", "B_123.jpg": "Abies"}


def test_a_number_of_several_rows_in_a_match_file_is_told_with_the_rows(tmp_path: Path) -> None:
    records = table(tmp_path / "t.csv", ["123", "B", "", "Abies", ""], ["123", "M", "", "Picea", ""])
    match = table(tmp_path / "m.csv", ["123", "a.jpg"], header=["number", "file"])
    corpus = Corpus.create(tmp_path / "c")
    told: list[str] = []
    corpus.collect(
        "folder", scans(tmp_path, "a.jpg", "B123.jpg"), records=records, match=match, key="Barcode", told=told.append
    )
    said = "\n".join(told)
    assert "1 row of the match file that could not be used" in said
    assert "the number '123' fits 2 rows of the table (2, 3)" in said
