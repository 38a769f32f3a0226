"""Errors whose text a person reads: one message, no traceback."""


class GwsdError(Exception):
    """A mistake that the user can mend.

    The message says what is wrong, in which file or key, what was expected and what to do.
    Command-line programs print it as it stands and exit with status 1.
    """


class ConfigError(GwsdError):
    """A setting is unknown, of the wrong type or out of range."""


class DataError(GwsdError):
    """A file is missing, damaged or not what its place in the workflow asks for."""


class TrainingError(GwsdError):
    """A training cannot start or cannot go on."""
