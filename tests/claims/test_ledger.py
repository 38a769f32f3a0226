"""What the ledger refuses, in the words that a person sees."""

import copy

import pytest

from gwsd.claims.reading import build_ledger, read_ledger
from gwsd.errors import DataError
from tests.claims.ledgers import NOTHING, small


def changed(document, **more):
    """The paper's ledger with its first claim changed."""
    copied = copy.copy(document)
    copied["claims"] = [{**document["claims"][0], **more}, *document["claims"][1:]]
    return copied


def test_the_paper_s_ledger_is_valid(ledger):
    assert len(ledger.claims) > 150


def test_an_unknown_key_names_the_nearest(document):
    with pytest.raises(DataError, match=r"claims\[title.authors\]\.aproximate: unknown key; near ones: approximate"):
        build_ledger(changed(document, aproximate=True))


def test_an_unknown_key_of_a_check_names_the_nearest(document):
    with pytest.raises(DataError, match=r"checks\[0\]\.becaus: unknown key; near ones: because"):
        build_ledger(changed(document, checks=[{"others": "somebody", "becaus": "so"}]))


def test_an_unknown_key_of_a_reference_names_the_work(document):
    wrong = [{**document["references"][10], "volum": 1}]
    with pytest.raises(DataError, match=r"references\[Long et al. 2021\]\.volum: unknown key; near ones: volume"):
        build_ledger({**document, "references": wrong})


def test_an_id_is_given_once(document):
    doubled = {**document, "claims": [*document["claims"], document["claims"][0]]}
    with pytest.raises(DataError, match=r"title\.authors: this id is given 2 times"):
        build_ledger(doubled)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"same": ["table3.ful.mae"]}, r"'table3.ful.mae' is no claim and no fact; near ones: .*table3\.full\.mae"),
        ({"against": "nobody.x", "because": "so"}, r"'nobody.x' is no claim"),
        ({"holds": "self == x", "where": {"x": "fact.nothing"}}, r"'fact.nothing' is no claim and no fact"),
        ({"holds": "self == x", "where": {}}, r"`where` does not say what x is"),
        (
            {"holds": "self == x", "where": {"x": "list:Nobody 2000:year"}},
            r"'Nobody 2000' is not in the reference list",
        ),
        ({"holds": "self = 2"}, r"is no relation"),
        ({"equation": "defind", "of": 1}, r"equation 'defind' is not computed; near ones: defined"),
        ({"reference": "uniqe", "of": "x"}, r"reference 'uniqe' is not computed; near ones: unique"),
        ({"unchecked": "no time", "would_tell": "time"}, r"'no time' is no reason; known: no observations"),
        ({"unchecked": "opinion"}, r"say in `would_tell` what could tell"),
        ({"against": "title.authors"}, r"say in `because` how the two differ"),
        ({}, r"one rule a check"),
        ({"cell": "a:b:c", "others": "somebody"}, r"one rule a check, of .*; here: cell, others"),
    ],
)
def test_a_check_that_cannot_be_done_is_refused(document, check, message):
    with pytest.raises(DataError, match=message):
        build_ledger(changed(document, checks=[check]))


def test_a_number_is_a_number(document):
    with pytest.raises(DataError, match=r"claims\[title.authors\]: 'six' is no number"):
        build_ledger(changed(document, value="six"))


def test_a_statement_has_no_value(document):
    with pytest.raises(DataError, match="kind statement has no value"):
        build_ledger(changed(document, kind="statement"))


def test_a_number_that_a_table_sets_beside_its_own_is_a_claim(document):
    lacking = {**document, "claims": [one for one in document["claims"] if one["id"] != "table4.miro.mae"]}
    with pytest.raises(DataError, match=r"table4:miro_famiglietti_2018:mae of gwsd/tables/reported.py is no claim"):
        build_ledger(lacking)


def test_a_number_has_one_value_in_both_its_homes(document):
    other = copy.deepcopy(document["claims"])
    next(one for one in other if one["id"] == "table4.miro.mae")["value"] = "2.11"
    with pytest.raises(DataError, match=r"table4.miro.mae: '2.11' here, 2.1 in gwsd/tables/reported.py"):
        build_ledger({**document, "claims": other})


def test_a_file_that_is_no_yaml_is_named(tmp_path):
    path = tmp_path / "claims.yaml"
    path.write_text("claims: [")
    with pytest.raises(DataError, match=r"claims.yaml: cannot be read as YAML"):
        read_ledger(path)


def test_a_section_that_is_missing_is_named():
    with pytest.raises(DataError, match="claims: Field required"):
        build_ledger(NOTHING)


def test_small_ledgers_of_these_tests_are_valid():
    assert small({"id": "a.b", "value": "1", "checks": [{"others": "somebody"}]}).claims[0].interval.middle == 1
