"""Base class of all settings sections, and the types that several sections share.

Each package declares its own section; `gwsd.config` assembles them into one document. A field is described by
the docstring below it, so that descriptions, like comments, are no part of the code hash.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[int, Field(ge=1)]
"""An integer of at least 1."""

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
"""A calendar month, YYYY-MM."""


class Section(BaseModel):
    """A section of the settings: unknown keys are errors, types are not coerced, values are finite."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )

    @classmethod
    def from_job(cls, values: Mapping[str, Any]) -> Self:
        """Build the section from the JSON that a job was given."""
        return cls.model_validate(dict(values))
