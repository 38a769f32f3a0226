"""Ids in the article's sources."""

import pytest

from gwsd.errors import DataError
from gwsd.manuscript.identifiers import check_identifiers, mentions, optional

NUMBERS = ["table3:full:mae_cm", "table3:full:rmse_cm"]


def test_ids_and_artifacts_are_found_with_their_lines() -> None:
    found = mentions({"a.typ": 'x\n#num("table3:full:mae_cm") #table-of("table3") "no id"'})
    assert [(one.name, one.line) for one in found] == [("table3:full:mae_cm", 2), ("table3", 2)]


def test_an_id_asked_for_with_known_may_be_missing() -> None:
    sources = {"a.typ": '#if known("table3:residual:mae_cm") [#num("table3:residual:mae_cm")]'}
    assert optional(sources) == {"table3:residual:mae_cm"}
    check_identifiers(sources, NUMBERS, [])


def test_all_unknown_ids_stand_in_one_message() -> None:
    sources = {"a.typ": '#num("table3:full:mae")\n#table-of("table9")'}
    with pytest.raises(DataError, match=r"(?s)line 1: 'table3:full:mae'; near: table3:full:mae_cm.*line 2: 'table9'"):
        check_identifiers(sources, NUMBERS, ["table3"])
