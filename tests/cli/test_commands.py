"""The command line as a person meets it: output, errors, exit codes, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from sheets import make_corpus, run_command, write_sheets
from vasculum import Study


def test_the_road_from_a_table_to_a_report_by_command(tmp_path: Path) -> None:
    table = write_sheets(tmp_path / "sheets", 12)
    collected = run_command("collect", "c", "table", table, cwd=tmp_path)
    assert collected.returncode == 0
    assert collected.stdout == ""
    assert "accessURI" in collected.stderr
    assert "12 media in source 'records': 12 new" in collected.stderr
    assert "12 ok" in run_command("fetch", "c", cwd=tmp_path).stderr
    applied = run_command("apply", "c", "thumbnail", "quality", "--out", "s", cwd=tmp_path)
    assert "12 results: 12 ok" in applied.stderr
    report = run_command("report", "s", cwd=tmp_path)
    assert report.stdout.strip() == "s/report.html"
    assert (tmp_path / "s" / "report.html").stat().st_size > 20_000
    exported = run_command(
        "export", "s", "--as", "csv", "-", "--columns", "catalogNumber,quality_sharpness", cwd=tmp_path
    )
    assert exported.stdout.splitlines()[0] == "catalogNumber,quality_sharpness"
    assert any(line.startswith("00000007,") for line in exported.stdout.splitlines())
    state = json.loads(run_command("status", "s", "--json", cwd=tmp_path).stdout)
    assert state["wanted"] == 12
    assert state["missing"] == 0
    assert state["results"] == {"ok": 12}
    for folder in ("c", "s"):
        verified = run_command("verify", folder, cwd=tmp_path)
        assert verified.returncode == 0
        assert "all is well" in verified.stdout
    for again in (
        ("collect", "c", "table", table),
        ("fetch", "c"),
        ("apply", "c", "thumbnail", "quality", "--out", "s"),
    ):
        done = run_command(*again, cwd=tmp_path)
        assert done.returncode == 0
        assert "nothing to do" in done.stderr or "12 as before" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["aply"], 2, "did you mean apply?"),
        (["apply", "nowhere", "thumbnail", "--out", "s"], 1, "nowhere: is no corpus"),
        (["apply", "corpus", "thumbnial", "--out", "s"], 2, "did you mean thumbnail?"),
        (["apply", "corpus", "thumbnail"], 2, "--out FOLDER is missing"),
        (["apply", "corpus", "thumbnail(sise=3)", "--out", "s"], 2, "did you mean size?"),
        (["apply", "corpus", "thumbnail", "thumbnail", "--out", "s"], 2, "two processors are called 'thumbnail'"),
        (["apply", "corpus", "nowhere.py", "--out", "s"], 2, "there is no file nowhere.py"),
        (["apply", "corpus", "sheets", "--out", "s"], 2, "no card.json"),
        (["apply", "corpus", "thumbnail", "--out", "sheets"], 1, "holds other things already"),
        (["apply", "corpus", "thumbnail", "--out", "s", "--where", "familly = 'x'"], 2, "did you mean family?"),
        (["apply", "corpus", "thumbnail", "--out", "s", "--retry", "okay"], 2, "there is no such status"),
        (["apply", "corpus", "thumbnail", "--out", "s", "--with", "m"], 2, "expected NAME=VALUE"),
        (["collect", "corpus", "table", "nowhere.csv"], 1, "nowhere.csv"),
        (["collect", "fresh", "table", "nowhere.csv"], 1, "nowhere.csv"),
        (["collect", "sheets", "table", "sheets/records.csv"], 1, "holds other things already"),
        (["collect", "fresh", "sheets/records.csv"], 2, "vasculum collect fresh table sheets/records.csv"),
        (["collect", "fresh", "sheets"], 2, "vasculum collect fresh folder sheets"),
        (["collect", "fresh", "folder", "sheets/records.csv"], 1, "collect CORPUS table sheets/records.csv"),
        (["collect", "fresh", "folder", "sheets", "--key", "x"], 2, "add --records FILE"),
        (["collect", "fresh", "table", "sheets/records.csv", "--key", "x"], 2, "--key is for folders of images"),
        (
            ["collect", "fresh", "folder", "sheets", "--records", "sheets/records.csv", "--key", "Barcode"],
            2,
            "no such column",
        ),
        (
            ["collect", "fresh", "folder", "sheets", "--records", "sheets/records.csv", "--key", "family"],
            1,
            "fits a record",
        ),
        (["report", "corpus"], 1, "corpus: is a corpus; name a study"),
        (["status", "sheets"], 1, "is neither a corpus nor a study"),
        (["resume", "fresh"], 1, "study"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_exit_code(
    tmp_path_factory: pytest.TempPathFactory, arguments: list[str], code: int, words: str
) -> None:
    folder = tmp_path_factory.getbasetemp() / "mistakes"
    if not folder.exists():
        make_corpus(folder)
    done = run_command(*arguments, cwd=folder)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert len([line for line in done.stderr.strip().split("\n") if not line.startswith("Try: ")]) == 1
    assert not (folder / "s").exists()
    assert not (folder / "fresh").exists()


def test_strict_ends_with_three_where_rows_failed(tmp_path: Path) -> None:
    table = write_sheets(tmp_path / "sheets", 4)
    (tmp_path / "sheets" / "00002.jpg").write_text("<html>not found</html>")
    (tmp_path / "sheets" / "00003.jpg").unlink()
    run_command("collect", "c", "table", table, cwd=tmp_path)
    fetched = run_command("fetch", "c", "--strict", "--json", cwd=tmp_path)
    assert fetched.returncode == 3
    assert json.loads(fetched.stdout)["counts"] == {"ok": 2, "not_an_image": 1, "not_found": 1}
    applied = run_command("apply", "c", "color", "--out", "s", "--strict", cwd=tmp_path)
    assert applied.returncode == 3
    assert Study.open(tmp_path / "s").counts() == {"ok": 2, "not_an_image": 1, "not_found": 1}
    assert run_command("apply", "c", "color", "--out", "s", cwd=tmp_path).returncode == 0


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    done = run_command(
        "apply", "corpus", "thumbnail", "--dry-run", "--where", "year < 1853", "--out", "s", cwd=tmp_path
    )
    assert done.stdout.startswith("wanted: 3  done: 0  to do: 3, of which to read: 3")
    assert not (tmp_path / "s").exists()


def test_changed_code_is_said_and_asked(tmp_path: Path) -> None:
    make_corpus(tmp_path)
    code = tmp_path / "mine.py"
    text = (
        "from vasculum import Pixels, processor\n@processor(Pixels(8), gives={'value': float})\n"
        "def mine(pixels):\n    return {'value': pixels.mean((1, 2, 3)) * FACTOR}\n"
    )
    code.write_text(text.replace("FACTOR", "1"))
    run_command("apply", "corpus", "mine.py", "--out", "s", "--limit", "6", cwd=tmp_path)
    before = Study.open(tmp_path / "s").results
    code.write_text(text.replace("FACTOR", "2"))
    refused = run_command("apply", "corpus", "mine.py", "--out", "s", cwd=tmp_path)
    assert refused.returncode == 2
    assert "6 results were made differently: mine has changed" in refused.stderr
    assert "--redo" in refused.stderr
    assert "--keep" in refused.stderr
    assert Study.open(tmp_path / "s").results.equals(before)
    kept = run_command("apply", "corpus", "mine.py", "--out", "s", "--keep", cwd=tmp_path)
    assert kept.returncode == 0, kept.stderr
    after = {row["media_id"]: row["mine_value"] for row in Study.open(tmp_path / "s").results.to_pylist()}
    assert len(after) == 12
    old = {row["media_id"]: row["mine_value"] for row in before.to_pylist()}
    assert {media_id: after[media_id] for media_id in old} == old
    redone = run_command("apply", "corpus", "mine.py", "--out", "s", "--redo", cwd=tmp_path)
    assert redone.returncode == 0, redone.stderr
    doubled = {row["media_id"]: row["mine_value"] for row in Study.open(tmp_path / "s").results.to_pylist()}
    assert all(doubled[media_id] == 2 * value for media_id, value in old.items())
    assert len(list((tmp_path / "s" / "results").iterdir())) == 1


SLOW = (
    "import time\nfrom vasculum import Pixels, processor\n@processor(Pixels(8), gives={'value': float}, batch=1)\n"
    "def slow(pixels):\n    time.sleep(0.2)\n    return {'value': pixels.mean((1, 2, 3))}\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_a_run_soon_and_the_next_one_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    make_corpus(tmp_path, 60)
    (tmp_path / "slow.py").write_text(SLOW)
    command = [sys.executable, "-m", "vasculum.cli.main", "apply", "corpus", "slow.py", "--out", "s"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = psutil.Process(process.pid).children(recursive=True)
        if (
            len(children) >= 2
            and (tmp_path / "s" / "runs").exists()
            and list((tmp_path / "s" / "runs").glob("*/plan.parquet"))
        ):
            break
        time.sleep(0.05)
    time.sleep(2.5)
    children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(number)
    _, told = process.communicate(timeout=20)
    assert process.returncode == 130
    assert told.strip().endswith("run the same command again to go on.")
    assert not [child for child in children if child.is_running()]
    done = len(Study.open(tmp_path / "s").results)
    assert 0 < done < 60
    state = json.loads(run_command("status", "s", "--json", cwd=tmp_path).stdout)
    assert state["runs"][-1]["end"] == "interrupted"
    assert state["missing"] == 60 - done
    (tmp_path / "slow.py").unlink()
    resumed = run_command("resume", "s", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    assert Study.open(tmp_path / "s").counts() == {"ok": 60}


def test_completion_doctor_version_and_processors_answer() -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_VASCULUM_COMPLETE" in run_command("completion", shell).stdout
    assert run_command("--version").stdout.startswith("vasculum 0.")
    assert all(finding["good"] for finding in json.loads(run_command("doctor", "--json").stdout))
    listed = run_command("processors").stdout
    for name in ("thumbnail", "resize", "histogram", "color", "quality", "phash", "exif"):
        assert f"\n{name}" in f"\n{listed}"


def test_output_that_nobody_reads_any_more_is_no_traceback(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 12)
    corpus.apply("color", out=tmp_path / "s")
    command = f"{sys.executable} -m vasculum.cli.main export s --as csv - | head -1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout.startswith("media_id,")
