"""The Jacobian of an array-valued function as a SciPy sparse array, in as many calls as its pattern's colours take."""

from typing import Any

import numpy as np

from fastgrad._compression import Vjp, compression
from fastgrad._missing_entries import refuse_missing
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import VectorFunction
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


def sparse_jacobian(
    f: VectorFunction,
    point: Point,
    plan: Plan,
    sparsity: Any,
    format: str | None,
    *,
    vjp: Vjp | None = None,
    verify: bool = True,
    out: Any = None,
) -> Any:
    """Return the Jacobian of f, which takes what x is, by the stencils of a plan, shape (m, n)."""
    by = compression(f, point, sparsity, format, by_rows=vjp is not None)
    dtype = point.array.dtype
    data = np.zeros(by.coloring.pattern.nnz, dtype) if out is None else by.form.data_of(out, dtype)
    reader = by.reader(point)
    whole = point.of_array(f)
    by.measure(whole, point, plan, by.work(point), data, reader)
    if vjp is not None:
        by.measure_rows(whole, vjp, point, data, reader)
    if verify and point.array.size:
        refuse_missing(f, point, plan, by, data, reader)
    if out is not None:
        return out
    return by.form.made(data, gives_up=not isinstance(sparsity, Pattern | Coloring))
