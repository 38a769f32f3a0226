"""Correlated random fields on the sphere, and Gaussian filtering.

Large scales: a periodic *cube* of power-law noise is sampled on the sphere under a random rotation and shift, which
is isotropic without poles or seams down to about 200 km. Small scales: *textures* on the fine grid, from 3° down to
one cell.
"""

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.grid import EARTH_RADIUS_KM, Grid, cell_area

Field = NDArray[np.float32]

CUBE_SIDE = 128  # points
CUBE_SPACING_KM = 2.05 * EARTH_RADIUS_KM / CUBE_SIDE  # the cube just holds the Earth
LONGEST_WAVE_KM = 6000.0  # above this wavelength the spectrum of the cube is flat
TEXTURE_LONGEST_WAVE = 3.0  # degrees; above this wavelength a texture has no energy
NEGLIGIBLE = 1e-5  # weight at which the Gaussian is cut off
MONTHS_AT_ONCE = 12  # fields filtered together; bounds memory


def positions(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> Field:
    """Convert latitude and longitude, degrees, shape (N,), to Cartesian coordinates, km, shape (3, N)."""
    y, x = np.deg2rad(lat), np.deg2rad(lon)
    sphere = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    return (EARTH_RADIUS_KM * sphere).astype(np.float32)


class NoiseCube:
    """Periodic cube of complex power-law noise; one sample gives two independent fields.

    `slope` is the (negative) power spectral slope of a field on a surface through the cube.
    """

    def __init__(self, random: Generator, slope: float) -> None:
        n = CUBE_SIDE
        spectrum = random.standard_normal((n, n, n, 2), dtype=np.float32).view(np.complex64)[..., 0]
        k = scipy.fft.fftfreq(n, CUBE_SPACING_KM).astype(np.float32)
        square = k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2
        np.maximum(square, np.float32(LONGEST_WAVE_KM**-2), out=square)
        # a plane through isotropic noise of slope s - 1 has slope s; halved for amplitude and again for k²
        spectrum *= square ** np.float32((slope - 1.0) / 4.0)
        spectrum[0, 0, 0] = 0.0
        cube = scipy.fft.ifftn(spectrum, workers=2, overwrite_x=True)
        cube.real /= cube.real.std()
        cube.imag /= cube.imag.std()
        self._cube = np.ascontiguousarray(cube).ravel()

    def sample(self, points: Field, random: Generator) -> tuple[Field, Field]:
        """Sample two independent fields, shape (N,), of unit variance at randomly rotated points, shape (3, N), km."""
        n = CUBE_SIDE
        rotation = (_rotation(random) / CUBE_SPACING_KM).astype(np.float32)
        shift = random.uniform(0.0, n, size=3).astype(np.float32)
        place = rotation @ points + shift[:, None]
        np.mod(place, np.float32(n), out=place)
        corner = place.astype(np.int32)
        x, y, z = place - corner
        corner %= n  # mod of a tiny negative number may round up to n
        i, j, k = corner
        i1, j1, k1 = (corner + 1) % n
        take = self._cube.take

        def edge(a: NDArray[np.int32], b: NDArray[np.int32]) -> NDArray[np.complex64]:
            base = (a * n + b) * n
            low = take(base + k)
            return np.asarray(low + z * (take(base + k1) - low))

        lower = edge(i, j)
        lower += y * (edge(i, j1) - lower)
        upper = edge(i1, j)
        upper += y * (edge(i1, j1) - upper)
        lower += x * (upper - lower)
        return np.ascontiguousarray(lower.real), np.ascontiguousarray(lower.imag)


class Innovations:
    """Independent large-scale fields on fixed points, shape (3, N), km."""

    def __init__(self, cube: NoiseCube, points: Field, random: Generator) -> None:
        self._cube, self._points, self._random = cube, points, random
        self._held: list[Field] = []

    def draw(self) -> Field:
        """Return the next field, shape (N,), mean 0 and variance 1."""
        if not self._held:
            self._held.extend(self._cube.sample(self._points, self._random))
        return self._held.pop()


def _rotation(random: Generator) -> NDArray[np.float64]:
    """Draw a rotation matrix uniformly, from a random unit quaternion (Shoemake, 1992)."""
    q = random.standard_normal(4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def texture(grid: Grid, slope: float, random: Generator) -> Field:
    """Draw small-scale noise, periodic in both directions, mean 0 and variance 1, shape (rows, columns).

    Its power spectral slope is `slope` (negative) from `TEXTURE_LONGEST_WAVE` down to two cells.
    """
    white = random.standard_normal(grid.shape, dtype=np.float32)
    spectrum = scipy.fft.rfft2(white, workers=2)
    ky = scipy.fft.fftfreq(grid.shape[0], grid.spacing).astype(np.float32)
    kx = scipy.fft.rfftfreq(grid.shape[1], grid.spacing).astype(np.float32)
    square = ky[:, None] ** 2 + kx[None, :] ** 2
    longest = np.float32(TEXTURE_LONGEST_WAVE**-2)
    spectrum *= np.where(square < longest, 0, np.maximum(square, longest) ** np.float32(slope / 4.0))
    field = scipy.fft.irfft2(spectrum, grid.shape, workers=2)
    return np.asarray(field / field.std(), dtype=np.float32)


class SphereGaussian:
    """Gaussian filter on the sphere (Jekeli, 1981; Wahr et al., 1998).

    The weight depends on the angular distance alone: between two rows of a regular grid it is a convolution along
    longitude, hence a product of Fourier coefficients. This is exact, at the poles too.

    Parameters
    ----------
    grid : Grid
        A region that does not wrap is padded.
    radius_km : float
        Distance at which the weight is one half.
    power : int
        2 squares the weights, for the variance of filtered noise.
    """

    def __init__(self, grid: Grid, radius_km: float, power: int = 1) -> None:
        rows, columns = grid.shape
        self._rows, self._columns = rows, columns
        self._length = columns if grid.is_global else scipy.fft.next_fast_len(2 * columns, real=True)
        decay = np.log(2.0) / (1.0 - np.cos(radius_km / EARTH_RADIUS_KM))
        reach = np.arccos(max(1.0 + np.log(NEGLIGIBLE) / decay, -1.0))
        self._band = min(int(np.ceil(np.rad2deg(reach) / grid.spacing)), rows - 1)
        lat = np.deg2rad(grid.lat)
        angle = np.deg2rad(grid.spacing) * np.minimum(np.arange(self._length), self._length - np.arange(self._length))
        area = cell_area(grid.lat, grid.spacing)
        self._transfer = np.zeros((2 * self._band + 1, rows, self._length // 2 + 1), dtype=np.float32)
        for k, offset in enumerate(range(-self._band, self._band + 1)):
            to = np.arange(max(0, -offset), min(rows, rows - offset))
            origin = to + offset
            cosine = np.outer(np.sin(lat[to]) * np.sin(lat[origin]), np.ones(self._length))
            cosine += np.outer(np.cos(lat[to]) * np.cos(lat[origin]), np.cos(angle))
            weight = np.exp(-power * decay * (1.0 - cosine))
            weight[weight < NEGLIGIBLE**power] = 0.0
            if not grid.is_global:
                # beyond half the padded circle a distance would be measured in the wrong direction
                weight[:, angle > np.deg2rad(grid.spacing) * columns] = 0.0
            self._transfer[k, to] = scipy.fft.rfft(weight, axis=1).real * area[origin, None]

    def __call__(self, fields: Field) -> Field:
        """Sum fields, shape (M, rows, columns), with weights times cell areas, km² (not normalised)."""
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


def smooth_over_land(fields: Field, land_share: NDArray[np.float64], gaussian: SphereGaussian) -> Field:
    """Filter fields, shape (M, rows, columns), over land only; 0 where no land is near.

    `land_share`, shape (rows, columns), is the share of each cell that is land; where it is 0 any finite value does.
    """
    weight = land_share.astype(np.float32)
    below = gaussian(weight[None])[0]
    above = gaussian(fields * weight)
    return np.divide(above, below, out=np.zeros_like(above), where=below > 1e-3 * below.max())


class FilteredNoise:
    """White noise on the sphere after the filter of the signal, with unit variance everywhere."""

    def __init__(self, grid: Grid, radius_km: float, gaussian: SphereGaussian) -> None:
        self._grid, self._gaussian = grid, gaussian
        self._root_area = np.sqrt(cell_area(grid.lat, grid.spacing)).astype(np.float32)[:, None]
        ones = np.ones((1, *grid.shape), dtype=np.float32)
        self._std = np.sqrt(SphereGaussian(grid, radius_km, power=2)(ones)[0])

    def draw(self, months: int, random: Generator) -> Field:
        """Draw independent fields, shape (months, rows, columns)."""
        white = random.standard_normal((months, *self._grid.shape), dtype=np.float32)
        return np.asarray(self._gaussian(white / self._root_area) / self._std)
