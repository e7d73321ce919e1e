"""`vasculum run`: from a folder or table to a report in one line, as a person at a terminal meets it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest

from shards import write_tar
from sheets import make_corpus, run_command, sheet_bytes, write_sheets
from vasculum import Corpus, Study, UsageError, run
from vasculum.cli.run import duration

AT_ONCE_LONG = "import sys, vasculum.cli.run as r; r.LONG_SECONDS = 0; from vasculum.cli.main import main; main()"
"""The command line, where everything with an estimate counts as long."""


def at_a_terminal(arguments: list[str], cwd: Path, answers: dict[str, str], **environment: str) -> tuple[int, str]:
    """Run the command line at a terminal, type an answer when its question is shown, and return code and all output."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", AT_ONCE_LONG, *arguments], stdin=follower, stdout=follower, stderr=follower, cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", **environment}, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    shown, waiting = "", dict(answers)
    end = time.monotonic() + 120
    while time.monotonic() < end:
        ready, _, _ = select.select([leader], [], [], 0.5)
        if ready:
            try:
                shown += os.read(leader, 65_536).decode(errors="replace")
            except OSError:  # the other side is closed
                break
        for question in [question for question in waiting if question in shown]:
            os.write(leader, (waiting.pop(question) + "\n").encode())
        if not ready and process.poll() is not None:
            break
    os.close(leader)
    if process.poll() is None:
        time.sleep(1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.wait(), shown


def test_one_line_takes_a_folder_to_a_report(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 12)
    before = sorted((file.name, file.stat().st_mtime_ns) for file in (tmp_path / "scans").iterdir())
    done = run_command("run", "scans", "thumbnail", "color", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(Path("scans-results/report.html"))
    assert "To do: 12 images, under 1 MB." in done.stderr
    assert "12 results: 12 ok" in done.stderr
    assert (tmp_path / "scans-results" / "report.html").stat().st_size > 20_000
    assert sorted((file.name, file.stat().st_mtime_ns) for file in (tmp_path / "scans").iterdir()) == before
    assert not list((tmp_path / "scans-results" / "corpus").glob("bytes/*"))
    again = run_command("run", "scans", "thumbnail", "color", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr


def test_a_table_is_taken_as_one_and_a_subset_of_it_may_be_asked_for(tmp_path: Path) -> None:
    table = write_sheets(tmp_path / "scans", 12)
    done = run_command("run", table, "color", "--where", "year < 1853", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Study.open(tmp_path / "r" / "study").counts() == {"ok": 3}


def test_a_corpus_that_was_collected_before_is_a_source_too(tmp_path: Path) -> None:
    make_corpus(tmp_path, 5)
    done = run_command("run", "corpus", "color", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Study.open(tmp_path / "r" / "study").counts() == {"ok": 5}
    assert not (tmp_path / "r" / "corpus").exists()
    assert Corpus.open(tmp_path / "corpus").images()["door"].to_pylist() == ["copy"] * 5


def test_shards_of_others_are_known_by_what_is_in_them(tmp_path: Path) -> None:
    write_tar(tmp_path / "shards" / "part-0.tar", [(f"{n}.jpg", sheet_bytes(n)) for n in range(4)])
    for source in ("shards", "shards/part-0.tar"):
        done = run_command("run", source, "color", "--out", f"r{len(source)}", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert Study.open(tmp_path / f"r{len(source)}" / "study").counts() == {"ok": 4}


def test_an_image_that_came_later_is_done_by_the_same_line(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 3)
    run(tmp_path / "scans", "color", out=tmp_path / "r")
    (tmp_path / "scans" / "late.jpg").write_bytes((tmp_path / "scans" / "00001.jpg").read_bytes())
    heard = []
    study = run(tmp_path / "scans", "color", out=tmp_path / "r", before=heard.append)
    assert [estimate.images for estimate in heard] == [1]
    assert study.counts() == {"ok": 4}


@pytest.mark.slow
def test_many_images_are_estimated_from_the_first_twenty(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 80)
    done = run_command("run", "scans", "color", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"To do: 80 images, under 1 MB; about \d+ seconds? with \d+ cores, going by the first 20\.", done.stderr
    )
    assert Study.open(tmp_path / "scans-results" / "study").counts() == {"ok": 80}


@pytest.mark.slow
def test_where_no_image_of_the_trial_gives_a_result_nothing_more_is_run(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 80)
    (tmp_path / "broken.py").write_text(
        "from vasculum import Pixels, processor\n@processor(Pixels(8), gives={'value': float})\n"
        "def broken(pixels):\n    raise ValueError('no such thing')\n"
    )
    done = run_command("run", "scans", "broken.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "none of the first 20 images gave a result" in done.stderr
    assert "no such thing" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "scans-results" / "study").exists()


@pytest.mark.slow
def test_images_that_cannot_be_read_are_rows_also_where_they_come_first(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    for number in range(62):
        (tmp_path / "scans" / f"{number}.jpg").write_bytes(b"\xff\xd8\xff\xe0junk")
    done = run_command("run", "scans", "color", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert sum(Study.open(tmp_path / "scans-results" / "study").counts().values()) == 62


@pytest.mark.slow
def test_a_person_is_asked_before_a_long_run_and_shown_the_report(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 70)
    opener = tmp_path / "opener"
    opener.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path / "opened"}\n')
    opener.chmod(0o755)
    line = ["run", "scans", "color"]
    code, shown = at_a_terminal(line, tmp_path, {"Begin?": "n"}, BROWSER=f"{opener} %s")
    assert code == 130, shown
    assert not (tmp_path / "scans-results" / "study").exists()
    assert not (tmp_path / "opened").exists()
    code, shown = at_a_terminal(line, tmp_path, {"Begin?": "y"}, BROWSER=f"{opener} %s")
    assert code == 0, shown
    assert (tmp_path / "opened").read_text().strip() == (tmp_path / "scans-results" / "report.html").as_uri()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["nowhere", "color"], 1, "nowhere: no such file or folder"),
        (["scans", "colour"], 2, "did you mean color?"),
        (["scans"], 2, "Missing argument 'PROCESSORS...'"),
        (["scans", "color", "--out", "scans/results"], 2, "nothing is written into a source"),
        (["https://www.gbif.org/occurrence/1", "color"], 1, "download it and give the file"),
        (["scans/00001.jpg", "color"], 1, "a JPEG image; give the folder that it is in"),
        (["empty", "color"], 1, "no image in it"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing(
    tmp_path: Path, arguments: list[str], code: int, words: str
) -> None:
    write_sheets(tmp_path / "scans", 2)
    (tmp_path / "empty").mkdir()
    done = run_command("run", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "scans"]


def test_from_python_a_source_that_would_be_written_into_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sheets(tmp_path / "scans", 2)
    monkeypatch.chdir(tmp_path / "scans")
    with pytest.raises(UsageError, match=r"such as --out .*scans-results"):
        run(".", "color")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 second"), (80, "80 seconds"), (600, "10 minutes"), (3 * 3600, "3.0 hours"), (5 * 86400, "5.0 days")],
)
def test_durations_are_said_as_a_person_would(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def workbook(path: Path, rows: list[list[object]]) -> Path:
    """Write rows into a workbook, the first of them being the names of the columns."""
    book = openpyxl.Workbook()
    for row in rows:
        assert book.active is not None
        book.active.append(row)
    book.save(path)
    return path


def test_what_a_message_of_a_workbook_advises_can_be_done_on_the_same_line(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 3)
    rows = [["Export of the herbarium"], [], ["Katalognummer", "Gattung", "Herbarium", "Lizenz"]]
    rows += [[f"{n:05d}", "Poa", "XX", "alle Rechte vorbehalten"] for n in range(3)]
    workbook(tmp_path / "export.xlsx", [*rows])
    line = ["run", "scans", "color", "--records", "export.xlsx", "--key", "Katalognummer", "--out", "r"]
    refused = run_command(*line, cwd=tmp_path)
    assert refused.returncode == 1
    assert "--header-row 3" in refused.stderr
    assert not (tmp_path / "r").exists()
    done = run_command(*line, "--header-row", "3", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 media in source 'scans': 3 new, 0 changed, 0 as before." in done.stderr
    manifest = Corpus.open(tmp_path / "r" / "corpus").manifest()
    assert manifest["license_id"].to_pylist() == ["restricted"] * 3
    assert manifest["institutionCode"].to_pylist() == ["XX"] * 3
    again = run_command(*line, cwd=tmp_path)  # what was told of this workbook is remembered
    assert again.returncode == 0, again.stderr
    assert "nothing to do" in again.stderr


def test_a_folder_that_moved_goes_on_under_its_label(tmp_path: Path) -> None:
    write_sheets(tmp_path / "my scans", 3)
    assert run_command("run", "my scans", "color", "--out", "r", cwd=tmp_path).returncode == 0
    (tmp_path / "my scans").rename(tmp_path / "E")
    refused = run_command("run", "E", "color", "--out", "r", cwd=tmp_path)
    assert refused.returncode == 2
    assert "add --label 'my scans'" in refused.stderr
    for more in (["--label", "my scans"], []):
        done = run_command("run", "E", "color", "--out", "r", *more, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "3 as before" in done.stderr
    assert Study.open(tmp_path / "r" / "study").counts() == {"ok": 3}


def test_a_file_that_was_renamed_or_deleted_is_wanted_no_longer(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 4)
    assert run_command("run", "scans", "color", "--out", "r", cwd=tmp_path).returncode == 0
    (tmp_path / "scans" / "00001.jpg").rename(tmp_path / "scans" / "renamed.jpg")
    (tmp_path / "scans" / "00002.jpg").unlink()
    done = run_command("run", "scans", "color", "--out", "r", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1 new, 0 changed, 2 as before, 2 gone (no longer in the folder, so no longer wanted)" in done.stderr
    assert Study.open(tmp_path / "r" / "study").counts() == {"ok": 3}
    states = Corpus.open(tmp_path / "r" / "corpus").manifest()["state"].to_pylist()
    assert sorted(states) == ["gone", "gone", "present", "present", "present"]
    (tmp_path / "scans" / "renamed.jpg").rename(tmp_path / "scans" / "00001.jpg")
    back = run_command("run", "scans", "color", "--out", "r", cwd=tmp_path)
    assert "0 new, 1 changed, 2 as before, 1 gone" in back.stderr
    assert Study.open(tmp_path / "r" / "study").counts() == {"ok": 3}


def test_results_are_not_put_into_the_folder_that_a_corpus_was_made_from(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 2)
    run(tmp_path / "scans", "color", out=tmp_path / "r")
    done = run_command("run", "r/corpus", "color", "--out", "scans/more", cwd=tmp_path)
    assert done.returncode == 2
    assert "nothing is written into a source" in done.stderr


def test_an_empty_folder_is_as_good_and_stays_empty_where_the_first_collect_is_refused(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 2)
    (tmp_path / "r").mkdir()
    line = ["run", "scans", "color", "--records", "scans/records.csv", "--out", "r"]
    assert run_command(*line, "--key", "family", cwd=tmp_path).returncode == 1
    assert not list((tmp_path / "r").rglob("*"))


def test_who_is_refused_takes_nothing_from_a_run_beside_it(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 2)
    first, second = (Corpus.create(tmp_path / "c") for _ in range(2))
    first.collect("folder", tmp_path / "scans")
    second.forget_if_empty()
    assert Corpus.open(tmp_path / "c").sources


def test_results_are_not_put_among_other_things(tmp_path: Path) -> None:
    write_sheets(tmp_path / "scans", 2)
    done = run_command("run", "scans", "color", "--out", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "holds other things already" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scans"]


@pytest.mark.parametrize("verb", ["status", "verify", "report", "resume"])
def test_who_names_the_folder_of_a_run_is_told_where_its_study_is(tmp_path: Path, verb: str) -> None:
    write_sheets(tmp_path / "scans", 2)
    run(tmp_path / "scans", "color", out=tmp_path / "r")
    done = run_command(verb, "r", cwd=tmp_path)
    assert done.returncode == 1
    assert str(Path("r/study")) in done.stderr
