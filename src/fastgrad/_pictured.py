"""What pictures of a check are made of: its errors in blocks of rows and columns, and slopes over steps."""

from dataclasses import dataclass
from math import prod

import numpy as np

from fastgrad._tree import Leaf
from fastgrad._typing import Float64Array, IndexArray

#: A map has at most so many blocks to a side.
BLOCKS = 64


@dataclass(frozen=True)
class ErrorMap:
    """The largest error in each block of rows and columns of one leaf.

    Attributes
    ----------
    path : str
        Of the leaf: as ``x`` or ``x["W1"]``.
    shape : tuple of int
        The rows and columns that the leaf is seen as: an array of more axes has all but the first in its columns, a
        line is one row.
    largest : ndarray of float64, shape (p, q)
        For p and q at most 64. Infinite where a claim is NaN; NaN where nothing was compared.
    """

    path: str
    shape: tuple[int, ...]
    largest: Float64Array


@dataclass(frozen=True)
class Sweep:
    """The central differences of one entry over all steps that it was measured with.

    Attributes
    ----------
    index : int
        The entry, flat.
    claimed : float
        What is claimed there.
    steps, slopes, rounding : ndarray of float64
        In the order of the steps; `rounding` is the error that f's last digits may have added.
    """

    index: int
    claimed: float
    steps: Float64Array
    slopes: Float64Array
    rounding: Float64Array


def error_map(leaf: Leaf, where: IndexArray | None, errors: Float64Array) -> ErrorMap:
    """Return the errors of a leaf in blocks.

    Parameters
    ----------
    leaf : Leaf
        Not empty.
    where : ndarray of intp or None
        The indices into the flat leaf that the errors belong to; None: there is one for each entry.
    errors : ndarray
        Absolute errors, flat; NaN counts as infinite.
    """
    shape = (leaf.shape[0], prod(leaf.shape[1:])) if len(leaf.shape) > 1 else (1, prod(leaf.shape))
    errors = np.where(np.isnan(errors), np.inf, errors)
    starts = [np.linspace(0, n, min(n, BLOCKS) + 1).astype(np.intp)[:-1] for n in shape]
    if where is None:
        by_columns = np.fmax.reduceat(errors.reshape(shape), starts[1], axis=1)
        largest = np.fmax.reduceat(by_columns, starts[0], axis=0)
    else:
        largest = np.full((starts[0].size, starts[1].size), np.nan)
        row, column = np.unravel_index(where, shape)
        block = tuple(np.searchsorted(s, k, "right") - 1 for s, k in zip(starts, (row, column), strict=True))
        np.fmax.at(largest, block, errors)
    return ErrorMap(leaf.path, shape, largest)
