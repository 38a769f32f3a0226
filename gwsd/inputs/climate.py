"""Climate on the storage's grid: conservative regridding, then evapotranspiration."""

from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from gwsd.errors import DataError
from gwsd.grid import Grid
from gwsd.inputs.calendar import format_months, mid_month_day_of_year
from gwsd.inputs.regridding import Regridder
from gwsd.physics import Formula, Limit, evapotranspire, heat_index, potential_evapotranspiration
from gwsd.sources.reading import days_in_month

VARIABLES = {
    "precipitation": ("precipitation", "mm month-1"),
    "soil_moisture": ("volumetric soil water of the top layer", "m3 m-3"),
    "temperature": ("air temperature at 2 m", "degC"),
    "surface_pressure": ("surface pressure", "hPa"),
    "evapotranspiration": ("evapotranspiration, bounded by available water", "mm month-1"),
}
"""Variables of climate.nc: what they are and their units. The first four are regridded, the last follows."""


def align_climate(
    years: Iterable[xr.Dataset],
    grid: Grid,
    *,
    climate_start: str,
    end: str,
    formula: str,
    limit: str,
    soil_water_mm: float,
) -> xr.Dataset:
    """Bring climate to the storage's grid, year by year, and estimate evapotranspiration.

    Parameters
    ----------
    years : iterable of xarray.Dataset
        As `gwsd.sources.era5_land.open_climate` yields them; each is dropped before the next is read.
    grid : Grid
        Of the storage.
    climate_start, end : str
        First and last month, YYYY-MM.
    formula, limit, soil_water_mm : str, str, float
        Section `evapotranspiration` of the settings.

    Returns
    -------
    xarray.Dataset
        `VARIABLES`, dims (time, lat, lon), float32, NaN where no part of a cell has climate; `land_share`
        (lat, lon), the share of a cell's area that does.

    Raises
    ------
    DataError
        If a month is missing or the climate covers no cell of the grid.
    """
    months = np.arange(np.datetime64(climate_start, "M"), np.datetime64(end, "M") + 1)
    fields = {name: np.full((len(months), *grid.shape), np.nan, dtype=np.float32) for name in VARIABLES}
    seen = np.zeros(len(months), dtype=bool)
    regridder: Regridder | None = None
    share: NDArray[np.float32] | None = None
    for year in years:
        inside = np.flatnonzero(np.isin(year["time"].values.astype("datetime64[M]"), months))
        place = np.searchsorted(months, year["time"].values[inside].astype("datetime64[M]"))
        if regridder is None or not regridder.fits(year["lat"].values, year["lon"].values):
            regridder = Regridder(year["lat"].values, year["lon"].values, grid)
        for name in list(VARIABLES)[:4]:
            for source, t in zip(inside, place, strict=True):
                fields[name][t] = regridder(year[name].values[source])
        if share is None and inside.size:
            share = regridder.share(np.isfinite(year["temperature"].values[inside[0]]))
        seen[place] = True
        del year  # before the next is read
    if not seen.all():
        raise DataError(f"The climate lacks {', '.join(format_months(months[~seen]))}. Add the files of these months.")
    assert share is not None
    if not share.any():
        raise DataError(
            f"The climate covers no cell of the region {grid.region} (west, south, east, north). Download "
            "the area that holds it, or change the setting `region`."
        )
    fields["evapotranspiration"] = estimate_evapotranspiration(
        fields["temperature"],
        fields["precipitation"],
        grid.lat,
        months,
        formula=formula,
        limit=limit,
        soil_water_mm=soil_water_mm,
        out=fields["evapotranspiration"],
    )
    return _describe(fields, share, grid, months, formula, limit)


def monthly_climatology(temperature: NDArray[np.float32], months: NDArray[np.datetime64]) -> NDArray[np.float32]:
    """Mean of each calendar month; (T, N) to (12, N). A calendar month never seen has the mean of all."""
    calendar = months.astype("datetime64[M]").astype(np.int64) % 12
    overall = temperature.mean(axis=0)
    means = [temperature[calendar == m].mean(axis=0) if (calendar == m).any() else overall for m in range(12)]
    return np.stack(means)


def estimate_evapotranspiration(
    temperature: NDArray[np.float32],
    precipitation: NDArray[np.float32],
    lat: NDArray[np.float64],
    months: NDArray[np.datetime64],
    *,
    formula: str,
    limit: str,
    soil_water_mm: float,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Estimate evapotranspiration from temperature, bounded by available water.

    A month's available water is its precipitation and what the soil kept of earlier months, at most
    `soil_water_mm`. The soil starts full and is spun up with the first twelve months.

    Parameters
    ----------
    temperature : ndarray, shape (T, H, W), °C
    precipitation : ndarray, shape (T, H, W), mm/month
    lat : ndarray, shape (H,), degrees north
    months : ndarray, shape (T,), datetime64
        Consecutive.
    formula : str
        Of `gwsd.physics.Formula`.
    limit : str
        Of `gwsd.physics.Limit`.
    soil_water_mm : float
        Soil water that roots can draw on, mm.
    out : ndarray, shape (T, H, W), optional
        Filled and returned where given.

    Returns
    -------
    ndarray, shape (T, H, W), mm/month
        NaN where temperature or precipitation is missing in any month.
    """
    if out is None:
        out = np.empty_like(temperature)
    out.fill(np.nan)
    known = np.isfinite(temperature).all(axis=0) & np.isfinite(precipitation).all(axis=0)
    rows, columns = np.nonzero(known)
    where = lat[rows]
    days = days_in_month(months)
    middle = mid_month_day_of_year(months)
    warmth = np.stack([field[known] for field in temperature])
    index = heat_index(monthly_climatology(warmth, months).astype(np.float64))
    soil = np.full(len(rows), soil_water_mm)
    for t in [*range(min(12, len(months))), *range(len(months))]:
        potential = potential_evapotranspiration(
            warmth[t].astype(np.float64), where, middle[t], int(days[t]), index, formula=Formula(formula)
        )
        rain = precipitation[t, rows, columns].astype(np.float64)
        actual, soil = evapotranspire(potential, rain, soil, capacity=soil_water_mm, limit=Limit(limit))
        out[t, rows, columns] = actual
    return out


def _describe(
    fields: dict[str, NDArray[np.float32]],
    share: NDArray[np.float32],
    grid: Grid,
    months: NDArray[np.datetime64],
    formula: str,
    limit: str,
) -> xr.Dataset:
    dims: Sequence[str] = ("time", "lat", "lon")
    dataset = xr.Dataset(
        {
            name: (dims, fields[name], {"long_name": VARIABLES[name][0], "units": VARIABLES[name][1]})
            for name in VARIABLES
        },
        coords={
            "time": ("time", months.astype("datetime64[ns]"), {"standard_name": "time"}),
            "lat": ("lat", grid.lat, {"standard_name": "latitude", "units": "degrees_north"}),
            "lon": ("lon", grid.lon, {"standard_name": "longitude", "units": "degrees_east"}),
        },
        attrs={"Conventions": "CF-1.11"},
    )
    dataset["land_share"] = (dims[1:], share, {"long_name": "share of the cell with climate", "units": "1"})
    dataset["evapotranspiration"].attrs.update({"potential": formula, "limit": limit})
    for name in ("soil_moisture", "temperature", "surface_pressure"):
        dataset[name].attrs["cell_methods"] = "time: mean area: mean"
    for name in ("precipitation", "evapotranspiration"):
        dataset[name].attrs["cell_methods"] = "time: sum area: mean"
    return dataset
