"""Provenance of results: records of jobs, their lineage, verification and comparison of runs."""

AFFECTS_RESULTS = False  # recording changes no number: not part of the code hash
