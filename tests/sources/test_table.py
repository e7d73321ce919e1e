from __future__ import annotations

import csv
import gzip
import json
import tempfile
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum.errors import SourceError, UsageError
from vasculum.sources.names import guess
from vasculum.sources.table import TableSource, read_table
from vasculum.sources.values import is_address, local_path
from vasculum.tables import SOURCE_SCHEMA

U = "https://images.example.org/{}.jpg"


def opened(path: Path, content: str | bytes, **options: Any) -> TableSource:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return read_table(path, label="x", **options)


def rows_of(source: TableSource) -> list[dict[str, Any]]:
    batches = list(source.batches())
    assert all(b.schema.equals(SOURCE_SCHEMA, check_metadata=True) for b in batches)
    return pa.Table.from_batches(batches, schema=SOURCE_SCHEMA).to_pylist()


def uris(source: TableSource) -> list[str | None]:
    return [row["accessURI"] for row in rows_of(source)]


CONTROL = "".join(map(chr, range(32)))
cell = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=CONTROL) | st.sampled_from("\t\r\n\v\f"), max_size=20
)
"""Any text but NUL and the control characters that a file is taken for binary by."""


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(cell, cell), min_size=1, max_size=8),
    st.sampled_from([",", "\t", ";", "|"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_is_written_is_read_back(
    cells: list[tuple[str, str]], delimiter: str, end: str, quoting: Any, encoding: str
) -> None:
    if quoting == csv.QUOTE_MINIMAL and end == "\n":  # csv.writer before Python 3.13 leaves a lone \r unquoted
        cells = [(a.replace("\r", ""), b.replace("\r", "")) for a, b in cells]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)
            writer.writerow(["url", "locality", "my notes"])
            writer.writerows([U.format(i), *pair] for i, pair in enumerate(cells))
        found = rows_of(read_table(path, label="x"))
    read = [(r["locality"] or "", json.loads(r["terms_json"] or "{}").get("my notes", "")) for r in found]
    assert read == cells


def test_leading_zeros_and_formulas_stay_text(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f"catalogNumber,url,note\n00457728,{U},=1+1\n")
    row = rows_of(source)[0]
    assert row["catalogNumber"] == "00457728"
    assert json.loads(row["terms_json"]) == {"note": "=1+1"}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("img2dataset.csv", f"url,caption\n{U},a\n"),
        (
            "gbif.txt",
            f"gbifID\ttype\tformat\tidentifier\treferences\n9\tStillImage\timage/jpeg\t{U}\thttps://p.org/9\n",
        ),
        ("idigbio.csv", f"coreid,ac:accessURI,idigbio:uuid\na,{U},00000000-0000-4000-8000-000000000100\n"),
        ("iri.csv", f"http://rs.tdwg.org/ac/terms/accessURI,x\n{U},1\n"),
        ("excel.csv", f'\ufeffsep=;\r\nCatalog No.;Image URL ;Notes\r\nC0;{U};"a;b"\r\n'),
        ("tabs.csv", f"id\turl\n0\t{U}\n"),
        ("messy.csv", f'" Record ID ",IMAGE_URL,,\n0,{U},,\n'),
        ("best.csv", f"ac:bestQualityAccessURI,x\n{U},1\n"),
        ("objects.jsonl", json.dumps({"id": 0, "url": U, "data": {"dwc:catalogNumber": "C0"}})),
        ("item.jsonl", json.dumps({"indexTerms": {"accessuri": "other"}, "data": {"ac:accessURI": U}})),
        ("utf16.txt", f"id\turl\r\n0\t{U}\r\n".encode("utf-16")),
        ("packed.csv.gz", gzip.compress(f"id,url\n0,{U}\n".encode())),
        ("packed_but_not_named.csv", gzip.compress(f"id,url\n0,{U}\n".encode())),
    ],
)
def test_other_peoples_tables_are_understood(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert uris(opened(tmp_path / name, content)) == [U]


def test_gbif_media_rows_know_record_and_page(tmp_path: Path) -> None:
    text = f"gbifID\tidentifier\treferences\tlicense\n9\t{U}\tjavascript:alert(1)\tCC0\n10\t{U}2\thttps://p.org\t\n"
    first, second = rows_of(opened(tmp_path / "multimedia.txt", text))
    assert (first["record_keys"], first["record_page"]) == (["9"], "https://www.gbif.org/occurrence/9")
    assert second["record_page"] == "https://p.org"
    assert (first["license_id"], first["license_from"], second["license_id"]) == (
        "CC0-1.0",
        "license",
        "unknown",
    )


def test_quotes_in_a_gbif_download_are_only_quotes(tmp_path: Path) -> None:
    source = opened(tmp_path / "m.txt", f'gbifID\ttitle\tidentifier\n1\t"open\t{U}\n2\tend"\t{U}2\n')
    assert [json.loads(r["terms_json"])["title"] for r in rows_of(source)] == ['"open', 'end"']


def test_a_medium_has_one_id_by_whichever_road(tmp_path: Path) -> None:
    uuid = "00000000-0000-4000-8000-00000000000A"
    one = rows_of(opened(tmp_path / "a.csv", f"ac:accessURI,idigbio:uuid\n{U},{uuid}\n"))[0]
    two = rows_of(opened(tmp_path / "b.csv", f"accessURI,providerManagedID\n{U}?x,urn:uuid:{uuid.lower()}\n"))[0]
    assert one["media_id"] == two["media_id"]


def test_the_id_of_the_occurrence_is_no_id_of_the_medium(tmp_path: Path) -> None:
    uuid = "00000000-0000-4000-8000-000000000001"
    text = f"occurrenceID,accessURI,dcterms:identifier\n{uuid},{U}1,{uuid}\n{uuid},{U}2,{uuid}\n"
    first, second = rows_of(opened(tmp_path / "t.csv", text))
    assert first["media_id"] != second["media_id"]


def test_two_columns_that_could_be_the_address_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"'url' and 'accessURI'.*--map"):
        opened(tmp_path / "a.csv", f"id,url,accessURI\n1,{U},{U}2\n")
    with pytest.raises(SourceError, match=r"duplicate name.*'url' and 'url \(2\)'.*--map"):
        opened(tmp_path / "b.csv", f"id,url,url\n1,{U},{U}2\n")
    assert uris(read_table(tmp_path / "b.csv", label="x", overrides={"accessURI": "url (2)"})) == [U + "2"]


def test_without_a_column_of_addresses_the_columns_are_listed(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"columns id, name.*--map"):
        opened(tmp_path / "t.csv", "id,name\n1,Quercus\n")


def test_overrides_are_taken_and_wrong_ones_answered_with_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    source = opened(
        path, f"Foto_URL,finder\n{U},A. Person\n", overrides={"accessURI": "foto_url", "recordedBy": "finder"}
    )
    assert rows_of(source)[0]["recordedBy"] == "A. Person"
    assert "told by --map" in str(source.mapping)
    with pytest.raises(UsageError, match="did you mean Foto_URL"):
        read_table(path, label="x", overrides={"accessURI": "fotourl"})
    with pytest.raises(UsageError, match="did you mean recordedBy"):
        read_table(path, label="x", overrides={"recordedd": "finder"})
    with pytest.raises(UsageError, match=r"turned round: --map accessURI=Foto_URL"):
        read_table(path, label="x", overrides={"Foto_URL": "accessURI"})
    for term in ("recordedby", "dwc:recordedBy", "collector"):
        read = read_table(path, label="x", overrides={"accessURI": "foto_url", term: "finder"})
        assert rows_of(read)[0]["recordedBy"] == "A. Person"


def test_rows_without_an_address_are_kept_aside(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f"id,url\n1,{U}\n\n1,{U}\n2,\n3,  {U}2  \n4,not a url\n")
    found = rows_of(source)
    assert [r["accessURI"] for r in found] == [U, U, U + "2", None]
    assert found[3]["local_path"] == "not a url"
    assert [(r.line, r.reason) for r in source.rejects] == [(5, "no image address")]
    assert source.counts["rows read"] == 5
    assert "1 blank line" in source.notes
    assert json.loads(found[2]["terms_json"])["url"] == f"  {U}2  "


def test_addresses_stay_byte_for_byte(tmp_path: Path) -> None:
    odd = [
        "https://e.org/a b/c d.jpg",
        "https://e.org/été/木.jpg",
        "https://e.org/x%2520y.jpg?u=a|b&v=%7C",
        "s3://b/k",
    ]
    assert uris(opened(tmp_path / "t.csv", "url\n" + "\n".join(odd))) == odd


def test_in_a_table_of_one_column_a_comma_is_part_of_the_address(tmp_path: Path) -> None:
    assert uris(opened(tmp_path / "t.csv", "url\nhttps://e.org/a,b;c.jpg\n")) == ["https://e.org/a,b;c.jpg"]


def test_a_quote_that_is_not_closed_swallows_no_rows(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f'id,url,label\n1,{U},"open\n2,{U}2,b\n3,{U}3,c\n')
    assert uris(source) == [U, U + "2", U + "3"]
    assert any("first: line 2" in note for note in source.notes)
    third = opened(tmp_path / "t.csv", f'id,url\n1,"{U}\n2,{U}2\n')
    assert (uris(third), [r.line for r in third.rejects]) == ([U + "2"], [2])
    again = opened(tmp_path / "t.csv", f'id,url,label\n1,{U}\n2,"{U}2\n3,{U}3,c\n4,{U}4,"d"\n')
    assert uris(again) == [U, U + "3", U + "4"]
    assert [r.line for r in again.rejects] == [3]
    assert again.rejects[0].text == f'2,"{U}2\n'


def test_lines_of_rejects_hold_after_newlines_in_quotes(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f'url,label\n{U},"two\nlines, ""quoted"""\n,none\n{U}2,5" stem\n')
    assert [json.loads(r["terms_json"] or "{}") for r in rows_of(source)] == [{}, {}]
    assert [r["label"] for r in rows_of(source)] == ['two\nlines, "quoted"', '5" stem']
    assert [r.line for r in source.rejects] == [4]


def test_short_and_long_rows_are_counted_and_lose_nothing(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f"url,a,b\n{U}\n{U}2,1,2,3,4\n")
    found = rows_of(source)
    assert json.loads(found[1]["terms_json"])["cells beyond the header"] == ["3", "4"]
    assert [n.split(" (")[0] for n in source.notes] == [
        "1 row with fewer cells than columns",
        "1 row with more cells than columns",
    ]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", b"", "empty"),
        ("t.csv", f"id,url,name\n1,{U},m\xfcller\n".encode("latin-1"), r"line 2.*--encoding latin-1"),
        ("t.csv", f"url\n{U}\n".encode("utf-16-le"), "--encoding utf-16-le"),
        ("t.csv", b"PK\x03\x04[Content_Types].xml xl/", "Excel"),
        ("t.csv", b"PK\x03\x04occurrence.txt", "zip"),
        ("t.csv", b"\xff\xd8\xff\xe0JFIF", "JPEG"),
        ("t.csv", bytes(range(256)) * 9, "binary"),
        ("t.csv", "<!DOCTYPE html><html>", "web page"),
        ("t.csv", U + "\n" + U, "line 1 holds data"),
        ("t.csv", "\n\n", "column names"),
        ("t.jsonl", json.dumps([{"url": U}], indent=1), "line 1"),
        ("t.csv", json.dumps([{"url": U}], indent=1), "JSON array"),
        ("t.jsonl", "1\n2\n", "line 1 is a number, not an object"),
        ("t.jsonl", "[" * 100_000 + "\n", "nested too deep"),
        ("t.parquet", b"PAR1 cut off", "Parquet"),
        ("t.parquet", "url\n", "not a Parquet file"),
        ("t.csv.gz", gzip.compress(f"url\n{U}\n".encode() * 90_000)[:-900], "gzip file is damaged"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(tmp_path: Path, name: str, content: str | bytes, says: str) -> None:
    with pytest.raises(SourceError, match=says) as told:
        list(opened(tmp_path / name, content).batches())
    assert "\n" not in str(told.value)
    assert name in str(told.value)


def test_missing_files_and_wrong_options_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_table(tmp_path / "none.csv", label="x")
    with pytest.raises(SourceError, match="without Parquet"):
        read_table(tmp_path, label="x")
    with pytest.raises(UsageError, match="did you mean latin-1"):
        opened(tmp_path / "t.csv", f"url\n{U}\n", encoding="latin-11")
    with pytest.raises(UsageError, match="--delimiter"):
        opened(tmp_path / "t.csv", f"url\n{U}\n", delimiter="::")


def test_the_remedies_work(tmp_path: Path) -> None:
    found = rows_of(opened(tmp_path / "a.csv", f"url,recordedBy\n{U},Müller\n".encode("latin-1"), encoding="latin-1"))
    assert found[0]["recordedBy"] == "Müller"
    assert uris(opened(tmp_path / "b.csv", f"url\n{U}\n".encode("utf-16-le"), encoding="utf-16-le")) == [U]
    assert uris(opened(tmp_path / "c.csv", f"a,b!url\n1!{U}\n", delimiter="!")) == [U]


def test_a_header_alone_is_no_rows(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", "id,url\n")
    assert rows_of(source) == []
    assert source.notes == ["t.csv: 0 rows, a header only"]


def test_long_cells_and_nul(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f"url,text\n{U},{'x' * 200_000}\n{U}\0,b\n")
    assert len(json.loads(rows_of(source)[0]["terms_json"])["text"]) == 200_000
    assert [(r.line, "NUL" in r.reason) for r in source.rejects] == [(3, True)]


def test_bad_lines_of_json_are_kept_aside_and_numbers_stay(tmp_path: Path) -> None:
    numbers = '"depth": 1.10, "big": 12345678901234567890, "deep": {"x": [1.0, {"y": null}]}'
    good = f'{{"url": "{U}", {numbers}}}\n'
    source = opened(
        tmp_path / "t.jsonl",
        good + '{"url": \n' + '{"url": "\\ud800"}\n' + f'{{"url": "{U}", "year": 1900}}\n',
    )
    first, second = rows_of(source)
    terms = json.loads(first["terms_json"])
    assert terms == {"depth": "1.10", "big": "12345678901234567890", "deep.x": '[1.0, {"y": null}]'}
    assert second["year"] == 1900
    assert [r.line for r in source.rejects] == [2, 3]


def test_columns_that_appear_late_are_mapped_too(tmp_path: Path) -> None:
    lines = [json.dumps({"url": U.format(i)}) for i in range(10_050)] + [json.dumps({"url": U, "dwc:year": "1901"})]
    found = rows_of(opened(tmp_path / "t.jsonl", "\n".join(lines)))
    assert (len(found), found[-1]["year"], found[-1]["source_key"]) == (10_051, 1901, "10051")


def test_lists_of_addresses_give_a_row_each(tmp_path: Path) -> None:
    text = f'id,associatedMedia\n1,"{U}1, {U}2; {U}3 | {U}1"\n'
    found = rows_of(opened(tmp_path / "t.csv", text))
    assert [r["accessURI"] for r in found] == [U + "1", U + "2", U + "3"]
    assert len({r["media_id"] for r in found}) == 3
    assert uris(opened(tmp_path / "j.csv", f'url\n"[""{U}1"", ""{U}2""]"\n')) == [U + "1", U + "2"]


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    table = pa.table({
        "url": pa.array([[U, U + "2"], [U + "3"]]),
        "catalogNumber": pa.array([457728, None], pa.int64()),
        "year": pa.array([1901.0, None], pa.float64()),
        "eventDate": pa.array(["", "1850-05-01/1851"]),
        "image": pa.array([b"\xff\xd8", b"\xff"]),
    })  # fmt: skip
    for part in ("a", "b"):
        (tmp_path / f"institutionCode={part}").mkdir()
        pq.write_table(table, tmp_path / f"institutionCode={part}" / "t.parquet")
    source = read_table(tmp_path, label="x")
    found = rows_of(source)
    assert [r["year"] for r in found] == [1901, 1901, 1850] * 2
    assert found[0]["catalogNumber"] == "457728"
    assert [r["institutionCode"] for r in found] == ["a"] * 3 + ["b"] * 3


def test_bytes_that_are_no_text_are_a_reject_of_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table({"url": pa.array([U.encode(), b"\xff\xfe"])}), tmp_path / "t.parquet")
    source = read_table(tmp_path / "t.parquet", label="x")
    assert uris(source) == [U]
    assert [r.reason for r in source.rejects] == ["row 2: column url is not utf-8 text"]


@pytest.mark.parametrize(
    ("year", "date", "expected"),
    [
        ("1901", "", 1901),
        ("", "1850-01-01", 1850),
        ("ca. 1890", "", None),
        ("0", "9999", None),
        ("ca. 1890", "1891", 1891),
    ],
)
def test_years_are_typed_and_the_others_kept(tmp_path: Path, year: str, date: str, expected: int | None) -> None:
    row = rows_of(opened(tmp_path / "t.csv", f"url,year,eventDate\n{U},{year},{date}\n"))[0]
    assert row["year"] == expected
    if year and year != str(expected):
        assert json.loads(row["terms_json"])["year"] == year


def test_paths_are_local_and_stay_under_the_root(tmp_path: Path) -> None:
    paths = [
        "a/b.jpg",
        "a\\c.jpg",
        "./d.jpg",
        f"{tmp_path}/e.jpg",
        "../f.jpg",
        "/etc/passwd",
        "C:\\g.jpg",
        "\\\\host\\h.jpg",
    ]
    source = opened(tmp_path / "t.csv", "file\n" + "\n".join(paths) + "\n")
    assert [r["local_path"] for r in rows_of(source)] == ["a/b.jpg", "a/c.jpg", "d.jpg", "e.jpg"]
    assert uris(source) == [None] * 4
    assert [r.line for r in source.rejects] == [6, 7, 8, 9]
    assert "--root" in source.rejects[1].reason


def test_files_that_are_there_stand_beside_their_address(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    row = rows_of(opened(tmp_path / "t.csv", f"file,url\na.jpg,{U}\n"))[0]
    assert (row["local_path"], row["accessURI"]) == ("a.jpg", U)
    assert rows_of(opened(tmp_path / "u.csv", f"file,url\nmissing.jpg,{U}\n"))[0]["local_path"] is None


def test_ids_of_local_files_do_not_depend_on_where_the_root_is(tmp_path: Path) -> None:
    ids = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        ids.append(rows_of(opened(tmp_path / name / "t.csv", "file\na/H.123.jpg\n"))[0]["media_id"])
    assert ids[0] == ids[1]
    other = rows_of(opened(tmp_path / "t.csv", "file\na/H.123.tif\na/H.124\na/H.125\n"))
    assert other[0]["media_id"] == ids[0]
    assert other[1]["media_id"] != other[2]["media_id"]


def test_what_is_declared_to_be_sound_is_kept_aside(tmp_path: Path) -> None:
    text = f"accessURI,type,format\n{U},Sound,audio/mpeg\n{U}2,StillImage,application\n{U}3,,text/html\n"
    source = opened(tmp_path / "t.csv", text)
    assert uris(source) == [U + "2"]
    assert [r.line for r in source.rejects] == [2, 4]


def test_published_hashes_are_taken_where_they_are_hashes(tmp_path: Path) -> None:
    text = f"url,hashValue,hashFunction\n{U},{'A' * 32},MD5\n{U}2,{'b' * 64},SHA-256\n{U}3,{'c' * 40},SHA-1\n"
    first, second, third = rows_of(opened(tmp_path / "t.csv", text))
    assert first["published_hash"] == "md5:" + "a" * 32
    assert second["published_hash"] == "sha256:" + "b" * 64
    assert third["published_hash"] is None
    assert json.loads(third["terms_json"])["hashValue"] == "c" * 40


def test_second_choices_lose_nothing(tmp_path: Path) -> None:
    header = "accessURI,bestQualityAccessURI,thumbnailAccessURI,dc:creator,dcterms:creator"
    text = f"{header}\n{U},{U}b,{U}t,A,B\n,{U}c,,,C\n"
    first, second = rows_of(opened(tmp_path / "t.csv", text))
    assert (first["accessURI"], second["accessURI"]) == (U, U + "c")
    assert first["variants"] == [{"size": "thumbnail", "uri": U + "t", "format": None}]
    assert (first["creator"], second["creator"]) == ("A", "C")
    assert json.loads(first["terms_json"]) == {"bestQualityAccessURI": U + "b", "dcterms:creator": "B"}


def test_rights_are_kept_as_published(tmp_path: Path) -> None:
    text = (
        f"accessURI,UsageTerms,WebStatement,Owner\n{U},CC BY-NC-SA (x),http://creativecommons.org/licenses/by/4.0/,M\n"
    )
    source = opened(tmp_path / "t.csv", text)
    row = rows_of(source)[0]
    assert (row["license_id"], row["license_from"]) == ("LicenseRef-CC-BY-NC-SA-unversioned", "UsageTerms")
    assert json.loads(row["rights_raw"])["WebStatement"] == "http://creativecommons.org/licenses/by/4.0/"
    assert row["credit_line"] == "M; CC BY-NC-SA"
    assert source.notes == ["1 row with rights fields that differ (the stricter counts)"]


def test_a_table_reads_the_same_twice(tmp_path: Path) -> None:
    source = opened(tmp_path / "t.csv", f"url,year\n{U},1900\n,\n,x\n")
    first, counts = rows_of(source), source.counts
    assert rows_of(source) == first
    assert source.counts == counts


def test_the_samples_are_read() -> None:
    folder = Path(__file__).parents[2] / "samples"
    source = read_table(folder / "records.csv", label="samples")
    found = rows_of(source)
    assert len(found) == 17
    assert len({r["institutionCode"] for r in found}) == 8
    assert all(r["license_id"] == "CC0-1.0" and (source.root / r["local_path"]).is_file() for r in found)
    assert source.rejects == []


DRIVE, SHARE, SERVER = PureWindowsPath("D:\\Scans"), PureWindowsPath("\\\\server\\Scans"), PurePosixPath("/data/scans")


@pytest.mark.parametrize(
    ("text", "root", "path"),
    [
        (r"D:\Scans\2024\a.jpg", DRIVE, "2024/a.jpg"),
        (r"d:\scans\2024\A.jpg", DRIVE, "2024/A.jpg"),
        (r"d:/scans/x/../a.jpg", DRIVE, "a.jpg"),
        (r"\\?\D:\scans\a.jpg", DRIVE, "a.jpg"),
        (r"\scans\a.jpg", DRIVE, "a.jpg"),
        (r"2024\a.jpg", DRIVE, "2024/a.jpg"),
        (r"\\SERVER\scans\a.jpg", SHARE, "a.jpg"),
        (r"\\?\UNC\server\scans\a.jpg", SHARE, "a.jpg"),
        (r"2024\a.jpg", SERVER, "2024/a.jpg"),
    ],
)
def test_windows_paths_are_made_relative_to_their_root(text: str, root: PurePath, path: str) -> None:
    assert not is_address(text)
    assert local_path(text, root) == (path, "")


@pytest.mark.parametrize(
    ("text", "root", "says"),
    [
        (r"C:\scans\a.jpg", DRIVE, "say --root"),
        (r"D:\scans2\a.jpg", DRIVE, "say --root"),
        (r"D:\scans\..\a.jpg", DRIVE, "say --root"),
        (r"D:a.jpg", DRIVE, "say --root"),
        (r"\\other\scans\a.jpg", SHARE, "say --root"),
        (r"..\a.jpg", DRIVE, "leads out of"),
        (r"D:\scans\a.jpg", SERVER, "collect on that computer"),
        (r"\\server\scans\a.jpg", SERVER, "collect on that computer"),
    ],
)
def test_windows_paths_elsewhere_are_paths_and_told_what_to_do(text: str, root: PurePath, says: str) -> None:
    assert not is_address(text)
    path, why = local_path(text, root)
    assert path is None
    assert says in why


def test_headings_in_other_languages_are_known_where_they_are_sure() -> None:
    columns = ["Katalognummer", "Gattung", "Art", "Familie", "Sammler", "Fundort", "Land", "Jahr", "Bilddatei"]
    sample = {"Art": ["robur", "petraea", "novi-belgii"]}
    assert [e.target for e in guess(columns, file="t", sample=sample)] == [
        "catalogNumber", "genus", "specificEpithet", "family", "recordedBy", "locality", "country", "year", "accessURI",
    ]  # fmt: skip
    for values in (["Quercus robur"], ["Herbarbeleg"], []):
        found = guess(columns, file="t", sample={"Art": values})
        assert found.entries[2].target is None
    spanish = guess(["Código de barras", "Género", "País", "Año", "archivo"], file="t")
    assert [e.target for e in spanish] == ["catalogNumber", "genus", "country", "year", "accessURI"]
    french = guess(["Code-barres", "Famille", "Pays", "fichier"], file="t")
    assert [e.target for e in french] == ["catalogNumber", "family", "country", "accessURI"]


def test_a_parquet_column_of_numbers_is_told_to_have_no_zeros(tmp_path: Path) -> None:
    pq.write_table(pa.table({"catalogNumber": [457728], "url": [U]}), tmp_path / "t.parquet")
    source = read_table(tmp_path / "t.parquet", label="x")
    assert rows_of(source)[0]["catalogNumber"] == "457728"
    assert "leading zeros, if there were any, are lost" in source.notes[0]


def test_a_licence_may_be_mapped_by_the_name_of_its_term(tmp_path: Path) -> None:
    for term in ("license", "dcterms:license", "license_id"):
        source = opened(tmp_path / "t.csv", f"url,Rechte\n{U},CC0\n", overrides={term: "Rechte"})
        assert rows_of(source)[0]["license_id"] == "CC0-1.0"
    with pytest.raises(UsageError, match="license_id is given twice"):
        opened(tmp_path / "t.csv", f"url,a,b\n{U},1,2\n", overrides={"license": "a", "license_id": "b"})
