"""The command line: what it prints, and what it says to a mistake."""

from pathlib import Path

import pandas as pd
import pytest

from gwsd.cli import main
from gwsd.config import settings_reference


def refused(*arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    return str(caught.value)


def test_settings_prints_the_reference(capsys: pytest.CaptureFixture[str]) -> None:
    main(["settings"])
    assert capsys.readouterr().out == settings_reference()


def test_a_missing_data_file_is_one_message(tmp_path: Path) -> None:
    message = refused("draw", "figure4", "--data", str(tmp_path / "none.nc"), "--out", str(tmp_path / "a.pdf"))
    assert message.startswith(f"error: {tmp_path / 'none.nc'}: there is no such data file")


def test_a_misspelt_figure_names_the_nearest(tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    pd.DataFrame({"x": [1]}).to_csv(data)
    assert "did you mean figure4?" in refused("draw", "figrue4", "--data", str(data), "--out", "a.pdf")


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("width_mm=5", "plot.width_mm: 5 is not allowed, expected greater than or equal to 60"),
        ("widht_mm=150", "plot.widht_mm: unknown setting; did you mean 'width_mm'?"),
        ("width_mm", "--set width_mm: expected KEY=VALUE"),
    ],
)
def test_a_wrong_plot_setting_is_one_message(assignment: str, words: str) -> None:
    message = refused("draw", "figure4", "--data", "a.nc", "--out", "a.pdf", "--set", assignment)
    assert words in message
    assert len(message.splitlines()) == 1
