"""Room `sources`."""
