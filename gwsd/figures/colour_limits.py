"""Plain numbers at which the colours of a map end."""

import numpy as np

STEPS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def round_up(value: float) -> float:
    """Return the next plain number (1, 1.5, 2, 3 … times a power of ten) not below a positive value.

    What is not positive, or no number, gives 1.
    """
    if not (np.isfinite(value) and value > 0.0):
        return 1.0
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step for step in STEPS if step * power >= value * (1.0 - 1e-9)) * power)
