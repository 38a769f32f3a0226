"""Tests of the audit page as a file: its numbers, links and lineage, and the job that makes it."""

import html
import json
import re
from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.provenance.lineage import read_lineage
from gwsd.publication.audit import NAMES
from gwsd.publication.page import TEMPLATES, TONES, lineage_view, number
from tests.provenance.results_folder import SUMMARY, SYNTHETIC, TOY
from tests.publication import page_example as example
from tests.publication.page_example import RAW, TABLE, PageFolder, make_page, make_results, options_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> PageFolder:
    return make_results(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def page(folder: PageFolder) -> Path:
    return make_page(folder)


@pytest.fixture(scope="module")
def source(page: Path) -> str:
    return re.sub(r"<(script|style).*?</\1>", "", page.read_text(), flags=re.DOTALL)


def text_of(source: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", source))


def test_every_published_number_is_on_the_page_as_printed(folder: PageFolder, source: str) -> None:
    for entry in json.loads((folder.results / "numbers.json").read_text())["values"]:
        (shown,) = re.findall(rf' id="{entry["id"]}"[^>]*>(.*?)</(?:a|span)>', source)
        assert text_of(shown) == entry["text"].replace("`", "")


def test_page_needs_only_its_declared_inputs(page: Path, tmp_path: Path) -> None:
    folder = make_results(tmp_path)
    inputs = options_of(folder).values()
    declared = {path for paths in inputs for path in (paths if isinstance(paths, list) else [paths])}
    for path in folder.root.rglob("*"):
        if path.is_file() and path not in declared:
            path.unlink()
    assert make_page(folder).read_bytes() == page.read_bytes()


def test_links_stay_in_the_folder_and_lead_somewhere(page: Path, source: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', source)
    assert len(set(ids)) == len(ids)
    for link in set(re.findall(r'(?:href|src)="([^"]+)"', source)) - {"data:,"}:
        if link.startswith("#"):
            assert link[1:] in ids or link.startswith("#lineage-"), link
        else:
            assert not re.match(r"[a-z]+:|/|\.\.", link), link
            assert (page.parent / link).is_file(), link


def test_nothing_in_the_data_ends_a_script(page: Path) -> None:
    assert page.read_text().count("</script>") == 2
    assert page.read_text().count("<!--") == 0


@pytest.mark.parametrize(("content", "linked"), [(1.5, True), ("240+", True), ("Full model", False), (None, False)])
def test_numbers_are_links_and_words_are_not(content: object, linked: bool) -> None:
    assert number(example.value("t", "r", "c", content, "text")).startswith("<a" if linked else "<span")


def test_every_verdict_has_a_colour() -> None:
    assert TONES.keys() == NAMES.keys()


def test_lineage_has_every_file_and_job_up_to_the_raw_files(folder: PageFolder) -> None:
    view = lineage_view(read_lineage(folder.results / "lineage.json"), [SUMMARY, SUMMARY, f"{TOY}/absent"], SYNTHETIC)
    jobs = [job["job"] for job in view["jobs"].values()]
    assert sorted(jobs) == ["climate", "evaluate", "quality_control", "train", "twin_earth"]
    assert example.RESIDUAL not in view["files"]
    assert view["files"][RAW]["sha256"] == folder.sha256(RAW)
    assert sum(file["raw"] for file in view["files"].values()) == 7
    for job in view["jobs"].values():
        assert all(path in view["files"] for paths in job["inputs"].values() for path in paths)
        assert all(view["code"][index][0] == f"workflow_scripts/{job['job']}.py" for index in job["code"])


def test_origin_of_files(tmp_path: Path) -> None:
    folder = PageFolder(tmp_path)
    origins = {
        f"{TOY}/raw/x.zip": "https://doi.org/10.5880/x, https://example.org/x.zip",
        f"{TOY}/raw/twin.nc": SYNTHETIC,
        "raw/own.nc": "supplied by the user, no record of its origin",
        "paper/claims.yaml": "source code of the workflow",
    }
    for path in origins:
        folder.write(path, path)
    download = {"url": "https://example.org/x.zip", "doi": "10.5880/x"}
    folder.job("download", {}, {f"{TOY}/raw/x.zip": "zip"}, raw=download)
    folder.job("twin_earth", {}, {f"{TOY}/raw/twin.nc": "twin"})
    folder.job("table", {"files": list(origins)}, {f"{TABLE}.csv": "csv"})
    example.add_lineage(folder)
    files = lineage_view(read_lineage(folder.results / "lineage.json"), [f"{TABLE}.csv"], SYNTHETIC)["files"]
    assert {path: file["origin"] for path, file in files.items()} == {**origins, f"{TABLE}.csv": ""}


@pytest.mark.parametrize(
    ("name", "content"),
    [("numbers.json", "{"), ("audit/claims.json", "{}"), ("lineage.json", "[]"), ("tables/table3.json", "{}")],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: str) -> None:
    folder = make_results(tmp_path)
    folder.write(f"{TOY}/{name}", content)
    with pytest.raises(DataError, match=name.rpartition("/")[2]):
        make_page(folder)


def test_colours_have_a_contrast_in_light_and_in_dark() -> None:
    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark, *_ = re.findall(r":root \{(.*?)\}", (TEMPLATES / "style.css").read_text(), re.DOTALL)
    for block in (light, dark):
        colours = {name: luminance(colour) for name, colour in re.findall(r"--([\w-]+): (#\w{6})", block)}
        pairs = [(ink, paper) for ink in ("ink", "quiet", "accent") for paper in ("paper", "raised", "accent-paper")]
        pairs += [(name.removesuffix("-paper"), name) for name in colours if name.endswith("-paper")]
        for pair in pairs:
            low, high = sorted(colours[name] for name in pair)
            assert (high + 0.05) / (low + 0.05) >= 4.5, pair
