"""The crate before the validator of the community, offline."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gwsd.standards.crate import build_crate, crate_text
from gwsd.standards.run import Run
from tests.standards.conftest import SYNTHETIC, Folder

Crate = dict[str, Any]
Validate = Callable[[Path, str], list[Any]]

CONTRADICTED = "The SoftwareApplication id SHOULD be an absolute URI"
"""Asked of the workflow's file too, which Workflow RO-Crate wants inside the crate: a known fault of the validator
(crs4/rocrate-validator, issue 51)."""


@pytest.fixture
def validate(cached_contexts: Path, monkeypatch: pytest.MonkeyPatch) -> Validate:
    """Run the validator on a folder, down to a severity; return what it finds."""
    monkeypatch.setenv("ROCRATE_VALIDATOR_AUTO_WARM", "0")
    services = pytest.importorskip("rocrate_validator.services")
    from rocrate_validator.models import ValidationSettings

    def run(folder: Path, severity: str) -> list[Any]:
        settings = ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="provenance-run-crate",
            requirement_severity=severity,
            offline=True,
            cache_path=cached_contexts,
        )
        return services.validate(settings).get_issues()

    return run


def write_crate(folder: Folder) -> Crate:
    document, readme = build_crate(folder.results, Run("small", "twin Earth", SYNTHETIC), folder.workflow)
    for name, path in folder.workflow.items():
        (folder.results / "workflow" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder.results / "workflow" / name)
    (folder.results / "README.md").write_text(readme)
    save(folder, document)
    return document


def save(folder: Folder, document: Crate) -> None:
    (folder.results / "ro-crate-metadata.json").write_text(crate_text(document))


def test_a_crate_passes_all_that_is_required_and_recommended(folder: Folder, validate: Validate) -> None:
    write_crate(folder)
    issues = validate(folder.results, "RECOMMENDED")
    assert [issue.message for issue in issues if issue.message != CONTRADICTED] == []
    programs = {f"workflow/{name}" for name in folder.workflow}
    assert all(str(issue.violatingPropertyValue).split("small/")[1] in programs for issue in issues)


def without_entity(document: Crate, identifier: str) -> Crate:
    graph = [entity for entity in document["@graph"] if entity["@id"] != identifier]
    assert len(graph) < len(document["@graph"])
    return {**document, "@graph": graph}


@pytest.mark.parametrize("missing", ["workflow/Snakefile", "#job/tables/table3.csv"])
def test_a_crate_without_its_workflow_or_a_job_lacks_what_is_required(
    folder: Folder, validate: Validate, missing: str
) -> None:
    document = write_crate(folder)
    save(folder, without_entity(document, missing))
    assert validate(folder.results, "REQUIRED")


def test_a_crate_without_the_entity_of_a_result_lacks_what_is_recommended(folder: Folder, validate: Validate) -> None:
    document = without_entity(write_crate(folder), "tables/table3.csv")
    root = next(entity for entity in document["@graph"] if entity["@id"] == "./")
    root["hasPart"].remove({"@id": "tables/table3.csv"})
    save(folder, document)
    messages = {issue.message for issue in validate(folder.results, "RECOMMENDED")} - {CONTRADICTED}
    assert any(message.startswith("object and result SHOULD point to entities of type") for message in messages)


def test_a_crate_that_names_a_file_which_is_not_there_is_refused(folder: Folder, validate: Validate) -> None:
    write_crate(folder)
    (folder.results / "tables/table3.md").unlink()
    messages = [issue.message for issue in validate(folder.results, "REQUIRED")]
    assert messages == ["The RO-Crate does not include the Data Entity 'tables/table3.md' as part of its payload"]
