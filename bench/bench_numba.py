"""A central-difference loop written in numba beside fastgrad on the same function, compiled by numba.

numba may inline f into the loop that is written by hand; fastgrad calls it by its address.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row
from fastgrad._typing import Array

TITLE = "Gradient of a numba function, beside a loop written in numba"
BESIDE = ("numba",)
_SIZES = (3, 10, 100, 1000, 10_000)
_H = 1e-5


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    del limits
    import numba

    for name, body in (("Rosenbrock", _rosenbrock), ("sum of squares", _squares)):
        jitted = numba.njit(body)
        loop = _loop(numba, jitted)
        native = fg.native.function(_address(numba, jitted))
        for n in _SIZES if not effort.quick else _SIZES[:-1]:
            yield _row(name, jitted, loop, native, n, effort)


def _rosenbrock(x: Any) -> Any:
    total = 0.0
    for i in range(len(x) - 1):
        total += 100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) ** 2
    return total


def _squares(x: Any) -> Any:
    total = 0.0
    for i in range(len(x)):
        total += x[i] * x[i]
    return total


def _address(numba: Any, f: Any) -> Any:
    """Return f as a function of an address and a length, as C calls it."""
    types = numba.types

    @numba.cfunc(types.float64(types.CPointer(types.float64), types.intp))  # type: ignore[untyped-decorator]
    def called(x: Any, n: Any) -> Any:
        return f(numba.carray(x, n))

    return called


def _loop(numba: Any, f: Any) -> Callable[[Array, float], Array]:
    """Return the loop that a user of numba would write: one copy of x, perturbed in place."""

    @numba.njit  # type: ignore[untyped-decorator]
    def gradient(x: Any, h: Any) -> Any:
        work, out = x.copy(), np.empty_like(x)
        for i in range(len(x)):
            work[i] = x[i] + h
            above = f(work)
            work[i] = x[i] - h
            below = f(work)
            work[i] = x[i]
            out[i] = (above - below) / (2 * h)
        return out

    found: Callable[[Array, float], Array] = gradient
    return found


def _row(name: str, jitted: Any, loop: Callable[[Array, float], Array], native: Any, n: int, effort: Effort) -> Row:
    x = np.random.default_rng(1).standard_normal(n)
    if not np.allclose(fg.numerical_gradient(native, x), loop(x, _H), rtol=1e-6, atol=1e-4):
        raise AssertionError(f"{name}, n = {n}: the gradient is not that of the loop in numba.")
    contenders: dict[str, Callable[[], Any]] = {
        "fastgrad": lambda: fg.numerical_gradient(native, x),
        "numba": lambda: loop(x, _H),
    }
    if n <= 1000:
        contenders["called from Python"] = lambda: fg.numerical_gradient(jitted, x)
    times = interleave(contenders, effort)
    figures = [Figure("numba / fastgrad", times.ratio("numba", "fastgrad"))]
    if n <= 1000:
        figures.append(Figure("called from Python / fastgrad", times.ratio("called from Python", "fastgrad")))
    return Row(f"{name}, n = {n}", times.best("fastgrad"), figures)
