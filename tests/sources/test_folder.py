from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from vasculum.errors import SourceError
from vasculum.sources.folder import FolderSource, read_folder
from vasculum.tables import SOURCE_SCHEMA


def made(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def rows_of(source: FolderSource) -> list[dict[str, Any]]:
    batches = list(source.batches())
    assert all(b.schema.equals(SOURCE_SCHEMA, check_metadata=True) for b in batches)
    return pa.Table.from_batches(batches, schema=SOURCE_SCHEMA).to_pylist()


def paths(source: FolderSource) -> list[str]:
    return [row["local_path"] for row in rows_of(source)]


def test_images_are_found_in_order_and_the_rest_is_counted(tmp_path: Path) -> None:
    made(tmp_path, "b.JPG", "a.png", "c/d.tif", "c/e/f.webp", "notes.txt", "c/x", ".hidden.jpg", ".git/a.jpg")
    made(tmp_path, "Thumbs.db", "__MACOSX/._a.jpg", ".ipynb_checkpoints/a.jpg")
    source = read_folder(tmp_path, label="x")
    assert paths(source) == ["a.png", "b.JPG", "c/d.tif", "c/e/f.webp"]
    assert source.counts["files that are no images by their extension (passed over)"] == 2
    assert source.counts["hidden files or folders passed over"] == 5
    assert paths(source) == ["a.png", "b.JPG", "c/d.tif", "c/e/f.webp"]


def test_files_of_one_name_are_one_medium_that_the_jpeg_leads(tmp_path: Path) -> None:
    made(tmp_path, "s/H.1.tif", "s/H.1.jpg", "s/H.2.tif", "H.1.png")
    source = read_folder(tmp_path, label="x")
    found = rows_of(source)
    assert [r["local_path"] for r in found] == ["H.1.png", "s/H.1.jpg", "s/H.2.tif"]
    assert found[1]["variants"] == [{"size": None, "uri": "s/H.1.tif", "format": "image/tiff"}]
    assert any(note.startswith("1 file beside an image of the same name") for note in source.notes)
    assert len({r["media_id"] for r in found}) == 3


def test_labels_are_the_names_of_folders(tmp_path: Path) -> None:
    made(tmp_path, "a.jpg", "oak/b.jpg", "trees/elm/c.jpg")
    labels = [r["label"] for r in rows_of(read_folder(tmp_path, label="x", labels=True))]
    assert labels == [None, "oak", "elm"]
    assert {r["label"] for r in rows_of(read_folder(tmp_path, label="x"))} == {None}


def test_links_lead_neither_out_nor_round(tmp_path: Path) -> None:
    made(tmp_path, "out/secret.jpg", "in/a.jpg")
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/away").symlink_to(tmp_path / "out")
    (tmp_path / "in/secret.jpg").symlink_to(tmp_path / "out/secret.jpg")
    (tmp_path / "in/twin.jpg").symlink_to("a.jpg")
    (tmp_path / "in/broken.jpg").symlink_to("nothing.jpg")
    source = read_folder(tmp_path / "in", label="x")
    assert paths(source) == ["a.jpg", "twin.jpg"]
    assert source.counts["links to folders or out of the folder (not followed)"] == 3
    assert [r.file for r in source.rejects] == ["broken.jpg"]


def test_pipes_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert paths(read_folder(tmp_path, label="x")) == []


def test_names_that_are_no_text_are_kept_aside(tmp_path: Path) -> None:
    made(tmp_path, "a.jpg")
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xfcller.jpg"))).write_bytes(b"x")
    source = read_folder(tmp_path, label="x")
    assert paths(source) == ["a.jpg"]
    assert [r.file for r in source.rejects] == [r"m\xfcller.jpg"]


def test_a_folder_that_goes_away_is_kept_aside(tmp_path: Path) -> None:
    made(tmp_path, *(f"a/{i:05}.jpg" for i in range(10_001)), "b/x.jpg")
    source = read_folder(tmp_path, label="x")
    batches = source.batches()
    assert next(batches).num_rows == 10_000
    (tmp_path / "b/x.jpg").unlink()
    (tmp_path / "b").rmdir()
    assert [b.num_rows for b in batches] == [1]
    assert [r.file for r in source.rejects] == ["b"]


def test_ids_do_not_depend_on_where_the_root_is(tmp_path: Path) -> None:
    one, two = (made(tmp_path / name, "s/a.jpg") for name in ("here", "there"))
    ids = [rows_of(read_folder(root, label="x"))[0]["media_id"] for root in (one, two)]
    assert ids[0] == ids[1]
    assert rows_of(read_folder(one, label="y"))[0]["media_id"] != ids[0]


def test_nothing_there_and_nothing_in_it_are_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such folder"):
        read_folder(tmp_path / "none", label="x")
    source = read_folder(tmp_path, label="x")
    assert rows_of(source) == []
    assert "0 images" in source.notes[0]
