"""Download G3P v1.12."""

from pathlib import Path

from gwsd.provenance.job import Job, run


def download(job: Job) -> None:
    """Download the zip of G3P v1.12 and compare it with raw.lock.json in the working directory."""
    from gwsd.data.download import download_g3p

    settings = job.settings
    facts = download_g3p(
        settings["g3p_urls"],
        job.outputs["zip"],
        Path("raw.lock.json"),
        retries=settings["retries"],
        backoff_s=settings["backoff_s"],
        max_bytes=int(settings["max_file_gb"] * 1e9),
    )
    job.note(raw=facts)
    job.report(f"G3P v1.12 from {facts['url']}: {facts['bytes'] / 1e6:.1f} MB, SHA-256 {facts['sha256']}")


if __name__ == "__main__":
    run(download, outputs=["zip"])
