"""Tests of the audit page in a browser: from a number to the checksum of a raw file, by mouse and by keys."""

import hashlib
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.provenance.results_folder import SYNTHETIC
from tests.publication.page_example import RAW, PageFolder, make_page, make_results

CHROMIUM = shutil.which("chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (group `test`)")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")

Visit = Callable[..., "sync_api.Page"]
MAE = '[id="table3:full:mae_cm"]'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> PageFolder:
    made = make_results(tmp_path_factory.mktemp("browser"))
    make_page(made)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def visit(browser: "sync_api.Browser", folder: PageFolder) -> Iterator[Visit]:
    """Open the page; fail on console messages, errors and requests that leave the disk."""
    complaints: list[str] = []

    def open_page(target: str = "", **options: object) -> "sync_api.Page":
        page = browser.new_page(**options)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto((folder.results / "audit/index.html").as_uri() + target)
        return page

    yield open_page
    for context in browser.contexts:
        context.close()
    assert [text for text in complaints if not text.startswith(("file:", "data:"))] == []


@pytest.fixture
def page(visit: Visit) -> "sync_api.Page":
    return visit(viewport={"width": 1280, "height": 900})


def test_number_leads_to_the_checksum_of_a_raw_file(page: "sync_api.Page", folder: PageFolder) -> None:
    page.locator(MAE).click()
    assert page.locator("#panel-title").inner_text() == "1.240 cm: full: mae_cm"
    assert page.url.endswith("#table3:full:mae_cm")
    page.get_by_role("button", name="Raw file storage.nc").click()
    chosen = page.locator(".chosen")
    assert chosen.is_visible()
    assert folder.sha256(RAW) in chosen.inner_text()
    assert SYNTHETIC in chosen.inner_text()
    page.go_back()
    page.locator("#panel").wait_for(state="hidden")


def test_graph_follows_the_sources_of_a_number_or_of_its_table(page: "sync_api.Page") -> None:
    page.locator(MAE).click()
    jobs = page.locator(".box .head")
    assert "train full" in jobs.all_text_contents()
    assert "train residual" not in jobs.all_text_contents()
    page.locator("#narrow").uncheck()
    assert "train residual" in jobs.all_text_contents()
    assert page.locator(".columns path[d^=M]").count() > 8
    assert page.get_by_role("button", name="Raw file 6 files: 2001.nc …").count() == 1
    assert page.locator("#panel h3 + details li.raw").count() == 7


@pytest.mark.parametrize(
    ("target", "title", "job"),
    [
        ("#lineage-figure7", "Lineage of Figure 7: Uncertainty", ["draw_figure"]),
        ("#claim-t3-mae", "Claim t3-mae", ["table"]),
        (f"#file-{RAW}", "storage.nc", ["twin_earth"]),
        ("#table3:full:paper_mae_cm", "1.64 cm: full: paper_mae_cm", []),
    ],
)
def test_address_opens_its_panel(visit: Visit, target: str, title: str, job: list[str]) -> None:
    page = visit(target)
    assert page.locator("#panel-title").inner_text() == title
    assert page.locator(".box .head").all_text_contents()[-1:] == job


def test_claims_are_filtered_by_verdict(page: "sync_api.Page") -> None:
    visible = page.locator(".claim:visible")
    assert visible.count() == 5
    page.get_by_label("contradicts another claim").check()
    assert visible.count() == 1
    assert "1 of 5" in page.locator("#claims-status").inner_text()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (hashlib.sha256(b"raw storage").hexdigest(), "storage.nc"),
        ("full mae_cm", "1.240 cm"),
        ("aquifers", "Aquifers hold <30 %>."),
        ("-4.4", "−4.4"),
    ],
)
def test_search_finds_numbers_files_and_claims(page: "sync_api.Page", words: str, expected: str) -> None:
    page.fill("#query", words)
    assert expected in page.locator("#found a").all_inner_texts()
    page.keyboard.press("Escape")
    assert not page.locator("#found").is_visible()


def test_keyboard_leads_to_a_raw_file_and_back_to_the_number(page: "sync_api.Page", folder: PageFolder) -> None:
    for _ in range(7):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.type("table3:full:mae_cm")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert any(page.keyboard.press("Tab") or page.evaluate(focused) == "Raw file storage.nc" for _ in range(40))
    page.keyboard.press("Enter")
    assert folder.sha256(RAW) in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Escape")
    assert not page.locator("#panel").is_visible()
    assert page.evaluate("document.activeElement.id") == "table3:full:mae_cm"
    page.wait_for_function("location.hash === ''")


def test_phone_needs_no_sideways_scrolling(visit: Visit) -> None:
    page = visit(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.locator(MAE).click()
    assert page.evaluate("document.getElementById('panel').scrollWidth") <= 360
    assert page.locator("#panel .label").bounding_box()["y"] == 0
    page.locator("#panel-close").click()
    page.goto(page.url + "#claims")
    page.wait_for_function("window.scrollY > 0")
    assert page.locator(".top .label").bounding_box()["y"] == 0


def test_page_works_without_scripts(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    assert page.locator(MAE).is_visible()
    assert page.locator(".claim:visible").count() == 5
    assert page.locator("#query:visible, #verdicts:visible").count() == 0
