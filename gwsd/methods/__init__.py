"""Room `methods`."""
