"""Room `figures`."""
