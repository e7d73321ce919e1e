"""The report in a real browser: what a person does with the table, by mouse, keyboard and screen reader."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from stored_study import jpeg, media_id, stored_study

from vasculum.processing.types import Boolean, Float, Integer, Picture, Text
from vasculum.report.report import write_report

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on the PATH"),
]
PLANTS = [
    ("Fagaceae", "Quercus", "robur"),
    ("Rosaceae", "Rosa", "canina"),
    (None, "Salix", "alba"),
    ("Fagaceae", "Fagus", "sylvatica"),
]
HOSTILE = '<img src=x onerror="document.title=1">'
ROWS = 260


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    manifest, results = [], []
    for i in range(ROWS):
        family, genus, species = PLANTS[i % 4]
        manifest.append({
            "media_id": media_id(i), "institutionCode": ["BM", "E", "L"][i % 3], "catalogNumber": f"{ROWS - i}",
            "scientificName": f"{genus} {species} L.", "family": family, "genus": genus, "specificEpithet": species,
            "local_path": f"drive/{i}.jpg", "record_page": f"https://example.org/{i}" if i % 2 else None,
            "license_id": "CC0-1.0", "credit_line": "Herbarium (CC0-1.0)",
        })  # fmt: skip
        fails = i % 20 == 7
        results.append({
            "media_id": media_id(i), "status": "corrupt" if fails else "ok", "detail": "bad marker" if fails else None,
            "greenness_green_share": None if fails else (i * 37 % ROWS) / 7 + 100 * (i % 3), "net_leaves": None if fails else i,
            "net_sharp": None if fails else i % 3 == 0, "net_word": None if fails else ["oak", "ash"][i % 2],
        })  # fmt: skip
    manifest[1] |= {"catalogNumber": "000457728", "scientificName": HOSTILE, "collectionCode": "a\u202eb"}
    manifest[2] |= {"catalogNumber": "=cmd()", "scientificName": 'say "x", y'}
    columns = {
        "greenness_green_share": Float(missing=True), "net_leaves": Integer(missing=True), "net_sharp": Boolean(missing=True),
        "net_word": Text(missing=True), "thumbnail_image": Picture(),
    }  # fmt: skip
    pictures = {"thumbnail_image": {media_id(i): jpeg((90, 140, 60)) for i in range(ROWS)}}
    study = stored_study(folder / "corpus", folder / "study", columns, manifest, results, pictures=pictures)
    return write_report(study, folder / "report.html")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


def opened(context: BrowserContext, report: Path) -> Page:
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda message: pytest.fail(message.text))
    page.on("request", lambda request: pytest.fail(request.url) if request.url.startswith("http") else None)
    page.goto(report.as_uri())
    expect(page.locator("#images.live")).to_be_visible()
    return page


@pytest.fixture
def page(browser: Browser, report: Path) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    yield opened(context, report)
    context.close()


def column(page: Page, place: int) -> list[str]:
    return page.locator(f"#rows tr > :nth-child({place})").all_inner_texts()


def told(page: Page, words: str) -> None:
    expect(page.locator("#rows-said")).to_have_text(words)


def downloaded(page: Page, button: str) -> tuple[str, list[dict[str, str]]]:
    with page.expect_download() as download:
        page.locator(button).click()
    text = Path(download.value.path()).read_bytes().decode("utf-8")
    return text, list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390, 320])
def test_axe_finds_nothing_serious_and_the_page_does_not_scroll_sideways(
    browser: Browser, report: Path, scheme: Any, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = opened(context, report)
    page.locator("#choose-columns summary").click()
    page.locator("#rows input").first.check()
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_axe_is_awake(browser: Browser, report: Path) -> None:
    context = browser.new_context()
    page = opened(context, report)
    page.evaluate("document.body.append(document.createElement('input'))")
    assert "critical" in {v["impact"] for v in Axe().run(page).response["violations"]}
    context.close()


def test_rows_are_paged(page: Page) -> None:
    told(page, "Rows 1–25 of 260 images.")
    page.locator("#next").click()
    told(page, "Rows 26–50 of 260 images.")
    page.locator("#size").select_option("100")
    page.locator("#page").fill("3")
    page.locator("#page").press("Enter")
    told(page, "Rows 201–260 of 260 images.")
    expect(page.locator("#next")).to_have_attribute("aria-disabled", "true")
    page.locator("#next").click(force=True)  # says that it does nothing, and keeps the focus
    page.locator("#previous").click()
    told(page, "Rows 101–200 of 260 images.")


def test_a_column_sorts_up_and_down_with_the_empty_last(page: Page) -> None:
    page.locator("#size").select_option("100")
    button = page.get_by_role("button", name="leaves")
    button.click()
    expect(page.locator("th[aria-sort=ascending]")).to_contain_text("leaves")
    place = page.locator("#head th").all_inner_texts().index(page.locator("th[aria-sort=ascending]").inner_text()) + 1
    assert column(page, place)[:3] == ["0", "1", "2"]
    expect(button).to_be_focused()
    button.press("Enter")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("leaves")
    assert column(page, place)[:3] == ["259", "258", "257"]
    page.locator("#page").fill("3")
    page.locator("#page").press("Enter")
    assert column(page, place)[-1] == ""
    page.get_by_role("button", name="Catalogue number").click()
    page.locator("#page").fill("1")
    page.locator("#page").press("Enter")
    numbers = [text.split(",")[0].strip() for text in column(page, 1)]
    assert numbers[1:4] == ["1", "2", "3"]  # as numbers, not as texts; =cmd() is before them


def test_filters_are_counted_and_cleared(page: Page) -> None:
    page.locator("#status").select_option(label="corrupt (13)")
    told(page, "Rows 1–13 of 13 that match, of 260 images.")
    page.locator("#institution").select_option(label="E (87)")
    told(page, "Rows 1–5 of 5 that match, of 260 images.")
    page.locator("#unfilter").click()
    told(page, "Rows 1–25 of 260 images.")
    page.locator("#number").select_option("net_leaves")
    page.locator("#least").fill("10")
    page.locator("#most").fill("19")
    told(page, "Rows 1–10 of 10 that match, of 260 images.")
    page.locator("#unfilter").click()
    page.locator("#search").fill("SYLVATICA")
    told(page, "Rows 1–25 of 65 that match, of 260 images.")
    page.locator("#search").fill("nowhere to be found")
    told(page, "No image matches, of 260 images.")


def test_a_column_can_be_left_out_and_is_then_not_searched(page: Page) -> None:
    page.locator("#search").fill("oak")
    told(page, "Rows 1–25 of 130 that match, of 260 images.")
    page.locator("#choose-columns summary").click()
    page.get_by_role("checkbox", name="net / word").uncheck()
    told(page, "No image matches, of 260 images.")


def test_ticks_outlive_paging_sorting_filters_and_a_reload(page: Page) -> None:
    page.locator("#search").fill("457728")
    told(page, "Rows 1–1 of 1 that match, of 260 images.")
    page.locator("#rows input").check()
    page.locator("#unfilter").click()
    page.locator("#next").click()
    page.locator("#rows input").nth(3).check()
    page.get_by_role("button", name="Name", exact=False).nth(0).click()
    expect(page.locator("#ticked-said")).to_contain_text("2 ticked.")
    page.locator("#status").select_option(label="corrupt (13)")
    told(page, "Rows 1–13 of 13 that match, of 260 images.")
    expect(page.locator("#ticked-said")).to_contain_text("1 of them does not match the filters.")
    page.locator("#tick-all").click()
    expect(page.locator("#ticked-said")).to_contain_text("14 ticked.")
    page.reload()
    expect(page.locator("#ticked-said")).to_have_text("14 ticked.")
    page.locator("#untick").click()
    expect(page.locator("#ticked-said")).to_contain_text("None ticked")
    page.reload()
    expect(page.locator("#ticked-said")).to_contain_text("None ticked")


def test_the_saved_list_reads_back_equal(page: Page) -> None:
    text, rows = downloaded(page, "#save")
    assert text.startswith("\ufeffmedia_id,institutionCode,")
    assert text.count("\r\n") == ROWS + 1
    assert "\n" not in text.replace("\r\n", "")
    by_id = {row["media_id"]: row for row in rows}
    assert len(by_id) == ROWS
    for i in range(ROWS):
        row = by_id[media_id(i)]
        fails = i % 20 == 7
        assert row["status"] == ("corrupt" if fails else "ok")
        assert (
            row["greenness_green_share"] == ""
            if fails
            else float(row["greenness_green_share"]) == (i * 37 % ROWS) / 7 + 100 * (i % 3)
        )
        assert row["net_sharp"] == ("" if fails else "true" if i % 3 == 0 else "false")
        assert row["file"] == f"drive/{i}.jpg"
    assert by_id[media_id(1)]["catalogNumber"] == "000457728"
    assert by_id[media_id(1)]["scientificName"] == HOSTILE
    assert by_id[media_id(1)]["collectionCode"] == "a\u202eb"
    assert by_id[media_id(2)]["catalogNumber"] == "'=cmd()"
    assert by_id[media_id(2)]["scientificName"] == 'say "x", y'


def test_the_pick_list_walks_along_the_cabinets(page: Page) -> None:
    _, rows = downloaded(page, "#save-picks")
    order = [(row["family"], row["genus"]) for row in rows]
    assert list(dict.fromkeys(order)) == [
        ("Fagaceae", "Fagus"),
        ("Fagaceae", "Quercus"),
        ("Rosaceae", "Rosa"),
        ("", "Salix"),
    ]
    numbers = [int(row["catalogNumber"]) for row in rows if row["genus"] == "Fagus"]
    assert numbers == sorted(numbers)
    page.locator("#search").fill("457728")
    told(page, "Rows 1–1 of 1 that match, of 260 images.")
    page.locator("#rows input").check()
    _, rows = downloaded(page, "#save-picks")
    assert [row["catalogNumber"] for row in rows] == ["000457728"]


def test_the_table_and_the_pick_list_agree_on_hybrids_and_accents(browser: Browser, tmp_path: Path) -> None:
    plants = [
        ("Fagaceae", "Quercus", "robur", "Quercus robur L."), ("Fagaceae", None, None, "Quercus × rosacea Bechst."),
        ("Fagaceae", "Quercus", "× hispanica", "Quercus × hispanica Lam."), ("Fagaceae", None, None, "Quercus x alba"),
        ("Fagaceae", "×Quercifilix", None, "×Quercifilix zeilanica"), ("Fagaceae", None, None, "× Quercifilix L."),
        ("Éricaceae", "Erica", "cinerea", "Erica cinerea"), ("Ericaceae", "Érica", "alba", "Érica alba"),
        ("Ebenaceae", None, None, "Diospyros kaki"), (None, None, None, "×Zea mays"), ("Fagaceae", None, None, None),
        ("Fagaceae", None, None, "Quercus L."), ("fagaceae", "Quercus", "Robur", "Quercus robur"),
    ]  # fmt: skip
    manifest = [
        {
            "media_id": media_id(i), "catalogNumber": str(i), "family": family, "genus": genus,
            "specificEpithet": species, "scientificName": name,
        }
        for i, (family, genus, species, name) in enumerate(plants)
    ]  # fmt: skip
    results = [{"media_id": media_id(i), "status": "ok", "net_leaves": i} for i in range(len(plants))]
    study = stored_study(tmp_path / "corpus", tmp_path / "study", {"net_leaves": Integer()}, manifest, results)
    report = write_report(study, tmp_path / "report.html")
    context = browser.new_context()
    page = opened(context, report)
    shown = [text.split(",")[0].strip() for text in column(page, 1)]
    _, rows = downloaded(page, "#save-picks")
    context.close()
    assert [row["catalogNumber"] for row in rows] == shown
    assert shown == ["8", "7", "6", "4", "5", "3", "2", "0", "12", "1", "11", "10", "9"]


def test_the_printed_pick_list_has_a_heading_a_family_and_a_box_a_row(page: Page) -> None:
    page.evaluate("window.print = () => { document.documentElement.dataset.printed = 'yes'; }")
    page.locator("#print-picks").click()
    assert page.evaluate("document.documentElement.dataset.printed") == "yes"
    page.emulate_media(media="print")
    expect(page.locator("#picks h3")).to_have_text(["Fagaceae 130", "Rosaceae 65", "No family 65"])
    expect(page.locator("#picks-said")).to_have_text(
        "260 images that match, by family, genus, species and catalogue number. 65 images without a family are at the end."
    )
    assert page.locator("#picks .tick-here").count() == ROWS
    expect(page.locator("main")).not_to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    expect(page.locator("main")).to_be_visible()
    expect(page.locator("#picks")).not_to_be_visible()


def test_names_of_strangers_stay_texts(page: Page) -> None:
    page.locator("#search").fill("onerror")
    told(page, "Rows 1–1 of 1 that match, of 260 images.")
    assert HOSTILE in column(page, 2)[0]
    assert page.locator("#rows img").count() == 0
    assert page.title().endswith("vasculum report")


def test_the_keyboard_alone_is_enough(page: Page) -> None:
    page.locator("#search").focus()
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        here = page.evaluate("""() => { const e = document.activeElement;
          return [e.id || e.textContent.trim(), getComputedStyle(e).outlineStyle]; }""")
        assert here[1] != "none", here
        reached.append(here[0])
        if here[0] == "":
            page.keyboard.press("Space")
            break
    for wanted in (
        "status",
        "institution",
        "number",
        "least",
        "most",
        "unfilter",
        "tick-all",
        "untick",
        "save",
        "print-picks",
    ):
        assert wanted in reached
    expect(page.locator("#ticked-said")).to_have_text("1 ticked.")


def test_the_gallery_shows_the_chosen_panel(page: Page) -> None:
    expect(page.locator("#panel-greenness_green_share")).to_be_visible()
    expect(page.locator("#panel-net_sharp")).not_to_be_visible()
    page.locator("#chooser").select_option("panel-net_sharp")
    expect(page.locator("#panel-net_sharp")).to_be_visible()


def test_a_browser_without_scripts_or_too_old_shows_the_first_rows_and_says_so(browser: Browser, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("#rows tr").count() == 50
    expect(page.locator("#images-note")).to_contain_text("The first 50 of 260.")
    expect(page.locator("#save")).not_to_be_visible()
    context.close()
    context = browser.new_context()
    context.add_init_script("delete window.DecompressionStream")
    page = context.new_page()
    page.goto(report.as_uri())
    expect(page.locator("#images-note")).to_contain_text("This browser is too old")
    assert page.locator("#rows tr").count() == 50
    context.close()
