from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from gwsd.errors import TrainingError
from gwsd.losses import TERMS
from gwsd.model.downscaler import Downscaler
from gwsd.patches.gathering import gather
from gwsd.training.engine import Engine
from gwsd.training.history import Averages, ErrorStatistics, spread, validate
from gwsd.training.schedule import EarlyStopping, Schedule
from tests.training.toy_earth import LOSS, MODEL, SIZE, TRAINING, toy_cube, toy_table, toy_training

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
    trained = history.filter(like="train_")
    assert trained.loc[0].isna().all()
    assert np.isfinite(trained.loc[1:]).all(axis=None)
    assert np.isfinite(history.filter(like="val_")).all(axis=None)
    assert history["val_total"].iloc[-1] < history["val_total"].iloc[0]
    assert history["val_bilinear_mae_mm"].nunique() == 1
    assert result.best_epoch == history["val_total"].iloc[1:].idxmin()
    assert result.timing["steps"] == 30
    assert result.timing["steps_in_paper"] == 15000
    assert not result.resumed
    epoch_lines = [line for line in lines if line.startswith("epoch ")]
    assert len(epoch_lines) == 7
    assert "MAE" in epoch_lines[1]
    assert "learning rate" in epoch_lines[1]


def test_the_weights_kept_are_those_of_the_best_epoch(tmp_path: Path) -> None:
    result = toy_training(tmp_path, epochs=5, learning_rate=0.1)
    network = Downscaler(**MODEL)
    network.load_state_dict(result.state_dict)
    forward = Engine(TRAINING.engine, torch.device("cpu")).runner(network)
    scores = validate(network, forward, toy_cube(), toy_table(6, seed=2), loss=LOSS, batch_size=4, size=SIZE)
    assert scores["val_total"] == pytest.approx(result.history["val_total"].iloc[1:].min(), rel=1e-6)


@pytest.mark.parametrize("schedule", ["plateau", "one_cycle"])
def test_an_interrupted_training_ends_with_the_same_numbers(
    tmp_path: Path, schedule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = toy_training(tmp_path / "whole", schedule=schedule, learning_rate=0.05, plateau_patience=1)

    class Killed(BaseException):
        pass

    def die(line: str) -> None:
        if line.startswith("epoch 2/"):
            raise Killed

    with pytest.raises(Killed):
        toy_training(tmp_path / "cut", schedule=schedule, learning_rate=0.05, plateau_patience=1, report=die)
    resumed = toy_training(tmp_path / "cut", schedule=schedule, learning_rate=0.05, plateau_patience=1)
    assert resumed.resumed
    pd.testing.assert_frame_equal(resumed.history, whole.history, check_exact=True)
    assert all(torch.equal(resumed.state_dict[name], value) for name, value in whole.state_dict.items())
    assert resumed.timing["steps"] == whole.timing["steps"]


def test_a_finished_training_is_not_run_again(tmp_path: Path) -> None:
    first = toy_training(tmp_path, epochs=2)
    lines: list[str] = []
    second = toy_training(tmp_path, epochs=2, report=lines.append)
    assert not any(line.startswith("epoch ") for line in lines)
    assert all(torch.equal(second.state_dict[name], value) for name, value in first.state_dict.items())


def test_a_damaged_checkpoint_costs_an_epoch_and_no_more(tmp_path: Path) -> None:
    whole = toy_training(tmp_path / "whole", epochs=3)
    toy_training(tmp_path / "damaged", epochs=3)
    last = max((tmp_path / "damaged").glob("*.ckpt"))
    last.write_bytes(last.read_bytes()[:1000])
    lines: list[str] = []
    again = toy_training(tmp_path / "damaged", epochs=3, report=lines.append)
    assert any("damaged" in line for line in lines)
    pd.testing.assert_frame_equal(again.history, whole.history, check_exact=True)


def test_nan_stops_the_training_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    cube = toy_cube()

    def spoil(line: str) -> None:
        if line.startswith("epoch 2/"):
            cube.storage[:] = torch.nan

    with pytest.raises(
        TrainingError, match=r"diverged in epoch 3, after 10 steps: .*nan.*checkpoint of epoch 2 is kept"
    ):
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
    result = toy_training(
        tmp_path,
        epochs=9,
        learning_rate=0.0,
        early_stopping_patience=2,
        report=lines.append,
        model={"normalisation": "none"},
    )
    # The first epoch is the best; two more without improvement.
    assert list(result.history["epoch"]) == [0, 1, 2, 3]
    assert result.best_epoch == 1
    assert any("stopped after epoch 3" in line for line in lines)


def test_the_residual_scores_as_bilinear_before_training(tmp_path: Path) -> None:
    history = toy_training(
        tmp_path, epochs=1, model={"residual": True, "normalisation": "group"}, schedule="one_cycle"
    ).history
    assert history.loc[0, "val_mae_mm"] == pytest.approx(history.loc[0, "val_bilinear_mae_mm"], rel=1e-4)


def test_seeds_differ_and_variants_start_with_the_same_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, list[list[str]]] = {}
    for name, model in {"full": {}, "no_convlstm": {"temporal_encoder": "none"}, "memory_1": {"memory": 1}}.items():
        seen[name] = []

        def spy(cube, rows, *, size, memory, name=name):  # type: ignore[no-untyped-def]
            seen[name].append(rows.index.tolist())
            return gather(cube, rows, size=size, memory=memory)

        monkeypatch.setattr("gwsd.training.loop.gather", spy)
        toy_training(tmp_path / name, epochs=2, model=model)
    assert seen["full"] == seen["no_convlstm"] == seen["memory_1"]
    first, second = seen["full"][:5], seen["full"][5:]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(18))
    assert first != second


@pytest.mark.parametrize("value", [-3.0, 3.0])
def test_the_plateau_halves_the_rate_after_three_epochs_without_improvement(value: float) -> None:
    optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = Schedule(optimiser, replace(TRAINING, schedule="plateau"), steps_an_epoch=1)
    rates = []
    for loss in [value, value, value + 1e-5, value]:
        schedule.after_epoch(loss)
        rates.append(schedule.learning_rate)
    assert rates == [1.0, 1.0, 1.0, 0.5]


def test_early_stopping_counts_epochs_since_the_best() -> None:
    stopping = EarlyStopping(patience=2)
    assert [stopping.improved(loss) for loss in (-1.0, -2.0, -1.5, -2.0)] == [True, True, False, False]
    assert stopping.exhausted


def test_pooled_scores_are_those_of_all_cells_together() -> None:
    cube = toy_cube()
    table = toy_table(7, seed=4)
    noise = torch.Generator().manual_seed(1)
    statistics, errors, targets = ErrorStatistics(), [], []
    for start in (0, 5):
        batch = gather(cube, table.iloc[start : start + 5], size=SIZE, memory=1)
        mean = batch.target_mm + torch.randn(batch.target_mm.shape, generator=noise)
        statistics.add(mean, batch)
        errors.append((mean - batch.target_mm)[batch.valid].double())
        targets.append(batch.target_mm[batch.valid].double())
    error, target = torch.cat(errors), torch.cat(targets)
    assert statistics.mae_mm == pytest.approx(error.abs().mean().item())
    assert statistics.rmse_mm == pytest.approx(error.square().mean().sqrt().item())
    assert statistics.r2 == pytest.approx(1 - (error.square().sum() / (target - target.mean()).square().sum()).item())


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
