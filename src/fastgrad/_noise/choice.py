"""What eps="noise" means: steps measured on the f at hand, of one value or many, within its bounds."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._bounds import limits
from fastgrad._noise.steps import by_noise
from fastgrad._point import Point
from fastgrad._stencils.table import ORDER, given_stencil
from fastgrad._typing import Array, Float64Array


def step_by_noise(
    f: Callable[[Array], Any],
    point: Point,
    method: str | None,
    order: int | None,
    bounds: Any = None,
    *,
    is_scalar: bool = True,
) -> tuple[Float64Array, int]:
    """Return the steps that suit f's noise, shaped like the point's array, and the calls of f that it took.

    The values of an array-valued f are added up with a sign each, so that one step an entry serves all of them: noise
    and bends of those that have most of both decide.

    Parameters
    ----------
    f : callable
        Takes an array like the point's.
    point : Point
    method, order, bounds : optional
        As the differences are to be taken; None is "central", and 2. f is not called outside the bounds.
    is_scalar : bool
        Whether f returns one number.

    Raises
    ------
    ValueError
        If there is no such method or order, or x lies outside its bounds.
    StepError
        If f has no finite values around x.
    """
    method, order = "central" if method is None else method, ORDER if order is None else order
    given_stencil(method, order)  # refuses what does not exist before f is called
    within = None if bounds is None else limits(bounds, point)
    measured = f if is_scalar else _summed(f, point)
    h, _, calls = by_noise(measured, point, method, order, within)
    return h.reshape(point.array.shape), calls


def _summed(f: Callable[[Array], Any], point: Point) -> Callable[[Array], float]:
    """Return the sum of f's values, every other run of them with a minus: signs as the golden section throws them."""
    reader = point.reader()

    def total(x: Array) -> float:
        values = reader.array(f(x), 0, 0, None).reshape(-1)
        turns = np.arange(1, values.size + 1) * ((1 + 5**0.5) / 2)
        return float(np.sum(np.where(turns % 1.0 < 0.5, values, -values)))

    return total
