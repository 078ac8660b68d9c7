"""Step rules: from eps, x and the dtype to the step of each entry. They know nothing of f."""

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastgrad import _backend
from fastgrad._arrays import given_steps, real_array, step_of, whole_number
from fastgrad._errors import bad_step, lost_step, unmeasured_noise
from fastgrad._noise.steps import by_noise, from_noise, noise, scales
from fastgrad._point import Point
from fastgrad._typing import Array, Float64Array, Step

#: What users may rely on; the other functions are the verbs', and take their `Point`.
__all__ = [
    "STRUCTURED",
    "TEXTBOOK",
    "auto",
    "by_noise",
    "from_noise",
    "noise",
    "realised",
]

#: The default step: the textbook's in double precision, and in single precision the power of two next to ε^(1/3).
TEXTBOOK = {"d": 1e-5, "f": 2.0**-8}

#: The default step of callables with a difference loop of their own: powers of two, with which h·x is exact.
STRUCTURED = {"d": 2.0**-17, "f": 2.0**-8}


def resolve(eps: Step, point: Point) -> Float64Array:
    """Return the steps as one number, shape ``(1,)``, or one an entry, shape ``(n,)``, and refuse what cannot be used.

    Parameters
    ----------
    eps : None, float, array_like or "auto"
        None is the textbook's step for x's dtype. A float is an absolute step. An array or tree like x gives each
        entry its own. ``"auto"`` picks them by `auto`.
    point : Point
        Where the differences are taken.

    Returns
    -------
    ndarray of float64

    Raises
    ------
    StepError
        If a step is not a positive finite real number, or rounding at some entry of x changes it by more than 1 %.
    ShapeError
        If an array of steps is not shaped like x.
    """
    h = as_steps(point.in_line(eps, "eps"), point.array, TEXTBOOK)
    refuse_lost_steps(point, h)
    return h


def refuse_lost_steps(point: Point, h: Float64Array) -> None:
    """Raise the error that names the first entry of x at which rounding eats its step."""
    i = _backend.differences.first_lost_step(point.array, h)
    if i < 0:
        return
    value = point.array.reshape(-1)[i]
    step = step_of(h, i)
    with np.errstate(over="ignore"):
        plus, minus = value.dtype.type(float(value) + step), value.dtype.type(float(value) - step)
    raise lost_step(point.name(i), float(value), step, (float(plus) - float(minus)) / 2)


def auto(x: ArrayLike, order: int = 2) -> Float64Array:
    """Return for each entry the largest power of two within (ε·max(1, |x_i|))^(1/(order + 1)), or else ε^(3/5)·|x_i|.

    ε is the spacing of floats at 1. The error of a difference is about ε|f|/h from rounding and (h/L)^order |f| from
    truncation, where L is the scale on which f changes; for L = 1 it is least at h ~ ε^(1/(order + 1)) (Nocedal and
    Wright, Numerical Optimization, 2nd ed., section 8.1). Nobody tells L. For large x it may be 1, as for a sine, or
    |x|, as for a power; h ~ |x|^(1/(order + 1)) loses the same share of the digits in both cases, and no other exponent
    loses less in the worse one. The second term keeps the step above the spacing of floats at huge x. For small x, L is
    taken to be 1: a rounding error in the place of a zero must not make the step vanish.

    Parameters
    ----------
    x : array_like
        The point, of any shape; float32 or float64, as which integers count.
    order : int
        The power of the step with which the difference's error falls.

    Returns
    -------
    ndarray of float64, shape (x.size,)
        Powers of two, flat.

    Raises
    ------
    TypeError, ShapeError
        If x is no array of real numbers, or the order no integer.
    ValueError
        If the order is less than 1.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import steps
    >>> np.log2(steps.auto(np.array([0.5, 1e6])))
    array([-18., -11.])
    """
    x = real_array(x, "x")
    order = whole_number(order, "order")
    if order < 1:
        raise ValueError(f"the order of a difference is at least 1; got {order}.")
    scale = np.log2(scales(x))
    spacing = float(np.log2(np.finfo(x.dtype).eps))
    exponent = np.maximum((spacing + scale) / (order + 1), 3 * spacing / 5 + scale)
    return np.exp2(np.floor(exponent))


@cache
def one(step: float) -> Float64Array:
    """Return one step for all entries, in an array that is made once and not to be written."""
    h = np.array([step])
    h.flags.writeable = False
    return h


def realised(x: Any) -> Callable[[float], float]:
    """Return the rule from a positive step t to the one next to it that x + t and, if t ≤ |x|, x − t take exactly.

    The sum away from zero has the coarser grid: what it takes, the other takes too, as long as that one is no larger
    than x. A rule, for the adaptive method, that tries many steps at one x.

    Parameters
    ----------
    x : numpy.float64 or numpy.float32

    Returns
    -------
    callable
        From a float to a float.

    Raises
    ------
    TypeError
        If x is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import steps
    >>> t = steps.realised(np.float64(0.1))(1e-5)
    >>> t, (0.1 + t) - 0.1 == 0.1 - (0.1 - t) == t
    (9.999999999996123e-06, True)
    """
    if not isinstance(x, float | np.float32):  # numpy.float64 is a float
        raise TypeError(f"x must be a numpy.float64 or a numpy.float32, as an entry of an array is; got {x!r}.")
    kind, centre = type(x), float(x)
    away = math.copysign(1.0, centre)

    def rule(t: float) -> float:
        return abs(float(kind(centre + away * t)) - centre)

    return rule


def as_steps(eps: Any, x: Array, default: dict[str, float], order: int = 2) -> Float64Array:
    """Return the steps that eps means at x, as `resolve` does, but do not ask whether rounding eats them."""
    if eps is None:
        return one(default[x.dtype.char])
    if callable(eps) and not isinstance(eps, type):
        eps = eps(x.copy())
    if isinstance(eps, str):
        if eps == "noise":
            raise unmeasured_noise()
        if eps != "auto":
            raise bad_step(eps)
        return auto(x, order)
    return given_steps(eps, x.shape)
