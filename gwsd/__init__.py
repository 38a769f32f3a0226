"""Room `gwsd`."""
