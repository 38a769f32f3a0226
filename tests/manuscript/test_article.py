"""The article as a whole: its bytes, its numbers, its words."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from gwsd.commands.trace import _file_of_artifact
from gwsd.errors import DataError
from gwsd.manuscript.article import BuiltArticle, build_article
from gwsd.manuscript.content import article_content, read_json
from gwsd.manuscript.typesetting import typeset_without_numbers
from tests.manuscript.example import HASH, OBSERVED, SETTINGS, SOURCES, TWIN, files, write_example


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def text(pdf: bytes) -> str:
    """The words of a PDF with one space between them."""
    return re.sub(r"\s+", " ", " ".join(pages(pdf)))


def build(folder: Path, **changes: Any) -> BuiltArticle:
    return build_article(**{**files(folder), **changes})


def sources_with(tmp_path: Path, name: str, add: str) -> list[Path]:
    """The article's sources with a line added to one of them."""
    changed = tmp_path / name
    changed.write_text((SOURCES[0].parent / name).read_text() + "\n" + add + "\n")
    return [changed if path.name == name else path for path in SOURCES]


def test_the_same_tables_give_the_same_bytes_wherever_they_lie(built: BuiltArticle, tmp_path: Path) -> None:
    assert build(write_example(tmp_path / "elsewhere")).pdf == built.pdf


def test_every_injected_number_is_read_on_its_page_of_the_pdf_one_after_the_other(built: BuiltArticle) -> None:
    held = [re.sub(r"\s+", "", page) for page in pages(built.pdf)]
    reached = [0] * len(held)
    for one in built.placed:
        page, number = one["page"] - 1, re.sub(r"[\s`]+", "", one["text"])
        found = held[page].find(number, reached[page])
        assert found >= 0, f"{one} is not read behind what stands before it"
        reached[page] = found + len(number)
    assert [one["page"] for one in built.placed] == sorted(one["page"] for one in built.placed)


def test_every_cell_that_people_see_and_every_count_stands_in_the_article(built: BuiltArticle, folder: Path) -> None:
    visible = {
        entry["id"]
        for entry in read_json(folder / "numbers.json")["values"]
        if entry["artifact"].startswith(("table", "claims"))
    }
    assert visible <= {one["id"] for one in built.placed}


def test_placed_numbers_are_those_that_were_published(built: BuiltArticle, folder: Path) -> None:
    published = {entry["id"]: entry["text"] for entry in read_json(folder / "numbers.json")["values"]}
    assert all(published[one["id"]] == one["text"] for one in built.placed)
    assert any("−" in one["text"] for one in built.placed)


def test_nothing_with_a_digit_is_left_when_what_is_injected_is_hidden(folder: Path) -> None:
    arguments = files(folder)
    content = article_content(
        numbers=read_json(arguments["numbers"]),
        tables=[read_json(path) for path in arguments["tables"]],
        figures=[read_json(path) for path in arguments["figures"]],
        images={f"figure{number}": f"figures/figure{number}.svg" for number in range(1, 8)},
        claims=read_json(arguments["claims"]),
        settings=SETTINGS,
        root=HASH,
    )
    pictures = {f"figures/{path.name}": path for path in arguments["images"]}
    left = text(typeset_without_numbers(SOURCES, content, pictures))
    assert "mean absolute error" in left
    for name in ("G3P v1.12", "ERA5-Land"):
        left = left.replace(name, "")
    assert re.findall(r"\S*\d\S*", left) == []


def test_all_fonts_are_embedded(built: BuiltArticle) -> None:
    fonts = [
        font.get_object()
        for page in PdfReader(io.BytesIO(built.pdf)).pages
        for font in page["/Resources"].get_object().get("/Font", {}).values()
    ]
    described = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts]
    assert described
    assert all({"/FontFile2", "/FontFile3"} & set(one) for one in described)


def test_the_twin_earth_is_named_on_each_page_and_real_data_have_no_watermark(
    built: BuiltArticle, tmp_path: Path
) -> None:
    assert all(TWIN in " ".join(page.split()) for page in pages(built.pdf))
    settings = {**SETTINGS, "sources": {"storage": "g3p", "climate": "era5_land"}}
    real = text(build(write_example(tmp_path / "real", label=OBSERVED), settings=settings).pdf)
    assert OBSERVED in real
    assert "synthetic" not in real
    assert "twin" not in real.lower()


def test_the_root_of_the_records_stands_on_the_first_page_and_with_the_availability(built: BuiltArticle) -> None:
    first, *others = pages(built.pdf)
    assert HASH in first
    assert any(HASH in page for page in others)


def test_each_table_and_figure_leads_to_its_trace(built: BuiltArticle) -> None:
    links = {
        annotation.get_object()["/A"].get("/URI")
        for page in PdfReader(io.BytesIO(built.pdf)).pages
        for annotation in page.get("/Annots", [])
        if "/A" in annotation.get_object()
    }
    names = [*(f"table{number}" for number in range(1, 9)), *(f"figure{number}" for number in range(1, 8))]
    assert {f"audit/index.html#{name}" for name in names} <= links
    words = text(built.pdf)
    assert all(f"gwsd trace {name}" in words for name in names)


def test_words_follow_the_numbers(built: BuiltArticle, tmp_path: Path) -> None:
    worse = text(built.pdf)
    assert "which is higher than that of nearest-neighbour interpolation" in worse
    assert "claims was not reproduced in this run" in worse
    assert "the error changes by −20.6 %; the paper reports +31 %, a change in the other direction" in worse
    better = {"table3:full:mae_cm": 0.1, "table6:no_convlstm:change_percent": 20.593}
    improved = text(build(write_example(tmp_path / "better", changes=better)).pdf)
    assert "which is lower than that of nearest-neighbour interpolation" in improved
    assert "is seen in this run" in improved
    assert "was not reproduced in this run. With" not in improved
    assert "changes by +20.6 %; the paper reports +31 %, a change in the same direction" in improved


def test_numbers_that_print_the_same_are_not_called_different(tmp_path: Path) -> None:
    changes = {"table3:full:mae_cm": 0.19751, "table3:nearest:mae_cm": 0.19754}
    words = text(build(write_example(tmp_path / "equal", changes=changes)).pdf)
    assert "which is the same as that of nearest-neighbour interpolation" in words


def test_a_training_of_full_length_is_not_called_short(built: BuiltArticle, tmp_path: Path) -> None:
    assert "cut short" in text(built.pdf)
    whole = text(build(write_example(tmp_path / "long", changes={"table3:full:steps": 15_000})).pdf)
    assert "cut short" not in whole


def test_a_scenario_may_lack_a_variant_that_the_article_asks_for_with_known(tmp_path: Path) -> None:
    words = text(build(write_example(tmp_path / "without", without=("table3:residual:",))).pdf)
    assert "The variant residual reaches" not in words


def test_an_unknown_id_is_one_message_that_names_near_ones(folder: Path, tmp_path: Path) -> None:
    sources = sources_with(tmp_path, "limits.typ", '#num("table3:full:mae_mm")')
    with pytest.raises(DataError, match=r"limits\.typ, line \d+: 'table3:full:mae_mm'; near: table3:full:mae_cm"):
        build(folder, sources=sources)


def test_a_number_typed_by_hand_in_the_results_is_refused(folder: Path, tmp_path: Path) -> None:
    sources = sources_with(tmp_path, "results.typ", "The error is 1.24 cm.")
    with pytest.raises(DataError, match=r"typed by hand.*\n  paper/results\.typ, line \d+: 1\.24"):
        build(folder, sources=sources)


def test_a_mistake_in_typst_is_one_message_with_its_place(folder: Path, tmp_path: Path) -> None:
    sources = sources_with(tmp_path, "limits.typ", "#nothing-of-that-name")
    with pytest.raises(DataError, match=r"Typst refuses the article \(paper/limits\.typ, line \d+.*unknown variable"):
        build(folder, sources=sources)


def test_a_file_that_is_no_json_is_named(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "claims.json"
    broken.write_text("{")
    with pytest.raises(DataError, match=r"claims\.json: not JSON"):
        build(folder, claims=broken)


def test_the_root_is_computed_from_the_records_where_none_is_given(folder: Path) -> None:
    assert re.fullmatch("[0-9a-f]{64}", build(folder, root=None).root)


def test_wide_tables_lie_on_their_side(folder: Path, tmp_path: Path) -> None:
    table = json.loads((folder / "tables" / "table8.json").read_text())
    table["columns"] = [{**table["columns"][1], "heading": "Incomprehensibilities"} for _ in range(9)]
    wide = tmp_path / "table8.json"
    wide.write_text(json.dumps(table))
    tables = [wide if path.name == "table8.json" else path for path in files(folder)["tables"]]
    sizes = [page.mediabox for page in PdfReader(io.BytesIO(build(folder, tables=tables).pdf)).pages]
    on_side = [box for box in sizes if box.width > box.height]
    assert len(on_side) > sum(box.width > box.height for box in sizes) - len(on_side)
    assert len(on_side) >= 2  # the supplement and the table


def test_a_scenario_without_physics_a_southern_half_or_uncertainty_has_its_article(tmp_path: Path) -> None:
    changes = {"table3:full:physics": None, "table3:bicubic:physics": None}
    folder = write_example(tmp_path / "poor", changes=changes, without=("figure4:", "figure7:", "facts:", "figure1:"))
    words = text(build(folder).pdf)
    assert "The physics loss of the full model" not in words
    assert "Table 3 sets the methods beside each other" in words


def test_the_command_that_a_mark_names_finds_its_artifact(built: BuiltArticle, folder: Path) -> None:
    named = set(re.findall(r"gwsd trace (\w+)", text(built.pdf)))
    published = {entry["artifact"] for entry in read_json(folder / "numbers.json")["values"]}
    assert named >= published - {"facts"}
    assert all(_file_of_artifact(name, folder) for name in named & published)
    assert _file_of_artifact("table9", folder) is None


def test_data_that_are_synthetic_in_part_are_called_so(tmp_path: Path) -> None:
    label = "storage observed, climate synthetic (twin Earth)"
    settings = {**SETTINGS, "sources": {"storage": "local", "climate": "twin"}}
    words = text(build(write_example(tmp_path / "mixed", label=label), settings=settings).pdf)
    assert f"The data of this article are synthetic in part ({label})" in words
    assert "computed on a synthetic Earth" not in words
    assert "This scenario draws the climate from a twin Earth" in words
    assert "Its coarse storage is the fine truth" not in words
