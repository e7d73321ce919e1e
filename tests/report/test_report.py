"""What a person who opens a report sees, and what a hostile record cannot do to it."""

from __future__ import annotations

import base64
import gzip
import hashlib
import itertools
import json
import re
import shlex
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from stored_study import Make, jpeg, media_id

from sheets import make_corpus, run_command, sheet_bytes
from vasculum.corpus.subset import Selection
from vasculum.errors import UsageError
from vasculum.processing.types import Boolean, Float, Integer, ListOf, Picture, Text, Vector
from vasculum.report.report import write_report
from vasculum.study.study import Study

VOID = {"meta", "img", "br", "link", "input", "hr", "wbr"}
GREEN = {"greenness_green_share": Float()}


class Page(HTMLParser):
    """The page as a browser takes it apart; complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.inside: dict[str, list[str]] = {}
        self.raw: dict[str, list[str]] = {"script": [], "style": [], "packed": []}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        inside = self._open[-1] if self._open else ""
        if inside == "script" and self.tags[-1][1].get("type"):
            inside = "packed"
        self.raw.get(inside, self.words).append(data)
        self.inside.setdefault(inside, []).append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def text_of(self, tag: str) -> list[str]:
        """What stands in each element of one kind."""
        return self.inside.get(tag, [])

    def run(self, kind: str) -> list[dict[str, str | None]]:
        """The scripts or styles that a browser obeys: rows are packed into a script element that it does not run."""
        return [attributes for attributes in self.all(kind) if "type" not in attributes]

    def rows(self) -> dict[str, Any]:
        """The rows that are packed into the page."""
        found = json.loads(gzip.decompress(base64.b64decode("".join(self.raw["packed"]))))
        assert isinstance(found, dict)
        return found


def rows(n: int, failed: Mapping[int, tuple[str, str]] | None = None) -> tuple[list[Any], list[Any]]:
    manifest, results = [], []
    for i in range(n):
        status, detail = (failed or {}).get(i, ("ok", None))
        manifest.append(
            {
                "media_id": media_id(i),
                "institutionCode": ["BM", "E", "L"][i % 3],
                "catalogNumber": f"00{i:05}",
                "scientificName": "Poa annua L.",
                "license_id": "CC0-1.0" if i % 4 else None,
                "credit_line": f"Herbarium; 00{i:05}",
                "record_page": f"https://example.org/{i}",
                "publisher_name": "A Garden",
                "dataset_key": "set-1" if i % 2 else None,
            }
        )
        results.append(
            {
                "media_id": media_id(i),
                "status": status,
                "detail": detail,
                "greenness_green_share": (i % 100) / 100 if status == "ok" else None,
            }
        )
    return manifest, results


def opened(study: Study, tmp_path: Path) -> Page:
    return Page(write_report(study, tmp_path / "report.html").read_text("utf-8"))


def test_the_summary_says_what_was_run_on_how_many_and_how_many_failed(make: Make, tmp_path: Path) -> None:
    failed = {1: ("truncated", "ends at row 40"), 2: ("timeout", "no answer in 30 s")}
    page = opened(make(GREEN, *rows(40, failed)), tmp_path)
    assert "greenness was run on 40 images from 3 institutions." in page.text
    assert "38 gave a result (95%) and 2 did not (5%)" in page.text
    assert "Study of 14 November 2026, vasculum 0.1.0." in page.text
    assert "(n = 38, standard deviation" in page.text
    assert "38 images with a value, 2 failed." in page.text


def test_an_unfinished_study_says_so(make: Make, tmp_path: Path) -> None:
    manifest, results = rows(40)
    page = opened(make(GREEN, manifest, results[:30]), tmp_path)
    assert "The study is not finished: 10 more images have no result yet." in page.text
    assert "Wanted images 40 With result 30 100%" in page.text


def test_a_sample_is_called_one(make: Make, tmp_path: Path) -> None:
    subset = Selection(where="catalogNumber <> 'x'", sample=40, seed=7)
    page = opened(make(GREEN, *rows(40), subset=subset), tmp_path)
    assert "random sample (40 asked for, seed 7)" in page.text
    assert "catalogNumber <> 'x'" in page.text


def test_failures_show_meaning_details_and_how_to_try_again(make: Make, tmp_path: Path) -> None:
    failed = {i: ("not_found", f"HTTP 404 <{i}>") for i in range(5)}
    failed |= {7: ("corrupt", "bad marker"), 8: ("not_fetched", "")}
    page = opened(make(GREEN, *rows(40, failed), name="a study"), tmp_path)
    assert "not_found 5 images" in page.text
    assert "The file or address does not exist." in page.text
    assert "HTTP 404 <0> 1 image, such as 0000000" in page.text
    assert "And 2 other messages." in page.text
    assert f"vasculum fetch '{tmp_path}/a study-corpus' --retry not_found" in page.text
    assert f"vasculum resume '{tmp_path}/a study'" in page.text
    assert f"vasculum fetch '{tmp_path}/a study-corpus'" in page.text
    assert "Replace the file with a good one, then fetch and go on." in page.text
    assert "Its bytes are not in the corpus yet." in page.text


def test_provenance_names_subset_versions_policy_and_processors(make: Make, tmp_path: Path) -> None:
    page = opened(make(GREEN, *rows(4)), tmp_path)
    assert "Subset all media" in page.text
    assert "Fingerprint 3fa9c1d2" in page.text
    assert "Versions vasculum 0.1.0; python 3.11.7" in page.text
    assert "Decoding rules: 1; icc: to sRGB" in page.text
    assert "Gives green_share Float(missing=False)" in page.text
    assert "Results of 14 November 2026. Study fingerprint 3fa9c1d2." in page.text


def test_messages_that_differ_in_the_file_alone_are_one(make: Make, tmp_path: Path) -> None:
    failed = {i: ("corrupt", f"bad marker: /data/my sheets/drive/{i}.jpg: at row 4") for i in range(5)}
    manifest, results = rows(40, failed)
    for i, row in enumerate(manifest):
        row["local_path"] = f"drive/{i}.jpg"
    page = opened(make(GREEN, manifest, results), tmp_path)
    assert "bad marker: …: at row 4 5 images, such as 00" in page.text
    assert "other message" not in page.text


def test_a_file_that_was_bad_is_replaced_and_goes_on_as_the_report_says(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 4, fetch=False)
    bad = tmp_path / "sheets/00002.jpg"
    bad.write_bytes(b"")
    corpus.fetch()
    study = corpus.apply("quality", out=tmp_path / "study")
    page = opened(study, tmp_path)
    commands = [shlex.split(line) for line in page.text_of("pre")]
    assert [command[:2] for command in commands] == [["vasculum", "fetch"], ["vasculum", "resume"]]
    bad.write_bytes(sheet_bytes(2))
    for command in commands:
        ran = run_command(*command[1:])
        assert ran.returncode == 0, ran.stderr
    assert Study.open(tmp_path / "study").counts() == {"ok": 4}


def test_the_command_that_tries_again_can_be_run_from_any_folder(make: Make, tmp_path: Path) -> None:
    page = opened(make(GREEN, *rows(40, {7: ("timed_out", "")})), tmp_path)
    (command,) = page.text_of("pre")
    assert command == f"vasculum apply {tmp_path}/study-corpus greenness --out {tmp_path}/study --retry timed_out"


def test_columns_are_explained_where_their_meaning_is_known(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, 4, size=(24, 24))
    (tmp_path / "mine.py").write_text(
        "from vasculum import Pixels, processor\n"
        "@processor(Pixels(8), gives={'value': float})\n"
        "def mine(pixels):\n"
        '    """How <pale> a sheet is,\n    0 to 255.\n\n    More words."""\n'
        "    return {'value': [float(one.mean()) for one in pixels]}\n"
    )
    page = opened(corpus.apply("quality", tmp_path / "mine.py", out=tmp_path / "study"), tmp_path)
    assert "Part of the image that is pure black, its detail lost; 0 to 1." in page.text
    assert "How <pale> a sheet is, 0 to 255. (mine.py)" in page.text
    assert "More words" not in page.text


def test_a_licence_is_named_once_a_card_and_a_legend_names_what_is_drawn(make: Make, tmp_path: Path) -> None:
    manifest, results = rows(12)
    for row in manifest:
        row |= {"license_id": "CC0-1.0", "credit_line": "Herbarium (CC0-1.0)"}
    page = opened(make(GREEN, manifest, results), tmp_path)
    assert "Herbarium (CC0-1.0) Record" in page.text
    assert "Points: single images. Thick line: median." in page.text
    assert "Box:" not in page.text


def test_licences_institutions_and_data_sets_are_counted_and_the_unknown_is_named(make: Make, tmp_path: Path) -> None:
    page = opened(make(GREEN, *rows(40)), tmp_path)
    assert "unknown no licence could be read: ask the holder before reusing these images 10 10 0" in page.text
    assert "BM 14 14 0" in page.text
    assert "A Garden, data set set-1 (20 images)" in page.text
    assert "20 images came without the name of a data set." in page.text
    assert "Specimen images of BM (14 images); E (13 images); L (13 images)." in page.text


def test_the_page_asks_nothing_of_any_network(make: Make, tmp_path: Path) -> None:
    pictures = {"thumbnail_image": {media_id(i): jpeg((90, 140, 60)) for i in range(40)}}
    manifest, results = rows(40)
    columns = {**GREEN, "thumbnail_image": Picture()}
    page = opened(
        make(columns, manifest, results, pictures=pictures),
        tmp_path,
    )
    assert len(page.all("img")) == 24
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "image", "use")
        for name, value in attributes.items():
            assert name not in ("srcset", "style", "background", "action", "data"), (tag, name)
            assert not name.startswith("on")
            if name == "src":
                assert str(value).startswith("data:image/jpeg;base64,")
            if name == "href":
                assert tag == "a"
                assert re.match(r"#|https?://", str(value))
    assert not re.search(r"url\(|@import|//", "".join(page.raw["style"]))
    script = "".join(page.raw["script"])
    assert not re.search(r"https?://|fetch|import|XMLHttp|WebSocket|Beacon", script)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function\(", script)


def test_the_policy_allows_the_one_style_and_script_and_nothing_remote(make: Make, tmp_path: Path) -> None:
    page = opened(make(GREEN, *rows(5)), tmp_path)
    policy = next(str(m["content"]) for m in page.all("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind in ("script", "style"):
        assert len(page.run(kind)) == 1
        digest = base64.b64encode(hashlib.sha256("".join(page.raw[kind]).encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


HOSTILE = [
    "<script>alert(1)</script>",
    '" onerror="alert(1)',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "</title></svg><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u2066",
    "nul\x00bell\x07",
    "<!-- --><![CDATA[",
]


@pytest.mark.parametrize("nasty", HOSTILE)
def test_texts_of_strangers_stay_texts_wherever_they_stand(make: Make, tmp_path: Path, nasty: str) -> None:
    manifest, results = rows(40, {3: ("corrupt", nasty), 4: (nasty, nasty)})
    fields = (
        "institutionCode",
        "catalogNumber",
        "scientificName",
        "license_id",
        "credit_line",
        "publisher_name",
    )
    for row in manifest:
        row.update(dict.fromkeys((*fields, "rightsHolder", "dataset_key", "record_page", "source_name"), nasty))
    results = [{**r, "words_label": nasty if r["status"] == "ok" else None} for r in results]
    document = dict.fromkeys(("id", "size", "created"), nasty) | {
        "command": ["vasculum", nasty], "versions": {"vasculum": nasty, nasty: nasty}, "policy": {nasty: nasty},
        "processors": [
            {"name": name, "gives": {column: kind}, "license": nasty, "settings": {nasty: [nasty]}, nasty: nasty}
            for name, column, kind in (
                ("greenness", "green_share", "Float()"), ("words", "label", "Text()"),
                ("thumbnail", "image", "Picture()"),
            )
        ],
    }  # fmt: skip
    sql = nasty.replace("'", "''").replace("\x00", "")
    pictures = {"thumbnail_image": {media_id(i): jpeg((90, 140, 60)) for i in range(40)}}
    columns = {**GREEN, "words_label": Text(), "thumbnail_image": Picture()}
    study = make(
        columns, manifest, results, document=document, pictures=pictures, subset=Selection(where=f"'{sql}' <> ''")
    )
    page = opened(study, tmp_path)
    assert len(page.run("script")) == len(page.run("style")) == 1
    for _, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
    raw = (tmp_path / "report.html").read_text("utf-8")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", raw)
    if "\u202e" in nasty:
        assert "⟨U+202E⟩gnp.exe⟨U+2066⟩" in page.text
    if "\x00" in nasty:
        assert "nul⟨U+0000⟩bell⟨U+0007⟩" in page.text
    if nasty.isprintable():
        assert nasty in page.text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " https://example.org",
        "data:text/html,x",
        "//example.org",
        "file:///etc/passwd",
        "https://user@example.org/",
        "https://",
        "https://example.org/\u202e",
        'https://example.org/"',
        "https://[::1",
        "https://example.org/" + "a" * 2000,
        "java\nscript:alert(1)",
    ],
)
def test_only_plain_web_addresses_become_links(make: Make, tmp_path: Path, address: str) -> None:
    manifest, results = rows(6)
    for row in manifest[1:]:
        row["record_page"] = address
    page = opened(make(GREEN, manifest, results), tmp_path)
    links = [a for a in page.all("a") if not str(a["href"]).startswith("#")]
    assert {a["href"] for a in links} == {"https://example.org/0"}
    packed = next(column for column in page.rows()["columns"] if column["name"] == "record_page")
    assert packed["labels"] == ["https://example.org/0"]
    assert {str(a["rel"]) for a in links} == {"noopener noreferrer"}


@pytest.mark.slow
def test_a_big_study_gives_a_small_file_that_says_what_it_leaves_out(make: Make, tmp_path: Path) -> None:
    manifest, results = rows(
        20_000, {i: ("not_found", f"HTTP 404 at https://example.org/{i}") for i in range(7, 9000, 9)}
    )
    for i, row in enumerate(manifest):
        row["institutionCode"] = f"I{i % 500}"
        row["license_id"] = f"L{i % 90}"
        row["publisher_name"] = row["credit_line"] = "x" * 5000
    results = [{**r, "ocr_words": f"text {i} " * 300} for i, r in enumerate(results)]
    big = {"thumbnail_image": {media_id(i): jpeg((9, 140, 60)) + b"\0" * 31_000 for i in range(20_000)}}
    study = make({**GREEN, "ocr_words": Text(), "thumbnail_image": Picture()}, manifest, results, pictures=big)
    page = opened(study, tmp_path)
    assert (tmp_path / "report.html").stat().st_size < 6_000_000
    assert "Showing 24 of 19,000 images with a value." in page.text
    assert "Showing 30 of 500 institutions." in page.text
    assert "Showing 30 of 90 licences." in page.text
    assert "showing 12 of 500" in page.text
    assert "20,000 different texts: too many to draw." in page.text
    assert "And 997 other messages." in page.text


def test_headings_go_down_in_order_and_pictures_have_words(make: Make, tmp_path: Path) -> None:
    pictures = {"thumbnail_image": {media_id(i): jpeg((90, 140, 60)) for i in range(40)}}
    manifest, results = rows(40)
    columns = {**GREEN, "quality_sharp": Boolean(), "thumbnail_image": Picture()}
    results = [{**r, "quality_sharp": i % 3 > 0} for i, r in enumerate(results)]
    page = opened(make(columns, manifest, results, pictures=pictures), tmp_path)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in itertools.pairwise(levels))
    assert {"Image of Poa annua L., BM 0000000"} <= {img["alt"] for img in page.all("img")}
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or set(str(svg["aria-labelledby"]).split()) <= set(map(str, ids))
    for label in page.all("label"):
        assert label["for"] in ids


def test_every_kind_of_column_has_its_place(make: Make, tmp_path: Path) -> None:
    columns = {
        **GREEN, "count_leaves": Integer(missing=True), "quality_sharp": Boolean(), "words_label": Text(),
        "net_vector": Vector(3), "net_words": ListOf(Text()), "none_score": Float(missing=True),
    }  # fmt: skip
    manifest, results = rows(40, {5: ("killed", "out of memory")})
    for i, row in enumerate(results):
        if row["status"] == "ok":
            row |= {
                "count_leaves": i % 7 if i % 2 else None, "quality_sharp": i % 4 == 0, "net_vector": [1, 2, 3],
                "words_label": ["oak", "ash"][i % 2], "net_words": ["a"] * (i % 5),
            }  # fmt: skip
    page = opened(make(columns, manifest, results), tmp_path)
    assert "19 images with a value, 20 that it gave none for, 1 failed." in page.text
    assert "yes 10 25.6%" in page.text
    assert "no 29 74.4%" in page.text
    assert "oak 20 51.3%" in page.text
    assert "Vectors of 3 numbers." in page.text
    assert "Lists of 0 to 4 entries." in page.text
    assert "No image has a value." in page.text


def test_a_failure_of_one_processor_is_counted_for_its_own_columns_only(make: Make, tmp_path: Path) -> None:
    columns = {"one_x": Float(), "two_y": Float(missing=True)}
    manifest, results = rows(10)
    for i, row in enumerate(results):
        broken = i < 4
        row |= {
            "status": "processor_error" if broken else "ok",
            "one_x": i / 10,
            "two_y": None if i < 5 else 1.0,
        }
        row |= {"one_status": "ok", "two_status": "processor_error" if broken else "ok"}
    page = opened(make(columns, manifest, results), tmp_path)
    assert "10 images with a value." in page.text
    assert "5 images with a value, 1 that it gave none for, 4 failed." in page.text


def test_studies_with_nothing_to_show_still_have_a_report(make: Make, tmp_path: Path) -> None:
    empty = opened(make(GREEN, [], [], name="empty"), tmp_path)
    assert "The study empty has no results yet." in empty.text
    manifest, results = rows(3, dict.fromkeys(range(3), ("corrupt", "bad")))
    failed = opened(make(GREEN, manifest, results, name="failed"), tmp_path)
    assert "0 gave a result (0%) and 3 did not (100%)" in failed.text
    assert "There is no image with a value to show." in failed.text


def test_only_a_report_is_replaced_by_a_report(make: Make, tmp_path: Path) -> None:
    study = make(GREEN, *rows(3))
    out = tmp_path / "thesis.html"
    out.write_text("<p>My thesis</p>")
    with pytest.raises(UsageError, match="is no report of vasculum"):
        write_report(study, out)
    assert out.read_text() == "<p>My thesis</p>"
    again = tmp_path / "report.html"
    assert write_report(study, again) == write_report(study, again) == again
    assert not list(tmp_path.glob(".*"))
