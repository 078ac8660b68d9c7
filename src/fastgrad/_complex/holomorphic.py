"""Complex derivatives of holomorphic functions: differences along the real and the imaginary axis, which must agree.

(f(z + h) - f(z - h)) / 2h errs by h² f‴/6, and (f(z + ih) - f(z - ih)) / 2ih by minus as much: their mean errs with h⁴
(J. N. Lyness and C. B. Moler, "Numerical differentiation of analytic functions", SIAM Journal on Numerical Analysis 4,
1967), and their difference tells whether f has a complex derivative at all: these are the Cauchy-Riemann equations.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrad import _backend, steps
from fastgrad._complex.reading import Complex128Array, complex_values
from fastgrad._errors import AnalyticityError, StepError, lost_step
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, Step

#: The power of the step with which the mean errs.
ORDER = 4
#: Axes that differ by no more than this share are believed at once; others must come together as the step shrinks.
NEAR = 1e-6
#: What rounding may do to the difference of two values, in units in the last place.
ULPS = 16.0
#: The factor between the steps of a second look, and how many of them there are at most.
SHRINK, SHRINKS = 4.0, 14
#: f has no derivative where so many steps in turn show the axes apart, each by a share like that of the one before.
STAND, ALIKE = 3, 0.25


class _Slopes(NamedTuple):
    """What one step shows at one entry: slopes along both axes, and how far rounding may set them off."""

    along_real: Complex128Array
    along_imaginary: Complex128Array
    rounding: Float64Array

    @property
    def mean(self) -> Complex128Array:
        return np.asarray((self.along_real + self.along_imaginary) / 2)

    @property
    def gap(self) -> Float64Array:
        return np.asarray(np.abs(self.along_real - self.along_imaginary))


def holomorphic_gradient(f: Callable[[Array], Any], point: Point, eps: Step = None) -> Derivative:
    """Return df/dz of a complex scalar f at each entry of a complex point, in four calls an entry.

    Parameters
    ----------
    f : callable
        Takes an array of the point's shape and dtype and returns a complex or real number.
    point : Point
        Complex64 or complex128.
    eps : None, float, array_like or "auto"
        The step on both axes. None is "auto", the steps of a method of fourth order, or less where they are too long.

    Raises
    ------
    AnalyticityError
        If the slopes along the two axes stay apart as the step shrinks; the sentence names the entry.
    """
    found, _ = _differentiated(f, point, eps, is_scalar=True)
    return found.mapped(lambda a: a.reshape(point.array.shape))


def holomorphic_jacobian(f: Callable[[Array], Any], point: Point, eps: Step = None) -> Derivative:
    """Return dy/dz of an array-valued f as `holomorphic_gradient` does; the calls have the form of z."""
    found, shape = _differentiated(f, point, eps, is_scalar=False)
    of_z, of_both = point.array.shape, shape + point.array.shape
    return found.mapped(lambda a: a.reshape(of_both if a.ndim == 2 else of_z))


def _differentiated(
    f: Callable[[Array], Any], point: Point, eps: Step, *, is_scalar: bool
) -> tuple[Derivative, tuple[int, ...]]:
    """Return the derivative with its columns in order, arrays of shape (m, n) and (n,), and the shape of f's value."""
    h = _resolved(eps, point)
    around = _AroundComplex(f, point, is_scalar)
    n = point.array.size
    columns, bars = [], []
    calls = np.zeros(n, np.intp)
    with np.errstate(all="ignore"):
        if not n and not is_scalar:
            around.at(0, 0.0)
        for i in range(n):
            before = around.calls
            slopes, h[i] = _settled(around, i, float(h[i]), is_free=eps is None or isinstance(eps, str))
            columns.append(slopes.mean)
            bars.append(_error_bar(slopes))
            calls[i] = around.calls - before
    shape = around.shape or ()
    m = int(np.prod(shape))
    value = np.stack(columns, axis=1) if n else np.empty((m, 0), np.complex128)
    error = np.stack(bars, axis=1) if n else np.empty((m, 0))
    undefined = np.isnan(value)
    real = point.array.real.dtype
    flags = {name: undefined if name == "undefined" else np.zeros(value.shape, np.bool_) for name in FLAGS}
    bar = np.where(undefined, np.inf, error + np.abs(value) * np.finfo(real).eps / 2).astype(real)
    return Derivative(value.astype(point.array.dtype), bar, calls, np.broadcast_to(h, value.shape).copy(), flags), shape


class _AroundComplex:
    """f around a complex point, counted; every call gets an array of its own, and nothing that f returns is kept."""

    def __init__(self, f: Callable[[Array], Any], point: Point, is_scalar: bool) -> None:
        self.calls = 0
        self.shape: tuple[int, ...] | None = () if is_scalar else None
        self.name = point.name
        self._f = f
        self._z = point.array
        self._reader = point.reader()

    def at(self, i: int, move: complex) -> Complex128Array:
        """Return f with entry i moved, as a line of complex numbers."""
        z = self._z.copy()
        if move:
            z.reshape(-1)[i] += move
        self.calls += 1
        where = f"{self.name(i)} plus {move:.3g}" if move else "x itself"
        y = self._reader.asked(self._f, z, i, 1 if move.real + move.imag > 0 else -1)
        values, self.shape = complex_values(y, where, self.shape)
        return values

    def spacing(self, i: int) -> float:
        """Return the distance between numbers next to entry i."""
        return float(np.spacing(np.abs(self._z.reshape(-1)[i])))

    def slopes(self, i: int, h: float) -> _Slopes:
        """Return the slopes along both axes with one step."""
        right, left, up, down = (self.at(i, move) for move in (h, -h, 1j * h, -1j * h))
        size = np.abs(right) + np.abs(left) + np.abs(up) + np.abs(down)
        unit = np.finfo(self._z.dtype).eps / 2
        return _Slopes((right - left) / (2 * h), (up - down) / (2j * h), unit * size / (4 * h))


def _settled(around: _AroundComplex, i: int, h: float, *, is_free: bool) -> tuple[_Slopes, float]:
    """Return what entry i shows with a step, and the step; raise where the slopes along the axes never meet.

    Where they are apart, the step shrinks until they meet or rounding hides whether they do; and where it is free,
    the one with which they are closest counts.
    """
    slopes = best = around.slopes(i, h)
    taken = h
    apart = slopes.gap > NEAR * np.abs(slopes.mean) + ULPS * slopes.rounding
    stood = np.zeros(apart.shape, np.intp)
    for _ in range(SHRINKS):
        h /= SHRINK
        if not apart.any() or h < 64 * around.spacing(i):
            break
        before, slopes = slopes, around.slopes(i, h)
        apart &= slopes.gap > ULPS * slopes.rounding
        stood = np.where(apart & (np.abs(slopes.gap - before.gap) <= ALIKE * before.gap), stood + 1, 0)
        if (stood >= STAND).any():
            row = int(np.argmax(stood))
            raise _not_holomorphic(around.name(i), slopes.along_real[row], slopes.along_imaginary[row])
        apart &= slopes.gap > NEAR * np.abs(slopes.mean)
        if is_free and np.nansum(_error_bar(slopes)) < np.nansum(_error_bar(best)):
            best, taken = slopes, h
    return best, taken


def _not_holomorphic(name: str, along_real: complex, along_imaginary: complex) -> AnalyticityError:
    return AnalyticityError(
        f"f is not holomorphic: at {name} its slope is {along_real:.6g} along the real axis and {along_imaginary:.6g} "
        "along the imaginary one. Differentiate by the real and the imaginary part instead, with an f of two real "
        "arrays: lambda p: f(p[0] + 1j * p[1])."
    )


def _error_bar(slopes: _Slopes) -> Float64Array:
    """Return how far the mean may be off: by the square of what the axes differ by, and by rounding."""
    size = np.abs(slopes.mean)
    share = np.minimum(slopes.gap / np.where(size > 0, size, 1.0), 1.0)
    return np.asarray(slopes.gap * np.where(size > 0, share, 1.0) + 4 * slopes.rounding)


def _resolved(eps: Step, point: Point) -> Float64Array:
    """Return a step for each entry, or refuse what rounding of its real or imaginary part would eat."""
    z = point.array
    if isinstance(eps, str) and eps == "noise":
        raise StepError('eps="noise" measures the noise of functions of real numbers: give a step, or "auto".')
    h = steps.as_steps(point.in_line("auto" if eps is None else eps, "eps"), np.abs(z), steps.TEXTBOOK, ORDER)
    for part in (z.real, z.imag):
        line = np.ascontiguousarray(part).reshape(-1)
        i = _backend.differences.first_lost_step(line, h)
        if i >= 0:
            step, value = float(h[i % h.size]), line[i]
            taken = (float(line.dtype.type(value + step)) - float(line.dtype.type(value - step))) / 2
            raise lost_step(f"a part of {point.name(i)}", float(value), step, taken)
    return np.broadcast_to(h, (z.size,)).copy()
