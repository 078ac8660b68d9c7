"""Bounds in SciPy's form: a pair (lower, upper), or an object with lb and ub."""

from typing import Any

import numpy as np

from fastgrad._errors import ShapeError
from fastgrad._point import Point
from fastgrad._typing import Float64Array


def limits(bounds: Any, point: Point) -> tuple[Float64Array, Float64Array]:
    """Return the bounds as two flat arrays of x's size, without bounds infinite ones; refuse an x outside.

    Raises
    ------
    TypeError
        If bounds are neither a pair nor an object with lb and ub.
    ShapeError
        If they do not broadcast to x.
    ValueError
        If an entry of x lies outside, as it does where a bound is NaN.
    """
    if bounds is None:
        return np.full(point.array.size, -np.inf), np.full(point.array.size, np.inf)
    pair = (bounds.lb, bounds.ub) if hasattr(bounds, "lb") and hasattr(bounds, "ub") else bounds
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise TypeError(f"bounds must be a pair (lower, upper) or have the attributes lb and ub; got {bounds!r}.")
    try:
        arrays = (np.asarray(point.in_line(b, "a bound"), dtype=np.float64) for b in pair)
        lower, upper = (np.broadcast_to(a, point.array.shape).reshape(-1) for a in arrays)
    except ValueError as error:
        raise ShapeError(f"bounds must be numbers or arrays shaped like x, {point.array.shape}: {error}") from error
    x = point.array.reshape(-1)
    outside = ~((lower <= x) & (x <= upper))
    if outside.any():
        i = int(np.argmax(outside))
        is_none = np.isnan(lower[i]) or np.isnan(upper[i])
        raise ValueError(
            f"{point.name(i)} = {float(x[i]):.17g} lies outside its bounds, {lower[i]:.17g} and {upper[i]:.17g}."
            + " Where there is no bound, give -inf or inf in place of None or NaN." * bool(is_none)
        )
    return lower, upper
