"""What gravity sees: storage averaged to half a degree, smoothed by a Gaussian on the sphere, with noise."""

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.grid import EARTH_RADIUS_KM, Grid, cell_area

NEGLIGIBLE = 1e-5
"""Weight of the Gaussian below which it is cut off."""

MONTHS_AT_ONCE = 12
"""Fields smoothed together: bounds memory."""


class SphereGaussian:
    """Gaussian averaging on the sphere (Jekeli, 1981; Wahr et al., 1998), by circles of latitude.

    The weight depends on the angular distance alone. Between two rows of a regular grid it is a
    convolution along longitude, hence a product of Fourier coefficients: exact, poles included.

    Parameters
    ----------
    grid : Grid
        Half-degree cells; a region that does not wrap is padded.
    radius_km : float
        Distance at which the weight has fallen to one half.
    power : int
        2 gives the squared weights, for the variance of smoothed noise.
    """

    def __init__(self, grid: Grid, radius_km: float, power: int = 1) -> None:
        rows, columns = grid.shape
        self._rows, self._columns = rows, columns
        self._length = columns if grid.is_global else scipy.fft.next_fast_len(2 * columns, real=True)
        decay = np.log(2.0) / (1.0 - np.cos(radius_km / EARTH_RADIUS_KM))
        reach = np.arccos(max(1.0 + np.log(NEGLIGIBLE) / decay, -1.0))
        self._band = min(int(np.ceil(np.rad2deg(reach) / grid.spacing)), rows - 1)
        lat = np.deg2rad(grid.lat)
        turns = np.deg2rad(grid.spacing) * np.minimum(np.arange(self._length), self._length - np.arange(self._length))
        area = cell_area(grid.lat, grid.spacing)
        self._transfer = np.zeros((2 * self._band + 1, rows, self._length // 2 + 1), dtype=np.float32)
        for k, offset in enumerate(range(-self._band, self._band + 1)):
            to = np.arange(max(0, -offset), min(rows, rows - offset))
            origin = to + offset
            cosine = np.outer(np.sin(lat[to]) * np.sin(lat[origin]), np.ones(self._length))
            cosine += np.outer(np.cos(lat[to]) * np.cos(lat[origin]), np.cos(turns))
            weight = np.exp(-power * decay * (1.0 - cosine))
            weight[weight < NEGLIGIBLE**power] = 0.0
            if not grid.is_global:
                # beyond half the padded circle a distance would be counted round the wrong side
                weight[:, turns > np.deg2rad(grid.spacing) * columns] = 0.0
            self._transfer[k, to] = scipy.fft.rfft(weight, axis=1).real * area[origin, None]

    def __call__(self, fields: NDArray[np.float32]) -> NDArray[np.float32]:
        """Sum fields with the Gaussian's weights times cell areas (not normalised).

        Parameters
        ----------
        fields : ndarray, shape (M, rows, columns)
            Zero where there is nothing to count.

        Returns
        -------
        ndarray, shape (M, rows, columns)
            Unit of the fields times km².
        """
        result = np.empty(fields.shape, dtype=np.float32)
        for start in range(0, len(fields), MONTHS_AT_ONCE):
            part = slice(start, start + MONTHS_AT_ONCE)
            spectrum = scipy.fft.rfft(fields[part], self._length, axis=2, workers=2)
            total = np.zeros_like(spectrum)
            for k, offset in enumerate(range(-self._band, self._band + 1)):
                to = slice(max(0, -offset), min(self._rows, self._rows - offset))
                origin = slice(to.start + offset, to.stop + offset)
                total[:, to] += self._transfer[k, to] * spectrum[:, origin]
            result[part] = scipy.fft.irfft(total, self._length, axis=2, workers=2)[:, :, : self._columns]
        return result


def smooth_over_land(
    fields: NDArray[np.float32], share: NDArray[np.float64], gaussian: SphereGaussian
) -> NDArray[np.float32]:
    """Average fields with a Gaussian, over land only.

    Parameters
    ----------
    fields : ndarray, shape (M, rows, columns)
        Any finite value where `share` is 0.
    share : ndarray, shape (rows, columns)
        Share of each cell that is land, 0 to 1.
    gaussian : SphereGaussian
        The filter.

    Returns
    -------
    ndarray, shape (M, rows, columns)
        Weighted means; 0 where no land is near.
    """
    weight = share.astype(np.float32)
    below = gaussian(weight[None])[0]
    above = gaussian(fields * weight)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 1e-3 * below.max())


class CorrelatedNoise:
    """Noise that went through the same filter as the signal: white on the sphere, then smoothed.

    Parameters
    ----------
    grid : Grid
        Half-degree cells.
    radius_km : float
        Of the filter.
    gaussian : SphereGaussian
        The filter on this grid.
    """

    def __init__(self, grid: Grid, radius_km: float, gaussian: SphereGaussian) -> None:
        self._grid, self._gaussian = grid, gaussian
        self._root_area = np.sqrt(cell_area(grid.lat, grid.spacing)).astype(np.float32)[:, None]
        ones = np.ones((1, *grid.shape), dtype=np.float32)
        self._sd = np.sqrt(SphereGaussian(grid, radius_km, power=2)(ones)[0])

    def draw(self, months: int, random: Generator) -> NDArray[np.float32]:
        """Draw independent fields.

        Parameters
        ----------
        months : int
            How many.
        random : Generator
            Draws them.

        Returns
        -------
        ndarray, shape (months, rows, columns)
            Standard deviation 1 everywhere.
        """
        white = random.standard_normal((months, *self._grid.shape), dtype=np.float32)
        return np.asarray(self._gaussian(white / self._root_area) / self._sd)
