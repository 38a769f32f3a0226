"""A small results folder with true checksums and records, as the workflow would leave it."""

import csv
import hashlib
import io
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gwsd.page.building import Shown, build_page
from gwsd.page.material import read_material
from gwsd.provenance.hashing import key_of
from gwsd.provenance.records import record_text

LABEL = "synthetic: twin Earth, not observations"
CAPTIONS = {
    "table3": "Methods against the bicubic target. `residual` is not the paper's.",
    "figure7": "Predicted standard deviation against absolute error <of all cells>.",
}
SETTINGS = {"note": "</script><script>throw new Error('settings escape')</script>", "epochs": 8}
YEARS = range(2001, 2007)


def png(width: int = 40, height: int = 20) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class ResultsFolder:
    """Writes files and the records of the jobs that would have made them."""

    def __init__(self, root: Path, scenario: str = "demo") -> None:
        self.scenario = scenario
        self.path = root / "results" / scenario
        self.name = f"results/{scenario}"

    def described(self, name: str) -> dict[str, Any]:
        content = (self.path / name).read_bytes()
        return {
            "path": f"{self.name}/{name}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "bytes": len(content),
        }

    def sha256(self, name: str) -> str:
        return self.described(name)["sha256"]

    def write(self, name: str, content: bytes | str) -> None:
        (self.path / name).parent.mkdir(parents=True, exist_ok=True)
        (self.path / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def job(
        self,
        name: str,
        outputs: Mapping[str, bytes | str],
        inputs: Mapping[str, Sequence[str]] | None = None,
        settings: Mapping[str, Any] = SETTINGS,
        **notes: Any,
    ) -> None:
        for path, content in outputs.items():
            self.write(path, content)
        code = [{"path": f"workflow_scripts/{name}.py", "sha256": hashlib.sha256(name.encode()).hexdigest()}]
        identity: dict[str, Any] = {
            "inputs": {option: [self.described(one) for one in files] for option, files in (inputs or {}).items()},
            "code": code,
            "settings": settings,
            "seed": 7,
        }
        contents = {option: [one["sha256"] for one in files] for option, files in identity["inputs"].items()}
        record = {
            "job": name,
            "key": key_of({**identity, "inputs": contents}),
            **identity,
            "outputs": [self.described(one) for one in outputs],
            "command": ["python", f"workflow_scripts/{name}.py", "--settings", json.dumps(settings)],
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T00:01:00+00:00",
            "resumed": False,
            **notes,
            "remarks": [],
            "environment": {"commit": "1" * 40, "dirty": False},
        }
        beside = next((one for one in outputs if not one.startswith("raw/")), next(iter(outputs)))
        self.write(f"{beside}.record.json", record_text(record))

    def entry(self, artifact: str, row: str, column: str, value: Any, text: str, **more: Any) -> dict[str, Any]:
        return {
            "id": f"{artifact}:{row}:{column}",
            "value": value,
            "text": text,
            "unit": "",
            "format": "",
            "label": f"{row}: {column}",
            "row": row,
            "column": column,
            "file": f"{self.name}/tables/{artifact}.csv",
            "origin": "computed",
            "measured": False,
            "artifact": artifact,
            **more,
        }


def twin(folder: ResultsFolder) -> None:
    """Everything up to the scores: raw files, inputs, two trainings, two evaluations."""
    raw = [f"raw/era5_land/era5_land_{year}.nc" for year in YEARS]
    folder.job("land_fraction", {"inputs/land.nc": "land"})
    folder.job(
        "twin_earth",
        {"raw/g3p/storage.nc": "raw storage", **{one: f"raw {one}" for one in raw}, "twin/truth.nc": "truth"},
        {"land": ["inputs/land.nc"]},
    )
    folder.job("climate", {"inputs/climate.nc": "climate"}, {"raw_climate": raw})
    folder.job(
        "quality_control",
        {"inputs/storage.nc": "storage", "inputs/mask.nc": "mask"},
        {"raw_storage": ["raw/g3p/storage.nc"], "climate": ["inputs/climate.nc"]},
    )
    both = {"storage": ["inputs/storage.nc"], "mask": ["inputs/mask.nc"], "climate": ["inputs/climate.nc"]}
    for variant in ("full", "residual"):
        model = f"models/{variant}/seed0"
        folder.job(
            "train",
            {f"{model}/weights.safetensors": f"weights {variant}", f"{model}/history.csv": f"history {variant}"},
            both,
            device="cpu",
        )
        folder.job(
            "evaluate",
            {
                f"evaluation/{variant}/seed0/summary.json": json.dumps({"mae_mm": 12.4 if variant == "full" else 0.3}),
                f"evaluation/{variant}/seed0/predictions.nc": f"predictions {variant}",
            },
            {**both, "weights": [f"{model}/weights.safetensors"]},
        )


def published(folder: ResultsFolder) -> None:
    """One table, one figure, the claims and the numbers."""
    summaries = [f"evaluation/{variant}/seed0/summary.json" for variant in ("full", "residual")]
    source = {"source": [{"file": f"{folder.name}/{summaries[0]}", "key": "mae_mm", "factor": 0.1}]}
    table = {
        "artifact": "table3",
        "caption": CAPTIONS["table3"],
        "data_label": LABEL,
        "columns": [
            {"key": "label", "heading": "Method", "group": "", "unit": "", "text": True},
            {"key": "mae_cm", "heading": "MAE (cm)", "group": "", "unit": "cm", "text": False, "spread": "mae_sd_cm"},
            {"key": "physics", "heading": "Physics loss", "group": "", "unit": "", "text": False},
            {"key": "paper_mae_cm", "heading": "MAE (cm)", "group": "the paper", "unit": "cm", "text": False},
        ],
        "rows": ["full", "residual"],
        "notes": ["Errors in cm; `full` had few steps."],
        "values": [
            folder.entry("table3", "full", "label", "Full model", "Full model"),
            folder.entry("table3", "full", "mae_cm", 12.4 * 0.1, "1.240", unit="cm", label="Full model: MAE", **source),
            folder.entry("table3", "full", "mae_sd_cm", 0.9, "0.900", unit="cm"),
            folder.entry("table3", "full", "physics", -4.4, "−4.4"),
            folder.entry("table3", "full", "paper_mae_cm", 1.64, "1.64", unit="cm", origin="reported by the paper"),
            folder.entry("table3", "residual", "label", "`residual`", "`residual`"),
            folder.entry("table3", "residual", "mae_cm", 0.03, "0.030", unit="cm"),
            folder.entry("table3", "residual", "steps", 384, "384"),
        ],
    }
    figure = {
        "artifact": "figure7",
        "caption": CAPTIONS["figure7"],
        "data_label": LABEL,
        "values": [
            folder.entry(
                "figure7",
                "correlation",
                "pearson",
                0.41,
                "0.41",
                label="Correlation of sd and error",
                file=f"{folder.name}/figures/figure7.nc",
            )
        ],
    }
    folder.job(
        "table",
        {"tables/table3.csv": csv_of(table["values"]), "tables/table3.json": json.dumps(table)},
        {"summaries": summaries},
    )
    folder.job(
        "figure_data",
        {"figures/figure7.nc": "figure"},
        {"predictions": ["evaluation/full/seed0/predictions.nc"]},
    )
    folder.job(
        "draw_figure",
        {"figures/figure7.png": png(), "figures/figure7.json": json.dumps(figure)},
        {"data": ["figures/figure7.nc"]},
    )
    claims_file = f"{folder.name}/audit/claims.json"
    count = folder.entry("claims", "count", "reproduced", 1, "1", label="Claims reproduced", file=claims_file)
    claims = {
        "claims": [
            claim(
                "t3-mae",
                "not_reproduced",
                "not reproduced",
                "The full model's error is 1.64 cm.",
                "1.64 cm",
                "1.240 cm",
                "table3:full:mae_cm",
            ),
            claim("abs-cells", "contradicts", "contradicts claim t2-cells", "57,503 cells & more.", "57,503", ""),
            claim("intro-area", "reported_by_others", "reported by others", "Aquifers hold <30 %>.", "30 %", ""),
            claim("code", "not_checkable", "not checkable here (needs the authors' code)", "Code exists.", "", ""),
            claim("t3-r2", "reproduced", "reproduced", "R² is near 1.", "0.99", "0.99", "table3:full:physics"),
        ],
        "contradictions": [
            {"heading": "How many cells", "claims": ["abs-cells"], "evidence": ["57,503 is not 57,530"]}
        ],
        "values": [count],
    }
    folder.job(
        "claims",
        {"audit/claims.csv": "id,verdict\n", "audit/claims.json": json.dumps(claims)},
        {"sidecars": ["tables/table3.json"]},
    )
    fact = folder.entry("facts", "mask", "valid_cells", 57503, "57,503", file=f"{folder.name}/inputs/mask.nc")
    values = [*table["values"], *figure["values"], count, fact]
    made_by = {
        "tables/table3.csv": "tables/table3.csv",
        "figures/figure7.nc": "figures/figure7.nc",
        "audit/claims.json": "audit/claims.csv",
        "inputs/mask.nc": "inputs/storage.nc",
    }
    numbers = {
        "schema": 1,
        "scenario": folder.scenario,
        "data_label": LABEL,
        "values": [
            {
                **one,
                "sha256": folder.sha256(name := one["file"].removeprefix(f"{folder.name}/")),
                "record": f"{folder.name}/{made_by[name]}.record.json",
            }
            for one in values
        ],
    }
    folder.job(
        "numbers",
        {"numbers.json": json.dumps(numbers)},
        {"sidecars": ["tables/table3.json", "figures/figure7.json"], "claims": ["audit/claims.json"]},
    )


def csv_of(values: Sequence[Mapping[str, Any]]) -> str:
    """The values of a table, a line a row."""
    rows: dict[str, dict[str, Any]] = {}
    for one in values:
        rows.setdefault(one["row"], {"method": one["row"]})[one["column"]] = one["value"]
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows.values() for name in row)))
    writer.writeheader()
    writer.writerows(rows.values())
    return stream.getvalue()


def claim(name: str, slug: str, verdict: str, words: str, printed: str, found: str, *numbers: str) -> dict[str, Any]:
    """One weighed claim."""
    return {
        "id": name,
        "place": "section 4.1",
        "claim": words,
        "value": printed.split(" ")[0] or None,
        "unit": "",
        "kind": "number",
        "verdict": verdict,
        "found": found,
        "reason": f"Because of {name}.",
        "compared_with": "; ".join((*numbers, "t3-mae", "the text")),
        "data": LABEL,
        "slug": slug,
        "printed": printed,
        "numbers": list(numbers),
        "measured": False,
    }


def make_results(root: Path) -> ResultsFolder:
    """Write a whole results folder below `root`."""
    folder = ResultsFolder(root)
    twin(folder)
    published(folder)
    return folder


def shown_in(folder: ResultsFolder) -> list[Shown]:
    """The artifacts of the folder, as the rule names them."""
    return [
        Shown(
            "table3",
            "table",
            "Table 3: Methods",
            CAPTIONS["table3"],
            f"{folder.name}/tables/table3.csv",
            data="data/table3.csv",
        ),
        Shown(
            "figure7",
            "figure",
            "Figure 7: Uncertainty",
            CAPTIONS["figure7"],
            f"{folder.name}/figures/figure7.nc",
            picture="pictures/figure7.png",
            image=folder.path / "figures/figure7.png",
        ),
    ]


def make_page(folder: ResultsFolder) -> Path:
    """Build the page of the folder, with its copies."""
    sidecars = [folder.path / "tables/table3.json", folder.path / "figures/figure7.json"]
    material = read_material(folder.path / "numbers.json", sidecars, folder.path / "audit/claims.json")
    text = build_page(material, folder.path, shown_in(folder), title="a small Earth", claims_file="claims.csv")
    folder.write("audit/index.html", text)
    folder.write("audit/pictures/figure7.png", (folder.path / "figures/figure7.png").read_bytes())
    folder.write("audit/data/table3.csv", (folder.path / "tables/table3.csv").read_bytes())
    return folder.path / "audit/index.html"
