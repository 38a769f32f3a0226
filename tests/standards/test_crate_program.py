"""The workflow's program that makes the crate, by its command line."""

import json
import subprocess
import sys

from tests.standards.conftest import ROOT, SYNTHETIC, Folder


def test_the_program_leaves_crate_readme_workflow_and_record(folder: Folder) -> None:
    folder.write("results/small/numbers.json", "{}")
    for name in ("paper.pdf", "audit/index.html"):
        folder.write(f"results/small/{name}", "made")
    settings = {
        "scenario": "small",
        "title": "twin Earth",
        "data_label": SYNTHETIC,
        "steps": [["table3_files", "results/{scenario}/tables/table3.csv"]],
        "workflow": list(folder.workflow),
    }
    results = folder.results
    options = {
        "numbers": [results / "numbers.json"],
        "paper": [results / "paper.pdf"],
        "page": [results / "audit/index.html"],
        "settings": [json.dumps(settings)],
        "crate": [results / "ro-crate-metadata.json"],
        "readme": [results / "README.md"],
        "workflow": [results / "workflow" / name for name in folder.workflow],
    }
    words = [str(word) for option, values in options.items() for word in (f"--{option}", *values)]
    subprocess.run([sys.executable, "workflow_scripts/crate.py", *words], cwd=ROOT, check=True)
    crate = json.loads((results / "ro-crate-metadata.json").read_text())
    known = {entity["@id"]: entity for entity in crate["@graph"]}
    assert known["#step/table3_files"]["@type"] == "HowToStep"
    assert known["README.md"]["contentSize"] == str((results / "README.md").stat().st_size)
    for name, source in folder.workflow.items():
        assert (results / "workflow" / name).read_bytes() == source.read_bytes()
    record = json.loads((results / "ro-crate-metadata.json.record.json").read_text())
    assert record["job"] == "crate"
    assert len(record["outputs"]) == 2 + len(folder.workflow)
