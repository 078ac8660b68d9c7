"""The calls of a gradient check in stacks of points, or on workers: its first pass, and most of its second look."""

from typing import Any

import numpy as np

from fastgrad._ahead import Ahead
from fastgrad._arrays import step_of
from fastgrad._calls import Calls
from fastgrad._gradient import numerical_gradient
from fastgrad._judge.recheck import MULTIPLES
from fastgrad._loops import is_structured
from fastgrad._parts import FirstOf, at_steps, in_parts
from fastgrad._point import Point, bound
from fastgrad._typing import Array, Float64Array, IndexArray, Pace


class Elsewhere:
    """What calls f in place of the plain loop, where its calls can be foreseen.

    Attributes
    ----------
    f : Ahead
        f as a function of one array.
    """

    def __init__(self, calls: Calls, point: Point) -> None:
        self.f = Ahead(calls, point)
        self._calls, self._point = calls, point

    def measured(self, h: Float64Array, where: IndexArray | None, pace: Pace) -> Array:
        """Return the entries of the gradient at these flat indices, or all, by steps h."""
        point, calls = self._point, self._calls
        some = np.arange(point.array.size) if where is None else where
        if not some.size:
            return np.empty(0, point.array.dtype)
        if calls.are_threads:
            g = numerical_gradient(bound(calls.f, (), None), point.array, at_steps(h, point), workers=calls.workers)
            return np.asarray(g).reshape(-1)[some]
        found = in_parts(
            numerical_gradient, bound(calls.f, (), None), point, calls.workers, at_steps(h, point), None, calls.args,
            calls.kwargs, indices=some, pace=pace, vectorized=calls.vectorized,
        )  # fmt: skip
        return np.asarray(found.value)

    def prepare(self, entries: IndexArray, h: Float64Array) -> None:
        """Ask for f at the steps that the second look at these entries begins with."""
        self.f.prepare(
            (np.array([i]), np.array([sign * factor * step_of(h, i)]))
            for i in entries.tolist()
            for factor in MULTIPLES
            for sign in (1, -1)
        )


def elsewhere_of(
    f: Any, grad_f: Any, point: Point, args: Any, kwargs: Any, vectorized: bool, workers: Any
) -> tuple[Any, Elsewhere]:
    """Return f as a function of one array, which returns all that f does, and what calls it in stacks or on workers."""
    if is_structured(f):
        raise TypeError("a structured callable measures by its own loop: vectorized does not reach it.")
    if vectorized and grad_f is True:
        raise TypeError("with vectorized=True the claim must be a function of x or an array; got grad_f=True.")
    if grad_f is True:
        return point.of_array(bound(f, args, kwargs)), Elsewhere(Calls(FirstOf(f), args, kwargs, False, workers), point)
    elsewhere = Elsewhere(Calls(f, args, kwargs, vectorized, workers), point)
    return elsewhere.f, elsewhere
