"""From what a caller gives as rng to a seed that can be told, and given again."""

from typing import Any

import numpy as np


def seed_of(rng: Any) -> int:
    """Return a given seed itself, one drawn from a given generator, or a fresh one for None."""
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool):
        return int(rng)
    return int(np.random.default_rng(rng).integers(2**32))
