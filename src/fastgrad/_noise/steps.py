"""Steps from noise: how much f jitters at x, how it bends, and the step at which both harm a difference least."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._arrays import real_array, real_number
from fastgrad._errors import ShapeError, StepError
from fastgrad._noise.measurement import Limits
from fastgrad._noise.measurement import noise as measured_noise
from fastgrad._noise.neighbourhood import Neighbourhood
from fastgrad._point import Point, as_point, bound
from fastgrad._stencils.table import Stencil, given_stencil, stencil
from fastgrad._typing import Array, Float64Array, ScalarFunction

#: So many entries, spread evenly, are asked how f bends; the others take the median of what they say.
SAMPLED = 8
#: A bend counts where it stands out of the noise so many times; a smaller step is not asked below so many times.
CLEAR, FAINT = 100.0, 10.0
#: Steps are tried so often, each time by this factor, until the bend is clear and no longer grows.
TRIES, FACTOR = 12, 4.0
#: So many smaller steps in turn must show no larger bend: where f swings faster than the step, one may miss it.
MISSES = 2


def noise(f: ScalarFunction, x: Any, *, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None) -> float:
    """Return the standard deviation of f's noise at x: how much its value jitters where it should not change.

    Rounding inside f, the tolerance of a solver, single precision in disguise, random draws: whatever makes the values
    at points next to each other differ by more than a smooth function's would. Values are taken on four short lines
    through x, 7 on each side: 57 calls of f.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a real scalar.
    x : array_like or tree of arrays
        The point.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    float
        0 where f does not jitter at all; NaN where it has no finite values on both sides of x on any line.

    Raises
    ------
    TypeError, ShapeError
        If x is no array of real numbers, or f returns no real scalar.
    Exception
        Whatever f raises at x itself; beside it, FloatingPointError, ZeroDivisionError, OverflowError and ValueError
        say that f has no value there.

    Notes
    -----
    This is ECnoise: J. J. Moré and S. M. Wild, "Estimating computational noise", SIAM Journal on Scientific Computing
    33 (2011). The estimate is right within a factor of about 4.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import steps
    >>> def rounded(x):
    ...     return round(float(np.sum(np.sin(x))), 6)
    >>> 1e-7 < steps.noise(rounded, np.array([1.0, 2.0])) < 1e-6
    True
    """
    point = as_point(x)
    with np.errstate(all="ignore"):
        return _noise_around(Neighbourhood(point.of_array(bound(f, args, kwargs)), point), point.array)


def from_noise(noise: float, x: Any, bend: Any, *, method: str = "central", order: int = 2) -> Float64Array:
    """Return for each entry of x the step at which noise and truncation together harm a difference least.

    The mean square error of a difference of order p is (a ε/h)² + (b M h^p)², where ε is the noise of f, M the
    magnitude of its derivative of order p + 1, a the root of the sum of the squares of the stencil's weights and b the
    coefficient of its error. It is least at h = (a ε / (√p b M))^(1/(p + 1)). For a forward difference this is the step
    8^(1/4) (ε/|f″|)^(1/2) of Moré and Wild; for a central one it is (3 ε/|f‴|)^(1/3).

    Parameters
    ----------
    noise : float
        The standard deviation of f's noise, as `noise` measures it.
    x : array_like
        The point.
    bend : float or array_like
        The magnitude of f's derivative of order p + 1 along each entry: a number, or an array shaped like x.
    method : {"central", "forward", "backward"}
        The side of x on which f is called.
    order : int
        p, the power of the step with which the difference's error falls.

    Returns
    -------
    ndarray of float64
        Powers of two, flat. No step reaches farther than a fourth of max(1, abs(x_i)), nor is one so short that
        rounding of x would change it by a hundredth.

    Raises
    ------
    StepError
        If the noise is negative or not finite.
    ShapeError
        If an array of bends is not shaped like x.
    TypeError
        If a bend is no real number, or the order no integer.
    ValueError
        If there is no such method or order.

    References
    ----------
    J. J. Moré and S. M. Wild, "Estimating derivatives of noisy simulations", ACM Transactions on Mathematical Software
    38 (2012).

    Examples
    --------
    >>> from fastgrad import steps
    >>> steps.from_noise(1e-9, [0.0, 2.0], [1.0, 1e6])  # (3e-9)^(1/3) = 1.4e-3, and a hundredth of it
    array([1.95312500e-03, 1.52587891e-05])
    """
    array = as_point(x).array
    level = real_number(noise)
    if level is None or not 0.0 <= level < math.inf:
        raise StepError(f"the noise must be a finite number, not negative; got {noise!r}.")
    bends = np.abs(real_array(bend, "bend"), dtype=np.float64)
    if bends.ndim and bends.shape != array.shape:
        raise ShapeError(f"an array of bends must be shaped like x, {array.shape}; got {bends.shape}.")
    s = given_stencil(method, order)
    weight, coefficient = _constants(s)
    lengths = scales(array)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        h = (weight * level / (math.sqrt(s.order) * coefficient * bends.reshape(-1))) ** (1.0 / (s.order + 1))
    shortest = 64.0 * float(np.finfo(array.dtype).eps) * np.maximum(lengths, np.abs(array.reshape(-1)))
    longest = lengths / (4.0 * s.reach)
    exponents = np.rint(np.log2(np.clip(np.where(np.isnan(h), longest, h), shortest, longest)))
    fitting: Float64Array = np.clip(exponents, np.ceil(np.log2(shortest)), np.floor(np.log2(longest)))
    return np.exp2(fitting)


def by_noise(
    f: ScalarFunction, point: Any, method: str = "central", order: int = 2, limits: Limits | None = None
) -> tuple[Float64Array, float, int]:
    """Return the steps for differences of f at a point by its noise and its bends, the noise, and the calls it took.

    The point is an array, a number or a tree, as `numerical_gradient` takes it; the steps come in one line.

    The noise takes 57 calls. How f bends, its derivative of order p + 1, is measured along eight entries at most,
    spread evenly, with p + 2 calls a step and a few steps each. All others take the median of what these show, as if f
    changed on the scale max(1, |x_i|) times one number for all. f is not called beyond the limits, lower and upper ones
    of each entry: next to one, the bend is that of points farther in.

    Parameters
    ----------
    f : callable
        Takes an array like the point's and returns a real scalar.
    point : array_like, number or tree
    method, order : str and int
        As `from_noise` takes them.
    limits : pair of ndarray, shape (n,), optional
        The lower and the upper limits.

    Returns
    -------
    steps : ndarray of float64, shape (n,)
    noise : float
    calls : int

    Raises
    ------
    StepError
        If f has no finite values around x.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import steps
    >>> h, noise, calls = steps.by_noise(lambda x: np.float32(np.sin(x[0])), [1.0])
    >>> bool(h[0] > 1e-3), bool(1e-9 < noise < 1e-6)
    (True, True)
    """
    if not isinstance(point, Point):
        point = as_point(point)
        f = point.of_array(bound(f, (), None))
    x = point.array
    if not x.size:
        return np.empty(0), 0.0, 0
    chosen = stencil("central", 2, given_stencil(method, order).order + 1)
    with np.errstate(all="ignore"):
        around = Neighbourhood(f, point, limits)
        measured = _noise_around(around, x, limits)
        if math.isnan(measured):
            raise StepError("f has no finite values around x, so that its noise cannot be measured: give eps.")
        level = max(measured, float(np.finfo(x.dtype).eps) / 4 * abs(around.centre))
        lengths = scales(x)
        asked = np.unique(np.linspace(0, x.size - 1, min(SAMPLED, x.size)).round().astype(np.intp))
        found = np.array([_bend(around, int(i), float(lengths[i]), level, chosen) for i in asked])
        power = chosen.derivative
        relative = found * lengths[asked] ** power
        known = relative[np.isfinite(relative)]
        bends = (float(np.median(known)) if known.size else abs(around.centre)) / lengths**power
        bends[asked] = np.where(np.isfinite(found), found, bends[asked])
    steps = from_noise(level, x.reshape(-1), bends, method=method, order=order)
    return steps, measured, around.calls


def _noise_around(around: Neighbourhood, x: Array, limits: Limits | None = None) -> float:
    """Return the noise, for steps about as long as a central difference takes."""
    steps = float(np.cbrt(np.finfo(x.dtype).eps)) * scales(x)
    return measured_noise(around.at, x, steps, limits) if x.size else 0.0


def _bend(around: Neighbourhood, i: int, length: float, level: float, s: Stencil) -> float:
    """Return the magnitude of a derivative of f along entry i, NaN where f has no finite values.

    The step grows until the difference is clear of the noise, then shrinks as long as the derivative grows, which it
    does where the step was longer than the scale on which f changes.
    """
    weight = math.hypot(*s.numerators) / s.denominator
    size = abs(around.centre) or CLEAR * weight * level
    side, length = around.room(i, length)
    if length == 0.0:
        return math.nan
    share = (CLEAR * weight * level / size) ** (1.0 / s.derivative) if level else 0.25
    h = length * min(0.25, share) / s.reach
    known: dict[float, float] = {}

    def at(t: float) -> float:
        if t not in known:
            known[t] = around.moved(i, t)
        return known[t]

    def difference(h: float) -> float:
        points = zip(s.offsets, s.numerators, strict=True)
        return abs(sum(n * at((k + side * s.reach) * h) for k, n in points)) / s.denominator

    found = difference(h)
    for _ in range(TRIES):
        if not found < CLEAR * weight * level or h * FACTOR * s.reach > length:
            break
        further = difference(h * FACTOR)
        if math.isnan(further):
            break
        h, found = h * FACTOR, further
    misses = 0
    nearer = h
    for _ in range(TRIES):
        nearer /= FACTOR
        there = difference(nearer)
        is_clear = there > FAINT * weight * level
        is_steeper = _over_power(there, nearer, s.derivative) > 2.0 * _over_power(found, h, s.derivative)
        if math.isnan(found) or (is_clear and is_steeper):
            h, found, misses = nearer, there, 0
            continue
        misses += 1
        if misses == MISSES:
            break
    return float(_over_power(max(found, CLEAR * weight * level / 2), h, s.derivative))


def _over_power(value: float, h: float, power: int) -> float:
    """Return a value over a power of the step, which need be no number itself."""
    for _ in range(power):
        value /= h
    return value


def _constants(s: Stencil) -> tuple[float, float]:
    """Return the root of the sum of the squares of a stencil's weights, and the coefficient of its error."""
    power = s.order + s.derivative
    moment = sum(n * k**power for k, n in zip(s.offsets, s.numerators, strict=True))
    return math.hypot(*s.numerators) / s.denominator, abs(moment) / (s.denominator * math.factorial(power))


def scales(x: Array) -> Float64Array:
    """Return for each entry, flat, the scale on which f is taken to change, unless it is asked: max(1, |x_i|)."""
    size = np.abs(x, dtype=np.float64).reshape(-1)
    return np.where(np.isfinite(size), np.maximum(size, 1.0), 1.0)
