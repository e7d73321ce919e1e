"""What stands in an exported file, and what happens to the place it is written to."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vasculum import tables
from vasculum.errors import StoreError, UsageError
from vasculum.exports.export import export

SCHEMA = pa.schema(
    [
        tables.SOURCE_SCHEMA.field("media_id"),
        tables.SOURCE_SCHEMA.field("catalogNumber"),
        tables.SOURCE_SCHEMA.field("scientificName"),
        tables.SOURCE_SCHEMA.field("year"),
        pa.field("greenness_green_share", pa.float64(), metadata={"unit": "share"}),
        pa.field("net_vector", pa.list_(pa.field("element", pa.float32()), 2)),
        pa.field("net_words", pa.list_(pa.field("element", pa.string()))),
        pa.field("net_sure", pa.bool_()),
    ]
)
ROWS = [
    ("a", "0001", "Poa annua L.", 1901, -0.5, [0.1, 2], ["x", None], True),
    ("b", "=1+1", 'Acer "rubrum", L.', None, 1e-9, None, [], False),
    ("c", "", None, 0, None, [1, -1], None, None),
]


class Rows:
    """A study that has these rows, in batches of two."""

    def __init__(self, rows: Sequence[tuple[object, ...]] = ROWS, schema: pa.Schema = SCHEMA) -> None:
        self.schema = schema
        self.columns = [pa.array(c, f.type) for c, f in zip(zip(*rows, strict=True), schema, strict=True)]
        self.asked: tuple[object, ...] = ()

    def joined(
        self, columns: Sequence[str] | None, where: str | None, sort: str | None
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        self.asked = (columns, where, sort)
        table = pa.Table.from_arrays(self.columns, schema=self.schema)
        return self.schema, iter(table.to_batches(max_chunksize=2))


class Breaking(Rows):
    """A study whose second batch cannot be read."""

    def joined(
        self, columns: Sequence[str] | None, where: str | None, sort: str | None
    ) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        schema, batches = super().joined(columns, where, sort)

        def some() -> Iterator[pa.RecordBatch]:
            yield next(batches)
            raise StoreError("results/r1.parquet: cannot be read. Run vasculum verify.")

        return schema, some()


def texts_study(texts: Sequence[str | None]) -> Rows:
    schema = pa.schema([("media_id", pa.string()), ("locality", pa.string())])
    return Rows([(str(i), text) for i, text in enumerate(texts)], schema)


def test_csv_keeps_zeros_quotes_and_the_difference_of_null_and_empty(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    assert export(Rows(), "csv", out) == 3
    lines = out.read_bytes().decode().split("\r\n")
    assert lines[0] == (
        "media_id,catalogNumber,scientificName,year,greenness_green_share,net_vector,net_words,net_sure"
    )
    assert lines[1] == 'a,0001,Poa annua L.,1901,-0.5,"[0.1,2]","[""x"",null]",true'
    assert lines[2] == 'b,\'=1+1,"Acer ""rubrum"", L.",,1e-9,,[],false'
    assert lines[3] == 'c,"",,0,,"[1,-1]",,'
    assert lines[4:] == [""]


def test_negative_numbers_get_no_quote_in_csv(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    export(Rows(), "csv", out)
    with out.open(newline="", encoding="utf-8") as file:
        assert next(csv.DictReader(file))["greenness_green_share"] == "-0.5"


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''-"])
def test_a_text_that_a_spreadsheet_would_run_gets_one_quote_in_csv_only(tmp_path: Path, text: str) -> None:
    for kind in ("csv", "jsonl", "parquet"):
        export(texts_study([text]), kind, tmp_path / kind)  # type: ignore[arg-type]
    with (tmp_path / "csv").open(newline="", encoding="utf-8") as file:
        assert next(iter(csv.DictReader(file)))["locality"] == "'" + text
    assert json.loads((tmp_path / "jsonl").read_text("utf-8"))["locality"] == text
    assert pq.read_table(tmp_path / "parquet")["locality"].to_pylist() == [text]


DANGEROUS = tuple("=+-@\t\r\n")


def is_quoted(text: str) -> bool:
    return text.startswith("'") and text.lstrip("'").startswith(DANGEROUS)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text(st.sampled_from("=+-@\t\r\n'\", a0é\u202e\x00;|"), max_size=8), min_size=1, max_size=6))
def test_csv_reads_back_as_the_original_after_taking_one_quote_away(texts: list[str]) -> None:
    schema, batches = texts_study(texts).joined(None, None, None)
    from vasculum.exports.delimited import write_csv

    written = io.BytesIO()
    write_csv(written, schema, batches)
    read = [row[1] for row in csv.reader(io.StringIO(written.getvalue().decode(), newline=""))][1:]
    assert not [text for text in read if text.startswith(DANGEROUS)]
    assert [text[1:] if is_quoted(text) else text for text in read] == texts


def test_a_column_of_its_own_keeps_the_rows_that_are_null(tmp_path: Path) -> None:
    schema = pa.schema([("family", pa.string())])
    export(Rows([("Poaceae",), (None,), ("Fabaceae",)], schema), "csv", tmp_path / "rows.csv")
    assert (tmp_path / "rows.csv").read_bytes().decode() == 'family\r\nPoaceae\r\n""\r\nFabaceae\r\n'


def test_jsonl_has_one_exact_object_a_line(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    nasty = "one\ntwo\u2028three\x85\x00\u202e</script>"
    assert export(texts_study([nasty, None]), "jsonl", out) == 2
    first, second = out.read_text("utf-8").splitlines()
    assert json.loads(first)["locality"] == nasty
    assert json.loads(second) == {"media_id": "1", "locality": None}
    export(Rows(), "jsonl", tmp_path / "all.jsonl")
    row = json.loads((tmp_path / "all.jsonl").read_text("utf-8").splitlines()[0])
    assert row["catalogNumber"] == "0001"
    assert row["net_vector"] == [0.1, 2]
    assert row["net_words"] == ["x", None]


def test_a_number_that_json_cannot_hold_is_said_and_leaves_no_file(tmp_path: Path) -> None:
    schema = pa.schema([("media_id", pa.string()), ("x", pa.float64())])
    with pytest.raises(StoreError, match="Parquet"):
        export(Rows([("a", float("nan"))], schema), "jsonl", tmp_path / "rows.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_parquet_keeps_values_types_and_what_the_columns_mean(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    assert export(Rows(), "parquet", out) == 3
    table = pq.read_table(out)
    assert table.schema.field("greenness_green_share").metadata[b"unit"] == b"share"
    assert table.schema.field("catalogNumber").metadata[b"iri"].endswith(b"catalogNumber")
    assert table.to_pylist()[1]["catalogNumber"] == "=1+1"
    assert table.schema.field("net_vector").type == SCHEMA.field("net_vector").type


def test_columns_where_and_sort_reach_the_study(tmp_path: Path) -> None:
    study = Rows()
    export(study, "csv", tmp_path / "a.csv", columns=["media_id"], where="year > 1900", sort="year desc")
    assert study.asked == (["media_id"], "year > 1900", "year desc")


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_an_export_that_breaks_leaves_the_old_file_and_nothing_else(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "rows"
    out.write_text("before")
    with pytest.raises(StoreError):
        export(Breaking(), kind, out, overwrite=True)  # type: ignore[arg-type]
    assert out.read_text() == "before"
    assert list(tmp_path.iterdir()) == [out]


def test_a_file_that_is_there_is_not_overwritten_unasked(tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    out.write_text("before")
    with pytest.raises(UsageError, match=r"rows\.csv: exists already\. Choose another name"):
        export(Rows(), "csv", out)
    assert out.read_text() == "before"
    assert export(Rows(), "csv", out, overwrite=True) == 3
    assert out.read_text().startswith("media_id,")


def test_places_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        export(Rows(), "csv", tmp_path)
    with pytest.raises(UsageError, match="there is no folder"):
        export(Rows(), "csv", tmp_path / "none" / "rows.csv")


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean parquet"):
        export(Rows(), "parqet", Path("x"))  # type: ignore[arg-type]


def test_csv_goes_to_standard_output_and_parquet_does_not(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert export(Rows(), "csv", Path("-")) == 3
    assert capfdbinary.readouterr().out.count(b"\r\n") == 4
    with pytest.raises(UsageError, match="Name a file"):
        export(Rows(), "parquet", Path("-"))


def test_no_rows_give_a_file_that_has_only_its_columns(tmp_path: Path) -> None:
    schema = pa.schema([("media_id", pa.string())])
    study = Rows([], pa.schema([]))
    study.schema, study.columns = schema, [pa.array([], pa.string())]
    assert export(study, "csv", tmp_path / "a.csv") == 0
    assert (tmp_path / "a.csv").read_bytes() == b"media_id\r\n"
    assert export(study, "parquet", tmp_path / "a.parquet") == 0
    assert pq.read_table(tmp_path / "a.parquet").num_rows == 0
