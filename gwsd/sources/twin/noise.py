"""Spatially correlated random fields with energy at all scales.

Two sources. A *cube* of power-law noise, periodic in three dimensions, through which the sphere is laid at
a new random attitude each time: isotropic on the sphere without poles or seams, down to some 200 km. And
*textures* on the fine grid, from 3 degrees down to one cell, which add what the cube cannot resolve.
"""

import numpy as np
import scipy.fft
from numpy.random import Generator
from numpy.typing import NDArray

from gwsd.grid import EARTH_RADIUS_KM

Field = NDArray[np.float32]

CUBE_SIDE = 128
"""Points along a side of the cube."""

CUBE_SPACING_KM = 2.05 * EARTH_RADIUS_KM / CUBE_SIDE
"""Distance of neighbouring points: the cube just holds the Earth, km."""

LONGEST_WAVE_KM = 6000.0
"""Beyond this wavelength the cube's spectrum is flat, km."""

TEXTURE_LONGEST_WAVE = 3.0
"""Wavelength beyond which a texture has no energy, degrees."""


def positions(lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float32]:
    """Place points on the sphere.

    Parameters
    ----------
    lat, lon : ndarray, shape (N,)
        Degrees.

    Returns
    -------
    ndarray, shape (3, N)
        Cartesian coordinates, km.
    """
    y, x = np.deg2rad(lat), np.deg2rad(lon)
    sphere = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    return (EARTH_RADIUS_KM * sphere).astype(np.float32)


class NoiseCube:
    """Power-law noise in a periodic cube, to be cut by the sphere.

    The cube holds complex numbers, so that one cut gives two independent fields.

    Parameters
    ----------
    random : Generator
        Draws the cube.
    slope : float
        Power spectral slope of a field on a surface through the cube (negative).
    """

    def __init__(self, random: Generator, slope: float) -> None:
        n = CUBE_SIDE
        spectrum = random.standard_normal((n, n, n, 2), dtype=np.float32).view(np.complex64)[..., 0]
        k = scipy.fft.fftfreq(n, CUBE_SPACING_KM).astype(np.float32)
        square = k[:, None, None] ** 2 + k[None, :, None] ** 2 + k[None, None, :] ** 2
        np.maximum(square, np.float32(LONGEST_WAVE_KM**-2), out=square)
        # a plane through isotropic noise of slope s - 1 shows slope s; half of it for amplitude, half for k²
        spectrum *= square ** np.float32((slope - 1.0) / 4.0)
        spectrum[0, 0, 0] = 0.0
        cube = scipy.fft.ifftn(spectrum, workers=2, overwrite_x=True)
        cube.real /= cube.real.std()
        cube.imag /= cube.imag.std()
        self._cube = np.ascontiguousarray(cube).ravel()

    def cut(self, points: NDArray[np.float32], random: Generator) -> tuple[Field, Field]:
        """Lay the points through the cube at a random attitude.

        Parameters
        ----------
        points : ndarray, shape (3, N)
            Cartesian coordinates, km.
        random : Generator
            Draws rotation and shift.

        Returns
        -------
        tuple of ndarray, shape (N,)
            Two independent fields of mean about 0 and standard deviation about 1.
        """
        n = CUBE_SIDE
        attitude = (_rotation(random) / CUBE_SPACING_KM).astype(np.float32)
        shift = random.uniform(0.0, n, size=3).astype(np.float32)
        place = attitude @ points + shift[:, None]
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


class News:
    """A supply of independent large-scale fields on fixed points, two a cut.

    Parameters
    ----------
    cube : NoiseCube
        Where they come from.
    points : ndarray, shape (3, N)
        Cartesian coordinates, km.
    random : Generator
        Draws the attitudes.
    """

    def __init__(self, cube: NoiseCube, points: NDArray[np.float32], random: Generator) -> None:
        self._cube, self._points, self._random = cube, points, random
        self._held: list[Field] = []

    def field(self) -> Field:
        """Give the next field, shape (N,), standard deviation about 1."""
        if not self._held:
            self._held.extend(self._cube.cut(self._points, self._random))
        return self._held.pop()


def _rotation(random: Generator) -> NDArray[np.float64]:
    """Draw a rotation, uniformly (Shoemake, 1992: a random unit quaternion)."""
    q = random.standard_normal(4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def texture(shape: tuple[int, int], spacing: float, slope: float, random: Generator) -> Field:
    """Draw a small-scale texture, periodic in both directions.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns.
    spacing : float
        Side of a cell, degrees.
    slope : float
        Power spectral slope (negative) from `TEXTURE_LONGEST_WAVE` down to two cells.
    random : Generator
        Draws the texture.

    Returns
    -------
    ndarray, shape `shape`
        Mean 0, standard deviation 1.
    """
    white = random.standard_normal(shape, dtype=np.float32)
    spectrum = scipy.fft.rfft2(white, workers=2)
    ky = scipy.fft.fftfreq(shape[0], spacing).astype(np.float32)
    kx = scipy.fft.rfftfreq(shape[1], spacing).astype(np.float32)
    square = ky[:, None] ** 2 + kx[None, :] ** 2
    longest = np.float32(TEXTURE_LONGEST_WAVE**-2)
    spectrum *= np.where(square < longest, 0, np.maximum(square, longest) ** np.float32(slope / 4.0))
    field = scipy.fft.irfft2(spectrum, shape, workers=2)
    return np.asarray(field / field.std(), dtype=np.float32)
