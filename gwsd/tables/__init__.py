"""Room `tables`."""
