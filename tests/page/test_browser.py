"""The page in a browser: from a number to a raw checksum by mouse and by keys, from the disk alone."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gwsd.page.building import capitalized
from tests.page.folder import LABEL, ResultsFolder, make_page, make_results

CHROMIUM = shutil.which("chromium")
sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (group `test`)")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine: apt-get install chromium")

CONTRAST = """
(selectors) => {
  const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((value) => channel(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const parts = numbers(colour);
      if (parts.length === 3 || parts[3] > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return Object.fromEntries(selectors.map((selector) => {
    const element = document.querySelector(selector);
    const style = getComputedStyle(element);
    const ink = luminance(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const box = element.namespaceURI.endsWith("svg") && element.parentElement.querySelector("rect");
    const paper = luminance(box ? getComputedStyle(box).fill : behind(element));
    return [selector, (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05)];
  }));
}
"""
TEXTS = ["h1", "main p", ".label", "a", "a.number", ".caption", ".notes", ".quiet", "td.text", "thead th", "summary"]
TEXTS += [
    ".verdict.good",
    ".verdict.bad",
    ".verdict.odd",
    ".verdict.calm",
    "footer p",
    "#panel-title",
    "#panel-close",
    "#panel .quiet",
]
TEXTS += [".facts dt", "pre", "#panel code", ".steps a", "svg .title", "svg .node:has(.chip) text"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    made = make_results(tmp_path_factory.mktemp("browser"))
    make_page(made)
    return made


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Visit:
    """An open page, with what the browser complained of and every request that would leave the disk."""

    def __init__(self, browser: "sync_api.Browser", page: Path, target: str = "", **options: object) -> None:
        self.complaints: list[str] = []
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.route("**/*", self._only_from_the_disk)
        self.page.goto(page.as_uri() + target)

    def _only_from_the_disk(self, route: "sync_api.Route") -> None:
        if route.request.url.startswith(("file:", "data:")):
            route.continue_()
        else:
            self.complaints.append(f"request to {route.request.url}")
            route.abort()

    @property
    def panel(self) -> "sync_api.Locator":
        return self.page.locator("#panel")


@pytest.fixture
def visit(browser: "sync_api.Browser", folder: ResultsFolder) -> Iterator[Visit]:
    one = Visit(browser, folder.path / "audit/index.html", viewport={"width": 1280, "height": 900})
    yield one
    one.context.close()
    assert one.complaints == []


def test_a_cell_of_table_3_is_followed_to_a_raw_checksum(visit: Visit, folder: ResultsFolder) -> None:
    visit.page.locator('[data-id="table3:full:mae_cm"]').click()
    assert visit.page.locator("#panel-title").inner_text() == "1.240 cm: Full model: MAE"
    assert visit.page.url.endswith("#table3:full:mae_cm")
    assert visit.panel.locator("svg .node").count() > 8
    visit.panel.get_by_role("button", name="Raw file storage.nc").click()
    chosen = visit.panel.locator(".chosen")
    assert chosen.is_visible()
    assert folder.sha256("raw/g3p/storage.nc") in chosen.inner_text()
    assert LABEL in chosen.inner_text()


def test_a_number_is_traced_along_its_own_source_until_all_is_asked_for(visit: Visit) -> None:
    visit.page.locator('[data-id="table3:full:mae_cm"]').click()
    titles = visit.panel.locator("svg .title")
    assert "train full" in titles.all_text_contents()
    assert "train residual" not in titles.all_text_contents()
    visit.page.locator("#narrow").uncheck()
    assert "train residual" in titles.all_text_contents()


def test_many_files_of_one_kind_are_one_line_of_the_graph_and_all_in_the_text(visit: Visit) -> None:
    visit.page.goto(visit.page.url + "#lineage-table3")
    assert visit.panel.get_by_role("button", name="Raw file 6 files: era5_land_2001.nc …").count() == 1
    assert visit.panel.locator("h3").first.inner_text() == "Raw files (7)"
    assert visit.panel.locator("h3 + details li.raw").count() == 7


def test_a_picture_and_a_claim_lead_to_their_lineage(visit: Visit) -> None:
    visit.page.locator("a.picture").click()
    assert visit.page.locator("#panel-title").inner_text() == "Lineage of Figure 7: Uncertainty"
    assert "draw_figure" in visit.panel.locator("svg .title").all_text_contents()
    visit.page.locator("#panel-close").click()
    visit.page.locator("#claim-t3-mae a").first.click()
    assert "Weighed against" in visit.panel.inner_text()
    assert "1.240 cm: Full model: MAE" in visit.panel.inner_text()
    assert "evaluate full" in visit.panel.locator("svg .title").all_text_contents()


def test_a_claim_that_the_paper_alone_decides_says_so(visit: Visit) -> None:
    visit.page.locator("#claim-abs-cells a").first.click()
    assert "No value of this run was needed" in visit.panel.inner_text()


def test_claims_are_filtered_by_verdict(visit: Visit) -> None:
    visible = visit.page.locator(".claim:visible")
    assert visible.count() == 5
    visit.page.get_by_label("contradicts another claim").check()
    assert visible.count() == 1
    assert "abs-cells" in visible.inner_text()
    assert visit.page.locator("#claims-status").inner_text() == "1 of 5 claims shown"
    visit.page.get_by_label("All (5)").check()
    assert visible.count() == 5


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("full mae", "1.240 cm"),
        ("storage.nc raw", "storage.nc"),
        ("aquifers", "Aquifers hold <30 %>."),
        ("-4.4", "−4.4"),
    ],
)
def test_numbers_files_and_claims_are_found(visit: Visit, words: str, expected: str) -> None:
    visit.page.fill("#query", words)
    assert expected in visit.page.locator("#found a").all_inner_texts()


def test_a_checksum_is_found(visit: Visit, folder: ResultsFolder) -> None:
    visit.page.fill("#query", folder.sha256("raw/g3p/storage.nc"))
    assert visit.page.locator("#found a").all_inner_texts() == ["storage.nc"]
    visit.page.locator("#found a").click()
    assert visit.page.locator("#panel-title").inner_text() == "storage.nc"


def test_what_is_nowhere_is_not_found(visit: Visit) -> None:
    visit.page.fill("#query", "nosuchthing")
    assert "Nothing found" in visit.page.locator("#found").inner_text()


def test_by_keys_alone_from_the_search_to_a_raw_file_and_back(visit: Visit, folder: ResultsFolder) -> None:
    keys = visit.page.keyboard
    keys.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    for _ in range(7):
        keys.press("Tab")
    assert visit.page.evaluate("document.activeElement.id") == "query"
    keys.type("table3:full:mae_cm")
    keys.press("Enter")
    keys.press("Enter")
    assert visit.page.locator("#panel-title").inner_text() == "1.240 cm: Full model: MAE"
    names = []
    for _ in range(40):
        keys.press("Tab")
        names.append(visit.page.evaluate("document.activeElement.getAttribute('aria-label')"))
        if names[-1] == "Raw file storage.nc":
            break
    assert names[-1] == "Raw file storage.nc"
    keys.press("Enter")
    assert folder.sha256("raw/g3p/storage.nc") in visit.page.evaluate("document.activeElement.textContent")
    keys.press("Escape")
    assert not visit.panel.is_visible()
    assert visit.page.evaluate("document.activeElement.closest('#panel')") is None


def test_escape_closes_the_panel_and_the_focus_returns_to_the_number(visit: Visit) -> None:
    number = visit.page.locator('[data-id="table3:full:mae_cm"]')
    number.focus()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    visit.page.keyboard.press("Shift+Tab")
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate(outline) == "solid"
    visit.page.keyboard.press("Enter")
    assert visit.panel.is_visible()
    assert visit.page.evaluate("document.activeElement.id") == "panel-title"
    visit.page.keyboard.press("Escape")
    assert not visit.panel.is_visible()
    assert visit.page.evaluate("document.activeElement.dataset.id") == "table3:full:mae_cm"
    assert visit.page.evaluate(outline) == "solid"
    assert "#table3" not in visit.page.url


def test_back_closes_the_panel(visit: Visit) -> None:
    visit.page.locator('[data-id="table3:full:mae_cm"]').click()
    assert visit.panel.is_visible()
    visit.page.go_back()
    visit.panel.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("target", "title"),
    [
        ("#table3:full:mae_cm", "1.240 cm: Full model: MAE"),
        ("#claim-t3-mae", "Claim t3-mae"),
        ("#lineage-figure7", "Lineage of Figure 7: Uncertainty"),
    ],
)
def test_an_address_opens_its_panel(
    browser: "sync_api.Browser", folder: ResultsFolder, target: str, title: str
) -> None:
    one = Visit(browser, folder.path / "audit/index.html", target)
    assert one.page.locator("#panel-title").inner_text() == title
    one.context.close()
    assert one.complaints == []


def test_an_address_of_a_table_is_a_place_on_the_page(browser: "sync_api.Browser", folder: ResultsFolder) -> None:
    one = Visit(browser, folder.path / "audit/index.html", "#table3", viewport={"width": 800, "height": 300})
    assert not one.panel.is_visible()
    one.page.wait_for_function("window.scrollY > 0")
    one.context.close()


def test_a_phone_needs_no_sideways_scrolling(browser: "sync_api.Browser", folder: ResultsFolder) -> None:
    one = Visit(browser, folder.path / "audit/index.html", viewport={"width": 360, "height": 740})
    assert one.page.evaluate("document.documentElement.scrollWidth") <= 360
    one.page.locator('[data-id="table3:full:mae_cm"]').click()
    assert one.page.evaluate("document.getElementById('panel').scrollWidth") <= 360
    assert one.page.locator("#panel .label").bounding_box()["y"] == 0
    one.context.close()
    assert one.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(
    browser: "sync_api.Browser", folder: ResultsFolder, scheme: str
) -> None:
    one = Visit(browser, folder.path / "audit/index.html", "#table3:full:mae_cm", color_scheme=scheme)
    contrasts = one.page.evaluate(CONTRAST, TEXTS)
    one.context.close()
    assert {name: value for name, value in contrasts.items() if value < 4.5} == {}
    assert len(contrasts) == len(TEXTS)


def test_dark_is_dark(browser: "sync_api.Browser", folder: ResultsFolder) -> None:
    one = Visit(browser, folder.path / "audit/index.html", color_scheme="dark")
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    one.context.close()


def test_without_scripts_the_tables_and_claims_are_there(browser: "sync_api.Browser", folder: ResultsFolder) -> None:
    one = Visit(browser, folder.path / "audit/index.html", java_script_enabled=False)
    assert one.page.locator('[data-id="table3:full:mae_cm"]').is_visible()
    assert one.page.locator(".claim:visible").count() == 5
    assert not one.page.locator("#query").is_visible()
    one.context.close()


def test_the_label_stays_in_sight(visit: Visit) -> None:
    visit.page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    box = visit.page.locator(".top .label").bounding_box()
    assert box is not None
    assert box["y"] == 0
    assert visit.page.locator(".top .label").inner_text() == capitalized(LABEL)
