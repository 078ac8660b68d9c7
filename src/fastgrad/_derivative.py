"""Derivatives of a function of one variable, up to the fourth, at each element of an array."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from fastgrad._adaptive.entries import adaptive_elements
from fastgrad._arrays import whole_number
from fastgrad._bounds import limits
from fastgrad._errors import no_such_method
from fastgrad._estimates import Derivative
from fastgrad._parts import Part, joined_parts
from fastgrad._point import Point, as_point, bound
from fastgrad._typing import ScalarFunction
from fastgrad._workers import in_order, is_alone, spans

#: The highest derivative: extrapolation of the next would have no digits left.
HIGHEST = 4
#: The side of each point on which alone f is called; 0 stands for both.
SIDES = {"adaptive": 0, "forward": 1, "backward": -1}


def derivative(
    f: ScalarFunction,
    x: Any,
    n: int = 1,
    *,
    method: Literal["adaptive", "forward", "backward"] = "adaptive",
    details: bool = False,
    bounds: Any = None,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the n-th derivative of f, a function of one variable, at each element of x.

    Difference quotients at several steps are extrapolated to step zero, at each element until more calls promise no
    more digits: about 13 digits of a first derivative from about 15 calls, three digits fewer with each order.

    Parameters
    ----------
    f : callable
        Takes a number and returns one. It is called at one element after another, with NumPy scalars of x's working
        dtype, so that a function of scalars will do, as will one that works on arrays elementwise.
    x : array_like
        The points, of any shape. Integers become float64; float32 stays float32.
    n : int
        Which derivative, 1 to 4.
    method : {"adaptive", "forward", "backward"}
        "adaptive" calls f on both sides of each point, and on one where the other has no values. "forward" calls it at
        the point and above alone, "backward" at the point and below: at a kink, these are the slopes on each side.
    details : bool
        Whether to return error bars, calls, steps and flags with the values.
    bounds : pair of array_like, or an object with attributes lb and ub, optional
        Where f may be called, as ``(lower, upper)``; each broadcasts to x.
    workers : optional
        As `numerical_gradient` takes them; the elements are shared out.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray or Derivative
        Shaped like x; a NumPy scalar when x is a bare number. With `details`, a `Derivative` of such.

    Raises
    ------
    ValueError
        If n or method is none of those named, or x lies outside its bounds.
    TypeError, ShapeError
        If x cannot be differentiated at, or f returns no real number; the sentence names the element.
    Exception
        Whatever f raises at an element of x itself arrives with a note. Beside it, FloatingPointError,
        ZeroDivisionError, OverflowError and ValueError say that f has no value there, as NaN does; NumPy's warnings of
        invalid values are silenced meanwhile.

    Notes
    -----
    Richardson's extrapolation (Phil. Trans. R. Soc. A 210, 1911) in the manner of Ridders (Advances in Engineering
    Software 4, 1982), with steps found by search. Of a float32 x all that f returns is taken to be that precise.

    Examples
    --------
    >>> import math
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> fg.derivative(np.sin, np.array([0.0, 1.0])) - np.cos([0.0, 1.0]) < 1e-13
    array([ True,  True])
    >>> found = fg.derivative(math.exp, 1.0, n=2, details=True)
    >>> bool(abs(found.value - math.e) < found.error < 1e-9), int(found.calls) < 20
    (True, True)
    """
    order = whole_number(n, "n")
    if not 1 <= order <= HIGHEST:
        raise ValueError(f"n must be 1 to {HIGHEST}, the order of the derivative; got {n!r}.")
    if method not in SIDES:
        raise no_such_method(method, SIDES)
    point = as_point(x)
    if point.array.size and not is_alone(workers):
        task = _Elements(f, args, kwargs, point, bounds, order, SIDES[method])
        parts = list(in_order(task, spans(point.array.size, workers), workers))
        found = joined_parts(parts, point.array.shape, True)
    else:
        found = adaptive_elements(bound(f, args, kwargs), point, bounds, order, SIDES[method])
    found = found.mapped(point.restore)
    return found if details else found.value


class _Elements:
    """The derivative at some of the elements: what workers are sent, once, to be called with a span."""

    def __init__(self, f: Any, args: Any, kwargs: Any, point: Point, bounds: Any, n: int, side: int) -> None:
        self._f, self._args, self._kwargs, self._x = f, args, kwargs, point.array
        self._bounds = None if bounds is None else limits(bounds, point)
        self._n, self._side = n, side

    def __call__(self, span: tuple[int, int]) -> Derivative:
        """Return the derivative at the elements of a span."""
        some = np.arange(*span)
        within = None if self._bounds is None else tuple(side[some] for side in self._bounds)
        part = Part(as_point(self._x), some)
        return adaptive_elements(bound(self._f, self._args, self._kwargs), part, within, self._n, self._side)
