"""A small results folder with records, without running jobs."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gwsd.provenance.hashing import sha256_of
from gwsd.provenance.lineage import collect
from gwsd.provenance.record import find_producer, record_key, record_text

ROOT = Path(__file__).resolve().parents[2]
TOY = "results/toy"
SYNTHETIC = "synthetic: twin Earth, not observations"
WEIGHTS = f"{TOY}/models/full/seed0/weights.safetensors"
SUMMARY = f"{TOY}/evaluation/full/seed0/summary.json"
TABLE = f"{TOY}/tables/table3.csv"

NUMBER = {
    "id": "table3:full:mae_cm",
    "value": 1.23456,
    "text": "1.23",
    "unit": "cm",
    "format": ".2f",
    "label": "full: MAE",
    "row": "full",
    "column": "mae_cm",
    "file": TABLE,
    "origin": "computed",
    "measured": False,
    "artifact": "table3",
    "kind": "trained",
    "source": [{"file": SUMMARY, "key": "mae_mm", "factor": 0.1}],
}


@dataclass(frozen=True)
class Folder:
    """A project folder with the results of one scenario."""

    root: Path

    @property
    def results(self) -> Path:
        return self.root / TOY

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def entry(self, path: str) -> dict[str, Any]:
        file = self.root / path
        return {"path": path, "sha256": sha256_of(file), "bytes": file.stat().st_size}

    def record(self, path: str) -> Path:
        return self.root / f"{path}.record.json"

    def job(self, job: str, inputs: dict[str, list[str]], outputs: dict[str, str], seed: int = 0, **notes: Any) -> None:
        """Write the outputs (text by path) and the record of a job."""
        for path, text in outputs.items():
            self.write(path, text)
        read = {
            option: [{**self.entry(path), **self.maker(path)} for path in paths] for option, paths in inputs.items()
        }
        document = {
            "job": job,
            "key": "",
            "inputs": read,
            "code": [{"path": f"workflow_scripts/{job}.py", "sha256": "1" * 64}],
            "settings": {"data_label": SYNTHETIC, "loss": {"weight": 0.1, "windows": [32, 64]}},
            "seed": seed,
            "outputs": [self.entry(path) for path in outputs],
            "command": ["python", "-m", f"workflow_scripts.{job}", "--result", *outputs],
            "started": "2026-11-22T15:16:13+00:00",
            "ended": "2026-11-22T15:17:13+00:00",
            "resumed": False,
            **notes,
            "remarks": list(notes.get("remarks", [])),
            "environment": {"host": "here", "commit": "c0ffee", "packages": {"snakemake": "9.27.1"}},
        }
        document["key"] = record_key(document)
        self.record(next(iter(outputs))).write_text(record_text(document), encoding="utf-8")

    def maker(self, path: str) -> dict[str, Any]:
        made = find_producer(self.root / path, self.entry(path)["sha256"])
        if "made_by" in made:
            made["made_by"]["record"] = Path(made["made_by"]["record"]).relative_to(self.root).as_posix()
        return made

    def records(self) -> list[str]:
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*.record.json"))


def build(root: Path) -> Folder:
    """Make raw data, two trainings, scores, a table, numbers.json, lineage.json and an article."""
    folder = Folder(root)
    raw, storage = f"{TOY}/raw/g3p/storage.nc", f"{TOY}/inputs/storage.nc"
    folder.job("download_g3p", {}, {"raw/g3p/g3p.zip": "zip"}, raw={"url": "https://e.org/g3p.zip", "doi": "10/g3p"})
    folder.job("twin_earth", {}, {f"{TOY}/twin/truth.nc": "truth", raw: "synthetic storage"}, seed=5)
    folder.job(
        "quality_control", {"raw_storage": [raw, "raw/g3p/g3p.zip"]}, {storage: "storage", f"{TOY}/inputs/mask.nc": "1"}
    )
    for seed in (0, 1):
        model = f"{TOY}/models/full/seed{seed}"
        outputs = {f"{model}/weights.safetensors": f"weights {seed}", f"{model}/history.csv": "the same"}
        folder.job("train", {"storage": [storage]}, outputs, seed, device="cpu", remarks=["Resumed."])
    folder.job("evaluate", {"weights": [WEIGHTS], "storage": [storage]}, {SUMMARY: '{"mae_mm": 12.3456}'})
    folder.job("evaluate", {"storage": [storage]}, {f"{TOY}/evaluation/bilinear/seed0/summary.json": "{}"})
    summaries = [SUMMARY, f"{TOY}/evaluation/bilinear/seed0/summary.json"]
    folder.job(
        "table", {"summaries": summaries}, {TABLE: "row,mae_cm\nfull,1.23456\n", f"{TOY}/tables/table3.md": "|1.23|"}
    )
    numbers = {"schema": 1, "scenario": "toy", "data_label": SYNTHETIC, "values": [NUMBER]}
    folder.job("numbers", {"lists": [TABLE]}, {f"{TOY}/numbers.json": json.dumps(numbers)})
    add_lineage(folder)
    folder.job("paper", {"lineage": [f"{TOY}/lineage.json"]}, {f"{TOY}/paper.pdf": "pdf"})
    folder.write(f"{TOY}/logs/train.log", "log")
    return folder


def add_lineage(folder: Folder) -> None:
    paths = [path for path in folder.records() if path.startswith(f"{TOY}/")]
    document = collect([folder.root / path for path in paths])
    for item in document["records"]:
        item["record"] = Path(item["record"]).relative_to(folder.root).as_posix()
    outputs = {f"{TOY}/lineage.json": json.dumps(document), f"{TOY}/root.txt": document["root"] + "\n"}
    folder.job("lineage", {"records": paths}, outputs)


def edit(record: Path, change: Callable[[dict[str, Any]], object], *, key: bool = True) -> None:
    """Change a record and sign it again."""
    document = json.loads(record.read_text(encoding="utf-8"))
    change(document)
    if key:
        document["key"] = record_key(document)
    record.write_text(record_text(document), encoding="utf-8")
