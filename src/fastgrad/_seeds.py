"""From what a caller gives as rng to a seed that can be told, and given again."""

from typing import Any

import numpy as np


def seed_from(rng: Any) -> int:
    """Return the seed that rng means: itself, one drawn from a generator, or a fresh one for None."""
    if rng is None or isinstance(rng, np.random.Generator):
        return int(np.random.default_rng(rng).integers(2**32))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return int(rng)
    raise TypeError(f"rng must be None, a seed (an integer, not negative) or a numpy.random.Generator; got {rng!r}.")
