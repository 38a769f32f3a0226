"""Numbered tables and figures: the registry, their builders and their file formats."""
