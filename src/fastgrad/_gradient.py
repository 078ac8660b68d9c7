"""The gradient of a scalar function: of any callable, entry by entry, or by a structured callable's own loop."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._point import Point, as_point, bound, is_bare_number, usable_out, working_array
from fastgrad._reading import Reader
from fastgrad._scheme import central, scheme
from fastgrad._typing import Array, Float64Array, IndexArray, Pace, ScalarFunction, Step


def numerical_gradient(
    f: ScalarFunction,
    x: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    out: Array | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the gradient of the scalar function f at x by finite differences, central ones by default.

    Entry i is ``(f(x + eps e_i) - f(x - eps e_i)) / (2 eps)``. An ordinary callable is called 2n times, entry by entry
    in C order, plus before minus; on float64 x the result is bit for bit that of `fastgrad.reference`. A structured
    callable (`fastgrad.losses`, or any class with ``__fastgrad_gradient__``) measures by its own compiled loop instead.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a real scalar. It may keep its argument, return it or write
        into it: x stays untouched, and the result does not suffer. Memory that f reaches by a bare address or a weak
        reference is beyond what can be seen.
    x : array_like or tree of arrays
        The point, of any shape and order. Integers and booleans become float64; float32 stays float32, with differences
        formed in double precision and rounded once. Dictionaries, lists, tuples, named tuples and dataclasses of
        arrays, nested as you like, are trees: f takes one of the same structure, whose leaves all have the widest of
        their dtypes and are views of one buffer. A list whose leaves are all numbers is an array.
    eps : None, float, array_like or "auto"
        The absolute step. None is 1e-5 in double and 2⁻⁸ in single precision, and for a structured callable 2⁻¹⁷ and
        2⁻⁸. An array shaped like x gives each entry its own step, and in a tree like x a number each entry of a leaf;
        ``"auto"`` takes the power of two nearest to ε^(1/3)·max(1, abs(x_i)).
    method : {"central", "forward", "backward", "adaptive"}, optional
        On which sides of x f is called. None is "central". "adaptive" extrapolates from steps of its own, entry by
        entry, until the error stops falling, in some 10 to 15 calls.
    order : int, optional
        The power of the step with which the error falls: 2, 4, 6 or 8 for central differences, 1 to 4 for the others; 2
        by default. A central difference takes as many calls an entry as its order, a one-sided one as many as its order
        and one call at x for all.
    bounds : pair of array_like, or an object with attributes lb and ub, optional
        f is never called outside. An entry whose points would leave them takes a one-sided difference of the same order
        (4 at most), and a shorter step where that leaves them too.
    out : ndarray, optional
        C-contiguous, of x's shape and working dtype; it is filled and returned, and must not overlap x. Not for trees.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray or tree of arrays
        Shaped like x; a NumPy scalar when x is a bare number.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding at some entry changes the step by more than 1 %.
    ValueError
        If the method or its order is unknown, x lies outside its bounds, or an entry has no room within them.
    TypeError, ShapeError
        If x cannot be differentiated at, or f returns no real scalar; the sentence names the entry.
    Exception
        Whatever f raises arrives unchanged, with a note of the entry and the side.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> fg.numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    >>> fg.numerical_gradient(lambda p: p["a"] * np.sum(p["b"]), {"a": 3.0, "b": np.ones((1, 2))})["b"].round(6)
    array([[3., 3.]])
    """
    if hasattr(type(f), "__fastgrad_gradient__"):
        if method is not None or order is not None or bounds is not None:
            raise TypeError("a structured callable measures by its own loop: method, order and bounds do not reach it.")
        return _by_structure(f, x, eps, out, args, kwargs)
    point = as_point(x)
    if method == "adaptive":
        if eps is not None or order is not None:
            raise TypeError("the adaptive method picks its own steps and order: leave eps and order out.")
        grad = usable_out(out, point.array.shape, point.array.dtype, x)
        return _adaptively(point.of_array(bound(f, args, kwargs)), point, bounds, grad)
    plan, h = scheme(point, eps, method, order, bounds)
    grad = usable_out(out, point.array.shape, point.array.dtype, x)
    _backend.differences.gradient(point.of_array(bound(f, args, kwargs)), point.array, h, plan, grad, point.reader())
    return point.restore(grad)


def _adaptively(f: ScalarFunction, point: Point, bounds: Any, out: Array) -> Any:
    from fastgrad._adaptive_entries import adaptive_gradient  # loaded when asked for: import fastgrad does without

    out[...] = adaptive_gradient(f, point, bounds).value.reshape(out.shape)
    return point.restore(out)


def measure(f: ScalarFunction, point: Point, h: Float64Array, out: Array, pace: Pace | None = None) -> int:
    """Write the central differences at a point into out, C-ordered and shaped like it; return the calls of f."""
    return int(_backend.differences.gradient(f, point.array, h, central(), out, point.reader(pace)))


def measure_entries(
    f: ScalarFunction, point: Point, h: Float64Array, indices: IndexArray, out: Array, pace: Pace | None = None
) -> int:
    """Write the central differences at these flat indices alone into the flat out; return the calls of f."""

    def f_of_entries(values: Array) -> Any:
        x = point.array.copy()
        x.reshape(-1)[indices] = values
        return f(x)

    some = point.array.reshape(-1)[indices]
    reader = Reader(lambda k: point.name(int(indices[k])), pace)
    steps_of_entries = h if h.size == 1 else h[indices]
    return int(_backend.differences.gradient(f_of_entries, some, steps_of_entries, central(), out, reader))


def _by_structure(f: Any, x: Any, eps: Step, out: Array | None, args: Sequence[Any], kwargs: Any) -> Any:
    """Measure with f's own loop, which moves terms of f and never forms x plus a step: rounding of x cannot eat it."""
    if args or kwargs:
        raise TypeError("a structured callable takes x alone: args and kwargs have no place to go.")
    array = working_array(x)
    grad = usable_out(out, array.shape, array.dtype, x)
    measure_structured(f, array, steps.as_steps(eps, array, steps.STRUCTURED), grad)
    return grad[()] if is_bare_number(x) else grad


def measure_structured(f: Any, x: Array, h: Float64Array, out: Array) -> int:
    """Write the differences that f's own loop measures into out; return the evaluations that it reports."""
    read_only = x.view()
    read_only.flags.writeable = False
    evaluations = f.__fastgrad_gradient__(read_only, h, out)
    if not isinstance(evaluations, int | np.integer):
        raise TypeError(f"__fastgrad_gradient__ must return the number of evaluations, got {evaluations!r}.")
    return int(evaluations)
