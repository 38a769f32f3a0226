from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gwsd.errors import TrainingError
from gwsd.evaluation.evaluate import evaluate
from gwsd.losses import TERMS
from gwsd.methods.interpolation import Interpolation
from gwsd.methods.network import Network
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import gather
from gwsd.resample import Kernel
from gwsd.training.duration import cpu_seconds
from gwsd.training.history import Averages, spread
from gwsd.training.schedule import Schedule
from tests.training.toy_earth import LOSS, MODEL, SIZE, TRAINING, VARIABLES, change, toy_cube, toy_table, toy_training

COLUMNS = [
    *("epoch", "steps", "learning_rate"),
    *(f"train_{name}" for name in TERMS),
    *(f"val_{name}" for name in TERMS),
    *("val_mae_mm", "val_rmse_mm", "val_r2", "val_bilinear_mae_mm"),
]


def test_training_learns_and_leaves_a_whole_history(tmp_path: Path) -> None:
    lines: list[str] = []
    result = toy_training(tmp_path, report=lines.append, epochs=6)
    history = result.history
    assert list(history.columns) == COLUMNS
    assert list(history["epoch"]) == list(range(7))
    assert list(history["steps"]) == [5 * epoch for epoch in range(7)]
    assert history.filter(like="train_").loc[0].isna().all()
    assert np.isfinite(history.filter(like="train_").loc[1:]).all(axis=None)
    assert np.isfinite(history.filter(like="val_")).all(axis=None)
    assert history["val_total"].iloc[-1] < history["val_total"].iloc[0]
    assert history["val_bilinear_mae_mm"].nunique() == 1
    assert result.best_epoch == history["val_total"].iloc[1:].idxmin()
    assert result.timing["steps"] == 30
    assert result.timing["steps_in_paper"] == 15000
    assert not result.resumed
    assert sum(line.startswith("epoch ") for line in lines) == 7


def test_validation_and_test_have_one_definition_of_every_score(tmp_path: Path) -> None:
    """The history's scores of the best epoch are those that `evaluate` finds for its weights on the same patches."""
    result = toy_training(tmp_path, epochs=5, learning_rate=0.1)
    network = Downscaler(MODEL, VARIABLES)
    network.load_state_dict(result.state_dict)
    best = result.history.set_index("epoch").loc[result.best_epoch]
    cube = toy_cube()
    table = toy_table(6, seed=2).assign(patch=range(6), lat=0.0, lon=0.0)
    methods = {"": Network("full", network, cube.storage_scale), "bilinear_": Interpolation(Kernel.BILINEAR)}
    for prefix, method in methods.items():
        found = evaluate(method, cube, table, size=SIZE, history_months=2, physics=LOSS, batch_size=4).summary
        for score in ("mae_mm", "rmse_mm", "r2") if not prefix else ("mae_mm",):
            assert best[f"val_{prefix}{score}"] == pytest.approx(found[score], rel=1e-6), score
        assert found["mae_mm"] != pytest.approx(found["mae_pooled_mm"], rel=1e-4)


@pytest.mark.parametrize("schedule", ["plateau", "one_cycle"])
def test_an_interrupted_training_ends_with_the_same_numbers(tmp_path: Path, schedule: str) -> None:
    settings = {"schedule": schedule, "learning_rate": 0.05, "plateau_patience": 1}
    whole = toy_training(tmp_path / "whole", **settings)

    class Killed(BaseException):
        pass

    def die(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise Killed

    with pytest.raises(Killed):
        toy_training(tmp_path / "cut", report=die, **settings)
    resumed = toy_training(tmp_path / "cut", **settings)
    assert resumed.resumed
    pd.testing.assert_frame_equal(resumed.history, whole.history, check_exact=True)
    assert all(torch.equal(resumed.state_dict[name], value) for name, value in whole.state_dict.items())
    assert resumed.timing["steps"] == whole.timing["steps"]


def test_nan_stops_the_training_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    cube = toy_cube()

    def spoil(line: str) -> None:
        if line.startswith("epoch 2/"):
            cube.storage[:] = torch.nan

    with pytest.raises(TrainingError, match=r"diverged in epoch 3, after 10 steps: .*nan.*epoch 2 is kept"):
        toy_training(tmp_path, cube=cube, report=spoil)
    assert (tmp_path / "epoch-00002.ckpt").exists()
    assert toy_training(tmp_path).resumed


def test_an_exploding_gradient_stops_the_training(tmp_path: Path) -> None:
    cube = toy_cube()
    cube.storage[:] *= 1.0e12
    with pytest.raises(TrainingError, match=r"diverged in epoch 1.*gradient norm.*no epoch was finished"):
        toy_training(tmp_path, cube=cube)


def test_training_stops_early_when_validation_does_not_improve(tmp_path: Path) -> None:
    lines: list[str] = []
    settings = {"epochs": 9, "learning_rate": 0.0, "early_stopping_patience": 2, "model": {"normalisation": "none"}}
    result = toy_training(tmp_path, report=lines.append, **settings)
    # The first epoch is the best; two more without improvement.
    assert list(result.history["epoch"]) == [0, 1, 2, 3]
    assert result.best_epoch == 1
    assert any("stopped after epoch 3" in line for line in lines)


def test_variants_see_the_patches_in_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []

    def spy(cube, rows, **more):  # type: ignore[no-untyped-def]
        seen.append(rows.index.tolist())
        return gather(cube, rows, **more)

    monkeypatch.setattr("gwsd.training.loop.gather", spy)
    for name, model in {"full": {}, "no_convlstm": {"temporal_encoder": "none"}}.items():
        toy_training(tmp_path / name, epochs=2, model=model)
    assert seen[:10] == seen[10:]
    first, second = seen[:5], seen[5:10]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(18))
    assert first != second


@pytest.mark.parametrize("value", [-3.0, 3.0])
def test_the_plateau_halves_the_rate_after_three_epochs_without_improvement(value: float) -> None:
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = Schedule(optimiser, change(TRAINING, schedule="plateau"), steps_per_epoch=1)
    rates = []
    for loss in [value, value, value + 1e-5, value]:
        schedule.after_epoch(loss)
        rates.append(schedule.learning_rate)
    assert rates == [1.0, 1.0, 1.0, 0.5]


def test_averages_weigh_by_patches_and_leave_out_what_is_not_there() -> None:
    averages = Averages()
    averages.add({"sign": torch.tensor(1.0), "data": torch.tensor(2.0)}, 16)
    averages.add({"sign": torch.tensor(torch.nan), "data": torch.tensor(5.0)}, 8)
    assert averages.means("val") == {"val_sign": 1.0, "val_data": 3.0}


def test_spread_takes_evenly_from_the_whole_table() -> None:
    table = pd.DataFrame({"patch": range(10)})
    assert spread(table, 3)["patch"].tolist() == [0, 4, 9]
    assert spread(table, None) is table
    assert len(spread(table, 99)) == 10


def test_the_estimated_duration_grows_with_the_steps() -> None:
    few, many = (cpu_seconds(MODEL, VARIABLES, TRAINING, train_patches=patches, size=SIZE) for patches in (4, 400))
    assert 0 < few < many
