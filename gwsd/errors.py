"""Errors of the user's making: one message, no traceback."""

AFFECTS_RESULTS = False  # not part of the code hash


class GwsdError(Exception):
    """A mistake that the user can correct.

    The message says what is wrong, in which file or key, what was expected and what to do.
    Command-line programs print it and exit with status 1.
    """


class ConfigError(GwsdError):
    """A setting is unknown, of the wrong type or out of range."""


class DataError(GwsdError):
    """A file is missing, damaged or has unexpected content."""


class TrainingError(GwsdError):
    """A training cannot start or cannot continue."""
