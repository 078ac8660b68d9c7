"""From what a caller gives as rng to a seed that can be told, and given again."""

from typing import Any

import numpy as np


def seed_from(rng: Any) -> int:
    """Return the seed that rng means: itself, one drawn from a generator, or a fresh one for None."""
    refuse_other(rng)
    if rng is None or isinstance(rng, np.random.Generator):
        return int(np.random.default_rng(rng).integers(2**32))
    return int(rng)


def refuse_other(rng: Any) -> None:
    """Raise the error for an rng that means no seed; nothing is drawn."""
    is_seed = isinstance(rng, int | np.integer) and not isinstance(rng, bool | np.timedelta64) and rng >= 0
    if not (rng is None or is_seed or isinstance(rng, np.random.Generator)):
        raise TypeError(
            f"rng must be None, a seed (an integer, not negative) or a numpy.random.Generator; got {rng!r}."
        )
