"""Numbers typed by hand in the article's sources."""

import pytest

from gwsd.errors import DataError
from gwsd.manuscript.numerals import check_numerals, quoted_numerals, typed_numerals
from tests.manuscript.example import SOURCES


def found(source: str, file: str = "results.typ") -> list[str]:
    return [one.text for one in typed_numerals(file, source)]


@pytest.mark.parametrize(
    ("source", "numerals"),
    [
        ("The error is 1.24 cm.", ["1.24"]),
        ("57,503 cells", ["57,503"]),
        ("a share of 26%, said in passing", ["26"]),
        ('a string, "12 months"', ["12"]),
        ('#setting("loss.weight") and 3', ["3"]),
        ("twenty percent, twice", ["twenty", "twice"]),
        ("R² and one seed", []),
        ('#num("table3:full:mae_cm") of @table3 and @shi_2015', []),
        ("// 12 in a comment\n/* 13 */ text", []),
        ("see https://example.org/4", ["4"]),
        ('#of-paper("equations (12)–(14)")', []),
        ('#of-paper("12 cells")', ["12"]),
        ("ERA5-Land and G3P v1.12", []),
        ('#said("2.21", by: "Table 3")', ["2.21", "3"]),
    ],
)
def test_what_is_typed_and_what_is_not(source: str, numerals: list[str]) -> None:
    assert found(source) == numerals


def test_a_quotation_with_its_place_may_stand_where_it_is_said_what_was_done() -> None:
    source = '#said("8,000", by: "Table 2") patches; #said("9")'
    assert found(source, "methods.typ") == ["9"]
    assert len(quoted_numerals("methods.typ", source)) == 1


def test_the_articles_own_sources_hold_none() -> None:
    typed = [one for path in SOURCES if path.suffix == ".typ" for one in typed_numerals(path.name, path.read_text())]
    assert typed == []


def test_lines_are_counted_below_comments() -> None:
    with pytest.raises(DataError, match=r"paper/audit\.typ, line 3: 7"):
        check_numerals({"audit.typ": "/* 5\n*/\nseven is 7 \n"})
