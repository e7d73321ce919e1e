"""A good guest: a corpus one may only read stays as it is, `apply` opens no socket, nothing is written elsewhere."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shards import samples, write_tar
from sheets import make_corpus, run_command, write_sheets

DROP_FROM_BOUNDING_SET, OVERRIDES = (
    24,
    (1, 2, 3),
)  # of Linux: prctl's PR_CAPBSET_DROP; the rights of root over permissions
HELPED = """
from vasculum import Pixels, processor
import beside

@processor(Pixels(32), gives={"mean": float})
def mean(pixels):
    import later
    return {"mean": pixels.mean(axis=(1, 2, 3)) * beside.ONE * later.ONE}
"""

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions and namespaces of POSIX")


def snapshot(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Every name below a folder with mode, time of change and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        told = path.stat()
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[path.relative_to(folder).as_posix()] = (stat.S_IMODE(told.st_mode), told.st_mtime_ns, digest)
    return found


def _bound() -> None:
    """Let permissions bind this process, root's too, from its next exec on."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for right in OVERRIDES:
            libc.prctl(DROP_FROM_BOUNDING_SET, right, 0, 0, 0)


def bound(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as one whom permissions bind."""
    return subprocess.run(
        [*map(str, command)], cwd=cwd, capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"},
        timeout=240, check=False, preexec_fn=_bound,
    )  # fmt: skip


def as_guest(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run `vasculum` as one whom permissions bind."""
    return bound(sys.executable, "-m", "vasculum.cli.main", *arguments, cwd=cwd)


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Path]:
    """A folder that the guest may write to, beside those that are closed; skips where permissions bind no one."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "probe").mkdir(mode=0o555)
    if bound("touch", tmp_path / "probe" / "x", cwd=tmp_path).returncode == 0:
        pytest.skip("permissions do not bind here")
    yield tmp_path / "mine"
    for path in [tmp_path, *tmp_path.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)


def closed(folder: Path) -> None:
    """Take from everyone the right to write below a folder."""
    for path in [*folder.rglob("*"), folder]:
        path.chmod(0o555 if path.is_dir() else 0o444)


def test_a_corpus_that_one_may_only_read_is_worked_with_and_stays_as_it_is(tmp_path: Path, mine: Path) -> None:
    corpus, sheets = make_corpus(tmp_path, 6).path, tmp_path / "sheets"
    closed(corpus)
    closed(sheets)
    before = snapshot(corpus), snapshot(sheets)
    for arguments in (
        ("apply", corpus, "quality", "thumbnail", "--out", "study"),
        ("status", corpus), ("status", corpus, "--failed"), ("status", corpus, "--rejects"), ("verify", corpus),
        ("report", "study"), ("export", "study", "out.csv", "--as", "csv"), ("status", "study"), ("verify", "study"),
        ("apply", corpus, "color", "--out", "second", "--where", "year < 1853"),
    ):  # fmt: skip
        told = as_guest(*arguments, cwd=mine)
        assert told.returncode == 0, (arguments, told.stderr)
        assert "Traceback" not in told.stderr
    assert (mine / "study" / "report.html").exists()
    for arguments in (
        ("fetch", corpus), ("collect", corpus, "folder", sheets), ("resume", corpus),
        ("apply", corpus, "quality", "--out", corpus / "inside"), ("report", "study", "--out", corpus / "report.html"),
    ):  # fmt: skip
        told = as_guest(*arguments, cwd=mine)
        if arguments[0] == "resume" and told.returncode == 0:
            continue  # nothing was left to do
        assert told.returncode in (1, 2), (arguments, told.stdout, told.stderr)
        last = told.stderr.strip().split("\n")[-1]
        assert "error: " in last, told.stderr
        assert "ermission denied" in last or "ermitted" in last, last
        assert "bug" not in last
    assert (snapshot(corpus), snapshot(sheets)) == before


def test_a_corpus_on_a_read_only_mount_is_worked_with(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 3).path
    script = (
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" || exit 77; shift; '
        'for line in "$@"; do eval "$line" || exit 1; done'
    )
    vasculum = f"{sys.executable} -m vasculum.cli.main"
    told = subprocess.run(
        [
            "unshare", "-m", "sh", "-c", script, "sh", str(corpus),
            f"{vasculum} apply {corpus} quality --out {tmp_path}/study", f"{vasculum} status {corpus}",
            f"{vasculum} verify {corpus}", f"{vasculum} report {tmp_path}/study",
            f"! {vasculum} fetch {corpus}",
        ],
        capture_output=True, text=True, check=False,
    ) if shutil.which("unshare") else None  # fmt: skip
    if told is None or told.returncode == 77 or "unshare failed" in told.stderr:
        pytest.skip("mounts are not permitted here")
    assert told.returncode == 0, told.stderr
    assert "it is read-only" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_folder_of_shards_that_one_may_only_read_is_a_source(tmp_path: Path, mine: Path) -> None:
    folder = tmp_path / "shards"
    write_tar(folder / "a.tar", samples(range(4)))
    closed(folder)
    before = snapshot(folder)
    for arguments in (
        ("collect", "c", "shards", folder), ("fetch", "c", "--in-place"),
        ("apply", "c", "color", "--out", "s"), ("verify", "c"),
    ):  # fmt: skip
        told = as_guest(*arguments, cwd=mine)
        assert told.returncode == 0, told.stderr
    assert snapshot(folder) == before


WATCH = """
import os, sys, socket

def watch(event, arguments):
    if event == "socket.__new__":
        family = arguments[1]
        if family in (-1, socket.AF_INET, socket.AF_INET6):
            refuse(event, arguments)
    elif event in ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        refuse(event, arguments)

def refuse(event, arguments):
    with open(os.environ["SOCKETS_SEEN"], "a") as file:
        file.write(f"{event} {arguments[1:]!r}\\n")
    raise OSError(f"no sockets here: {event}")

sys.addaudithook(watch)
with open(os.environ["SOCKETS_SEEN"] + ".watched", "a") as file:
    file.write(f"{os.getpid()}\\n")
"""


def packaged_model(folder: Path) -> Path:
    """A model package: a linear layer on the mean of each channel."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.array([[-1, 1], [1, -1], [0, 0]], np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["f"]),
         helper.make_node("MatMul", ["f", "w"], ["y"])],
        "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2])], [weights],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    card = {
        "format": 1, "name": "green", "version": "1.0", "description": "Tells green from other colours.",
        "input": {"size": 32, "fit": "pad", "filter": "bilinear", "scale": "0-1", "mean": [0, 0, 0], "std": [1, 1, 1],
                  "layout": "NCHW", "channel_order": "RGB"},
        "output": {"kind": "classification", "labels": ["no", "yes"], "activation": "softmax"},
        "license": "CC0-1.0", "intended_use": "tests", "limits": "no plant was seen",
    }  # fmt: skip
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    return folder


def processors(tmp_path: Path) -> list[str]:
    """Processors of every road: built in, a file with helpers beside it, a model package."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.py").write_text(HELPED)
    (own / "beside.py").write_text("ONE = 1\n")
    (own / "later.py").write_text("ONE = 1\n")
    return ["quality", "thumbnail", "color", str(own / "mine.py"), str(packaged_model(tmp_path / "model"))]


def test_apply_opens_no_socket(tmp_path: Path) -> None:
    """No socket of IPv4 or IPv6 is made, and nothing is connected, bound or looked up, in the driver or a child."""
    corpus = make_corpus(tmp_path, 6).path
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(WATCH)
    seen = tmp_path / "seen"
    environment = {
        "PYTHONPATH": os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
        "SOCKETS_SEEN": str(seen),
    }
    told = run_command("apply", corpus, *processors(tmp_path), "--out", tmp_path / "study", **environment)
    assert told.returncode == 0, told.stderr
    assert "6 ok" in told.stderr
    assert not seen.exists(), seen.read_text()
    watched = (tmp_path / "seen.watched").read_text().split()
    assert len(set(watched)) >= 3  # the driver, the child of the contract check, a worker's
    probe = "import socket; socket.socket()"
    refused = subprocess.run(
        [sys.executable, "-c", probe], env={**os.environ, **environment}, capture_output=True, check=False
    )
    assert refused.returncode != 0  # the watch itself works
    assert "socket.__new__" in seen.read_text()


def test_apply_works_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    if (
        not shutil.which("unshare")
        or subprocess.run(["unshare", "-n", "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("network namespaces are not permitted here")
    corpus = make_corpus(tmp_path, 3).path
    arguments = ["apply", corpus, *processors(tmp_path), "--out", tmp_path / "study"]
    told = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "vasculum.cli.main", *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "3 ok" in told.stderr


def test_nothing_is_written_to_the_home_of_the_user_or_beside_their_code(tmp_path: Path) -> None:
    """There is no cache: the corpus, the study and a swept folder for temporary files are all that is written."""
    for name in ("home", "temporary", "elsewhere"):
        (tmp_path / name).mkdir()
    table = write_sheets(tmp_path / "sheets", 3)
    roads = processors(tmp_path)
    given = snapshot(tmp_path / "own"), snapshot(tmp_path / "model"), snapshot(tmp_path / "sheets")
    environment = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary"), "PYTHONDONTWRITEBYTECODE": ""}
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        environment[name] = str(tmp_path / "home" / name)
    corpus, study = tmp_path / "corpus", tmp_path / "study"
    for arguments in (
        ("collect", corpus, "table", table), ("fetch", corpus), ("apply", corpus, *roads, "--out", study),
        ("report", study), ("export", study, tmp_path / "out.csv", "--as", "csv"), ("verify", study), ("status", corpus), ("doctor",), ("processors",),
    ):  # fmt: skip
        told = run_command(*arguments, cwd=tmp_path / "elsewhere", **environment)
        assert told.returncode == 0, told.stderr
    left = [path for name in ("home", "temporary", "elsewhere") for path in (tmp_path / name).rglob("*")]
    assert left == []
    assert (snapshot(tmp_path / "own"), snapshot(tmp_path / "model"), snapshot(tmp_path / "sheets")) == given
