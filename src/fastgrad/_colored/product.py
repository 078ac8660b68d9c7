"""uᵀJ where it is known which outputs each entry of x moves: entries that share no output are moved at once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._calls import Calls
from fastgrad._colored.compression import compression
from fastgrad._errors import ShapeError
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array, Float64Array


def compressed_product(calls: Calls, point: Point, plan: Plan, sparsity: Any, u: Float64Array) -> Float64Array:
    """Return uᵀJ, shape (n,): the stencil's calls of f for each colour of a pattern.

    Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Maths Applics 13 (1974).

    Raises
    ------
    ShapeError
        If the pattern is not one of u.size rows and x.size columns.
    """
    by = compression(calls.whole(point), point, sparsity, "csc", by_rows=False)
    pattern = by.coloring.pattern
    if pattern.shape[0] != u.size:
        raise ShapeError(f"sparsity has the shape {pattern.shape}; expected {(u.size, point.array.size)}.")
    data = np.zeros(pattern.nnz, point.array.dtype)

    def loop(f: Callable[[Array], Any]) -> int:
        return by.measure(f, point, plan, by.work(point), data, by.reader(point))

    calls.run(loop, np.zeros(pattern.shape[0]), point)
    starts, rows = pattern.csc
    owner = np.repeat(np.arange(point.array.size), np.diff(starts))
    with np.errstate(invalid="ignore", over="ignore"):
        product = np.bincount(owner, weights=u[rows] * data, minlength=point.array.size)
    return product.astype(np.float64)
