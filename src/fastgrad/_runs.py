"""Runs of neighbouring indices, laid end to end."""

import numpy as np

from fastgrad._typing import Array


def in_runs(starts: Array, lengths: Array) -> Array:
    """Return the indices from each start on, as many as its run is long, one run after another.

    Examples
    --------
    >>> in_runs(np.array([10, 20]), np.array([3, 2])).tolist()
    [10, 11, 12, 20, 21]
    """
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(lengths.sum()) + np.repeat(starts - (ends - lengths), lengths))
