"""Gradients of callables that take stacks of points, over calls of the same function at one point."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most
from fastgrad._typing import Array

TITLE = "Gradient of a callable that takes a stack of points"
_SIZES = (100, 1000, 10_000)
_CEILINGS = {100: 0.3, 1000: 0.7, 10_000: 1.3}


class _Both(NamedTuple):
    """A function of one point and of a stack, and whether a ceiling holds for it at n = 10⁴."""

    one: Callable[[Array], Any]
    many: Callable[[Array], Any]
    is_bound: bool = True


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    for n in _SIZES:
        for name, both in _functions(n).items():
            yield _row(name, both, n, limits, effort)


def _functions(n: int) -> dict[str, _Both]:
    rng = np.random.default_rng(n)
    a = rng.standard_normal(n)
    functions = {
        "np.dot(a, x)": _Both(lambda x: np.dot(a, x), lambda X: X @ a),
        "x @ x": _Both(lambda x: x @ x, lambda X: np.einsum("ij,ij->i", X, X), n <= 1000),
        "Rosenbrock": _Both(_rosenbrock, _rosenbrocks),
    }
    if n <= 1000:
        A = rng.standard_normal((n, n))
        functions["x @ A @ x"] = _Both(lambda x: x @ A @ x, lambda X: np.einsum("ij,ij->i", X @ A, X))
    return functions


def _rosenbrock(x: Array) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _rosenbrocks(X: Array) -> Any:
    return np.sum(100 * (X[:, 1:] - X[:, :-1] ** 2) ** 2 + (1 - X[:, :-1]) ** 2, axis=1)


def _row(name: str, both: _Both, n: int, limits: Limits, effort: Effort) -> Row:
    x = np.random.default_rng(1).standard_normal(n)
    found, expected = fg.numerical_gradient(both.many, x, vectorized=True), fg.numerical_gradient(both.one, x)
    if not np.allclose(found, expected, rtol=1e-5, atol=1e-4 * float(np.max(np.abs(expected)))):
        raise AssertionError(f"{name}, n = {n}: stacks and single points disagree.")
    times = interleave(
        {
            "bare": lambda: limits.call(both.one, x, 2 * n),
            "stacks": lambda: fg.numerical_gradient(both.many, x, vectorized=True),
            "points": lambda: fg.numerical_gradient(both.one, x),
        },
        effort,
    )
    return Row(
        f"`{name}`, n = {n}",
        times.best("stacks"),
        [
            Figure(
                "over bare calls at one point",
                times.ratio("stacks", "bare"),
                at_most(_CEILINGS[n]) if both.is_bound else None,
            ),
            Figure("points / stacks", times.ratio("points", "stacks")),
        ],
    )
