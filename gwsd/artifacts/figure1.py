"""Figure 1: world map of the linear trend of storage, and where it is significant."""

import numpy as np
import xarray as xr
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy import stats

from gwsd.artifacts.artifact_inputs import ArtifactInputs
from gwsd.artifacts.data_file import Printed, foot, labelled, number, quantity_of, texts, words, world_land
from gwsd.artifacts.maps import is_world, map_of
from gwsd.artifacts.settings import Plot, Trend
from gwsd.artifacts.style import Array, anomaly_colours, new_figure, round_up, styled
from gwsd.errors import DataError
from gwsd.grid import COARSE_SPACING, cell_area

HARMONICS = (1, 2)  # Cycles per year of the season that is removed
SHOWN = 99.0  # Percentile of |trend| at which the colours end


def fit_trend(series: Array, months: NDArray[np.datetime64]) -> dict[str, Array]:
    """Fit a line and the season (annual and half-yearly harmonics) together by least squares.

    Residuals of storage persist from month to month, so fewer values are independent than there are. As in
    Santer et al. (2000), n values count as n(1 − r)/(1 + r), with r the lag-1 autocorrelation of the residuals, in
    the residual variance and in the degrees of freedom of the t test. r is taken over pairs of adjacent months
    only, never across gaps in the record.

    `series` has shape (T, N) and no missing values, `months` are its T increasing months; absent months are absent
    rows. The result has, of shape (N,), `trend` and `standard_error` (unit of the series per year), `p_value`
    (two-sided, of no trend) and `effective_months` (independent values that the residuals amount to).
    """
    month = months.astype("datetime64[M]").astype(np.int64)
    count = len(month)
    if count < 24:
        raise DataError(f"storage.nc: a trend needs at least 24 months, there are {count}.")
    years = (month - month.mean()) / 12.0
    phases = [2.0 * np.pi * harmonic * (month % 12) / 12.0 for harmonic in HARMONICS]
    design = np.stack([np.ones(count), years, *(wave(phase) for phase in phases for wave in (np.cos, np.sin))], axis=1)
    values = np.asarray(series, dtype=np.float64)
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    residuals = values - design @ coefficients

    adjacent = np.flatnonzero(np.diff(month) == 1)
    earlier, later = residuals[adjacent], residuals[adjacent + 1]
    power = np.sqrt((earlier**2).sum(axis=0) * (later**2).sum(axis=0))
    r = np.divide((earlier * later).sum(axis=0), power, out=np.zeros_like(power), where=power > 0.0)
    r = np.clip(r, 0.0, 1.0 - 1e-9)  # a negative r would make more of n values than there are
    effective = count * (1.0 - r) / (1.0 + r)

    freedom = effective - 2.0
    enough = freedom > 0.0
    # The variance of the slope carries the design's own collinearity between line and season.
    inverse = np.linalg.inv(design.T @ design)[1, 1]
    variance = np.divide((residuals**2).sum(axis=0), freedom, out=np.full_like(freedom, np.inf), where=enough)
    error = np.sqrt(variance * inverse)
    slope = coefficients[1]
    statistic = np.divide(np.abs(slope), error, out=np.full_like(slope, np.inf), where=error > 0.0)
    p_value = np.where(enough, 2.0 * stats.t.sf(statistic, np.where(enough, freedom, 1.0)), 1.0)
    p_value = np.where(slope == 0.0, 1.0, p_value)
    return {"trend": slope, "standard_error": error, "p_value": p_value, "effective_months": effective}


def compute(inputs: ArtifactInputs) -> xr.Dataset:
    """Compute the trend of every valid cell.

    The dataset has the fields of `fit_trend`, `significant` and `land_fraction` (lat, lon), mm/yr; as attributes the
    mean trend and the shares of the valid area with significant loss and gain.
    """
    storage, mask = inputs.dataset("storage"), inputs.dataset("mask")
    valid = mask["valid"].values == 1
    series = storage["storage"].values[:, valid]
    if series.shape[1] == 0:
        raise DataError("mask.nc: no cell is valid; see quality.csv for the reasons.")
    if not np.isfinite(series).all():
        raise DataError("storage.nc: valid cells have months without a value; mask.nc must exclude such cells.")
    significance = Trend.from_job(inputs.settings["trend"]).significance
    fitted = fit_trend(series, storage["time"].values)
    slope, marked = fitted["trend"], fitted["p_value"] < significance
    area = np.broadcast_to(cell_area(storage["lat"].values, COARSE_SPACING)[:, None], valid.shape)[valid]
    quantity = quantity_of(storage)
    fields = {name: np.full(valid.shape, np.nan, dtype=np.float32) for name in fitted}
    fields["significant"] = np.zeros(valid.shape, dtype=np.int8)
    for name, field in fields.items():
        field[valid] = {**fitted, "significant": marked}[name]
    fields["land_fraction"] = world_land(inputs.dataset("land"), COARSE_SPACING).values
    data = xr.Dataset(coords={"lat": storage["lat"].values, "lon": storage["lon"].values})
    for name, units, long_name in (
        ("trend", "mm year-1", f"trend of {quantity}, season removed"),
        ("standard_error", "mm year-1", "standard error of the trend, for autocorrelated residuals"),
        ("p_value", "1", "two-sided p value of no trend"),
        ("effective_months", "1", "effective number of independent months"),
        ("significant", "1", f"1 where the p value is below {significance:g}"),
        ("land_fraction", "1", "share of land"),
    ):
        data[name] = ("lat", "lon"), fields[name], {"units": units, "long_name": long_name}
    first, last = np.datetime_as_string(storage["time"].values[[0, -1]], unit="M")
    return labelled(
        data,
        "figure1",
        inputs,
        title=f"Trend of {quantity}, season removed",
        quantity=quantity,
        significance=significance,
        first_month=str(first),
        last_month=str(last),
        months=int(series.shape[0]),
        share_of_area_losing=float(area[marked & (slope < 0.0)].sum() / area.sum()),
        share_of_area_gaining=float(area[marked & (slope > 0.0)].sum() / area.sum()),
        mean_trend_mm_per_year=float((slope * area).sum() / area.sum()),
    )


@styled
def draw(data: xr.Dataset, style: Plot) -> Figure:
    """Draw the trend map."""
    lat, lon, land = data["lat"].values, data["lon"].values, data["land_fraction"].values
    trend = data["trend"].values
    limit = round_up(float(np.nanpercentile(np.abs(trend), SHOWN)))
    figure = new_figure(style, height_mm=108.0 if is_world(lon) else 130.0, **foot(data))
    chart = map_of(figure, lat, lon)
    chart.land(lat, lon, land)
    mesh = chart.cells(lat, lon, trend, anomaly_colours(style), Normalize(-limit, limit))
    chart.coast(lat, lon, land)
    unsure = np.isfinite(trend) & (data["significant"].values == 0)
    chart.dots(lat, lon, unsure, spacing=2.0 if is_world(lon) else float(np.ptp(lon)) / 60.0, size=0.9)
    bar = figure.colorbar(mesh, ax=chart.axes, orientation="horizontal", extend="both", shrink=0.6, aspect=40, pad=0.02)
    bar.set_label(f"Trend of {data.attrs['quantity']} (mm/yr water equivalent): red loss, blue gain")
    text = texts(values(data))
    chart.axes.set_title(
        f"{text['months:first']} to {text['months:last']}, {text['months:count']} months, season removed. "
        f"Dots: not significant (p ≥ {text['trend:significance']}); grey: land without valid data.\n"
        f"Significant loss on {text['trend:losing']} % and gain on {text['trend:gaining']} % of the valid area; "
        f"mean trend {text['trend:mean']} mm/yr.",
        fontsize=style.small,
    )
    return figure


def values(data: xr.Dataset) -> list[Printed]:
    """Return the values in the title."""
    facts = data.attrs
    losing, gaining = (100.0 * float(facts[f"share_of_area_{name}"]) for name in ("losing", "gaining"))
    mean = float(facts["mean_trend_mm_per_year"])
    return [
        words("months", "first", str(facts["first_month"]), "First month"),
        words("months", "last", str(facts["last_month"]), "Last month"),
        number("months", "count", int(facts["months"]), "d", "months", "Months with storage"),
        number("trend", "significance", float(facts["significance"]), "g", "", "p from which a trend is unsure"),
        number("trend", "losing", losing, ".0f", "%", "Share of the valid area with significant loss"),
        number("trend", "gaining", gaining, ".0f", "%", "Share of the valid area with significant gain"),
        number("trend", "mean", mean, "+.1f", "mm/yr", "Mean trend"),
    ]
