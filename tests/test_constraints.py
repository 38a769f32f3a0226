from itertools import combinations

import pytest

from gwsd.constraints import left_out_note
from gwsd.physics import FORCING, constraints_of, forcing_of
from tests.training.toy_earth import VARIABLES

SUBSETS = [list(names) for number in range(1, 5) for names in combinations(VARIABLES, number)]


@pytest.mark.parametrize("climate", SUBSETS, ids="+".join)
def test_a_constraint_is_computed_where_all_of_its_forcing_is_available(climate: list[str]) -> None:
    has_net_input = {"precipitation", "temperature"} <= set(climate)
    expected = ("sign",) if has_net_input else ()
    if has_net_input and "soil_moisture" in climate:
        expected = ("sign", "magnitude", "regional")
        assert forcing_of(climate) == FORCING
    assert constraints_of(climate) == expected
    assert ("evapotranspiration" in forcing_of(climate)) == has_net_input
    assert bool(left_out_note(climate)) == (len(expected) < 3)


def test_the_note_names_absent_variables_and_constraints() -> None:
    (note,) = left_out_note(["precipitation", "temperature"])
    assert note.startswith("Because soil moisture is not among the climate variables, the magnitude (eq. 13) and reg")
    (note,) = left_out_note(["surface_pressure"])
    assert note.startswith("Because precipitation, soil moisture and temperature are not among the climate variables")
