"""Groundwater storage downscaling: science library of a reproducible-paper workflow."""
