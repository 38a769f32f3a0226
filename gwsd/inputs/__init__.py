"""Room `inputs`."""
