"""A tiny Earth to train on."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from gwsd.losses import Loss
from gwsd.model.settings import Execution, Model
from gwsd.patches.gathering import Cube
from gwsd.settings import Section
from gwsd.training.loop import TrainingResult, train
from gwsd.training.settings import Training

ROWS, COLUMNS, SIZE = 24, 48, 8
VARIABLES = ["precipitation", "soil_moisture", "temperature", "surface_pressure"]
LEVELS = {
    "precipitation": (80.0, 40.0),
    "soil_moisture": (0.25, 0.05),
    "temperature": (15.0, 8.0),
    "surface_pressure": (950.0, 30.0),
    "evapotranspiration": (60.0, 30.0),
    "storage": (-5.0, 50.0),
}
NORMALISATION = {name: {"mean": mean, "std": std} for name, (mean, std) in LEVELS.items()}
MODEL = Model(
    temporal_encoder="conv_lstm",
    history_months=2,
    lstm_channels=4,
    lstm_layers=2,
    unet_channels=[4, 4, 8],
    bottleneck_channels=8,
    normalisation="batch",
    residual=False,
    variance_head=True,
    variance_floor=1.0e-4,
)
LOSS = Loss(
    physics_weight=0.05,
    smoothness_weight=0.01,
    regional_pool=16,
    regional_unit_mm=10.0,
    sign_smoothing_mm=10.0,
    infiltration=[0.1, 0.4],
)
PLAIN = {"precision": "float32", "channels_last": False, "compile": False}
TRAINING = Training(
    batch_size=4,
    epochs=4,
    learning_rate=1.0e-2,
    weight_decay=1.0e-5,
    schedule="plateau",
    plateau_factor=0.5,
    plateau_patience=3,
    early_stopping_patience=10,
    clip_norm=1.0,
    validation_patches=None,
    device="cpu",
    cpu_threads=1,
    execution=Execution.from_job({"cpu": PLAIN, "cuda": PLAIN | {"graphs": False, "max_trainings_per_device": 1}}),
)
SectionType = TypeVar("SectionType", bound=Section)


def change(section: SectionType, **departures: Any) -> SectionType:
    """Return a section with some values replaced, not validated."""
    return section.model_copy(update=departures)


def toy_datasets() -> tuple[xr.Dataset, xr.Dataset, xr.Dataset]:
    """Return storage, climate and mask; two calendar months are absent from the storage, a quarter is sea."""
    random = np.random.Generator(np.random.PCG64(7))
    climate_months = np.arange("2001-04", "2003-04", dtype="datetime64[M]")
    months = np.delete(climate_months[12:], [4, 5])  # 2002-08 and 2002-09

    def field(name: str, number: int) -> np.ndarray:
        mean, sd = LEVELS[name]
        coarse = random.standard_normal((number, ROWS // 4 + 1, COLUMNS // 4 + 1))
        smooth = np.kron(coarse, np.ones((4, 4)))[:, :ROWS, :COLUMNS]
        return (mean + sd * smooth).astype(np.float32)

    valid = np.ones((ROWS, COLUMNS), dtype=np.int8)
    valid[:, 36:] = 0
    storage = field("storage", months.size)
    storage[:, valid == 0] = np.nan
    dims = ("time", "lat", "lon")
    axes = {"lat": -5.75 + 0.5 * np.arange(ROWS), "lon": 10.25 + 0.5 * np.arange(COLUMNS)}
    names = [*VARIABLES, "evapotranspiration"]
    return (
        xr.Dataset({"storage": (dims, storage)}, {"time": months.astype("datetime64[ns]"), **axes}),
        xr.Dataset(
            {name: (dims, field(name, climate_months.size)) for name in names},
            {"time": climate_months.astype("datetime64[ns]"), **axes},
        ),
        xr.Dataset({"valid": (("lat", "lon"), valid)}, axes),
    )


def toy_cube(variables: Sequence[str] = VARIABLES) -> Cube:
    """Return the toy Earth with the climate that inputs/climate.nc holds for some climate variables."""
    storage, climate, mask = toy_datasets()
    derived = {"evapotranspiration"} if {"precipitation", "temperature"} <= set(variables) else set()
    climate = climate[sorted({*variables} | derived)]
    return Cube.from_datasets(storage, climate, mask, normalisation=NORMALISATION, variables=variables)


def toy_table(patches: int, seed: int) -> pd.DataFrame:
    random = np.random.Generator(np.random.PCG64(seed))
    months = random.choice(toy_datasets()[0]["time"].to_numpy().astype("datetime64[M]"), patches).astype(str)
    row, col = (random.integers(0, end, patches) for end in (ROWS - SIZE + 1, 30))
    return pd.DataFrame({"month": months, "row": row, "col": col})


def toy_training(
    checkpoint_dir: Path,
    *,
    report: Any = lambda line: None,
    model: dict[str, Any] | None = None,
    cube: Cube | None = None,
    loss: Loss = LOSS,
    **training: Any,
) -> TrainingResult:
    return train(
        cube or toy_cube(),
        toy_table(18, seed=1),
        toy_table(6, seed=2),
        size=SIZE,
        model=change(MODEL, **(model or {})),
        loss=loss,
        training=change(TRAINING, **training),
        seed=3,
        checkpoint_dir=checkpoint_dir,
        report=report,
    )
