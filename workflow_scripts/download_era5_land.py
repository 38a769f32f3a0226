"""Download a year of ERA5-Land monthly means from the Climate Data Store."""

from gwsd.provenance.job import Job, run


def download_era5_land(job: Job) -> None:
    """Download the year and area that the output's name states.

    The key is read from ECMWF_DATASTORES_KEY, ~/.ecmwfdatastoresrc, CDSAPI_KEY or ~/.cdsapirc.
    """
    from gwsd.data.credentials import find_credentials
    from gwsd.data.era5_land_download import download_year, parse_file_name

    target = job.outputs["climate"]
    year, area = parse_file_name(target.name)
    terms = {name: job.settings[name] for name in ("retries", "backoff_s")}
    facts = download_year(target, year, area, find_credentials(), **terms)
    job.note(raw=facts)
    job.report(f"ERA5-Land {year}: {facts['bytes'] / 1e6:,.1f} MB, SHA-256 {facts['sha256']}")


if __name__ == "__main__":
    run(download_era5_land, outputs=["climate"])
