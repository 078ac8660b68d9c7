"""The Jacobian of an array-valued function, dense, a column at a time."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from fastgrad import _loops
from fastgrad._arrays import number_array
from fastgrad._errors import own_steps
from fastgrad._point import Point, as_point, bound, usable_out
from fastgrad._stencils import guarded as _guarded
from fastgrad._stencils.scheme import central, planned
from fastgrad._typing import Array, Float64Array, Step, VectorFunction
from fastgrad._workers import is_alone

if TYPE_CHECKING:
    from fastgrad._estimates import Derivative


def numerical_jacobian(
    f: VectorFunction,
    x: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    sparsity: Any = None,
    format: Literal["csr", "csc", "coo"] | None = None,
    vjp: Callable[[Any, Array], Any] | None = None,
    verify: bool = True,
    details: bool = False,
    vectorized: bool = False,
    workers: Any = None,
    out: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return the Jacobian of the array-valued function f at x by finite differences, central ones by default.

    Numerator layout: the derivative of y by x has shape ``y.shape + x.shape``. So d(Wx)/dx is W, and d(Wx)/dW of an
    (m, n) matrix is an (m, m, n) array. Texts in denominator layout write Wᵀ for the former: the same numbers,
    transposed. All four kinds of derivative come out: scalar by scalar, scalar by array, array by scalar and array by
    array.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a number, an array or a list of numbers, of the same shape at
        every call. It may return its argument or a view of it, or one and the same array each time: values are copied
        out.
    x : array_like or tree of arrays
        The point, of any shape and order, as `numerical_gradient` takes it.
    eps : None, float, array_like, "auto" or "noise"
        The absolute step, as `numerical_gradient` takes it. The noise is that of f's values added up with signs.
    method, order, bounds : optional
        As `numerical_gradient` takes them. "adaptive" extrapolates each element, and calls f until all elements of a
        column have as many digits as they allow: some 10 calls a column where they are alike, 20 to 70 where not. With
        complex x, f may be complex too.
    sparsity : pattern, Coloring or "detect", optional
        Which entries the Jacobian has, as a matrix with a row for each value of f and a column for each entry of x,
        both flat: what `fastgrad.sparsity.as_pattern` takes, or a colouring that `fastgrad.sparsity.color` returned, or
        "detect", for `fastgrad.sparsity.detect` to find out. All columns of a colour are then measured at once: two
        calls a colour, or as many as the stencil has points, one by the complex step; the adaptive method asks for
        some 30 to 100 a colour. Where f has no value, entries are NaN; they take no other side than they are asked for.
    format : {"csr", "csc", "coo"}, optional
        Of a sparse Jacobian; that of `sparsity`, where it is such an array, and else "csr".
    vjp : callable, optional
        ``vjp(x, u)`` returns uᵀJ, shaped like x, for a u shaped like y. With it, dense rows of a sparse Jacobian are
        measured by one such product for all rows of a colour.
    verify : bool
        Whether a sparse Jacobian is held against one difference along all of x, two calls of f, to see whether
        the pattern lacks entries.
    details : bool
        Whether to return error bars, calls, steps and flags with the values, as `numerical_gradient` does.
    vectorized, workers : optional
        As `numerical_gradient` takes them; a vectorized f returns an array of shape ``(k, *y.shape)``.
    out : ndarray, optional
        C-contiguous, of shape ``y.shape + x.shape`` and x's working dtype; it is filled and returned. Of a sparse
        Jacobian, one that was returned for the same pattern and format.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray or tree of arrays, or Derivative
        Of x's working dtype; for a tree x a tree whose leaves have the shapes ``y.shape + leaf.shape``. The shape of y
        is that of f's first value; only an empty x costs an extra call. With `details`, a `Derivative` whose arrays
        have the shape of the Jacobian, but for the calls: those are of each column, shaped like x.
    SciPy sparse array, shape (y.size, x.size)
        With `sparsity`: it stores just the entries of the pattern, zero or not. Memory is in proportion to them. With
        `details`, a `Derivative` of such arrays, but for the calls, shaped like x: those of a colour stand with its
        first entry.

    Warns
    -----
    OneSidedWarning
        If an entry had to be differenced on another side than asked for, and there are no details to say so; when that
        is, `numerical_gradient` tells. An element of a column changes sides without the others.

    Raises
    ------
    StepError
        If eps is not a positive finite real number, or rounding at some entry changes the step by more than 1 %.
    AnalyticityError
        If the complex step is asked for, or x is complex, and f has no complex derivative there.
    ValueError
        If the method or its order is unknown, x lies outside its bounds, or an entry has no room within them.
    TypeError, ShapeError
        If x cannot be differentiated at, or f returns no real array, or arrays of changing shape; `sparsity` has not
        a row for each value and a column for each entry; or order is no integer.
    PatternError
        If `sparsity` lacks entries that the Jacobian has; the error names some.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> fg.numerical_jacobian(lambda x: W @ x, np.ones(3)).round(6)
    array([[1., 2., 3.],
           [4., 5., 6.]])
    >>> fg.numerical_jacobian(np.sin, np.zeros(1000), sparsity=fg.sparsity.banded(1000, 0)).nnz  # in four calls
    1000
    >>> found = fg.numerical_jacobian(np.exp, [0.0, 1.0], method="adaptive", details=True)
    >>> bool(np.all(abs(found.value - np.diag([1.0, np.e])) <= found.error)), bool(np.all(found.error < 1e-13))
    (True, True)
    """
    point = as_point(x, read=number_array)
    whole = bound(f, args, kwargs)
    g, stacked, asked = point.of_array(whole), None, 0
    if vectorized:
        from fastgrad._stacks import Stacked  # loaded when asked for: import fastgrad does without

        g = (stacked := Stacked(whole, point)).one
    if sparsity is not None:
        from fastgrad._calls import Calls  # loaded when asked for: import fastgrad does without
        from fastgrad._colored.jacobian import colored_jacobian

        calls = Calls(f, args, kwargs, vectorized, workers)
        how = eps, method, order, bounds, sparsity, format
        return colored_jacobian(calls, point, *how, vjp=vjp, verify=verify, details=details, out=out)
    if format is not None or vjp is not None:
        raise TypeError("format and vjp are for sparse Jacobians: give sparsity too.")
    result, is_real = _Result(point, x, out, details), point.array.dtype.kind != "c"
    if isinstance(eps, str) and eps == "noise" and is_real and method not in ("complex", "adaptive"):
        from fastgrad._noise.choice import step_by_noise

        eps, asked = step_by_noise(g, point, method, order, bounds, is_scalar=False)
    if not (is_alone(workers) or _loops.takes_threads(g, workers)) and point.array.size:
        from fastgrad._parts import in_parts

        options: dict[str, Any] = {"method": method, "order": order, "details": details, "vectorized": vectorized}
        found = in_parts(numerical_jacobian, f, point, workers, eps, bounds, args, kwargs, **options)
        return result.filled(found.after(asked) if details else found)
    if method == "complex" or not is_real:
        from fastgrad._complex.plane import plane_jacobian  # loaded when asked for: import fastgrad does without

        return result.filled(plane_jacobian(g, point, eps, method, order, bounds, details=details))
    if method == "adaptive":
        if eps is not None or order is not None:
            raise own_steps("adaptive")
        from fastgrad._adaptive.entries import adaptive_jacobian

        return result.filled(adaptive_jacobian(g, point, bounds))
    plan = planned(point, eps, method, order, bounds)
    if details:
        from fastgrad._stencils.entries import with_bars

        return result.filled(with_bars(g, point, plan, is_scalar=False).after(asked))
    if point.array.size == 0:
        return point.restore(result.allocate(point.reader().at_x(g, point.array).shape))
    if stacked is not None:
        from fastgrad import _stacks

        return point.restore(_stacks.jacobian(stacked, point, plan, result.allocate))
    if plan.changes_sides:
        return point.restore(_guarded.jacobian(g, point, plan, result.allocate, workers))
    return point.restore(_loops.jacobian(g, point, plan.h, plan.scheme, result.allocate, workers))


class _Result:
    """The array that a Jacobian goes into, made as soon as its shape is known, and the form in which it is returned."""

    __slots__ = ("_details", "_out", "_point", "_x")

    def __init__(self, point: Point, x: Any, out: Any, details: bool) -> None:
        self._point, self._x, self._out, self._details = point, x, out, details

    def allocate(self, shape: tuple[int, ...]) -> Array:
        """Return the array for values of a shape: the caller's, or a new one."""
        array = self._point.array
        return usable_out(self._out, shape + array.shape, array.dtype, self._x)

    def filled(self, found: "Derivative") -> Any:
        """Return what was found as the caller is to have it."""
        J = self.allocate(found.value.shape[: found.value.ndim - self._point.array.ndim])
        if self._details:
            return found.into(J).mapped(self._point.restore)
        J[...] = found.value
        return self._point.restore(J)


def measure(f: VectorFunction, point: Point, h: Float64Array, allocate: Callable[[tuple[int, ...]], Array]) -> Array:
    """Return the array that allocate gives for the shape of f's value, filled with central differences at a point."""
    if point.array.size == 0:
        return allocate(point.reader().at_x(f, point.array).shape)
    return _loops.jacobian(f, point, h, central(), allocate)
