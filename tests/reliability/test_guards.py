"""What may only be read is only read; what a newer version wrote is refused; what is damaged is found."""

from __future__ import annotations

import errno
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from sheets import make_corpus, write_sheets
from vasculum import Corpus, Study
from vasculum.cli.main import run as command
from vasculum.engines.local import LocalEngine
from vasculum.errors import StoreError, VasculumError
from vasculum.processing.items import Item
from vasculum.processing.reading import read_items
from vasculum.store import disk
from vasculum.store.folder import Folder
from vasculum.store.parquet import write_table
from vasculum.study.apply import apply
from vasculum.study.status import status
from vasculum.study.verify import verify


def snapshot(path: Path) -> dict[str, tuple[int, bytes]]:
    """Every file and folder with its time of change and its bytes."""
    return {
        file.relative_to(path).as_posix(): (file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else b"")
        for file in [path, *path.rglob("*")]
    }


@pytest.fixture
def forbidden(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Folders in which no file or folder can be made, changed or deleted, even by root."""
    places: list[Path] = []

    def guarded(real: Any, which: int = 0) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            path = Path(arguments[which])
            reading = real is real_open and not set(str((*arguments, "r")[1])) & set("xwa+")
            if not reading and any(path.is_relative_to(place) for place in places):
                raise OSError(errno.EROFS, "Read-only file system", str(path))
            return real(*arguments, **named)

        return call

    real_open = Path.open
    monkeypatch.setattr(Path, "open", guarded(real_open))
    monkeypatch.setattr(Path, "mkdir", guarded(Path.mkdir))
    monkeypatch.setattr(Path, "unlink", guarded(Path.unlink))
    monkeypatch.setattr(disk, "replace", guarded(disk.replace, 1))
    return places


def test_a_corpus_that_may_only_be_read_suffices(tmp_path: Path, forbidden: list[Path]) -> None:
    corpus = make_corpus(tmp_path, 4)
    before = snapshot(corpus.path)
    forbidden.append(corpus.path)
    study = apply(corpus.all(), ["thumbnail"], out=tmp_path / "study", engine=LocalEngine(1))
    assert study.counts() == {"ok": 4}
    assert apply(corpus.all(), ["thumbnail"], out=tmp_path / "study", engine=LocalEngine(1)).counts() == {"ok": 4}
    for path in (corpus.path, study.path):
        assert verify(path).problems == []
        status(path)
    with pytest.raises(StoreError, match=r"it is read-only\. Choose another folder"):
        corpus.fetch()
    assert snapshot(corpus.path) == before


def test_a_study_folder_that_may_only_be_read_is_one_line(
    tmp_path: Path, forbidden: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = make_corpus(tmp_path, 2)
    arguments = ["apply", str(corpus.path), "exif", "--out", str(tmp_path / "study")]
    forbidden.append(tmp_path / "study")
    assert command(arguments) == 1
    said = capsys.readouterr().err.strip().split("\n")
    assert len(said) == 1
    assert "it is read-only. Choose another folder" in said[0]
    forbidden.clear()
    assert command(arguments) == 0
    before = snapshot(tmp_path / "study")
    capsys.readouterr()
    forbidden.append(tmp_path / "study")
    assert command([*arguments, "--retry", "ok"]) == 1
    said = capsys.readouterr().err.strip().split("\n")
    assert len(said) == 1
    assert "it is read-only. Choose another folder" in said[0]
    assert snapshot(tmp_path / "study") == before


# -- a newer version ------------------------------------------------------------------------------------------------


def newer_json(file: Path) -> None:
    content = json.loads(file.read_text())
    content["format"] = 2
    file.write_text(json.dumps(content))


def newer_parquet(folder: Path) -> None:
    file = sorted(folder.glob("*.parquet"))[0]
    table = pq.read_table(file)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"vasculum_format": b"2"}), file)


def refused(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command ends with 1 and one line that names the version, and nothing in the folder changed."""
    before = snapshot(folder)
    capsys.readouterr()
    assert command(arguments) == 1, arguments
    said = [line for line in capsys.readouterr().err.split("\n") if line.startswith("error: ")]
    assert len(said) == 1, said
    assert "written by a newer vasculum (format 2, this one reads up to 1)" in said[0]
    assert "pip install -U vasculum" in said[0]
    assert snapshot(folder) == before


@pytest.mark.parametrize("what", ["corpus.json", "manifest", "images"])
def test_a_corpus_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = make_corpus(tmp_path, 3)
    study = apply(corpus.all(), ["exif"], out=tmp_path / "study", engine=LocalEngine(1))
    table = write_sheets(tmp_path / "sheets", 4)
    newer_json(corpus.path / what) if what.endswith("json") else newer_parquet(corpus.path / what)
    for arguments in (
        ["collect", str(corpus.path), "table", str(table)],
        ["fetch", str(corpus.path)],
        ["apply", str(corpus.path), "exif", "--out", str(tmp_path / "new")],
        ["apply", str(corpus.path), "exif", "--out", str(study.path)],
        ["status", str(corpus.path)],
        ["resume", str(study.path)],
    ):
        refused(arguments, tmp_path, capsys)
    assert command(["verify", str(corpus.path)]) == 1


@pytest.mark.parametrize("what", ["study.json", "results"])
def test_a_study_of_a_newer_version_is_refused_and_left_alone(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = make_corpus(tmp_path, 3)
    study = apply(corpus.all(), ["exif"], out=tmp_path / "study", engine=LocalEngine(1))
    newer_json(study.path / what) if what.endswith("json") else newer_parquet(study.path / what)
    for arguments in (
        ["apply", str(corpus.path), "exif", "--out", str(study.path)],
        ["apply", str(corpus.path), "exif", "--out", str(study.path), "--retry", "ok"],
        ["status", str(study.path)],
        ["resume", str(study.path)],
    ):
        refused(arguments, tmp_path, capsys)
    assert command(["verify", str(study.path)]) == 1


def test_settings_that_are_damaged_are_one_line(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 1)
    for content in (
        '{"format": "x"}',
        '{"format": 1}',
        "[]",
        "{",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ):
        (corpus.path / "corpus.json").write_text(content)
        with pytest.raises(StoreError, match=r"corpus\.json"):
            Corpus.open(corpus.path)
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "study.json").write_text('{"format": 1, "id": "x"}')
    with pytest.raises(StoreError, match=r"study\.json"):
        Study.open(tmp_path / "study")


# -- damage ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("sound")
    corpus = make_corpus(base, 6)
    apply(corpus.all(), ["thumbnail", "exif"], out=base / "study", engine=LocalEngine(1))
    return base


def told(reader: Callable[[Path], object], folder: Path) -> str:
    """What a reader says of a damaged folder; nothing where it met no damage."""
    try:
        reader(folder)
    except VasculumError as error:
        return str(error)
    return ""


FILES = ["corpus/bytes", "corpus/images", "corpus/manifest", "study/results", "study/blobs"]


@pytest.mark.slow
@pytest.mark.parametrize("what", FILES)
def test_verify_finds_every_flipped_bit(sound: Path, what: str) -> None:
    folder = sound / what.split("/")[0]
    assert verify(folder).problems == []
    (file,) = (sound / what).glob("*.parquet")
    data = file.read_bytes()
    source = random.Random(what)
    try:
        for turn in range(50):
            damaged = bytearray(data)
            place = source.randrange(len(data))
            damaged[place] ^= 1 << source.randrange(8)
            file.write_bytes(damaged)
            assert verify(folder).problems, f"a bit of byte {place} of {len(data)} was flipped"
            for reader in (status, lambda path: Study.open(sound / "study").results) if turn % 5 == 0 else ():
                assert "\n" not in told(reader, folder)
    finally:
        file.write_bytes(data)
    assert verify(folder).problems == []


@pytest.mark.parametrize("what", FILES)
def test_verify_finds_a_file_that_ends_early_or_is_none(sound: Path, what: str) -> None:
    folder = sound / what.split("/")[0]
    (file,) = (sound / what).glob("*.parquet")
    data = file.read_bytes()
    try:
        for wrong in (b"", b"PAR1", data[:-1], data[: len(data) // 2], data + b"x", data[::-1], bytes(len(data))):
            file.write_bytes(wrong)
            assert any(line.startswith("damaged file") for line in verify(folder).problems)
    finally:
        file.write_bytes(data)


@pytest.mark.parametrize("what", FILES)
def test_verify_finds_a_row_and_a_file_that_are_gone(sound: Path, what: str) -> None:
    folder = sound / what.split("/")[0]
    (file,) = (sound / what).glob("*.parquet")
    data = file.read_bytes()
    table = pq.read_table(file)
    try:
        write_table(Folder(folder), f"{file.parent.name}/{file.name}", table.slice(1))  # as whole as any file of ours
        assert not any(line.startswith("damaged file") for line in verify(folder).problems)
        assert verify(folder).problems
        file.unlink()
        assert verify(folder).problems
    finally:
        file.write_bytes(data)
    assert verify(folder).problems == []


def test_verify_names_an_image_whose_bytes_are_others(sound: Path) -> None:
    (file,) = (sound / "corpus" / "bytes").glob("*.parquet")
    data = file.read_bytes()
    rows = pq.read_table(file).to_pylist()
    place = data.index(rows[2]["bytes"][100:200])
    try:
        file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        problems = verify(sound / "corpus").problems
    finally:
        file.write_bytes(data)
    assert any(file.name in line for line in problems)


def test_a_damaged_shard_fails_images_and_never_the_run_or_the_bytes(sound: Path) -> None:
    corpus = Corpus.open(sound / "corpus")
    (file,) = (sound / "corpus" / "bytes").glob("*.parquet")
    images = corpus.images().to_pylist()
    true = dict(corpus.image_bytes([row["media_id"] for row in images]))
    items = [Item(row["media_id"], str(file), None, row["sha256"], row["image_key"]) for row in images]
    data = file.read_bytes()
    source = random.Random(5)
    # the small columns' pages and the footer: nearly all of a real shard is images, whose pages have checksums
    places = [source.randrange(len(data)) for _ in range(60)] + [
        len(data) - source.randrange(1, 3000) for _ in range(100)
    ]
    try:
        for place in places:
            damaged = bytearray(data)
            damaged[place] ^= 1 << source.randrange(8)
            file.write_bytes(damaged)
            found = dict(read_items(items))
            assert set(found) == set(range(len(items)))
            for index, got in found.items():
                assert isinstance(got, tuple) or got == true[items[index].media_id]
    finally:
        file.write_bytes(data)
