"""Tests of the tables and figures."""
