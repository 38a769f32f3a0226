"""Names of the variables in files of the product."""

MEAN = "gwsa"
"""Groundwater storage anomaly, mm."""

SD = "gwsa_sd"
"""Its standard deviation, mm."""
