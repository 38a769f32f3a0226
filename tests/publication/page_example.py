"""A small results folder with a table, a figure, claims and records, and the audit page built from it."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from gwsd.artifacts.json_face import entry
from gwsd.publication.page import build_page
from tests.provenance.results_folder import SUMMARY, SYNTHETIC, TOY, WEIGHTS, Folder, add_lineage

TABLE, FIGURE = f"{TOY}/tables/table3", f"{TOY}/figures/figure7"
RAW, STORAGE = f"{TOY}/raw/g3p/storage.nc", f"{TOY}/inputs/storage.nc"
RESIDUAL = f"{TOY}/evaluation/residual/seed0/summary.json"
FIELDS = ("name", "kind", "heading", "caption", "data_path")
ARTIFACTS = [
    dict(zip(FIELDS, fields, strict=True))
    for fields in (
        ("table3", "table", "Table 3: Methods", "Methods; `residual` is not the paper's.", f"{TABLE}.csv"),
        ("figure7", "figure", "Figure 7: Uncertainty", "Deviation and error <of all cells>.", f"{FIGURE}.nc"),
    )
]


class PageFolder(Folder):
    """A results folder that also takes bytes."""

    def write(self, path: str, text: str | bytes) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def sha256(self, path: str) -> str:
        return str(self.entry(path)["sha256"])


def png() -> bytes:
    stream = BytesIO()
    Image.new("L", (40, 20)).save(stream, "PNG")
    return stream.getvalue()


def value(artifact: str, row: str, column: str, value: Any, text: str, **more: Any) -> dict[str, Any]:
    names = {"artifact": artifact, "row": row, "column": column, "label": f"{row}: {column}"}
    unit = "cm" if column.endswith("cm") else ""
    return entry(value=value, text=text, unit=unit, **{**names, "file": f"{TABLE}.csv", **more})


def claim(name: str, slug: str, text: str, *numbers: str) -> dict[str, Any]:
    compared = "; ".join((*numbers, "t3-mae", "the text"))
    words = {"place": "section 4.1", "kind": "number", "printed": "1.64 cm", "found": "", "reason": "Because."}
    verdict = {"slug": slug, "verdict": slug.replace("_", " "), "compared_with": compared, "data": SYNTHETIC}
    return {"id": name, "claim": text, "numbers": list(numbers), **words, **verdict}


def column(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "heading": key.upper(), "group": "", "text": False, "spread": None, "visible": True, **more}


def make_results(root: Path) -> PageFolder:
    """Write raw files, two trainings with their scores, a table, a figure, claims, numbers.json and lineage.json."""
    folder = PageFolder(root)
    years = [f"{TOY}/raw/era5_land/{year}.nc" for year in range(2001, 2007)]
    folder.job("twin_earth", {}, {RAW: "raw storage", **{path: f"raw {path}" for path in years}})
    folder.job("climate", {"raw_climate": years}, {f"{TOY}/inputs/climate.nc": "climate"})
    inputs = {"storage": [STORAGE], "climate": [f"{TOY}/inputs/climate.nc"]}
    folder.job("quality_control", {"raw_storage": [RAW], "climate": inputs["climate"]}, {STORAGE: "storage"})
    for weights, scores in ((WEIGHTS, SUMMARY), (WEIGHTS.replace("full", "residual"), RESIDUAL)):
        folder.job("train", inputs, {weights: f"weights {weights}"}, device="cpu", remarks=["</script><!-- Resumed."])
        folder.job("evaluate", {**inputs, "weights": [weights]}, {scores: f"scores {scores}"})
    source = [{"file": SUMMARY, "key": "mae_mm", "factor": 0.1}]
    columns = [column("label", text=True), column("mae_cm", spread="sd_cm"), column("physics")]
    columns += [column("hidden", visible=False), column("paper_mae_cm", group="the paper")]
    label = {"data_label": SYNTHETIC}
    values = [
        value("table3", "full", "label", "Full model", "Full model"),
        value("table3", "full", "mae_cm", 1.24, "1.240", source=source),
        value("table3", "full", "sd_cm", 0.9, "0.900"),
        value("table3", "full", "physics", -4.4, "−4.4"),
        value("table3", "full", "paper_mae_cm", 1.64, "1.64", origin="reported by the paper"),
        value("table3", "residual", "label", "`residual`", "`residual`"),
        value("table3", "residual", "hidden", "240+", "240+"),
    ]
    notes = ["Errors in cm; `full` had few steps."]
    table = {**label, "columns": columns, "rows": ["full", "residual"], "notes": notes, "values": values}
    pearson = value("figure7", "correlation", "pearson", 0.41, "0.41", file=f"{FIGURE}.nc")
    figure = {**label, "values": [pearson]}
    folder.job("table", {"summaries": [SUMMARY, RESIDUAL]}, {f"{TABLE}.csv": "csv", f"{TABLE}.json": json.dumps(table)})
    folder.job("figure_data", {"summaries": [SUMMARY]}, {f"{FIGURE}.nc": "data"})
    drawn: dict[str, Any] = {f"{FIGURE}.png": png(), f"{FIGURE}.json": json.dumps(figure)}
    folder.job("draw_figure", {"data": [f"{FIGURE}.nc"]}, drawn)
    claims_file = f"{TOY}/audit/claims.json"
    count = value("claims", "count", "reproduced", 1, "1", file=claims_file)
    claims = [
        claim("t3-mae", "not_reproduced", "The error is 1.64 cm.", "table3:full:mae_cm"),
        claim("cells", "contradicts", "57,503 cells & more."),
        claim("area", "reported_by_others", "Aquifers hold <30 %>."),
        claim("code", "not_checkable", "a < b in `x<y`"),
        claim("t3-r2", "reproduced", "R² is near 1.", "table3:full:physics"),
    ]
    finding = {"heading": "How many cells", "claims": ["cells"], "evidence": ["57,503 is not 57,530"]}
    audit = {"claims": claims, "contradictions": [finding], "values": [count]}
    audited = {claims_file: json.dumps(audit), f"{TOY}/audit/claims.csv": "id"}
    folder.job("claims", {"values": [f"{TABLE}.json"]}, audited)
    fact = value("facts", "mask", "valid_cells", 57503, "57,503", file=STORAGE)
    numbers = {**label, "scenario": "toy", "values": [*values, pearson, count, fact]}
    folder.job("publish_numbers", {"lists": [f"{TABLE}.json"]}, {f"{TOY}/numbers.json": json.dumps(numbers)})
    add_lineage(folder)
    return folder


def options_of(folder: PageFolder) -> dict[str, Any]:
    """The declared inputs of the page, as `build_page` takes them."""
    files = {"faces": [f"{TABLE}.json", f"{FIGURE}.json"], "pictures": [f"{FIGURE}.png"], "data": [f"{TABLE}.csv"]}
    single = {"numbers": "numbers.json", "lineage": "lineage.json", "claims": "audit/claims.json"}
    several = {name: [folder.root / path for path in paths] for name, paths in files.items()}
    return {**{name: folder.results / path for name, path in single.items()}, **several}


def make_page(folder: PageFolder) -> Path:
    """Build the page with the copies that it links to."""
    text = build_page(**options_of(folder), artifacts=ARTIFACTS, results=TOY, title="a small Earth")
    folder.write(f"{TOY}/audit/index.html", text)
    folder.write(f"{TOY}/audit/pictures/figure7.png", png())
    folder.write(f"{TOY}/audit/data/table3.csv", "csv")
    return folder.results / "audit/index.html"
