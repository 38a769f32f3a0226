"""The documents that the registry makes, and the specifications that they keep to."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gwsd.artifacts import ARTIFACTS, DOCUMENTS, PAPER
from gwsd.cli import main
from gwsd.errors import DataError
from gwsd.standards import documents as module
from gwsd.standards.documents import BEGIN, END, codecheck, documents, table, with_table
from gwsd.standards.minutes import Minutes, measure, read_minutes, write_minutes
from tests.standards.conftest import ROOT, SYNTHETIC, Folder


@pytest.mark.parametrize("name", ["codecheck.yml", "CITATION.cff", "README.md"])
def test_a_document_is_what_the_registry_says(name: str) -> None:
    assert documents(ROOT)[name] == (ROOT / name).read_text(), f"run `gwsd standards`, which writes {name}"


def test_a_changed_document_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    main(["standards", "--check"])
    monkeypatch.setattr(module, "SOFTWARE", module.SOFTWARE.__class__("another title", "what", "who", ("a",)))
    with pytest.raises(SystemExit, match=r"CITATION\.cff: not what gwsd/artifacts\.py says; run `gwsd standards`"):
        main(["standards", "--check"])


def test_every_rule_of_the_table_is_a_rule_of_the_workflow() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    rules = set(re.findall(r"^rule (\w+):", text, re.MULTILINE))
    assert {one.rule for one in (*ARTIFACTS, *DOCUMENTS)} <= rules
    assert {one.name for one in DOCUMENTS} <= rules


def test_every_file_of_a_document_is_an_output_of_its_rule() -> None:
    text = "\n".join(path.read_text() for path in (ROOT / "rules").glob("*.smk"))
    for one in DOCUMENTS:
        block = text.split(f"\nrule {one.rule}:")[1].split("\nrule ")[0]
        assert f"results/{{scenario}}/{one.file}" in block.split("output:")[1].split("log:")[0]


# codecheck.yml


def test_codecheck_is_an_explicit_document_that_names_its_specification() -> None:
    text = (ROOT / "codecheck.yml").read_text()
    assert text.startswith("%YAML 1.1\n---\n")
    assert yaml.safe_load(text)["version"] == "https://codecheck.org.uk/spec/config/2.0/"


def test_codecheck_lists_every_table_and_figure_by_a_relative_path() -> None:
    manifest = yaml.safe_load(codecheck("demo", SYNTHETIC))["manifest"]
    assert len(manifest) == len(ARTIFACTS)
    for item, one in zip(manifest, ARTIFACTS, strict=True):
        assert item["file"] in one.paths("demo")
        assert one.title in item["comment"]
        assert SYNTHETIC in item["comment"]


def test_codecheck_names_the_papers_authors_and_no_codechecker() -> None:
    document = yaml.safe_load(codecheck("demo", SYNTHETIC))
    assert [one["name"] for one in document["paper"]["authors"]] == [" ".join(names) for names in PAPER.authors]
    assert document["paper"]["title"] == PAPER.title
    assert document["paper"]["reference"]
    assert not {"codechecker", "report", "certificate", "summary", "check_time"} & set(document)
    assert not re.search("FIXME|TODO|XXXX", codecheck("demo", SYNTHETIC))


# CITATION.cff

CFF_KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact"),
    *("repository-code", "title", "type", "url", "version"),
}
"""All that Citation File Format 1.2.0 knows at the top."""


def test_the_citation_keeps_to_its_format() -> None:
    document: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert set(document) <= CFF_KEYS
    assert {"authors", "cff-version", "message", "title"} <= set(document)
    assert document["cff-version"] == "1.2.0"
    assert document["type"] == "software"
    assert all(isinstance(one, str) for one in (document["version"], document["license"], *document["keywords"]))
    for reference in document["references"]:
        assert {"authors", "title", "type"} <= set(reference)
        assert all(set(one) == {"given-names", "family-names"} for one in reference["authors"])


def test_the_papers_authors_stand_in_the_paper() -> None:
    paper = ROOT.parent / "shared/paper/securing-the-silent-reserve.txt"
    if not paper.is_file():
        pytest.skip("the paper's text is not here")
    text = paper.read_text()
    assert PAPER.title.casefold() in text.casefold()
    assert all(f"{given} {family}".upper() in text for given, family in PAPER.authors)


# README's table


def test_the_table_names_target_rule_minutes_and_gpu() -> None:
    rows = table(Minutes("demo", "two cores", {"table3": 7.04}))
    assert "| Table 3: Methods | `snakemake --cores all table3` | `table3_files` | 7.0 | at the paper's scale |" in rows
    assert "| Figure 1: Trends | `snakemake --cores all figure1` | `draw_figure` | not measured | no |" in rows
    assert "two cores" in rows


def test_a_table_replaces_the_older_one_and_nothing_else() -> None:
    readme = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert with_table(readme, "new\n") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    with pytest.raises(DataError, match=r"README\.md: no lines .* the table of artifacts stands between them"):
        with_table(f"before\n{BEGIN}\nold\n", "new\n")


# minutes


def test_minutes_are_those_of_all_jobs_behind_an_artifact(folder: Folder, tmp_path: Path) -> None:
    measured = measure(folder.results, {"table3": "tables/table3.csv", "table4": "tables/table4.csv"})
    assert measured.minutes == {"table3": 3.0}  # raw data, training, table: a minute each; the table once
    write_minutes(measured, tmp_path / "minutes.json")
    assert read_minutes(tmp_path / "minutes.json") == measured


def test_minutes_of_a_folder_without_artifacts_are_refused(folder: Folder, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table or figure with its record; expected a finished run"):
        measure(folder.results, {"table9": "tables/table9.csv"})
    with pytest.raises(DataError, match="no measurement"):
        read_minutes(tmp_path / "minutes.json")
