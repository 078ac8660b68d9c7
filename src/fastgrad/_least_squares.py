"""Least squares by gradient descent in one compiled loop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad import _backend
from fastgrad._regression import Problem, has_grown, read_problem, warn_divergence
from fastgrad._typing import Array, Float64Array


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquaresResult:
    """Where a descent on least squares ended, and how it went. Unpacks as ``x, losses``.

    Attributes
    ----------
    x : array of shape (p,)
        The last iterate.
    losses : float64 array of shape (n_steps,)
        The loss before each step, as computed: infinite and NaN where the descent diverged.
    loss : float
        The loss at `x`.
    gradient : float64 array of shape (p,)
        The gradient of the loss at `x`.
    residual_norm : float
        ``||A x - b||`` at `x`.
    n_steps : int
        The steps taken: all that were asked for, also where they diverged.
    diverged : bool
        Whether the loss left the finite numbers, or ended at more than twice its first value.
    diverged_at : int or None
        The first step before which the loss was not finite; `n_steps` if only `loss` is not; None if all are finite.
    """

    x: Array
    losses: Float64Array
    loss: float
    gradient: Float64Array
    residual_norm: float
    n_steps: int
    diverged: bool
    diverged_at: int | None

    def __iter__(self) -> Iterator[Array]:
        yield self.x
        yield self.losses

    @property
    def gradient_norm(self) -> float:
        """The Euclidean length of `gradient`, which tends to 0 as the descent converges."""
        return float(np.linalg.norm(self.gradient))


def least_squares_gd(
    A: ArrayLike,
    b: ArrayLike,
    learning_rate: float,
    n_steps: int,
    *,
    x0: ArrayLike | None = None,
    ridge: float = 0.0,
    reduction: Literal["sum", "mean"] = "sum",
) -> LeastSquaresResult:
    """Minimise ||Ax - b||^2 + ridge ||x||^2 by gradient descent with a fixed rate.

    With r = Ax - b, the loss and its gradient are

    - ``"sum"``: r.r + ridge ||x||^2 and 2 A^T r + 2 ridge x, with the minimum (A^T A + ridge I)^-1 A^T b;
    - ``"mean"``: r.r/n + ridge ||x||^2 and (2/n) A^T r + 2 ridge x, with the minimum (A^T A + n ridge I)^-1 A^T b.

    All steps run in one compiled loop. It reads A once a step; for tall A and many steps it reads A^T A instead, which
    gives the same x and losses to rounding, and is held against the residual at the end: where the two disagree, or the
    loss rises, the steps are taken again with A. Which is tried depends on n, p and n_steps alone.

    The descent converges when the rate is below 2/L; L is the largest eigenvalue of 2 A^T A + 2 ridge I (of 2/n A^T A +
    2 ridge I for the mean).

    Parameters
    ----------
    A : array_like of shape (n, p)
        The data, any strides. Single precision is read as it lies; integers and booleans become double precision.
    b : array_like of shape (n,)
        The values that Ax should come near.
    learning_rate : float
        The step taken along the negative gradient; positive and finite.
    n_steps : int
        How many steps to take; 0 only evaluates the loss and its gradient at the first iterate.
    x0 : array_like of shape (p,), optional
        The first iterate; zeros by default.
    ridge : float
        The weight of ||x||^2 in the loss; finite and not negative.
    reduction : {"sum", "mean"}
        Whether the squared residuals are summed or averaged. Over no rows, both are 0.

    Returns
    -------
    LeastSquaresResult
        Unpacks as ``x, losses``. Everything is computed in double precision; only `x` is rounded, once, to single
        precision when A, b and x0 are all single. None of the arrays given is ever written.

    Raises
    ------
    ShapeError
        If A is no matrix, or b or x0 does not fit it.
    StepError
        If `learning_rate` is no positive finite real number.
    TypeError
        If an array holds anything but real numbers of single or double precision, integers or booleans, or is masked;
        or if `n_steps` is no integer.
    ValueError
        If `n_steps` or `ridge` is negative, or `reduction` is neither of the two.

    Warns
    -----
    DivergenceWarning
        Once a call, when the loss leaves the finite numbers or grows to more than twice its first value. All losses are
        returned all the same.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> np.random.seed(0)
    >>> A, b = np.random.randn(10, 3), np.random.randn(10)
    >>> x, losses = fg.least_squares_gd(A, b, learning_rate=0.05, n_steps=200)
    >>> round(float(losses[-1]), 6)
    3.28517
    """
    problem = read_problem(A, b, learning_rate, n_steps, x0, ridge, reduction)
    x, gradient, losses, broken, squares = _descend(problem)
    first, last = losses.item(0), losses.item(-1)
    diverged = broken >= 0 or has_grown(problem, first, last)
    if diverged:
        warn_divergence(problem, broken, first, last, stacklevel=2)
    if problem.dtype is np.float32:
        with np.errstate(over="ignore"):
            x = x.astype(np.float32)
    return LeastSquaresResult(
        x=x,
        losses=losses[:-1],
        loss=last,
        gradient=gradient,
        residual_norm=math.sqrt(squares),
        n_steps=problem.n_steps,
        diverged=diverged,
        diverged_at=broken if broken >= 0 else None,
    )


def _descend(problem: Problem) -> tuple[Float64Array, Float64Array, Float64Array, int, float]:
    A, b, start, rate, steps, weight, ridge, _ = problem
    n, p = A.shape
    gradient, losses = np.empty(p), np.empty(steps + 1)
    if _recurrence_pays(n, p, steps):
        x, work = start.copy(), np.empty((p + 3, -(-p // 8) * 8))
        accepted, squares = _backend.recurrence.recur(A, b, _gram(A), x, gradient, work, losses, rate, weight, ridge)
        if accepted:
            return x, gradient, losses, -1, squares
    broken, squares = _backend.descent.descend(A, b, start, gradient, np.empty(p), losses, rate, weight, ridge)
    return start, gradient, losses, broken, squares


_BLOCK = 8192  # rows that are converted to double precision at a time


def _recurrence_pays(n: int, p: int, steps: int) -> bool:
    """Say whether a recurrence in A^T A costs less than half of one reading of A a step.

    Costs are counted in rows of p numbers. A^T A itself costs what p/8 readings of A do; the recurrence reads A twice
    and p rows a step. Half, because a recurrence that is declined was for nothing.
    """
    return p > 0 and 2 * (n * (2 + p // 8) + p * steps) < n * steps


def _gram(A: Array) -> Float64Array:
    """Return A^T A in double precision, without a copy of all of A where that is single."""
    if len(A) <= _BLOCK and A.dtype.char == "d":
        H: Float64Array = np.dot(A.T, A)
        return H
    H = np.zeros((A.shape[1], A.shape[1]))
    for first in range(0, len(A), _BLOCK):
        rows = A[first : first + _BLOCK].astype(np.float64, copy=False)
        H += np.dot(rows.T, rows)  # unlike matmul, it overflows in silence: the recurrence sees it and declines
    return H
