"""Land fraction of the fine grid, from the GLOBE land mask."""

from gwsd.provenance.job import Job, run

SUBCELLS = 15**2
"""Cells of the land mask (30 arc-seconds) per fine cell; a fraction is a multiple of 1/225."""


def land_fraction(job: Job) -> None:
    """Write the land fraction of the fine grid of a region."""
    from gwsd.data.land import land_fraction
    from gwsd.grid import COARSE_SPACING, Grid

    land = land_fraction(Grid(COARSE_SPACING, tuple(job.settings["region"])).refined())
    packed = (land * SUBCELLS).round().astype("uint8").assign_attrs(land.attrs, scale_factor=1 / SUBCELLS)
    encoding = {land.name: {"_FillValue": None, "zlib": True, "complevel": 4}}
    packed.to_netcdf(job.outputs["land"], engine="netcdf4", encoding=encoding)


if __name__ == "__main__":
    run(land_fraction, outputs=["land"])
