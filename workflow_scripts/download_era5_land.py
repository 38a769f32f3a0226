"""A year of ERA5-Land from the Climate Data Store."""

import os

from gwsd.provenance.job import Job, run


def download_era5_land(job: Job) -> None:
    """Request a year of ERA5-Land monthly means, wait for it and fetch it.

    settings: year, variables (our names), area (null or [north, west, south, east]), attempts, wait_seconds.

    From the environment, because they change when something is fetched and not what:
    GWSD_YEARS_AHEAD      "2004 2005": years whose requests are submitted too while this one waits
    GWSD_REQUESTS_AT_ONCE "4": requests in the store's queue, over all programs that share the folder
    The key: ECMWF_DATASTORES_KEY or ~/.ecmwfdatastoresrc, CDSAPI_KEY or ~/.cdsapirc.
    """
    from gwsd.sources.credentials import find_credentials
    from gwsd.sources.era5_land_download import STATE_FOLDER, download_year
    from gwsd.sources.era5_land_request import Area

    settings, target = job.settings, job.outputs["climate"]
    facts = download_year(
        settings["year"],
        target,
        variables=settings["variables"],
        credentials=find_credentials(),
        state_folder=target.parent / STATE_FOLDER,
        area=None if settings["area"] is None else Area(*settings["area"]),
        ahead=[int(year) for year in os.environ.get("GWSD_YEARS_AHEAD", "").split()],
        requests_at_once=int(os.environ.get("GWSD_REQUESTS_AT_ONCE", "4")),
        attempts=settings["attempts"],
        wait_seconds=settings["wait_seconds"],
        progress=True,
    )
    job.note(raw={"url": f"https://cds.climate.copernicus.eu/datasets/{facts['dataset']}", **facts})
    job.report(f"ERA5-Land {settings['year']}: {facts['bytes'] / 1e6:,.1f} MB, SHA-256 {facts['sha256']}")


if __name__ == "__main__":
    run(download_era5_land, outputs=["climate"])
