"""Servers on this machine that play the real ones."""
