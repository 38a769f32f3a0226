"""What can be set of the twin Earth."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TwinSettings:
    """Settings of the twin Earth; the keys of `twin` in config.yaml.

    Parameters
    ----------
    climate_step : float
        Spacing of the ERA5-Land-like node grid, degrees; divides 1 evenly or is 0.1, 0.2, 0.25, 0.5 …
    valid_cells : int or None
        Half-degree cells that must survive quality control; None takes every cell that is at least half land.
    same_formulas_as_losses : bool
        Use the evapotranspiration and infiltration of the losses (the inverse crime; unit tests only).
    noise_mm : float
        Standard deviation of the noise of the storage product, mm.
    smoothing_km : float
        Radius at which the Gaussian filter of the storage product has fallen to one half, km.
    faults : dict of str to int
        Cells damaged on purpose, by kind: constant, spike, hole, filled.
    truth_climate_blocks : int
        How many 16° blocks keep their 0.125° climate.
    """

    climate_step: float
    valid_cells: int | None
    same_formulas_as_losses: bool
    noise_mm: float
    smoothing_km: float
    faults: dict[str, int]
    truth_climate_blocks: int
