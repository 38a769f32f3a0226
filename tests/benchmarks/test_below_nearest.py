"""What the page says of the paper's settings is what the program measured."""

import json
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("all", "batch_statistics", "ring", "inside")


def test_the_table_of_the_page_is_the_committed_measurement() -> None:
    report = json.loads((ROOT / "reference/demo/below_nearest.json").read_text())
    page = (ROOT / "docs/what-the-paper-leaves-open.md").read_text()
    rows = [{"name": name, **errors} for name, errors in report["interpolations"].items()] + report["trainings"]
    for row in rows:
        cells = [f"{row[place]:.2f}" if row.get(place) is not None else "" for place in PLACES]
        line = f"| {row['name']} | " + " | ".join(cells) + " |"
        assert line.replace("|  |", "| |") in page
    assert len(rows) == 12


def test_the_page_speaks_of_the_committed_curve() -> None:
    record = json.loads((ROOT / "reference/twin/history_full_partial.json").read_text())
    page = (ROOT / "docs/what-the-paper-leaves-open.md").read_text()
    scores = record["validation_mae_mm"]
    trained = [value for epoch, value in scores["full"].items() if int(epoch) > 0]
    assert f"between {min(trained):.0f} and {max(trained):.0f} mm over the first {record['steps']:,} of 15,000" in page
    assert f"has {scores['nearest']:.1f} and bilinear {scores['bilinear']:.2f} mm" in page.replace("\n", " ")


def test_the_page_speaks_of_the_committed_curve_of_residual() -> None:
    record = json.loads((ROOT / "reference/twin/history_residual_partial.json").read_text())
    page = (ROOT / "docs/what-the-paper-leaves-open.md").read_text().replace("\n", " ")
    first, last = record["validation_mae_mm"]["residual"].values()
    assert f"from {first:.3f} to {last:.3f} mm in the first of {record['epochs_of_the_setting']} epochs" in page
