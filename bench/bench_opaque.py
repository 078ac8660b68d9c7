"""Gradients of ordinary Python callables: the overhead over the calls of f, and the gain over the plain loops."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fastgrad as fg
from bench import _textbook
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least, at_most
from fastgrad._typing import Array

TITLE = "Gradient of an opaque Python callable"
_SIZES = (3, 10, 100, 1000, 10_000)
_CALL = 6e-6  # seconds that a call of the verb itself may take
_EXPRESSION = "x[0]*x[1] + x[2]"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    for n in _SIZES:
        for name, f in _functions(n).items():
            yield _row(name, f, n, limits, effort)


def _functions(n: int) -> dict[str, Callable[[Array], Any]]:
    rng = np.random.default_rng(n)
    a = rng.standard_normal(n)
    functions: dict[str, Callable[[Array], Any]] = {
        "np.dot(a, x)": lambda x: np.dot(a, x),
        "x @ x": lambda x: x @ x,
        "np.sum((x - a)**2)": lambda x: np.sum((x - a) ** 2),
        _EXPRESSION: lambda x: x[0] * x[1] + x[2],
    }
    if n <= 1000:  # a matrix of 10⁸ doubles would be all that is measured, for minutes
        A = rng.standard_normal((n, n))
        functions["x @ A @ x"] = lambda x: x @ A @ x
    return functions


def _row(name: str, f: Callable[[Array], Any], n: int, limits: Limits, effort: Effort) -> Row:
    x = np.random.default_rng(1).standard_normal(n)
    expected = fg.reference.numerical_gradient(f, x)
    if not np.array_equal(fg.numerical_gradient(f, x), expected):
        raise AssertionError(f"{name}, n = {n}: the gradient is not the reference's.")
    fixed = _placed_like_the_buffer(x)
    times = interleave(
        {
            "bare": lambda: limits.call(f, fixed, 2 * n),
            "fastgrad": lambda: fg.numerical_gradient(f, x),
            "reference": lambda: fg.reference.numerical_gradient(f, x),
            "textbook": lambda: _textbook.numerical_gradient(f, x),
        },
        effort,
    )
    gain = 2.5 if (name, n) == (_EXPRESSION, 1000) else 1.0
    return Row(
        f"`{name}`, n = {n}",
        times.best("fastgrad"),
        [
            Figure("over bare calls", times.ratio("fastgrad", "bare")),
            Figure(
                "less 6 µs, over bare calls",
                times.excess_ratio("fastgrad", "bare", _CALL),
                at_most(1.10) if n >= 100 else None,
            ),
            Figure("reference / fastgrad", times.ratio("reference", "fastgrad"), at_least(gain)),
            Figure("textbook / fastgrad", times.ratio("textbook", "fastgrad")),
        ],
    )


def _placed_like_the_buffer(x: Array) -> Array:
    """Return a copy of x that begins at the place in a cache line at which the buffer that fastgrad hands to f does.

    Where an array begins is the allocator's choice, and f itself may take a fifth longer where loads straddle lines.
    """
    places = []

    def f(buffer: Array) -> float:
        places.append(buffer.ctypes.data % 64)
        return 0.0

    fg.numerical_gradient(f, x)
    copies = [x.copy() for _ in range(32)]
    return next((copy for copy in copies if copy.ctypes.data % 64 == places[0]), copies[0])
