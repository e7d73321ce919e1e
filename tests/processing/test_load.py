"""From what a person writes to a processor, and what a fingerprint notices."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sheets import ROOT, make_corpus
from vasculum import Pixels, ProcessorError, UsageError, processor
from vasculum.processing import fingerprint
from vasculum.processing.load import load, refer

STRANGERS = ROOT / "tests" / "strangers"


@processor(Pixels(8), gives={"value": float})
def in_a_module(pixels, *, gain=1.0):
    return {"value": pixels.mean((1, 2, 3)) * gain}


def test_a_spec_names_a_file_a_function_a_class_and_settings() -> None:
    assert load(refer(str(STRANGERS / "mean_color.py"))).name == "mean_color"
    assert load(refer(f"{STRANGERS / 'troubles.py'}:raises")).name == "raises"
    chosen = load(refer(f"other={STRANGERS / 'nearest_color.py'}:NearestColor(palette='mine.json')"))
    assert chosen.name == "other"
    assert chosen.settings == {"palette": "mine.json"}
    assert load(refer("small=thumbnail(size=64)")).declaration.wants == Pixels(64)
    assert load(refer("vasculum.processing.builtin.color:color")).name == "color"


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("troubles.py", "there is no file"),
        (f"{STRANGERS / 'troubles.py'}", "the file has several: raises, nan"),
        (f"{STRANGERS / 'helper.py'}", "the file has none"),
        (f"{STRANGERS / 'troubles.py'}:rases", "did you mean raises"),
        ("thumbnail(size=__import__('os'))", "the settings cannot be read"),
        ("thumbnail(64)", "the settings cannot be read"),
        ("thumbnail(**{})", "the settings cannot be read"),
        ("Big=thumbnail", "there is none of this name"),
        ("thumbnail(size=0)", "size"),
        ("no.such.module:thing", "cannot be imported"),
        ("", "expected NAME"),
    ],
)
def test_a_spec_that_names_nothing_is_told_in_one_line(spec: str, words: str) -> None:
    with pytest.raises((UsageError, ProcessorError)) as caught:
        load(refer(spec))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.text(max_size=60))
def test_no_spec_runs_code_or_escapes_with_another_error(spec: str) -> None:
    known = None
    with contextlib.suppress(UsageError, ProcessorError):
        known = load(refer(spec))
    assert known is None or known.name


def test_functions_of_modules_notebooks_and_classes_can_be_given_themselves(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 4)
    factor = 3.0

    @processor(Pixels(8), gives={"value": float})
    def local(pixels):
        return {"value": pixels.mean((1, 2, 3)) * factor}

    study = corpus.apply(in_a_module, local, out=tmp_path / "study")
    for row in study.results.to_pylist():
        assert row["local_value"] == row["in_a_module_value"] * 3
    with pytest.raises(ProcessorError, match="is no processor"):
        corpus.apply(len, out=tmp_path / "other")


def test_an_installed_package_offers_processors_by_name(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "herbtools-1.2.dist-info").mkdir(parents=True)
    (site / "herbtools-1.2.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: herbtools\nVersion: 1.2\n")
    (site / "herbtools-1.2.dist-info" / "entry_points.txt").write_text(
        "[vasculum.processors]\nlightness = herbtools:light\n"
    )
    (site / "herbtools.py").write_text(
        "from vasculum import Pixels, processor\n@processor(Pixels(8), gives={'value': float})\n"
        "def light(pixels):\n    return {'value': pixels.mean((1, 2, 3))}\n"
    )
    make_corpus(tmp_path, 3)
    import os

    done = subprocess.run(
        [sys.executable, "-m", "vasculum.cli.main", "apply", "corpus", "lightness", "--out", "study"], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "3 ok" in done.stderr


def test_what_is_heavy_is_opened_once_in_a_worker(tmp_path: Path) -> None:
    from vasculum.engines.local import LocalEngine

    corpus = make_corpus(tmp_path, 50, size=(24, 24))
    (tmp_path / "heavy.py").write_text(
        "from pathlib import Path\nfrom vasculum import Pixels, processor\n"
        "log = Path(__file__).with_name('log.txt')\n"
        "@processor(Pixels(8), gives={'value': float}, batch=4)\n"
        "class Heavy:\n"
        "    def open(self):\n        log.open('a').write('open\\n')\n"
        "    def close(self):\n        log.open('a').write('close\\n')\n"
        "    def __call__(self, pixels):\n        return {'value': pixels.mean((1, 2, 3))}\n"
    )
    corpus.apply(tmp_path / "heavy.py", out=tmp_path / "study", engine=LocalEngine(1))
    assert (tmp_path / "log.txt").read_text().split() == ["open", "close"] * 2  # the contract check, and the one worker


def marks(folder: Path, spec: str) -> str:
    return subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from vasculum.processing import fingerprint; from vasculum.processing.load import load, refer; "
            "print(fingerprint.of_processor(load(refer(sys.argv[1]))))",
            spec,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_a_fingerprint_covers_code_imports_settings_and_columns_but_no_paths(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(STRANGERS, tmp_path / name)
    before = marks(tmp_path / "one", "pure_python.py")
    assert marks(tmp_path / "two", "pure_python.py") == before
    assert marks(tmp_path / "one", "pure_python.py:pure_python") == before
    helper = tmp_path / "two" / "helper.py"
    helper.write_text(helper.read_text().replace("765", "764"))
    assert marks(tmp_path / "two", "pure_python.py") != before
    assert marks(tmp_path / "one", "outline.py") != marks(tmp_path / "one", "outline.py:outline(gain=2.0)")
    assert marks(tmp_path / "one", "outline.py") == marks(tmp_path / "one", "outline.py:outline(gain=3.0)")
    assert len(fingerprint.source_files(tmp_path / "one" / "pure_python.py")) == 2
