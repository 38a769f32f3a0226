"""G3P v1.12 from its publisher."""

from gwsd.provenance.job import Job, run


def download_g3p(job: Job) -> None:
    """Download the zip of G3P v1.12; raw.lock.json in the working directory tells whether it is the one seen before."""
    from pathlib import Path

    from gwsd.sources.g3p_download import download_g3p as download

    facts = download(
        job.settings["g3p_urls"],
        job.outputs["zip"],
        Path("raw.lock.json"),
        attempts=job.settings["attempts"],
        wait_seconds=job.settings["wait_seconds"],
        largest_bytes=int(job.settings["largest_gb"] * 1e9),
    )
    job.note(raw=facts)
    job.report(f"G3P v1.12 from {facts['url']}: {facts['bytes'] / 1e6:.1f} MB, SHA-256 {facts['sha256']}")


if __name__ == "__main__":
    run(download_g3p, outputs=["zip"])
