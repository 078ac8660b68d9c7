"""Least squares by gradient descent in one compiled loop."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad import _backend
from fastgrad._curvature import largest_eigenvalue
from fastgrad._regression import Problem, has_grown, rate_of_curvature, read_problem, warn_divergence
from fastgrad._typing import Array, Float64Array

_SMALL = 4096  # products of which A^T A consists, up to which the recurrence forms it sooner than BLAS
_BLOCK = 8192  # rows that are converted to double precision at a time


@dataclass(frozen=True, eq=False)
class LeastSquaresResult:
    """Where a descent on least squares ended, and how it went. Unpacks as ``x, losses``.

    Attributes
    ----------
    x : array of shape (p,)
        The last iterate.
    losses : float64 array of shape (n_steps,)
        The loss before each step taken, as computed: infinite and NaN where the descent diverged.
    loss : float
        The loss at `x`.
    gradient : float64 array of shape (p,)
        The gradient of the loss at `x`.
    residual_norm : float
        ``||A x - b||`` at `x`.
    n_steps : int
        The steps taken: all that were asked for, also where they diverged, unless `gtol` ended them.
    learning_rate : float
        The rate of every step; 1/L where "auto" was asked for.
    converged : bool
        Whether the norm of `gradient` is at most `gtol`; False where none was given.
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
    learning_rate: float
    converged: bool
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
    learning_rate: float | Literal["auto"],
    n_steps: int,
    *,
    x0: ArrayLike | None = None,
    ridge: float = 0.0,
    reduction: Literal["sum", "mean"] = "sum",
    gtol: float | None = None,
) -> LeastSquaresResult:
    """Minimise ||Ax - b||^2 + ridge ||x||^2 by gradient descent with a fixed rate.

    With r = Ax - b, the loss and its gradient are

    - ``"sum"``: r.r + ridge ||x||^2 and 2 A^T r + 2 ridge x, with the minimum (A^T A + ridge I)^-1 A^T b;
    - ``"mean"``: r.r/n + ridge ||x||^2 and (2/n) A^T r + 2 ridge x, with the minimum (A^T A + n ridge I)^-1 A^T b.

    All steps run in one compiled loop. It reads A once a step; for tall A and many steps it reads A^T A instead, which
    gives the same x and losses to rounding, and is held against the residual at the end: where the two disagree, the
    steps are taken again with A. Which is tried depends on n, p and n_steps alone; the Notes give the rule.

    The descent converges when the rate is below 2/L; L is the largest eigenvalue of the loss's Hessian, 2 A^T A +
    2 ridge I (2/n A^T A + 2 ridge I for the mean).

    Parameters
    ----------
    A : array_like of shape (n, p)
        The data, any strides. Single precision is read as it lies; integers and booleans become double precision.
    b : array_like of shape (n,)
        The values that Ax should come near.
    learning_rate : float or "auto"
        The step taken along the negative gradient; positive and finite. ``"auto"`` takes 1/L, with L from power
        iteration from a start that is always the same. L may be found a few percent short; only what is nearly
        orthogonal to that start could hide more. The loss then falls in every step. The result's `learning_rate` tells
        the number. 1 where the loss is constant.
    n_steps : int
        How many steps to take, at most; 0 only evaluates the loss and its gradient at the first iterate.
    x0 : array_like of shape (p,), optional
        The first iterate; zeros by default.
    ridge : float
        The weight of ||x||^2 in the loss; finite and not negative.
    reduction : {"sum", "mean"}
        Whether the squared residuals are summed or averaged. Over no rows, both are 0.
    gtol : float, optional
        Take no further step from where the Euclidean norm of the gradient is at most this; finite and not negative. By
        default all steps are taken.

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
        If `learning_rate` is neither a positive finite real number nor "auto", or "auto" and A has no finite L.
    TypeError
        If an array holds anything but real numbers of single or double precision, integers or booleans, or is masked;
        or if `n_steps` is no integer.
    ValueError
        If `n_steps`, `ridge` or `gtol` is negative, or `reduction` is neither of the two.

    Warns
    -----
    DivergenceWarning
        Once a call, when the loss leaves the finite numbers or grows to more than twice its first value. All losses are
        returned all the same.

    Notes
    -----
    With M = A^T A (scaled, and with the ridge), d half the gradient and t twice the rate, a step takes t d from x,
    t M d from d, and t (2 d.d - t d.Md) from the loss: what the textbook's loop does, rearranged, at p^2 numbers a step
    instead of n p. A^T A is formed where ``3 (n p (10 + p/32) + (p^2/4 + 64) n_steps) < 2 (n (p + 8) + 64) n_steps``.
    The losses are sums of these terms from the end whose terms are smaller, the last loss where it falls, the first
    where it rises; both ends come from the residual. Where a loss would be less exact than from its residual, A is read
    instead.

    ``"auto"`` is the rate that suits every A: the loss falls at least by rate/2 times the squared gradient in a step.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> np.random.seed(0)
    >>> A, b = np.random.randn(10, 3), np.random.randn(10)
    >>> x, losses = fg.least_squares_gd(A, b, learning_rate=0.05, n_steps=200)
    >>> round(float(losses[-1]), 6)
    3.28517
    >>> result = fg.least_squares_gd(A, b, "auto", 10_000, gtol=1e-8)
    >>> result.converged, result.n_steps < 200, round(result.loss, 6)
    (True, True, 3.28517)
    """
    problem = read_problem(A, b, learning_rate, n_steps, x0, ridge, reduction, gtol)
    n, p = problem.A.shape
    pays = _recurrence_pays(n, p, problem.n_steps)
    H = _gram(problem.A) if pays and n * p * p > _SMALL else None
    rate = problem.learning_rate or _automatic_rate(problem, H)
    x, gradient, losses, broken, squares = _descend(problem, rate, H, pays)
    taken, first, last = losses.size - 1, losses.item(0), losses.item(-1)
    diverged = broken >= 0 or has_grown(problem, first, last)
    if diverged:
        warn_divergence(problem, rate, broken, first, last, stacklevel=2)
    if problem.dtype is np.float32:
        with np.errstate(over="ignore"):
            x = x.astype(np.float32)
    return _result(
        x=x,
        losses=losses[:-1],
        loss=last,
        gradient=gradient,
        residual_norm=math.sqrt(squares),
        n_steps=taken,
        learning_rate=rate,
        converged=problem.gtol >= 0.0 and bool(np.linalg.norm(gradient) <= problem.gtol),
        diverged=diverged,
        diverged_at=broken if broken >= 0 else None,
    )


def _result(**fields: Any) -> LeastSquaresResult:
    """Return the result with all its fields set at once: one by one, they take as long as a small descent."""
    result = object.__new__(LeastSquaresResult)
    object.__setattr__(result, "__dict__", fields)
    return result


def _descend(
    problem: Problem, rate: float, H: Float64Array | None, pays: bool
) -> tuple[Float64Array, Float64Array, Float64Array, int, float]:
    A, b, start, _, steps, weight, ridge, gtol, _ = problem
    p = start.size
    gradient, losses = np.empty(p), np.empty(steps + 1)
    if pays:
        x, work = start.copy(), np.empty((p + 3, -(-p // 8) * 8))
        accepted, taken, squares = _backend.recurrence.recur(
            A, b, H, x, gradient, work, losses, rate, weight, ridge, gtol
        )
        if accepted:
            return x, gradient, _first(losses, taken + 1), -1, squares
    taken, broken, squares = _backend.descent.descend(
        A, b, start, gradient, np.empty(p), losses, rate, weight, ridge, gtol
    )
    return start, gradient, _first(losses, taken + 1), broken, squares


def _first(losses: Float64Array, count: int) -> Float64Array:
    return losses if count == losses.size else losses[:count].copy()


def _recurrence_pays(n: int, p: int, steps: int) -> bool:
    """Say whether a recurrence in A^T A costs less than two thirds of one reading of A a step.

    Costs are counted in entries of A read: to begin a row costs as much as 8 of them, to begin a step as much as 64.
    A^T A itself costs what 8 + p/32 readings of A do; the recurrence reads A twice, and p^2/4 entries a step.
    Two thirds, because a recurrence that is declined was for nothing.
    """
    return p > 0 and 3 * (n * p * (10 + p // 32) + (p * p // 4 + 64) * steps) < 2 * (n * (p + 8) + 64) * steps


def _automatic_rate(problem: Problem, H: Float64Array | None) -> float:
    A, p = problem.A, problem.x.size
    if p == 0:
        return 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        largest = largest_eigenvalue((lambda v: _twice(A, v)) if H is None else H.__matmul__, p)
    return rate_of_curvature(2.0 * (problem.weight * largest + problem.ridge))


def _gram(A: Array) -> Float64Array:
    """Return A^T A in double precision."""
    if len(A) <= _BLOCK and A.dtype.char == "d":
        whole: Float64Array = np.dot(A.T, A)
        return whole
    H = np.zeros((A.shape[1], A.shape[1]))
    for rows in _blocks(A):
        H += np.dot(rows.T, rows)  # unlike matmul, it overflows in silence: the recurrence sees it and declines
    return H


def _twice(A: Array, v: Float64Array) -> Float64Array:
    """Return A^T A v in double precision."""
    product = np.zeros(v.size)
    for rows in _blocks(A):
        product += np.dot(np.dot(rows, v), rows)
    return product


def _blocks(A: Array) -> Iterator[Float64Array]:
    """Yield some rows of A after others in double precision, so that no copy is made of all of a single A."""
    for first in range(0, len(A), _BLOCK):
        yield A[first : first + _BLOCK].astype(np.float64, copy=False)
