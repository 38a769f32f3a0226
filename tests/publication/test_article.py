"""The article: its bytes, its numbers, its words, and the LaTeX files."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from gwsd.errors import DataError
from gwsd.publication.article import BuiltArticle, build_article, typed_numbers
from gwsd.publication.latex import numbers_tex
from tests.publication.example import HASH, SETTINGS, SOURCES, TWIN, files, number, write_example


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_example(tmp_path_factory.mktemp("demo") / "results")


@pytest.fixture(scope="module")
def built(folder: Path) -> BuiltArticle:
    return build_article(**files(folder))


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def words(folder: Path, **changes: Any) -> str:
    """The words of an article with one space between them."""
    pdf = build_article(**{**files(folder), **changes}).pdf
    return re.sub(r"\s+", " ", " ".join(pages(pdf)))


def sources_with(tmp_path: Path, name: str, add: str) -> list[Path]:
    """The article's sources with a line added to one of them."""
    changed = tmp_path / name
    changed.write_text((SOURCES[0].parent / name).read_text() + f"\n{add}\n")
    return [changed if path.name == name else path for path in SOURCES]


def test_the_same_results_give_the_same_bytes_in_another_folder(built: BuiltArticle, tmp_path: Path) -> None:
    assert build_article(**files(write_example(tmp_path / "elsewhere"))).pdf == built.pdf


def test_every_cell_of_a_table_and_every_count_is_printed_on_its_page(built: BuiltArticle, folder: Path) -> None:
    published = {value["id"]: value for value in json.loads((folder / "numbers.json").read_text())["values"]}
    placed = {value["id"]: value["text"] for value in built.placed}
    expected = {name for name, value in published.items() if value["artifact"].startswith(("table", "claims"))}
    assert expected <= set(placed)
    assert all(published[name]["text"] == text for name, text in placed.items())
    assert any("−" in text for text in placed.values())
    printed = [re.sub(r"\s+", "", page) for page in pages(built.pdf)]
    assert all(re.sub(r"[\s`]+", "", value["text"]) in printed[value["page"] - 1] for value in built.placed)


def test_synthetic_data_are_named_on_each_page(built: BuiltArticle, tmp_path: Path) -> None:
    assert all(TWIN in " ".join(page.split()) for page in pages(built.pdf))
    settings = {**SETTINGS, "sources": {"storage": "g3p", "climate": "era5_land"}}
    observed = words(write_example(tmp_path / "real", label="observed: G3P v1.12"), settings=settings)
    assert "observed: G3P v1.12" in observed
    assert "synthetic" not in observed
    assert "twin" not in observed.lower()
    label = "storage observed, climate synthetic (twin Earth)"
    settings = {**SETTINGS, "sources": {"storage": "local", "climate": "twin"}}
    mixed = words(write_example(tmp_path / "mixed", label=label), settings=settings)
    assert f"The data of this article are synthetic in part ({label})" in mixed
    assert "computed on a synthetic Earth" not in mixed


def test_the_root_and_the_traces_are_printed(built: BuiltArticle) -> None:
    names = [*(f"table{n}" for n in range(1, 9)), *(f"figure{n}" for n in range(1, 8))]
    first, *others = PdfReader(io.BytesIO(built.pdf)).pages
    notes = [note.get_object().get("/A", {}) for page in (first, *others) for note in page.get("/Annots", [])]
    assert {f"audit/index.html#{name}" for name in names} <= {note.get("/URI") for note in notes}
    assert HASH in first.extract_text()
    text = " ".join(page.extract_text() for page in others)
    assert HASH in text
    assert all(f"gwsd trace {name}" in text for name in names)


def test_words_follow_the_numbers(folder: Path, tmp_path: Path) -> None:
    worse = words(folder)
    assert "which is higher than that of nearest-neighbour interpolation" in worse
    assert "the error changes by −20.6 %; the paper reports +31 %, a change in the other direction" in worse
    assert "cut short" in worse
    changes = {"table3:full:mae_cm": 0.1, "table6:no_convlstm:change_percent": 20.593, "table3:full:steps": 15_000}
    better = words(write_example(tmp_path / "better", changes=changes))
    assert "which is lower than that of nearest-neighbour interpolation" in better
    assert "changes by +20.6 %; the paper reports +31 %, a change in the same direction" in better
    assert "cut short" not in better
    changes = {"table3:full:mae_cm": 0.19751, "table3:nearest:mae_cm": 0.19754}  # they print the same
    assert "which is the same as that of nearest-" in words(write_example(tmp_path / "equal", changes=changes))


def test_a_scenario_may_lack_variants_figures_values_and_facts(tmp_path: Path) -> None:
    without = ("table3:residual:", "table3:full:physics", "figure4:", "figure7:", "facts:", "figure1:")
    text = words(write_example(tmp_path / "poor", without=without))
    assert "The variant residual reaches" not in text
    assert "The physics loss of the full model" not in text
    assert "Table 3 compares the methods" in text


@pytest.mark.parametrize(
    ("name", "source", "message"),
    [
        ("limits.typ", '#num("table3:full:mae_mm")', r"paper/limits\.typ, line \d+.*similar ids: table3:full:mae_cm"),
        ("limits.typ", "#no-such-name", r"Typst refuses the article \(paper/limits\.typ, line \d+.*unknown variable"),
        ("results.typ", "The error is 1.24 cm.", r"typed by hand.*\n  paper/results\.typ, line \d+: 1\.24"),
    ],
)
def test_a_mistake_in_a_source_is_one_message(
    folder: Path, tmp_path: Path, name: str, source: str, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        build_article(**{**files(folder), "sources": sources_with(tmp_path, name, source)})


def test_wide_tables_are_on_landscape_pages(folder: Path, tmp_path: Path) -> None:
    table = json.loads((folder / "tables" / "table8.json").read_text())
    table["columns"] = [{**table["columns"][1], "heading": "Incomprehensibilities"} for _ in range(9)]
    (tmp_path / "table8.json").write_text(json.dumps(table))
    tables = [*files(folder)["tables"][:-1], tmp_path / "table8.json"]
    pdf = build_article(**{**files(folder), "tables": tables}).pdf
    landscape = [page for page in PdfReader(io.BytesIO(pdf)).pages if page.mediabox.width > page.mediabox.height]
    assert len(landscape) >= 2  # the supplement and the table


@pytest.mark.parametrize(
    ("source", "numerals"),
    [
        ("The error is 1.24 cm.", ["1.24"]),
        ("57,503 cells, a share of 26%", ["57,503", "26"]),
        ('a string, "12 months"', ["12"]),
        ('#setting("loss.weight") and 3', ["3"]),
        ('R² and one seed; #num("table3:full:mae_cm") of @table3 and @shi_2015', []),
        ("// 12 in a comment\n/* 13 */ text", []),
        ('see https://example.org/4; #of-paper("equations (12)–(14)"), #of-paper("12 cells")', ["4", "12"]),
        ("ERA5-Land and G3P v1.12", []),
        ('#quoted("2.21", from: "Table 3")', ["2.21", "3"]),
    ],
)
def test_numerals_typed_by_hand_are_found(source: str, numerals: list[str]) -> None:
    assert [found for _, found in typed_numbers("results.typ", source)] == numerals


def test_numbers_of_the_paper_may_be_quoted_in_the_methods() -> None:
    assert typed_numbers("methods.typ", '#quoted("8,000", from: "Table 2")\n#quoted("9")') == [(2, "9")]


def test_each_number_is_a_latex_macro(built: BuiltArticle) -> None:
    line = next(line for line in built.numbers_tex.splitlines() if "@table3:full:mae_cm" in line)
    assert line.startswith(r"\expandafter\def\csname gwsd@table3:full:mae_cm\endcsname{1.238}% ")
    assert line.endswith("% computed, cm; results/demo/tables/table3.csv")
    assert "% reported by the paper" in built.numbers_tex
    assert HASH in built.numbers_tex
    assert re.findall(r"\\input\{(\S+?)\}", built.tables_tex) == [
        "numbers.tex",
        *(f"tables/table{position}.tex" for position in range(1, 9)),
    ]
    assert built.tables_tex.count(r"\includegraphics") == 7


def test_latex_escapes_what_numbers_contain() -> None:
    value = {**number("table3", "full", "mae_cm", 1.0), "text": "50 % ± 3\u202f488 of a_b & c − d·α"}
    numbers = {"scenario": "demo", "data_label": "twin", "values": [value]}
    assert r"{50 \% $\pm$ 3\,488 of a\_b \& c $-$ d$\cdot$$\alpha$}%" in numbers_tex(numbers, "0")
    with pytest.raises(DataError, match="'table3:50 %:mae' has characters"):
        numbers_tex({**numbers, "values": [{**value, "id": "table3:50 %:mae"}]}, "0")
