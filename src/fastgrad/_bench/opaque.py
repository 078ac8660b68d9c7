"""Gradients of ordinary Python callables, of one point and of stacks: beside the plain loop and the bare calls."""

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from fastgrad import reference
from fastgrad._bench.rows import Figure, Row
from fastgrad._bench.timing import Effort, interleave
from fastgrad._gradient import numerical_gradient
from fastgrad._typing import Array

TITLE = "Gradient of a Python callable"
_BARE = "bare calls: f called 2n times in a Python loop at one x, and nothing else; no opaque f can be faster"


class _Function(NamedTuple):
    """A function of one point, and the same of a stack where that is what fastgrad is given."""

    name: str
    one: Callable[[Array], Any]
    many: Callable[[Array], Any] | None = None


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    for n in (100, 1000) if effort.quick else (10, 100, 1000, 10_000):
        for function in _functions(n):
            yield _row(function, n, effort)


def _functions(n: int) -> list[_Function]:
    a = np.random.default_rng(n).standard_normal(n)
    return [
        _Function("`np.dot(a, x)`", lambda x: np.dot(a, x)),
        _Function("`np.sum((x - a)**2)`", lambda x: np.sum((x - a) ** 2)),
        _Function("`x[0]*x[1] + x[2]`", lambda x: x[0] * x[1] + x[2]),
        _Function("`X @ a` of a stack, `vectorized=True`", lambda x: x @ a, lambda X: X @ a),
    ]


def _row(function: _Function, n: int, effort: Effort) -> Row:
    x, f = np.random.default_rng(1).standard_normal(n), function.one

    def ours() -> Any:
        if function.many is None:
            return numerical_gradient(f, x)
        return numerical_gradient(function.many, x, vectorized=True)

    if not np.allclose(ours(), reference.numerical_gradient(f, x), rtol=1e-5, atol=1e-5):
        raise AssertionError(f"{function.name}, n = {n}: the gradient is not the reference's.")

    def bare() -> None:
        for _ in repeat(None, 2 * n):
            f(x)

    times = interleave(
        {"fastgrad": ours, "reference": lambda: reference.numerical_gradient(f, x), "bare": bare}, effort
    )
    return Row(
        f"{function.name}, n = {n}",
        times.best("fastgrad"),
        [
            Figure("reference / fastgrad", times.ratio("reference", "fastgrad")),
            Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare")),
        ],
        [_BARE],
    )
