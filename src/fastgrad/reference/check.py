"""Claimed against measured by the plain rule, in plain NumPy."""

from typing import Any

import numpy as np

from fastgrad._arrays import claimed_array, claimed_beside_value, given_tolerance
from fastgrad._typing import ScalarFunction, Step
from fastgrad.reference.differences import numerical_gradient, working_copy

__all__ = ["gradient_check"]


def gradient_check(
    f: ScalarFunction,
    grad_f: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
) -> tuple[bool, float]:
    """Return whether a claimed gradient of f at x is within tolerance everywhere, and the largest difference.

    There is one measurement and no second look: noise, kinks and too large a step count against the claim, and an f of
    so few digits that the steps do not move it counts for a claim of zero. Elsewhere, what passes here passes
    `fastgrad.gradient_check` too, but not the other way round. With ``rtol=0`` both follow one rule, the textbook's.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a real scalar.
    grad_f : callable, array_like or True
        The claim: a function of x, the gradient at x itself, or True when f returns ``(value, gradient)``. Shaped like
        x, or flat and of x's size.
    x : array_like
        The point, of any shape.
    eps : None, float, array_like or "auto"
        The step, as `fastgrad.numerical_gradient` takes it.
    atol, rtol : float, optional
        Right is ``abs(claimed - measured) <= atol + rtol * max(abs(claimed), abs(measured))``; with ``rtol=0``,
        ``max_error < atol``. None is 1e-6 and 1e-5, and 1e-3 and 1e-2 where x or the claim is single precision.

    Returns
    -------
    passed : bool
        False where any difference is NaN or infinite.
    max_error : float
        NaN where any difference is, and 0 for an empty x.

    Raises
    ------
    ShapeError
        If the claim fits x neither in shape nor in size.
    TypeError
        If the claim is not real numbers.
    ValueError
        If a tolerance is negative, infinite or NaN.
    StepError, TypeError, ShapeError
        As `fastgrad.numerical_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> passed, max_error = gradient_check(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, -2.0]))
    >>> passed, max_error < 1e-9
    (True, True)
    """
    point, _ = working_copy(x)
    claim = claimed_beside_value(f(point)) if grad_f is True else grad_f(point) if callable(grad_f) else grad_f
    given = claimed_array(claim, point.shape, point.size)
    claimed = given.astype(np.float64).reshape(point.shape)
    value = (lambda x: f(x)[0]) if grad_f is True else f
    measured = np.asarray(numerical_gradient(value, x, eps), dtype=np.float64)
    is_single = np.float32 in (point.dtype, given.dtype)
    atol = _tolerance("atol", atol, 1e-3 if is_single else 1e-6)
    rtol = _tolerance("rtol", rtol, 1e-2 if is_single else 1e-5)
    with np.errstate(all="ignore"):
        error = np.abs(claimed - measured)
        allowed = atol + rtol * np.maximum(np.abs(claimed), np.abs(measured))
    max_error = float(np.max(error, initial=0.0))
    if rtol == 0:
        return bool(max_error < atol or error.size == 0), max_error
    return bool(np.all((error <= allowed) & np.isfinite(error))), max_error


def _tolerance(name: str, given: float | None, default: float) -> float:
    return default if given is None else given_tolerance(given, name)
