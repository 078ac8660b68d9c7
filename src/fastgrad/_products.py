"""Products along a direction, without the matrices: Jv and Hv."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._calls import Calls, f_or_grad
from fastgrad._direction import Direction, adaptively, along, along_with_bar, auto_lines, in_line
from fastgrad._errors import own_steps
from fastgrad._estimates import Derivative
from fastgrad._gradient import numerical_gradient
from fastgrad._point import Point, as_point, bound
from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, ScalarFunction, Step, VectorFunction


def directional_derivative(
    f: VectorFunction,
    x: Any,
    v: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    details: bool = False,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the derivative of f at x along v, Jv, by differences of f along the line x + t v.

    For a scalar f this is the inner product of its gradient with v; for an array-valued f it is the product of its
    Jacobian with v (forward mode's JVP). f is called twice, whatever the size of x; no matrix is formed.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype, a fresh one each time, and returns a number, an array or a list of
        numbers.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it.
    v : array_like or tree of arrays
        The direction, shaped like x, or flat. It is not normalised.
    eps : None, float or "auto"
        The step t by which v is multiplied. None and ``"auto"`` take the power of two nearest to 1/‖v/h‖, in
        the Euclidean norm, where h are the entries' own "auto" steps: along one entry, just that.
    method : {"central", "forward", "backward", "adaptive"}, optional
        On which sides of x f is called, as in `numerical_gradient`. "adaptive" extrapolates until the error stops
        falling, in some 10 to 15 calls; for a scalar f.
    order : int, optional
        The power of the step with which the error falls: 2 by default. A central difference takes as many calls as its
        order, a one-sided one one more.
    bounds : pair of array_like, or an object with attributes lb and ub, optional
        f is never called outside: where x has no room on one side, the difference is taken on the other, with a
        shorter step if need be.
    details : bool
        Whether to return an error bar, calls, step and flags with the value, for which twice as many calls are made.
    workers : optional
        As `numerical_gradient` takes them; the two calls, or as many as there are, are shared out. Not for the
        adaptive method, whose calls depend on each other.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray, NumPy scalar or Derivative
        Of the shape of f's value and x's working dtype; a NumPy scalar for a scalar f. With `details`, a `Derivative`
        of arrays of that shape.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding of x takes more than 1 % from v.
    ValueError
        If v is not finite, the method or its order is unknown, x lies outside its bounds, or v leads out of them.
    TypeError, ShapeError
        If x cannot be differentiated at, v has not the form of x, or f returns no real array.
    Exception
        Whatever f raises arrives unchanged, with a note of the side.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> fg.directional_derivative(lambda x: x @ x, np.array([1.0, 2.0]), [3.0, 4.0]).round(6)
    np.float64(22.0)
    >>> fg.directional_derivative(lambda x: x**2, np.array([1.0, 2.0]), [3.0, 4.0]).round(6)
    array([ 6., 16.])
    """
    point = as_point(x)
    direction = Direction(point, v, bounds)
    calls = Calls(f, args, kwargs, False, workers)
    found = _along(direction, calls, 0.0, lambda g: g, eps, method, order, details)
    dtype = point.array.dtype.type
    return found.mapped(lambda a: a[()]) if isinstance(found, Derivative) else found.astype(dtype, copy=False)[()]


def hessian_vector_product(
    f: ScalarFunction | None,
    x: Any,
    v: Any,
    eps: Step = None,
    *,
    grad: Callable[..., Any] | None = None,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return Hv, the product of the Hessian of the scalar f at x with v, without forming the Hessian.

    From a gradient it is that gradient's derivative along v, (g(x + t v) - g(x - t v)) / 2t: two calls of it. From
    values it is the gradient of f's derivative along v, for which f is called 4n times.

    Parameters
    ----------
    f : callable or None
        The scalar function; it is not called where `grad` is given, and may be None there.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it.
    v : array_like or tree of arrays
        The direction, shaped like x, or flat.
    eps : None, float or "auto"
        The step t along v. None and ``"auto"`` take the step of `directional_derivative`; from values, along v and for
        each entry, "auto" steps are those of order 3, near ε^(1/4).
    grad : callable, optional
        The gradient of f: takes what f takes and returns an array shaped like x, or a tree like x.
    method, order, bounds : optional
        As `directional_derivative` takes them, but for "adaptive".
    workers : optional
        As `numerical_gradient` takes them, for f or for grad.
    args, kwargs : sequence and mapping, optional
        Passed on to f, or to grad, after x.

    Returns
    -------
    ndarray or tree of arrays
        Shaped like x, of its working dtype.

    Raises
    ------
    StepError, ValueError, TypeError, ShapeError, Exception
        As `directional_derivative`.

    References
    ----------
    B. A. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994), equation 2, from where
    the difference of gradients is known; it differs in being central.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> fg.hessian_vector_product(f, np.array([3.0, 2.0]), [1.0, 1.0]).round(5)
    array([10.,  6.])
    >>> g = lambda x: np.array([2 * x[0] * x[1], x[0] ** 2])
    >>> fg.hessian_vector_product(None, np.array([3.0, 2.0]), [1.0, 1.0], grad=g).round(7)
    array([10.,  6.])
    """
    if method == "adaptive":
        raise ValueError(
            "a product with a Hessian has the methods 'central', 'forward' and 'backward'; got 'adaptive'."
        )
    point = as_point(x)
    direction = Direction(point, v, bounds)
    calls = Calls(f_or_grad(f, grad), args, kwargs, False, workers)
    if grad is None:
        return _from_values(calls, direction, eps, method, order)
    like = np.zeros(point.array.size)

    def lines(g: Callable[[Array], Any]) -> Callable[[Array], Float64Array]:
        return lambda y: in_line(point, g(y), "what grad returns")

    found = _along(direction, calls, like, lines, eps, method, order, False)
    return point.restore(found.astype(point.array.dtype).reshape(point.array.shape))


def _along(
    direction: Direction,
    calls: Calls,
    like: Any,
    read: Callable[[Callable[[Array], Any]], Callable[[Array], Any]],
    eps: Step,
    method: str | None,
    order: int | None,
    details: bool,
) -> Any:
    """Return the derivative along a direction of what `read` makes of f; `like` is a value that f may return."""
    if method != "adaptive":
        s, h = direction.plan(eps, method, order)
        measured = along_with_bar if details else along
        return calls.run(lambda g: measured(direction, read(g), s, h), like, direction.point)
    if eps is not None or order is not None:
        raise own_steps("adaptive")
    if calls.are_shared:
        raise TypeError("the adaptive method asks for one point after another: leave workers out.")
    found = adaptively(direction, read(calls.alone(direction.point)))
    return found if details else found.value


class _Slope:
    """What f has at points along a line, weighted, as a function of where that begins; it can be sent to workers."""

    def __init__(self, calls: Calls, point: Point, moves: list[Array], weights: list[float], width: float) -> None:
        self._f, self._args, self._kwargs = calls.f, calls.args, calls.kwargs
        self._x, self._moves, self._weights, self._width = point.shown(point.array), moves, weights, width

    def __call__(self, y: Array) -> float:
        """Return the derivative along the line."""
        point = as_point(self._x)
        f, reader, total = point.of_array(bound(self._f, self._args, self._kwargs)), _reader_along(), 0.0
        for move, weight in zip(self._moves, self._weights, strict=True):
            total += weight * reader.scalar(f((y + move).astype(y.dtype)), 0, 1)
        return total / self._width


def _reader_along() -> Reader:
    return Reader(lambda i: "x along v and an entry")


def _from_values(calls: Calls, direction: Direction, eps: Step, method: str | None, order: int | None) -> Any:
    """Return the gradient of f's derivative along a direction: of what f has at each point of the line, weighted."""
    point = direction.point
    s, h = direction.plan(eps, method, order, power=3)
    moves = [k * h * direction.v.reshape(point.array.shape) for k in s.offsets]
    slope = _Slope(calls, point, moves, [float(weight) for weight in s.numerators], s.denominator * h)
    reduced = direction.bounds_around([k * h for k in s.offsets])
    at, how = auto_lines(point, 3), {"method": method, "order": order, "bounds": reduced, "workers": calls.workers}
    return point.restore(numerical_gradient(slope, point.array, at, **how))
