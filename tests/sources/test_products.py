"""Products by name, and the files that a path means."""

from pathlib import Path

import pytest

from gwsd.errors import DataError
from gwsd.sources import era5, era5_land, g3p, local
from gwsd.sources.paths import expand
from gwsd.sources.products import CLIMATE, STORAGE, labels


def test_products_are_the_modules_that_open_something() -> None:
    assert labels(STORAGE) == {"g3p": g3p.LABEL, "local": local.LABEL}
    assert labels(CLIMATE) == {"era5": era5.LABEL, "era5_land": era5_land.LABEL}


def test_a_path_is_a_file_a_folder_or_a_glob(tmp_path: Path) -> None:
    for name in ("b.nc", "a.zip", "notes.txt", ".hidden/c.nc", "2003/d.nc4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert expand(str(tmp_path / "notes.txt"), "storage_path") == [tmp_path / "notes.txt"]
    assert expand(str(tmp_path), "storage_path") == [tmp_path / "2003/d.nc4", tmp_path / "a.zip", tmp_path / "b.nc"]
    assert expand(f"{tmp_path}/*.nc", "storage_path") == [tmp_path / "b.nc"]
    assert expand(f"{tmp_path}/**/*.nc4", "storage_path") == [tmp_path / "2003/d.nc4"]


@pytest.mark.parametrize(
    ("path", "words"),
    [("absent.nc", "no such file or folder"), ("*.nc", "no file matches this pattern"), (".", "no file that ends in")],
)
def test_a_path_that_means_nothing_says_so(tmp_path: Path, path: str, words: str) -> None:
    with pytest.raises(DataError, match=f"climate_path: .*{words}"):
        expand(str(tmp_path / path), "climate_path")
