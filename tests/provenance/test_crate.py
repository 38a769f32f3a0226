"""The RO-Crate of a run."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from gwsd.provenance import crate
from gwsd.provenance.crate import Crate
from gwsd.provenance.record import read_records
from tests.provenance.results_folder import ROOT, SYNTHETIC, TABLE, TOY, WEIGHTS, Folder, edit

Document = dict[str, Any]
SCRIPTS = ("twin_earth", "quality_control", "train", "evaluate", "table", "publish_numbers", "lineage", "paper")
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate-1.1-context.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run-context.json",
}
KNOWN_FAULT = "The SoftwareApplication id SHOULD be an absolute URI"
"""crs4/rocrate-validator, issue 51: it contradicts Workflow RO-Crate."""


def text_of_workflow(folder: Folder) -> dict[str, Path]:
    scripts = {f"workflow_scripts/{name}.py" for name in ("numbers", *SCRIPTS)}
    for name in scripts:
        folder.write(f"code/{name}", "# script\n")
    return {
        **{name: ROOT / name for name in ("Snakefile", "CITATION.cff")},
        **{name: folder.root / "code" / name for name in sorted(scripts)},
    }


def build(folder: Folder) -> Document:
    root = (folder.results / "root.txt").read_text().strip()
    about = {"scenario": "toy", "title": "twin Earth", "data_label": SYNTHETIC}
    return Crate(read_records(folder.results), text_of_workflow(folder), root=root, **about).build()


def entities(document: Document) -> dict[str, Document]:
    return {entity["@id"]: entity for entity in document["@graph"]}


def references(value: Any) -> list[str]:
    return [item["@id"] for item in (value if isinstance(value, list) else [value])]


def test_every_reference_is_an_entity_of_the_crate_or_an_address(folder: Folder) -> None:
    document = build(folder)
    assert build(folder) == document
    known = entities(document)
    for entity in known.values():
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    assert item["@id"] in known or item["@id"].startswith("https://"), (entity["@id"], item)


def test_each_job_is_an_action_with_script_files_settings_and_times(folder: Folder) -> None:
    known = entities(build(folder))
    job = known["#job/tables/table3.csv"]
    assert job["instrument"] == {"@id": "workflow/workflow_scripts/table.py"}
    assert "evaluation/full/seed0/summary.json" in references(job["object"])
    assert references(job["result"]) == ["tables/table3.csv", "tables/table3.md"]
    assert (job["startTime"], job["endTime"]) == ("2026-11-22T15:16:13+00:00", "2026-11-22T15:17:13+00:00")
    assert job["subjectOf"] == {"@id": "tables/table3.csv.record.json"}
    assert "on cpu. Resumed." in known["#job/models/full/seed0/weights.safetensors"]["description"]
    assert known["#step/table"]["workExample"] == {"@id": "workflow/workflow_scripts/table.py"}
    values = {item["name"]: item for item in known.values() if item["@type"] == "PropertyValue"}
    assert values["loss.weight"]["value"] == 0.1
    assert json.loads(values["loss.windows"]["value"]) == [32, 64]
    assert known[references(values["loss.weight"]["exampleOfWork"])[0]]["additionalType"] == "Float"


def test_synthetic_data_the_makers_and_the_root_are_named(folder: Folder) -> None:
    known = entities(build(folder))
    for name in ("./", "tables/table3.csv", "#raw/g3p/storage.nc"):
        assert SYNTHETIC in known[name]["description"]
    assert known["#developers"]["name"] == "The gwsd developers"
    assert all(entity["@type"] != "Person" for entity in known.values())
    assert known["#root-hash"]["value"] == (folder.results / "root.txt").read_text().strip()
    downloaded = known["#raw/g3p/g3p.zip"]
    assert (downloaded["url"], downloaded["identifier"]) == ("https://e.org/g3p.zip", "10/g3p")


def test_raw_and_large_files_are_described_by_hash(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    assert WEIGHTS.removeprefix(f"{TOY}/") in entities(build(folder))
    monkeypatch.setattr(crate, "LARGE_BYTES", 8)
    known = entities(build(folder))
    for name in ("raw/g3p/storage.nc", WEIGHTS.removeprefix(f"{TOY}/")):
        assert name not in known
        assert known[f"#{name}"]["sha256"] == folder.entry(f"{TOY}/{name}")["sha256"]
        assert f"#{name}" not in references(known["./"]["hasPart"])


def test_other_content_and_other_folders_are_told_apart(folder: Folder) -> None:
    def change(record: Document) -> None:
        record["inputs"]["summaries"][0]["sha256"] = "0" * 64
        record["inputs"]["mine"] = [
            {"path": f"/home/{name}/storage.nc", "sha256": name * 64, "bytes": 1} for name in ("a", "b")
        ]

    edit(folder.record(TABLE), change)
    document = build(folder)
    read = references(entities(document)["#job/tables/table3.csv"]["object"])
    assert "#evaluation/full/seed0/summary.json@000000000000" in read
    assert sum(name.startswith("#storage.nc@") for name in read) == 2
    assert "/home" not in "".join(item["@id"] + str(item.get("name")) for item in document["@graph"])


class ContextFiles(HTTPAdapter):
    """Answer requests for JSON-LD contexts from files."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        body = (self.folder / CONTEXTS[str(request.url)]).read_bytes()
        header = {"Content-Type": "application/ld+json"}
        return self.build_response(request, urllib3.HTTPResponse(io.BytesIO(body), header, 200, preload_content=False))


@pytest.fixture(scope="module")
def validate(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, str], list[Any]]:
    """Run the RO-Crate validator offline, its cache filled with the contexts."""
    requests_cache = pytest.importorskip("requests_cache", reason="the RO-Crate validator is not installed")
    services = pytest.importorskip("rocrate_validator.services")
    from rocrate_validator.models import ValidationSettings

    contexts = ROOT.parent / "shared/data/jsonld_contexts"
    if not all((contexts / name).is_file() for name in CONTEXTS.values()):
        pytest.skip(f"no JSON-LD contexts in {contexts}")
    cache = tmp_path_factory.mktemp("validator") / "http"
    with requests_cache.CachedSession(str(cache), expire_after=-1) as session:
        session.mount("https://", ContextFiles(contexts))
        for address in CONTEXTS:
            session.get(address).raise_for_status()

    def run(folder: Path, severity: str) -> list[Any]:
        settings = ValidationSettings(
            rocrate_uri=str(folder),
            profile_identifier="provenance-run-crate",
            requirement_severity=severity,
            offline=True,
            cache_path=cache,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ROCRATE_VALIDATOR_AUTO_WARM", "0")
            return services.validate(settings).get_issues()

    return run


def test_the_validator_accepts_the_crate_and_misses_a_removed_job(folder: Folder, validate: Any) -> None:
    document = build(folder)
    metadata = folder.results / "ro-crate-metadata.json"
    metadata.write_text(json.dumps(document))
    (folder.results / "README.md").write_text("about")
    for name, path in text_of_workflow(folder).items():
        copy = folder.results / "workflow" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    messages = [issue.message for issue in validate(folder.results, "RECOMMENDED")]
    assert [message for message in messages if message != KNOWN_FAULT] == []
    graph = [entity for entity in document["@graph"] if entity["@id"] != "#job/tables/table3.csv"]
    metadata.write_text(json.dumps({**document, "@graph": graph}))
    assert validate(folder.results, "REQUIRED")
