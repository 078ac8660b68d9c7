"""A least-squares problem as the caller gave it, read and judged in one place for both twins."""

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from fastgrad._arrays import real_array, real_number, whole_number
from fastgrad._errors import DivergenceWarning, ShapeError, StepError
from fastgrad._typing import Array, Float64Array


class Problem(NamedTuple):
    """What a descent needs, in the form that it needs it.

    `A` is C-ordered, single or double; `b` and `x` are double, and `x` is the descent's own. `learning_rate` is None
    where it was left to be found, `gtol` -1 where no length of the gradient ends the descent. `dtype` is the caller's:
    single when A, b and x0 all were.
    """

    A: Array
    b: Float64Array
    x: Float64Array
    learning_rate: float | None
    n_steps: int
    weight: float
    ridge: float
    gtol: float
    dtype: type[np.floating[Any]]


def read_problem(
    A: Any, b: Any, learning_rate: Any, n_steps: Any, x0: Any, ridge: Any, reduction: Any, gtol: Any
) -> Problem:
    """Return the problem, or say in a sentence which argument does not fit and how it should look."""
    A = real_array(A, "A")
    if A.ndim != 2:
        raise ShapeError(f"A must be a matrix of shape (n, p), one row a sample; got an array of shape {A.shape}.")
    n, p = A.shape
    b = real_array(b, "b")
    if b.shape != (n,):
        raise ShapeError(
            f"b must have shape ({n},), one value for each row of A, which has shape {A.shape}; got shape {b.shape}."
        )
    single = A.dtype.char == "f" and b.dtype.char == "f"
    if x0 is None:
        x = np.zeros(p)
    else:
        start = real_array(x0, "x0")
        if start.shape != (p,):
            raise ShapeError(
                f"x0 must have shape ({p},), one value for each column of A, which has shape {A.shape}; "
                f"got shape {start.shape}."
            )
        single = single and start.dtype.char == "f"
        x = np.array(start, dtype=np.float64)
    if reduction not in ("sum", "mean"):
        raise ValueError(f'reduction must be "sum" or "mean"; got {reduction!r}.')
    return Problem(
        A if A.flags.c_contiguous else np.ascontiguousarray(A),
        np.ascontiguousarray(b, dtype=np.float64),
        x,
        _rate(learning_rate),
        _count(n_steps),
        1.0 / n if reduction == "mean" and n else 1.0,
        _not_negative(ridge, "ridge"),
        -1.0 if gtol is None else _not_negative(gtol, "gtol"),
        np.float32 if single else np.float64,
    )


def _rate(learning_rate: Any) -> float | None:
    if isinstance(learning_rate, str) and learning_rate == "auto":
        return None
    number = real_number(learning_rate)
    if number is None or not 0.0 < number < math.inf:
        raise StepError(f'learning_rate must be a positive finite real number or "auto"; got {learning_rate!r}.')
    return number


def rate_of_curvature(curvature: float) -> float:
    """Return 1/L, given the largest eigenvalue of the loss's Hessian; 1 where the loss does not bend at all."""
    if curvature == 0.0:
        return 1.0
    rate = 1.0 / curvature
    if not 0.0 < rate < math.inf:
        raise StepError(
            f'learning_rate="auto" is 1/L, and L, the largest eigenvalue of the Hessian, is {curvature:.3g}: '
            "A holds NaN or infinity, or numbers whose squares overflow or vanish. Scale A, or give a number."
        )
    return rate


def _not_negative(value: Any, name: str) -> float:
    number = real_number(value)
    if number is None or not 0.0 <= number < math.inf:
        raise ValueError(f"{name} must be a finite real number that is not negative; got {value!r}.")
    return number


def _count(n_steps: Any) -> int:
    count = whole_number(n_steps, "n_steps")
    if count < 0:
        raise ValueError(f"n_steps must not be negative; got {count}.")
    return count


def has_grown(problem: Problem, first: float, last: float) -> bool:
    """Say whether a finite loss grew by more than rounding can make it grow.

    A rate that suits the problem never raises the loss. A start at the optimum can: where the loss is nothing but
    rounding, it may double, but it stays far below the rounding of b @ b.
    """
    return last > 2.0 * first and last > 1e-16 * problem.weight * float(problem.b @ problem.b)


def warn_divergence(problem: Problem, rate: float, broken: int, first: float, last: float, stacklevel: int) -> None:
    """Say at which step the numbers ended, or that they only grew, and which rates are small enough."""
    if broken == 0:
        text = (
            "the loss is not finite before the first step: A, b or x0 hold NaN or infinity, or their squares overflow"
        )
    else:
        with np.errstate(over="ignore"):
            bound = problem.weight * float(np.sum(np.square(problem.A, dtype=np.float64))) + problem.ridge
        grew = (
            f"the loss is not finite from step {broken} of {problem.n_steps} on"
            if broken > 0
            else f"the loss grew from {first:.6g} to {last:.6g} in {problem.n_steps} steps"
        )
        suits = 0.95 / bound  # at 1 / bound the loss of a single column stays what it is, or grows once that is rounded
        text = f"{grew}: learning_rate = {rate:.6g} is too large. Any rate up to {suits:.3g} suits this A"
    warnings.warn(f"gradient descent diverged: {text}.", DivergenceWarning, stacklevel=stacklevel + 1)
