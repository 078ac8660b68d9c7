"""A tridiagonal Jacobian by colours: beside the dense plain loop and the bare calls. It needs SciPy."""

from collections.abc import Iterator
from itertools import repeat

import numpy as np

from fastgrad import reference, sparsity
from fastgrad._bench.rows import Figure, Row
from fastgrad._bench.timing import Effort, interleave
from fastgrad._jacobian import numerical_jacobian
from fastgrad._plan import plan_jacobian
from fastgrad._typing import Array

TITLE = "Jacobian of Broyden's tridiagonal function"
_DENSE = 1000  # up to which the dense loop takes less than a second
_NOTES = (
    "the reference is the dense loop, 2n calls; bare calls: f called twice for each of 3 colours, and nothing else",
    "the time is that of numerical_jacobian(sparsity=…), colours and verification included; a plan keeps both",
)


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each size."""
    for n in (1000, 100_000) if effort.quick else (1000, 10_000, 100_000, 1_000_000):
        yield _row(n, effort)


def _broyden(x: Array) -> Array:
    y: Array = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def _row(n: int, effort: Effort) -> Row:
    x, pattern = np.linspace(-1.0, 1.0, n), sparsity.banded(n)
    plan = plan_jacobian(_broyden, x, sparsity=pattern)
    found = numerical_jacobian(_broyden, x, sparsity=pattern)
    if not np.allclose(found.diagonal(), 3 - 4 * x) or found.nnz != 3 * n - 2:
        raise AssertionError(f"n = {n}: the Jacobian is not the exact one.")

    def bare() -> None:
        for _ in repeat(None, 6):
            _broyden(x)

    contenders = {
        "fastgrad": lambda: numerical_jacobian(_broyden, x, sparsity=pattern),
        "plan": lambda: plan(x),
        "bare": bare,
    }
    if n <= _DENSE:
        contenders["reference"] = lambda: reference.numerical_jacobian(_broyden, x)
    times = interleave(contenders, effort)
    figures = [Figure("reference / fastgrad", times.ratio("reference", "fastgrad"))] if n <= _DENSE else []
    figures += [
        Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare")),
        Figure("plan / bare calls", times.ratio("plan", "bare")),
    ]
    return Row(f"tridiagonal Jacobian, n = {n}", times.best("fastgrad"), figures, _NOTES)
