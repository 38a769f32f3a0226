"""The page as a file: every number as it was published, readable without a script, and one message for a mistake."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gwsd.claims.verdicts import NAMES
from gwsd.errors import DataError
from gwsd.page.building import capitalized, png_size, prose
from gwsd.page.checking import summarised
from gwsd.page.material import groups_of, read_material
from gwsd.page.verdicts import VERDICTS, counted
from gwsd.provenance.records import read_records
from gwsd.provenance.root import root_hash
from gwsd.provenance.verifying import verify
from tests.page.folder import LABEL, ResultsFolder, make_page, make_results, png


class Reader(HTMLParser):
    """Texts of elements with `data-id`, links, sources, ids and the texts of pictures."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.shown: dict[str, str] = {}
        self.links: list[str] = []
        self.ids: list[str] = []
        self.pictures: list[dict[str, str | None]] = []
        self.text = ""
        self._open: list[str | None] = []
        self._script = False
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [str(found[name]) for name in ("href", "src") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []
        self._script = tag in ("script", "style")
        if tag == "img":
            self.pictures.append(found)
        if tag in ("a", "span"):
            name = found.get("data-id")
            self._open.append(name)
            if name is not None:
                self.shown[name] = ""

    def handle_endtag(self, tag: str) -> None:
        self._script = False
        if tag in ("a", "span"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._script:
            self.text += data
        for name in self._open:
            if name is not None:
                self.shown[name] += data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ResultsFolder:
    return make_results(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(folder: ResultsFolder) -> Path:
    return make_page(folder)


@pytest.fixture(scope="module")
def reader(page: Path) -> Reader:
    return Reader(page)


def test_every_published_number_stands_on_the_page_exactly_as_published(folder: ResultsFolder, reader: Reader) -> None:
    numbers = json.loads((folder.path / "numbers.json").read_text())["values"]
    assert reader.shown == {one["id"]: one["text"] for one in numbers}


def test_verify_agrees_with_the_page(folder: ResultsFolder, page: Path) -> None:
    report = verify(folder.path)
    assert report.numbers == ()
    assert report.checked["results/demo/audit/index.html"] == 11


def test_verify_sees_a_digit_that_was_edited_on_the_page(folder: ResultsFolder, page: Path) -> None:
    whole = page.read_text()
    page.write_text(whole.replace(">1.240</a>", ">1.140</a>"))
    try:
        assert any("table3:full:mae_cm" in problem for problem in verify(folder.path).numbers)
    finally:
        page.write_text(whole)


def test_the_page_says_the_root_hash_and_that_all_is_intact(folder: ResultsFolder, reader: Reader) -> None:
    assert f"Root hash {root_hash(read_records(folder.path))}" in " ".join(reader.text.split())
    assert "Not intact" not in reader.text


def test_a_changed_file_is_named_on_the_page(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    folder.write("models/full/seed0/weights.safetensors", "other weights")
    text = " ".join(Reader(make_page(folder)).text.split())
    assert "Not intact" in text
    assert "results/demo/models/full/seed0/weights.safetensors: changed" in text


def test_files_of_jobs_that_still_write_are_no_fault_of_the_page(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    folder.write("paper.pdf", "half a paper")
    folder.write("product/year.nc", "no record yet")
    report = verify(folder.path)
    assert not report.ok
    assert summarised(report, {file.path for file in report.files if file.status == "intact"}).ok


def test_no_link_leaves_the_folder(page: Path, reader: Reader) -> None:
    for link in reader.links:
        if link.startswith("#"):
            assert link[1:] in reader.ids or link.startswith("#lineage-"), link
        elif link != "data:,":
            assert ".." not in link
            assert not re.match(r"[a-z]+:|/", link), link
            assert (page.parent / link).is_file(), link


def test_ids_are_unique(reader: Reader) -> None:
    assert len(set(reader.ids)) == len(reader.ids)


def test_every_picture_has_its_caption_as_text(reader: Reader) -> None:
    assert [one["alt"] for one in reader.pictures] == [
        "Figure 7: Uncertainty. Predicted standard deviation against absolute error <of all cells>."
    ]


def test_without_a_script_tables_figures_claims_and_checksums_can_be_read(
    folder: ResultsFolder, reader: Reader
) -> None:
    for words in (
        "Errors in cm; full had few steps.",
        "The full model's error is 1.64 cm.",
        "contradicts claim t2-cells",
        "57,503 is not 57,530",
        capitalized(LABEL),
        folder.sha256("raw/g3p/storage.nc"),
    ):
        assert words in reader.text


def test_words_are_no_links(page: Path) -> None:
    assert '<span id="table3:full:label" data-id="table3:full:label">Full model</span>' in page.read_text()


def test_the_same_folder_gives_the_same_page(folder: ResultsFolder, page: Path) -> None:
    before = page.read_bytes()
    assert make_page(folder).read_bytes() == before


def test_verdicts_are_those_of_the_audit() -> None:
    assert {slug: name for slug, (name, _) in VERDICTS.items()} == NAMES


def test_a_claim_leads_to_the_claims_and_values_that_it_was_compared_with(page: Path) -> None:
    text = page.read_text()
    assert 'Compared with <a href="#table3:full:physics">table3:full:physics</a>; <a href="#claim-t3-mae">' in text
    assert "; the text; on" in text


def test_verdicts_are_counted_in_a_fixed_order() -> None:
    claims = [{"slug": slug} for slug in ("reported_by_others", "reproduced", "reproduced")]
    assert [(one["slug"], one["count"]) for one in counted(claims)] == [("reproduced", 2), ("reported_by_others", 1)]


def test_neighbouring_columns_share_their_group_heading() -> None:
    columns = [{"group": ""}, {"group": ""}, {"group": "paper"}, {"group": "paper"}, {"group": ""}]
    assert groups_of(columns) == [{"name": "", "span": 2}, {"name": "paper", "span": 2}, {"name": "", "span": 1}]
    assert groups_of([{"group": ""}]) == []


def test_text_is_escaped_and_code_marked() -> None:
    assert prose("a < b in `x<y`") == "a &lt; b in <code>x&lt;y</code>"


def test_the_size_of_a_picture_is_read_from_its_head(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(7, 5))
    (tmp_path / "b.png").write_bytes(b"no picture")
    assert png_size(tmp_path / "a.png") == (7, 5)
    assert png_size(tmp_path / "b.png") is None


def test_a_sidecar_that_differs_from_the_numbers_is_refused(tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    sidecar = folder.path / "tables/table3.json"
    sidecar.write_text(sidecar.read_text().replace('"1.240"', '"1.250"'))
    with pytest.raises(DataError, match=r"table3:full:mae_cm is '1.250' here, but '1.240' in .*numbers.json"):
        make_page(folder)


@pytest.mark.parametrize(("name", "content"), [("numbers.json", "{"), ("audit/claims.json", "{}")])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, name: str, content: str) -> None:
    folder = make_results(tmp_path)
    folder.write(name, content)
    with pytest.raises(DataError, match=rf"{name}: .*make it again with `snakemake --cores all`"):
        read_material(folder.path / "numbers.json", [], folder.path / "audit/claims.json")
