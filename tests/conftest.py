"""Fixtures of all tests."""

import setuptools  # noqa: F401  before any import of distutils: it replaces that package for torch.compile
