"""The published numbers: collected with where each comes from, and compared between two runs."""
