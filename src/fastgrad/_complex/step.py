"""The complex step: f at x + ih e_i, whose imaginary part over h is a derivative in which nothing cancels.

W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998);
J. R. R. A. Martins, P. Sturdza and J. J. Alonso, "The complex-step derivative approximation", ACM Transactions on
Mathematical Software 29 (2003). The error of truncation is h² f‴/6, and h is so small that h² is nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._complex.cauchy_riemann import verify
from fastgrad._complex.surroundings import ULP, Surroundings
from fastgrad._errors import not_analytic
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._typing import Float64Array, ScalarFunction, VectorFunction

#: The step over |x_i|, and at zero: small enough for its square to vanish, large enough for tiny slopes to show.
STEP, STEP_AT_0 = 2.0**-100, 2.0**-500
#: The least step: x may be tiny.
LEAST = 2.0**-900
#: The real part must stay, within this share of what there is.
SAME = 1e-6
#: Real moves, over |x_i|, between which roundings inside f differ, and the multiple of the jitter that makes a bar.
JITTER, DEVIATIONS = 2.0**-32, 4.0


def complex_gradient(f: ScalarFunction, point: Point, bounds: Any = None, *, details: bool = False) -> Derivative:
    """Return the gradient of a scalar f at a real point: n calls for complex arguments, and a few for real ones.

    Parameters
    ----------
    f : callable
        Takes a complex128 array, or tree, like the point's, and returns a complex scalar; and the same for float64.
    point : Point
    bounds : optional
        In SciPy's form. Real parts are moved in the check alone, and never out of the bounds.
    details : bool
        Whether to spend four more calls an entry on error bars. Else they are NaN.

    Raises
    ------
    AnalyticityError
        If f takes no complex argument, or its slope on the real line is another; the sentence names the entry.
    """
    found, _ = _differentiated(f, point, bounds, details=details, is_scalar=True)
    return found.mapped(lambda a: a.reshape(point.array.shape))


def complex_jacobian(f: VectorFunction, point: Point, bounds: Any = None, *, details: bool = False) -> Derivative:
    """Return the Jacobian of an array-valued f as `complex_gradient` does; the calls have the form of x."""
    found, shape = _differentiated(f, point, bounds, details=details, is_scalar=False)
    of_x, of_both = point.array.shape, shape + point.array.shape
    return found.mapped(lambda a: a.reshape(of_both if a.ndim == 2 else of_x))


def _differentiated(
    f: VectorFunction, point: Point, bounds: Any, *, details: bool, is_scalar: bool
) -> tuple[Derivative, tuple[int, ...]]:
    """Return the derivative with its columns in order, arrays of shape (m, n) and (n,), and the shape of f's value."""
    if is_scalar and not point.array.size:
        return _as_found(np.empty((1, 0)), np.empty((1, 0)), np.empty(0), np.empty(0, np.intp), point.array.dtype), ()
    with np.errstate(all="ignore"):
        around = Surroundings(f, point, bounds, is_scalar=is_scalar)
        h = complex_steps(around.x)
        m, n = around.centre.size, around.x.size
        J, error, calls = np.empty((m, n)), np.full((m, n), np.nan), np.ones(n, np.intp)
        is_silent, is_real = np.zeros((2, n), np.bool_)
        for i in range(n):
            values, is_real[i] = around.above(i, h[i])
            if np.any(np.isfinite(around.centre) & ~np.isfinite(values)):
                raise not_analytic(f"with {around.name(i)} moved into the complex plane it has no finite value.")
            J[:, i] = values.imag / h[i]
            is_silent[i] = not values.imag.any() or _has_moved(values.real, around, J[:, i], i)
            if details:
                error[:, i] = _error_bar(around, J[:, i], i, h[i])
                calls[i] += 4
        J[~np.isfinite(around.centre)] = np.nan
        J[~np.isfinite(J)] = np.nan
        verify(around, J, is_silent=is_silent, is_real=is_real)
    if n:
        calls[0] += around.calls - calls.sum()
    assert around.shape is not None
    return _as_found(J, error, h, calls, point.array.dtype), around.shape


def _as_found(
    J: Float64Array, error: Float64Array, h: Float64Array, calls: NDArray[np.intp], dtype: np.dtype[Any]
) -> Derivative:
    undefined = np.isnan(J)
    flags = {name: undefined if name == "undefined" else np.zeros(J.shape, np.bool_) for name in FLAGS}
    bars = np.where(undefined, np.inf, error)
    if dtype == np.float32:
        bars = bars + np.abs(J) * np.finfo(np.float32).eps / 2
    return Derivative(J.astype(dtype), bars.astype(dtype), calls, np.broadcast_to(h, J.shape).copy(), flags)


def complex_steps(x: Float64Array) -> Float64Array:
    """Return powers of two."""
    size = np.abs(x)
    known = np.isfinite(size) & (size > 0)
    exponent = np.floor(np.log2(np.where(known, size, 1.0)))
    return np.where(known, np.maximum(np.exp2(exponent) * STEP, LEAST), STEP_AT_0)


def _has_moved(real: Float64Array, around: Surroundings, slopes: Float64Array, i: int) -> bool:
    """Tell whether the real part is another than at x, by more than two ways to compute one number may differ."""
    size = np.abs(around.centre) + np.abs(slopes) * max(1.0, abs(float(around.x[i])))
    return bool(np.any(np.abs(real - around.centre) > SAME * size))


def _error_bar(around: Surroundings, slopes: Float64Array, i: int, h: float) -> Float64Array:
    """Return what rounding inside f may have done to the slopes: how they jitter as x_i moves a little.

    Of a smooth function's slopes at five points the third differences vanish, those of noise do not, as in the table of
    Moré and Wild's ECnoise.
    """
    unit = JITTER * (abs(float(around.x[i])) or 1.0)
    there = [around.above(i, h, k * unit)[0].imag / h for k in (-2, -1, 1, 2)]
    return bar_of([*there[:2], slopes, *there[2:]])


def bar_of(slopes: Sequence[Float64Array]) -> Float64Array:
    """Return the error bar of the middle one of five lines of slopes, each a little farther along the real line."""
    jitter = np.max(np.abs(np.diff(np.stack(slopes), n=3, axis=0)), axis=0) / np.sqrt(20)
    bar: Float64Array = DEVIATIONS * jitter + 2 * ULP * np.abs(slopes[len(slopes) // 2])
    return bar
