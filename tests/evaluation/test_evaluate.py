import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from gwsd.errors import DataError
from gwsd.evaluation.evaluate import evaluate
from gwsd.evaluation.predictions import write_predictions
from gwsd.losses import physics_terms
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.method import Prediction
from gwsd.metrics import SCORE_COLUMNS
from gwsd.patches.gathering import gather
from gwsd.resample import Kernel
from tests.training.toy_earth import LOSS, SIZE, toy_cube


@pytest.fixture(scope="module")
def cube():
    return toy_cube()


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "patch": [0, 1, 2, 3, 4],
            "month": ["2002-06", "2002-10", "2002-12", "2002-06", "2002-04"],  # 2002-08 and 2002-09 are absent
            "row": [0, 1, 2, 4, 3],
            "col": [0, 5, 31, 7, 2],
            "lat": 32.0,
            "lon": 15.0,
        },
        index=[7, 3, 9, 1, 5],  # a table that was filtered keeps odd labels
    )


def run(method, cube, table, **changes):
    settings = {"size": SIZE, "history_months": 3, "physics": LOSS, "batch_size": 2} | changes
    return evaluate(method, cube, table, **settings)


@dataclasses.dataclass
class Shifted:
    """The target with a known error, and a standard deviation."""

    shift: float
    spread: float
    name: str = "shifted"

    def predict(self, batch):
        mean = batch.target_mm + self.shift
        return Prediction(mean, torch.full_like(mean, self.spread))


def test_the_score_of_an_interpolation_does_not_depend_on_history_or_weights(cube, table):
    base = run(Interpolation(Kernel.NEAREST), cube, table)
    other = LOSS.model_copy(update={"physics_weight": 9.0, "smoothness_weight": 9.0})
    again = run(Interpolation(Kernel.NEAREST), cube, table, history_months=1, physics=other)
    pd.testing.assert_frame_equal(base.scores, again.scores)
    assert base.summary == again.summary


def test_interpolations_have_a_finite_physics_loss_where_the_previous_month_is_present(cube, table):
    scores = run(Interpolation(Kernel.BILINEAR), cube, table).scores
    assert tuple(scores.columns) == SCORE_COLUMNS
    assert scores["patch"].tolist() == [0, 1, 2, 3, 4]
    present = scores["month"].isin(["2002-06", "2002-12"])
    for column in ("sign_as_written", "sign", "magnitude", "regional", "physics"):
        assert np.isfinite(scores[column][present]).all(), column
        assert scores[column][~present].isna().all(), column
    assert scores["sign_as_written"][present].between(0.0, 1.0).all()
    batch = gather(cube, table.iloc[2:3], size=SIZE, history_months=3)
    alone = physics_terms(Interpolation(Kernel.BILINEAR).predict(batch).mean, batch, LOSS)
    for name, value in alone.items():  # of a patch, those of the loss on the patch alone
        assert scores[name][2] == pytest.approx(float(value), rel=1e-5), name


def test_nearest_scores_what_a_loop_over_cells_finds(cube, table):
    found = run(Interpolation(Kernel.NEAREST), cube, table)
    batch = gather(cube, table, size=SIZE, history_months=3)
    for number in range(len(table)):
        target, coarse = batch.target_mm[number, 0], batch.storage_mm[number, 0]
        cells = batch.valid[number, 0].nonzero().tolist()
        errors = [abs(float(coarse[row // 4, column // 4]) - float(target[row, column])) for row, column in cells]
        assert found.scores["mae_mm"][number] == pytest.approx(np.mean(errors))
        assert found.scores["n_valid"][number] == len(errors)


def test_a_known_error_and_spread_come_back(cube, table):
    found = run(Shifted(shift=3.0, spread=4.0), cube, table)
    assert found.summary["mae_mm"] == pytest.approx(3.0, abs=1e-5)
    assert found.summary["bias_mm"] == pytest.approx(3.0, abs=1e-5)
    assert found.summary["coverage_90"] == 1.0
    assert found.summary["spread_skill"] == pytest.approx(4.0 / 3.0, rel=1e-5)
    assert run(Shifted(shift=7.0, spread=4.0), cube, table).summary["coverage_90"] == 0.0


def test_the_batch_size_changes_no_number(cube, table):
    one = run(Shifted(3.0, 4.0), cube, table, batch_size=1)
    all_at_once = run(Shifted(3.0, 4.0), cube, table, batch_size=100)
    pd.testing.assert_frame_equal(one.scores, all_at_once.scores)
    xr.testing.assert_identical(one.predictions, all_at_once.predictions)


def test_predictions_hold_what_was_compared_and_their_file_has_the_same_bytes(cube, table, tmp_path):
    found = run(Shifted(3.0, 4.0), cube, table).predictions
    assert dict(found.sizes) == {"patch": 5, "y": 32, "x": 32, "cy": 8, "cx": 8}
    assert found["mean"].dtype == found["target"].dtype == found["sd"].dtype == np.float32
    assert found["month"].values.tolist() == table["month"].tolist()
    errors = np.abs(found["mean"] - found["target"]).values[found["valid"].values == 1]
    assert float(errors.mean()) == pytest.approx(3.0, abs=1e-5)
    batch = gather(cube, table, size=SIZE, history_months=3)
    np.testing.assert_array_equal(found["storage"].values, batch.storage_mm[:, 0].numpy())
    assert "sd" not in run(Interpolation(Kernel.BILINEAR), cube, table).predictions
    for name in ("a.nc", "b.nc"):
        write_predictions(found, tmp_path / name)
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()
    with xr.open_dataset(tmp_path / "a.nc") as again:
        xr.testing.assert_identical(again.load(), found)


def test_a_prediction_that_is_not_finite_is_named_with_its_patch(cube, table):
    class Broken:
        name = "broken"

        def predict(self, batch):
            mean = batch.target_mm.clone()
            mean[-1, 0, 3, 3] = torch.nan
            return Prediction(mean)

    with pytest.raises(DataError, match="broken: its mean is not finite in test patch 1; train it again"):
        run(Broken(), cube, table)
