"""uᵀJ where it is known which outputs each entry of x moves: entries that share no output are moved at once."""

from typing import Any

import numpy as np

from fastgrad._compression import compression
from fastgrad._errors import ShapeError
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Float64Array, VectorFunction


def compressed_product(f: VectorFunction, point: Point, plan: Plan, sparsity: Any, u: Float64Array) -> Float64Array:
    """Return uᵀJ, shape (n,): the stencil's calls of f, which takes what x is, for each colour of a pattern.

    Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", J. Inst. Maths Applics 13 (1974).

    Raises
    ------
    ShapeError
        If the pattern is not one of u.size rows and x.size columns.
    """
    by = compression(f, point, sparsity, "csc", by_rows=False)
    pattern = by.coloring.pattern
    if pattern.shape[0] != u.size:
        raise ShapeError(f"sparsity has the shape {pattern.shape}; expected {(u.size, point.array.size)}.")
    data = np.zeros(pattern.nnz, point.array.dtype)
    by.measure(point.of_array(f), point, plan, by.work(point), data, by.reader(point))
    starts, rows = pattern.csc
    owner = np.repeat(np.arange(point.array.size), np.diff(starts))
    with np.errstate(invalid="ignore", over="ignore"):
        product = np.bincount(owner, weights=u[rows] * data, minlength=point.array.size)
    return product.astype(np.float64)
