"""The Hessian of a scalar function: from its values, or from its gradient."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import in_dtype
from fastgrad._calls import Calls, f_or_grad
from fastgrad._direction import in_line
from fastgrad._errors import no_such_method, stacks_of_trees
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._pairings import amplification, calls_of, noise_along, one_sided, pairing, points_along
from fastgrad._point import Point, as_point, bound, usable_out
from fastgrad._reading import PairReader
from fastgrad._stencils.scheme import planned
from fastgrad._two_steps import UNITS, truncation, with_other_steps
from fastgrad._typing import Array, Float64Array, ScalarFunction, Step
from fastgrad._workers import is_alone

#: The noise that f's values along the entries show counts so many times.
DEVIATIONS = 2.0
METHODS = ("central", "adaptive")


def numerical_hessian(
    f: ScalarFunction | None,
    x: Any,
    eps: Step = None,
    *,
    grad: Callable[..., Any] | None = None,
    method: str | None = None,
    bounds: Any = None,
    sparsity: Any = None,
    format: Literal["csr", "csc", "coo"] | None = None,
    verify: bool = True,
    out: Any = None,
    details: bool = False,
    vectorized: bool = False,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the Hessian of the scalar function f at x by finite differences; symmetric, bit for bit.

    From values, f is called n² + 5n + 1 times: at x, at six points along each entry, and at two points for each pair of
    entries i < j, x ± (h_i e_i + h_j e_j). From a gradient, that is called 2n times, and what its differences make
    above and below the diagonal is averaged.

    Parameters
    ----------
    f : callable or None
        Takes an array of x's shape and dtype and returns a real scalar, with the liberties that `numerical_gradient`
        gives it. It is not called where `grad` is given, and may be None there.
    x : array_like or tree of arrays
        The point, of any shape, with n entries in C order; a tree counts as the line of all its entries.
    eps : None, float, array_like or "auto"
        The absolute step h, for all entries or for each; from values, points lie up to 4h from x. None and ``"auto"``
        take twice the step of `fastgrad.steps.auto` for order 3, near ε^(1/4), and for differences of a gradient that
        for order 2, near ε^(1/3). From values, a step is moved to the nearest one that x takes exactly.
    grad : callable, optional
        The gradient of f: takes what f takes and returns an array shaped like x, or a tree like x.
    method : {"central", "adaptive"}, optional
        "adaptive" extrapolates each entry of the Hessian from steps of its own until the error stops falling, in some
        10 calls for each entry on and above the diagonal; from values only.
    bounds : pair of array_like, or an object with attributes lb and ub, optional
        f is never called outside. Entries too near to a bound are moved to one side alone, which takes four points a
        pair in place of two, or by a shorter step where that leaves the bounds too.
    sparsity : pattern, Coloring or "detect", optional
        Which entries the Hessian has, as `numerical_jacobian` takes it; symmetric. It is then measured from `grad`
        alone, in two calls for each colour of a star colouring (``fastgrad.sparsity.color(pattern, "symmetric")``).
    format : {"csr", "csc", "coo"}, optional
        Of a sparse Hessian; that of `sparsity`, where it is such an array, and else "csr".
    verify : bool
        Whether a sparse Hessian is held against one difference of `grad` along all of x, to see whether the pattern
        lacks entries.
    out : ndarray, optional
        C-contiguous, of shape (n, n) and x's working dtype; it is filled and returned. Of a sparse Hessian, one that
        was returned for the same pattern and format.
    details : bool
        Whether to return error bars, calls, steps and flags with the values, for which all is measured with a second
        step, too.
    vectorized, workers : optional
        As `numerical_gradient` takes them, for f from values and for grad from a gradient; not for the adaptive method.
    args, kwargs : sequence and mapping, optional
        Passed on to f, and to grad, after x.

    Returns
    -------
    ndarray, shape (n, n), or Derivative
        Of x's working dtype. With `details`, a `Derivative` of arrays of that shape.
    SciPy sparse array, shape (n, n)
        With `sparsity`: it stores just the entries of the pattern. With `details`, a `Derivative` of such arrays, but
        for the calls, which are shaped like x: those of a colour stand with its first entry.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding at some entry changes the step by more than 1 %.
    ValueError
        If the method is unknown, x lies outside its bounds, or an entry has no room within them.
    TypeError, ShapeError
        If x cannot be differentiated at, f returns no real scalar, or grad nothing of x's form; or sparsity is not
        (n, n), or comes without grad.
    PatternError
        If `sparsity` lacks entries that the Hessian has; the error names some.
    Exception
        Whatever f or grad raises arrives unchanged, with a note of the entries that were moved.

    References
    ----------
    M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions, formulas 25.3.24 and 25.3.27.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> fg.numerical_hessian(f, np.array([3.0, 2.0])).round(5)
    array([[4., 6.],
           [6., 0.]])
    >>> fg.numerical_hessian(f, [3.0, 2.0], grad=lambda x: np.array([2 * x[0] * x[1], x[0] ** 2])).round(7)
    array([[4., 6.],
           [6., 0.]])
    """
    if method is not None and method not in METHODS:
        raise no_such_method(method, METHODS)
    point = as_point(x)
    if sparsity is not None:
        if grad is None or method == "adaptive":
            raise TypeError(
                "a sparse Hessian is measured by central differences of a gradient: give grad, and leave method out."
            )
        _refuse_stacks_of_trees(point, vectorized)
        from fastgrad._colored.hessian import colored_hessian  # loaded when asked for: a dense one does without

        calls = Calls(f_or_grad(f, grad), args, kwargs, vectorized, workers)
        return colored_hessian(calls, point, eps, bounds, sparsity, format, verify=verify, details=details, out=out)
    if format is not None:
        raise TypeError("format is for sparse Hessians: give sparsity too.")
    n, dtype = point.array.size, point.array.dtype
    H = usable_out(out, (n, n), dtype, None if point.tree is not None else x)
    found: Derivative | None
    if method == "adaptive":
        if eps is not None or grad is not None:
            raise TypeError("the adaptive method picks its own steps, and takes values: leave eps and grad out.")
        if vectorized or not is_alone(workers):
            raise TypeError("the adaptive method asks for one point after another: leave vectorized and workers out.")
        found = _adaptively(point.of_array(bound(f, args, kwargs)), point, bounds, H)
    else:
        if grad is not None:
            _refuse_stacks_of_trees(point, vectorized)
        calls = Calls(f_or_grad(f, grad), args, kwargs, vectorized, workers)
        measured = _from_values if grad is None else _from_gradient
        like = 0.0 if grad is None else np.zeros(n)
        found = calls.run(lambda called: measured(called, point, eps, bounds, H, details), like, point)
    return found if details else H


def _refuse_stacks_of_trees(point: Point, vectorized: bool) -> None:
    if vectorized and point.tree is not None:
        raise stacks_of_trees()


def _from_values(f: ScalarFunction, point: Point, eps: Step, bounds: Any, H: Array, details: bool) -> Derivative | None:
    """Write second differences of f into H; return them with their bars if asked."""
    n = point.array.size
    tables, h, which = pairing(point, eps, bounds)
    values = np.empty((n + 1, points_along()))
    reader = PairReader(point.name, n)
    calls = _backend.pairs.hessian(f, point.array, h, tables, values, H, reader)
    if not details:
        return None
    other = np.empty_like(H)
    (tables, again, _), factor = with_other_steps(
        lambda h: pairing(point, h.reshape(point.array.shape), bounds), itemgetter(1), h
    )
    calls += _backend.pairs.hessian(f, point.array, again, tables, np.empty((n + 1, points_along())), other, reader)
    with np.errstate(all="ignore"):
        size = float(np.max(np.abs(values[:n] + values[n, 0]), initial=abs(float(values[n, 0])))) if n else 0.0
        unit = float(np.finfo(H.dtype).eps) / 2
        noise = max(UNITS * unit * size, DEVIATIONS * noise_along(values, which))
        rounding = noise * amplification(which) / np.multiply.outer(h, h)
        error = truncation(H, other, factor) + rounding
    counted = calls_of(which)
    counted[:1, :1] += calls - counted.sum()
    sided = np.logical_or.outer(one_sided(which), one_sided(which))
    return _details(H, error, counted, np.maximum.outer(h, h), sided)


def _from_gradient(
    grad: Callable[[Array], Any], point: Point, eps: Step, bounds: Any, H: Array, details: bool
) -> Derivative | None:
    """Write the symmetric part of the differences of a gradient into H; return it with its bars if asked."""
    n, calls = point.array.size, 0
    size = np.zeros(n)

    def in_one_line(x: Array) -> Float64Array:
        nonlocal calls
        calls += 1
        g = in_line(point, grad(x), "what grad returns")
        if details:
            np.fmax(size, np.abs(g), out=size)
        return g

    def plan_of(eps: Step) -> tuple[Any, Float64Array]:
        plan = planned(point, "auto" if eps is None else eps, None, None, bounds)
        return plan.scheme, np.broadcast_to(plan.h, n)

    def measure(scheme: Any, h: Float64Array, J: Array) -> None:
        if n:
            shape = J.shape[:1] + point.array.shape
            given = point.array, np.ascontiguousarray(h), scheme
            _backend.differences.jacobian(in_one_line, *given, lambda _: J.reshape(shape), point.reader())

    scheme, h = plan_of(eps)
    measure(scheme, h, H)
    if not details:
        _backend.pairs.symmetrize(H)
        return None
    apart = np.abs(H.astype(np.float64) - H.T) / 2
    _backend.pairs.symmetrize(H)
    first = calls
    other = np.empty_like(H)
    (scheme, again), factor = with_other_steps(lambda h: plan_of(h.reshape(point.array.shape)), itemgetter(1), h)
    measure(scheme, again, other)
    _backend.pairs.symmetrize(other)
    rounding = UNITS * float(np.finfo(H.dtype).eps) / 2 * np.divide.outer(size, h)
    error = np.maximum(truncation(H, other, factor), apart) + (rounding + rounding.T) / 2
    counted = np.zeros((n, n), np.intp)
    counted[:1] = first // max(n, 1)
    counted[:1, :1] += calls - counted.sum()
    return _details(H, error, counted, np.maximum.outer(h, h), np.zeros((n, n), bool))


def _adaptively(f: ScalarFunction, point: Point, bounds: Any, H: Array) -> Derivative:
    from fastgrad._adaptive.pairs import adaptive_hessian  # loaded when asked for: import fastgrad does without

    found = adaptive_hessian(f, point, bounds)
    H[...] = found.value
    return found


def _details(value: Array, error: Any, calls: Any, step: Float64Array, sided: Any) -> Derivative:
    flags = {name: np.zeros(value.shape, np.bool_) for name in FLAGS}
    flags["undefined"] = np.isnan(value)
    flags["one-sided"] |= sided
    error = in_dtype(np.where(np.isfinite(error) & np.isfinite(value), error, np.inf), value.dtype)
    return Derivative(value, error, calls, step, flags)
