"""A small results folder with records, as jobs would leave it."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.records import record_text

ROOT = Path(__file__).resolve().parents[2]
SYNTHETIC = "synthetic: twin Earth, not observations"
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": "ro-crate-1.1-context.jsonld",
    "https://w3id.org/ro/terms/workflow-run/context": "workflow-run-context.json",
}
"""What the validator asks the network for, and the files that answer here."""


@dataclass(frozen=True)
class Folder:
    """A project's root with one scenario's results, made by jobs that only pretend."""

    root: Path
    results: Path

    def write(self, path: str, text: str) -> dict[str, Any]:
        """Write a file of the project."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return self.entry(path)

    def entry(self, path: str) -> dict[str, Any]:
        """Describe a file as a record does."""
        file = self.root / path
        return {"path": path, "sha256": sha256_of(file), "bytes": file.stat().st_size}

    def job(
        self, job: str, inputs: dict[str, list[str]], outputs: dict[str, str], *, text: str = "first", **more: Any
    ) -> None:
        """Write a job's outputs and its record."""
        made = [self.write(path, f"{path} by {job}: {text}\n") for path in outputs.values()]
        words = [word for option, path in outputs.items() for word in (f"--{option}", path)]
        read = {name: [self.entry(path) for path in paths] for name, paths in inputs.items()}
        document = {
            "job": job,
            "key": "0" * 64,
            "inputs": read,
            "code": [{"path": f"workflow_scripts/{job}.py", "sha256": "1" * 64}],
            "settings": {"data_label": SYNTHETIC, "loss": {"sign_weight": 0.1, "windows": [32, 64]}},
            "seed": 7,
            "outputs": made,
            "command": ["python", f"workflow_scripts/{job}.py", *words],
            "started": "2026-11-22T15:16:13+00:00",
            "ended": "2026-11-22T15:17:13+00:00",
            "resumed": False,
            "environment": {"packages": {"snakemake": "9.27.1"}},
            **more,
        }
        path = self.root / f"{made[0]['path']}.record.json"
        path.write_text(record_text(document))

    @property
    def workflow(self) -> dict[str, Path]:
        """The text of the workflow that a crate of this folder holds."""
        names = [
            "Snakefile",
            "workflow_scripts/train.py",
            "workflow_scripts/twin_earth.py",
            "workflow_scripts/table.py",
        ]
        return {name: ROOT / name for name in [*names, "CITATION.cff"]}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Raw data, a training and a table of a scenario named small."""
    one = Folder(tmp_path, tmp_path / "results/small")
    one.write("gwsd/tables/table3.py", "# builds the table\n")
    one.job("twin_earth", {}, {"storage": "results/small/raw/storage.nc"})
    weights = "results/small/models/full/seed0/weights.safetensors"
    history = "results/small/models/full/seed0/history.csv"
    read = {"storage": ["results/small/raw/storage.nc"]}
    one.job("train", read, {"weights": weights, "history": history}, device="cpu")
    read = {"builder": ["gwsd/tables/table3.py"], "histories": [history]}
    one.job("table", read, {"csv": "results/small/tables/table3.csv", "md": "results/small/tables/table3.md"})
    return one


class ContextFiles(HTTPAdapter):
    """Answers from the files of JSON-LD contexts, and from nothing else."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        """Return the file for a context's address."""
        body = (self.folder / CONTEXTS[str(request.url)]).read_bytes()
        json.loads(body)
        raw = urllib3.HTTPResponse(
            io.BytesIO(body), {"Content-Type": "application/ld+json"}, 200, preload_content=False
        )
        return self.build_response(request, raw)


@pytest.fixture(scope="session")
def cached_contexts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The validator's cache of the network, filled from files: it then works offline."""
    requests_cache = pytest.importorskip("requests_cache", reason="the RO-Crate validator is not installed")
    contexts = ROOT.parent / "shared/data/jsonld_contexts"
    if not all((contexts / name).is_file() for name in CONTEXTS.values()):
        pytest.skip(f"the validator's JSON-LD contexts are not in {contexts.relative_to(ROOT.parent)}")
    cache = tmp_path_factory.mktemp("validator") / "http"
    with requests_cache.CachedSession(str(cache), expire_after=-1) as session:
        session.mount("https://", ContextFiles(contexts))
        for address in CONTEXTS:
            session.get(address).raise_for_status()
    return cache
