"""Which constraints a climate allows, and the one sentence that says which it does not."""

from itertools import combinations
from pathlib import Path

import pytest
import yaml

from gwsd.constraints import FORCING, constraints_of, forcing_of, left_out_note

ALL = yaml.safe_load((Path(__file__).parents[1] / "config.yaml").read_text())["settings"]["climate_variables"]
SUBSETS = [list(names) for number in range(1, 5) for names in combinations(ALL, number)]


def test_the_papers_climate_allows_every_constraint_and_leaves_nothing_to_say() -> None:
    assert forcing_of(ALL) == FORCING
    assert constraints_of(ALL) == ("sign", "magnitude", "regional")
    assert left_out_note(ALL) == ()
    assert left_out_note(["temperature", "soil_moisture", "precipitation"]) == ()


@pytest.mark.parametrize("climate", SUBSETS, ids="+".join)
def test_a_constraint_is_there_where_all_that_it_reads_is(climate: list[str]) -> None:
    has_net_input = {"precipitation", "temperature"} <= set(climate)
    expected = ("sign",) if has_net_input else ()
    if has_net_input and "soil_moisture" in climate:
        expected = ("sign", "magnitude", "regional")
    assert constraints_of(climate) == expected
    assert ("evapotranspiration" in forcing_of(climate)) == has_net_input
    assert bool(left_out_note(climate)) == (len(expected) < 3)


@pytest.mark.parametrize(
    ("climate", "absent"),
    [
        (["precipitation", "temperature"], "soil moisture is"),
        (["precipitation", "soil_moisture"], "temperature is"),
        (["temperature"], "precipitation and soil moisture are"),
        (["surface_pressure"], "precipitation, soil moisture and temperature are"),
    ],
)
def test_the_note_names_what_is_absent_and_what_is_left_out_for_it(climate: list[str], absent: str) -> None:
    (note,) = left_out_note(climate)
    assert note.startswith(f"Because {absent} not among the climate variables, the ")
    if "precipitation" in climate and "temperature" in climate:
        assert "the magnitude (eq. 13) and regional (eq. 14) constraints are left out" in note
        assert "The physics loss is the sign term alone" in note
    else:
        assert "the sign (eq. 12), magnitude (eq. 13) and regional (eq. 14) constraints are left out" in note
        assert "there is no physics loss, and `full` and `no_physics` are trained alike" in note
