"""Room `patches`."""
