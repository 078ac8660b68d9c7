"""uᵀJ where it is known which outputs each entry of x moves: entries that share no output are moved at once."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from fastgrad import steps
from fastgrad._errors import ShapeError
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array


class Columns(Protocol):
    """A pattern by columns."""

    @property
    def shape(self) -> tuple[int, int]:
        """Outputs by entries of x."""

    @property
    def csc(self) -> tuple[Array, Array]:
        """Where each column starts, shape (n + 1,), and the rows of its entries, one column after another."""


class Compression(Protocol):
    """Columns in groups of which no two share a row, as a `fastgrad.sparsity.Coloring` has them."""

    @property
    def pattern(self) -> Columns:
        """Which entries there are."""

    @property
    def grouped_columns(self) -> tuple[Array, Array]:
        """Where each group starts, and the columns, one group after another."""


def compression(given: Any) -> Compression:
    """Return columns in groups: as given, or those that `fastgrad.sparsity.color` finds for a pattern."""
    if hasattr(given, "grouped_columns"):
        found: Compression = given
        return found
    from fastgrad.sparsity import color  # loaded when asked for: most products know of no pattern

    return color(given, "columns")


def compressed_product(
    f: Callable[[Array], Float64Array], point: Point, h: Float64Array, groups: Compression, u: Float64Array
) -> Float64Array:
    """Return uᵀJ, shape (n,), by central differences: two calls of f for each group.

    Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Maths Applics 13 (1974).

    Parameters
    ----------
    f : callable
        Takes an array like the point's and returns m numbers, flat.
    point : Point
    h : ndarray, shape (1,) or (n,)
        The steps.
    groups : Compression
    u : ndarray, shape (m,)

    Raises
    ------
    ShapeError
        If the pattern is not one of m rows and n columns.
    """
    n = point.array.size
    if tuple(groups.pattern.shape) != (u.size, n):
        raise ShapeError(f"sparsity has the shape {tuple(groups.pattern.shape)}; expected {(u.size, n)}.")
    steps.refuse_lost_steps(point, h)
    x, each = point.array.reshape(-1), np.broadcast_to(h, n)
    (starts, rows), (bounds, columns) = groups.pattern.csc, groups.grouped_columns
    product = np.zeros(n)
    for k in range(len(bounds) - 1):
        members = columns[bounds[k] : bounds[k + 1]]
        sides = []
        for sign in (1.0, -1.0):
            moved = x.copy()
            moved[members] = x[members] + sign * each[members]
            sides.append(f(moved.reshape(point.array.shape)))
        with np.errstate(invalid="ignore", over="ignore"):
            change = sides[0] - sides[1]
        counts = starts[members + 1] - starts[members]
        owner = np.repeat(np.arange(members.size), counts)
        within = np.arange(owner.size) - np.repeat(np.cumsum(counts) - counts, counts)
        touched = rows[np.repeat(starts[members], counts) + within]
        weighted = np.bincount(owner, weights=u[touched] * change[touched], minlength=members.size)
        product[members] = weighted / (2.0 * each[members])
    return product
