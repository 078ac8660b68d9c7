"""The gradient of a scalar function: of any callable, entry by entry, or by a structured callable's own loop."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad import _backend, _loops, steps
from fastgrad._arrays import LARGE, number_array, read_only
from fastgrad._errors import own_steps, takes_x_alone
from fastgrad._point import Point, as_point, bound, is_bare_number, usable_out, working_array
from fastgrad._reading import Reader
from fastgrad._rows import measure_rows, row_loop
from fastgrad._stencils import guarded as _guarded
from fastgrad._stencils.scheme import central, planned
from fastgrad._typing import Array, Float64Array, IndexArray, Pace, ScalarFunction, Step
from fastgrad._workers import is_alone


def numerical_gradient(
    f: ScalarFunction,
    x: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    details: bool = False,
    vectorized: bool = False,
    workers: Any = None,
    out: Array | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the gradient of the scalar function f at x by finite differences, central ones by default.

    Entry i is ``(f(x + eps e_i) - f(x - eps e_i)) / (2 eps)``. An ordinary callable is called 2n times, entry by entry
    in C order, plus before minus; on float64 x the result is bit for bit that of `fastgrad.reference`. A native
    callable (`fastgrad.native`) is called likewise, without the interpreter. A structured callable (`fastgrad.losses`,
    or any class with ``__fastgrad_gradient__``) measures by its own compiled loop instead.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a real scalar. It may keep its argument, return it or write
        into it: x stays untouched, and the result does not suffer. Beyond what can be seen are memory that f reaches by
        a bare address or a weak reference, and a write that f takes back by itself before its entry's turn.
    x : array_like or tree of arrays
        The point, of any shape and order. Integers and booleans become float64; float32 stays float32, with differences
        formed in double precision and rounded once. Complex x, complex64 or complex128, is for holomorphic f: the
        derivative df/dz comes back, the mean of differences along both axes, four calls an entry, whose error falls
        with eps⁴ (there eps=None is "auto"). Dictionaries, lists, tuples, named tuples and dataclasses of arrays,
        nested as you like, are trees: f takes one of the same structure, whose leaves all have the widest of their
        dtypes and are views of one buffer. A list whose leaves are all numbers is an array.
    eps : None, float, array_like, callable, "auto" or "noise"
        The absolute step. None is 1e-5 in double and 2⁻⁸ in single precision, and for a structured callable 2⁻¹⁷ and
        2⁻⁸. An array shaped like x gives each entry its own step, and in a tree like x a number each entry of a leaf; a
        callable takes x, as f does, and returns one of these; ``"auto"`` picks powers of two by x, dtype and order, as
        `fastgrad.steps.auto` says; ``"noise"`` measures how f jitters and bends, in 57 calls and a few tens more, as
        `fastgrad.steps.by_noise` does.
    method : {"central", "forward", "backward", "adaptive", "complex"}, optional
        On which sides of x f is called. None is "central". "adaptive" extrapolates from steps of its own, entry by
        entry, until the error stops falling, in some 10 to 15 calls. "complex" calls f with complex128 arguments
        x + ih e_i, n times, for a derivative as exact as f itself; f must be analytic, which a few calls at real
        numbers beside x make sure of.
    order : int, optional
        The power of the step with which the error falls: 2, 4, 6 or 8 for central differences, 1 to 4 for the others; 2
        by default. A central difference takes as many calls an entry as its order, a one-sided one as many as its order
        and one call at x for all.
    bounds : pair of array_like, or an object with attributes lb and ub, optional
        f is never called outside. An entry whose points would leave them takes a one-sided difference of the same order
        (4 at most), and a shorter step where that leaves them too.
    details : bool
        Whether to return error bars, calls, steps and flags with the values, which stay the same to the bit.
        Differences then take half as many calls again, or as many, and one at x itself, to be held against those with
        half the step; where these disagree, the adaptive method says by how much. It keeps within the bounds, and to
        the side that was asked for, but not within the stencil.
    vectorized : bool
        Whether f takes many points at once: stacks of shape ``(k, *x.shape)``, of which it returns one number for each
        point along the first axis, ``(k,)``. In a tree each leaf is such a stack. Stacks are cut to fit a core's
        cache. What measures along one entry after another (details, and all methods but differences) gets stacks of
        one point.
    workers : int, map, executor or dask.distributed.Client, optional
        Who calls f, a part of the entries each: so many processes (with joblib, so that f may be a lambda; -1 is one a
        processor), any map, any ``concurrent.futures.Executor``, or a cluster. The result has the same bits for any
        number of workers. It pays where f takes a millisecond or more; docs/parallel.md tells more. For a native
        callable (`fastgrad.native`) and a structured one a number is one of threads, which start where the work lasts
        longer than 1 ms; a structured callable whose rows cannot be measured apart has one thread at work.
    out : ndarray, optional
        C-contiguous, of x's shape and working dtype; it is filled and returned, and must not overlap x. Not for trees.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray or tree of arrays, or Derivative
        Shaped like x; a NumPy scalar when x is a bare number. With `details`, a `Derivative` of such.

    Warns
    -----
    OneSidedWarning
        If an entry had to be differenced on another side than asked for, and there are no details to say so.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding at some entry changes the step by more than 1 %.
    AnalyticityError
        If the complex step is asked for, or x is complex, and f has no complex derivative there.
    ValueError
        If the method or its order is unknown, x lies outside its bounds, or an entry has no room within them.
    TypeError, ShapeError
        If x cannot be differentiated at, f returns no real scalar, which names the entry, or order is no integer.
    Exception
        Whatever f raises arrives unchanged, with a note of the entry and the side.

    Notes
    -----
    The textbook's call, with neither method nor order nor bounds, lets f's NaN and infinities through into the entries
    that they belong to, as a check must. As soon as one of these is given, an entry on one side of which f has no
    finite value, or raises FloatingPointError, ZeroDivisionError, OverflowError or ValueError, takes the one-sided
    difference of the other side (with the same step, and the same order up to 4). It stays NaN, or the error arrives,
    where that does not help either.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> fg.numerical_gradient(lambda x: np.sum(x**3), np.array([1.0, 2.0])).round(6)
    array([ 3., 12.])
    >>> fg.numerical_gradient(lambda p: p["a"] * np.sum(p["b"]), {"a": 3.0, "b": np.ones((1, 2))})["b"].round(6)
    array([[3., 3.]])
    >>> found = fg.numerical_gradient(lambda x: np.sum(np.abs(x)), np.array([2.0, 0.0]), details=True)
    >>> bool(abs(found.value[0] - 1.0) <= found.error[0] < 1e-9), found.flags["kink"].tolist()
    (True, [False, True])
    """
    if _loops.is_structured(f):
        if method is not None or order is not None or bounds is not None or vectorized:
            raise TypeError(
                "a structured callable measures by its own loop: method, order, bounds and vectorized do not reach it."
            )
        threads = 1 if workers is None else _loops.threads_of(workers)
        return _by_structure(f, x, eps, out, args, kwargs, details, threads)
    point = as_point(x, read=number_array)
    array = point.array
    g, stacked, asked = point.of_array(bound(f, args, kwargs)), None, 0
    if vectorized:
        from fastgrad._stacks import Stacked  # loaded when asked for: import fastgrad does without

        g = (stacked := Stacked(bound(f, args, kwargs), point)).one
    is_real = array.dtype.kind != "c"
    if isinstance(eps, str) and eps == "noise" and is_real and method not in ("complex", "adaptive"):
        from fastgrad._noise.choice import step_by_noise

        eps, asked = step_by_noise(g, point, method, order, bounds)
    if workers is not None and array.size and not (is_alone(workers) or _loops.takes_threads(g, workers)):
        from fastgrad._parts import in_parts

        grad = usable_out(out, array.shape, array.dtype, x)
        options: dict[str, Any] = {"method": method, "order": order, "details": details, "vectorized": vectorized}
        found = in_parts(numerical_gradient, f, point, workers, eps, bounds, args, kwargs, **options).into(grad)
        return found.after(asked).mapped(point.restore) if details else point.restore(grad)
    if method == "complex" or not is_real:
        from fastgrad._complex.plane import plane_gradient  # loaded when asked for: import fastgrad does without

        grad = usable_out(out, array.shape, array.dtype, x)
        found = plane_gradient(g, point, eps, method, order, bounds, details=details).into(grad).mapped(point.restore)
        return found if details else found.value
    if method == "adaptive":
        if eps is not None or order is not None:
            raise own_steps("adaptive")
        from fastgrad._adaptive.entries import adaptive_gradient  # loaded when asked for: import fastgrad does without

        grad = usable_out(out, array.shape, array.dtype, x)
        found = adaptive_gradient(g, point, bounds).into(grad).mapped(point.restore)
        return found if details else found.value
    plan = planned(point, eps, method, order, bounds)
    grad = usable_out(out, array.shape, array.dtype, x)
    if details:
        from fastgrad._stencils.entries import with_bars

        found = with_bars(g, point, plan, is_scalar=True).into(grad).after(asked)
        return found.mapped(point.restore)
    if stacked is not None:
        from fastgrad import _stacks

        _stacks.gradient(stacked, point, plan, grad)
    elif plan.changes_sides:
        _guarded.gradient(g, point, plan, grad, workers)
    else:
        _loops.gradient(g, point, plan.h, plan.scheme, grad, workers)
    return point.restore(grad)


def measure(f: ScalarFunction, point: Point, h: Float64Array, out: Array, pace: Pace | None = None) -> int:
    """Write the central differences at a point into out, C-ordered and shaped like it; return the calls of f."""
    return _loops.gradient(f, point, h, central(), out, pace=pace)


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


def _by_structure(
    f: Any, x: Any, eps: Step, out: Array | None, args: Sequence[Any], kwargs: Any, details: bool, threads: int
) -> Any:
    """Measure with f's own loop, which moves terms of f and never forms x plus a step: rounding of x cannot eat it."""
    if args or kwargs:
        raise takes_x_alone()
    array = working_array(x)
    grad = usable_out(out, array.shape, array.dtype, x)
    h = steps.as_steps(eps, array, steps.STRUCTURED)
    calls = measure_structured(f, array, h, grad, threads, by_rows=out is None and grad.nbytes >= LARGE)
    if not details and array is x:
        return grad
    point = Point(array, is_scalar=is_bare_number(x))
    if not details:
        return point.restore(grad)
    from fastgrad._stencils.structured_bars import with_bars

    half = np.empty_like(grad)
    calls += measure_structured(f, array, h / 2, half, threads, by_rows=half.nbytes >= LARGE)
    return with_bars(grad, half, h, calls).mapped(point.restore)


def measure_structured(
    f: Any, x: Array, h: Float64Array, out: Array, threads: int = 1, *, by_rows: bool = False
) -> int:
    """Write the differences by f's own loop into out; return the evaluations that it reports.

    It goes by rows, if f can, where that is asked for or several threads are to share them.
    """
    at = read_only(x)
    loop = row_loop(f, at, h) if by_rows or threads > 1 else None
    if loop is not None:
        return measure_rows(loop, out, threads)
    evaluations = f.__fastgrad_gradient__(at, h, out)
    if type(evaluations) is not int and not isinstance(evaluations, int | np.integer):
        raise TypeError(f"__fastgrad_gradient__ must return the number of evaluations, got {evaluations!r}.")
    return int(evaluations)
