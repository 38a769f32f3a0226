"""Patches: sampling, splits, normalisation and batches."""
