"""What pictures of a check are made of: its errors in blocks of rows and columns, and slopes over steps."""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fastgrad._tree import Leaf, located
from fastgrad._typing import Array, Float64Array, IndexArray

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A map has at most so many blocks to a side.
BLOCKS = 64


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True, eq=False)
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


def error_map(leaves: tuple[Leaf, ...], where: IndexArray | None, claimed: Array, measured: Array, at: int) -> ErrorMap:
    """Return the errors of the leaf that holds the entry at one position among those compared, in blocks.

    Parameters
    ----------
    leaves : tuple of Leaf
        What x is made of.
    where : ndarray of intp or None
        The flat indices that were compared; None: all, in order.
    claimed, measured : ndarray
        Flat, of those that were compared.
    at : int
        The position of an entry among them.
    """
    leaf = leaves[0] if len(leaves) == 1 else located(at if where is None else int(where[at]), leaves)[0]
    shape = (leaf.shape[0], prod(leaf.shape[1:])) if len(leaf.shape) > 1 else (1, prod(leaf.shape))
    inside: slice | NDArray[np.bool_] = slice(leaf.start, leaf.stop)
    if where is not None:
        inside = (where >= leaf.start) & (where < leaf.stop)
    errors = claimed[inside].astype(np.float64)
    with np.errstate(invalid="ignore"):
        errors -= measured[inside]
    np.abs(errors, out=errors)
    errors[np.isnan(errors)] = np.inf
    if where is None and max(shape) <= BLOCKS:
        return ErrorMap(leaf.path, shape, errors.reshape(shape))
    starts = [np.linspace(0, n, min(n, BLOCKS) + 1).astype(np.intp)[:-1] for n in shape]
    if where is None:
        by_columns = np.maximum.reduceat(errors.reshape(shape), starts[1], axis=1)
        return ErrorMap(leaf.path, shape, np.maximum.reduceat(by_columns, starts[0], axis=0))
    largest = np.full((starts[0].size, starts[1].size), np.nan)
    at_rows = np.unravel_index(where[inside] - leaf.start, shape)
    blocks = tuple(np.searchsorted(s, k, "right") - 1 for s, k in zip(starts, at_rows, strict=True))
    np.fmax.at(largest, blocks, errors)
    return ErrorMap(leaf.path, shape, largest)
