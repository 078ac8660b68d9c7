"""The first pass of a gradient check in stacks of points, or on workers."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._gradient import numerical_gradient
from fastgrad._parts import FirstOf, at_steps, in_parts
from fastgrad._point import Point, bound
from fastgrad._stacks import Stacked
from fastgrad._typing import Array, Float64Array, IndexArray, Pace


def elsewhere_of(
    f: Any, grad_f: Any, point: Point, args: Any, kwargs: Any, vectorized: bool, workers: Any
) -> tuple[Any, Callable[..., Array]]:
    """Return f as a function of one array, and what measures its gradient in stacks or on workers."""
    if hasattr(type(f), "__fastgrad_gradient__"):
        raise TypeError("a structured callable measures by its own loop: vectorized does not reach it.")
    if vectorized and grad_f is True:
        raise TypeError("with vectorized=True the claim must be a function of x or an array; got grad_f=True.")
    whole = bound(f, args, kwargs)
    of_array = Stacked(whole, point).one if vectorized else point.of_array(whole)
    values = FirstOf(f) if grad_f is True else f

    def measured(h: Float64Array, where: IndexArray | None, pace: Pace) -> Array:
        some = np.arange(point.array.size) if where is None else where
        if not some.size:
            return np.empty(0, point.array.dtype)
        found = in_parts(
            numerical_gradient, values, point, workers, at_steps(h, point), None, args, kwargs,
            indices=some, pace=pace, vectorized=vectorized,
        )  # fmt: skip
        return np.asarray(found.value)

    return of_array, measured
