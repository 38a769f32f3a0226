"""Settings of the evaluation."""

from pydantic import Field

from gwsd.settings import Positive, Section


class Evaluation(Section):
    """Scoring of the test patches."""

    batch_size: Positive
    """Patches per batch; changes speed and memory only."""

    figure_patches: int = Field(ge=1, le=6)
    """Example patches in Figure 3."""

    pixel_sample: Positive
    """Pixels kept for Figure 7."""
