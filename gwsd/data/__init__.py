"""Data: readers of raw formats, downloads, calendar, regridding and quality control."""
