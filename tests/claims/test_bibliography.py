from typing import Any

import pytest

from gwsd.claims.bibliography import PROPERTIES, Bibliography, Citation, Reference


def reference(key: str = "A 2020", **more: Any) -> Reference:
    return Reference(**{"number": 1, "key": key, "about": "water", "journal": "J", "year": 2020, **more})


def judged(name, references, citations=(), of="A 2020"):
    cited = tuple(Citation(key=key, place="Section 1") for key in citations)
    return PROPERTIES[name](Bibliography(tuple(references), cited), of)


def test_what_is_cited_is_listed():
    assert judged("listed", [reference()], ["A 2020"]).holds
    found = judged("listed", [reference()], ["B 2018"], of="B 2018")
    assert not found.holds
    assert "not among the 1 entries" in found.evidence


def test_what_is_listed_is_cited():
    assert judged("cited", [reference()], ["A 2020"]).holds
    assert not judged("cited", [reference()], ["B 2018"]).holds
    assert judged("all_cited", [reference()], ["A 2020"]).holds
    assert "B 2018" in judged("all_cited", [reference(), reference("B 2018")], ["A 2020"]).evidence


def test_a_work_stands_once():
    one = {"volume": 31, "article": "L1"}
    assert judged("unique", [reference(**one), reference("B 2018", volume=32, article="L1")]).holds
    found = judged("unique", [reference(**one), reference("A 2020b", **one)])
    assert not found.holds
    assert "A 2020b" in found.evidence


@pytest.mark.parametrize("doi", ["10.1029/2004GL019920", "10.1016/j.jcp.2018.10.045", ""])
def test_a_doi_or_none(doi):
    assert judged("whole_doi", [reference(doi=doi)]).holds


@pytest.mark.parametrize("doi", ["10.1126/science.abnXXXX", "science.abn", "10.1126"])
def test_a_doi_that_leads_nowhere(doi):
    assert not judged("whole_doi", [reference(doi=doi)]).holds


def test_articles_of_an_issue_share_no_pages():
    here = {"volume": 2, "issue": 3}
    one = reference(**here, first_page=215, last_page=230)
    assert judged("apart", [one, reference("B", **here, first_page=231, last_page=240)]).holds
    assert judged("apart", [one, reference("B", volume=2, issue=4, first_page=228, last_page=241)]).holds
    found = judged("apart", [one, reference("B", **here, first_page=228, last_page=241)])
    assert not found.holds
    assert "B on pages 228–241" in found.evidence
