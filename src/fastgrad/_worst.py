"""Which of several errors is the worst: one that is NaN goes before all others, for it may be any."""

import numpy as np

from fastgrad._typing import Array, Float64Array, IndexArray


def errors(claimed: Array, measured: Array) -> Float64Array:
    """Return the absolute differences; that of two like infinities is NaN, without a warning."""
    with np.errstate(all="ignore"):
        return np.asarray(np.abs(claimed - measured))


def place_of_worst(found: Float64Array) -> int:
    """Return the position of the worst error, the first where there are several."""
    return int(np.argmax(_ranked(found)))


def worst_first(found: Float64Array) -> IndexArray:
    """Return the positions of the errors, the worst first, and those that are alike in their order."""
    return np.asarray(np.argsort(-_ranked(found), kind="stable"))


def _ranked(found: Float64Array) -> Float64Array:
    return np.where(np.isnan(found), np.inf, found)
