"""The twin Earth: a synthetic water balance whose truth is known, written in the formats of the real products."""
