"""Moré, Garbow and Hillstrom's problems of variable size with dense Jacobians (ACM TOMS 7, 1981, section 3).

Numbers, starting points and minima are the paper's; the names after them are of those who posed the problem, as the
paper credits them. Default sizes are those for which it gives the minimum, or 10.
"""

from typing import Any

import numpy as np

from fastgrad._typing import Array
from fastgrad.problems._sizes import sized
from fastgrad.problems._values import VectorProblem

__all__ = [
    "brown_almost_linear",
    "chebyquad",
    "discrete_integral_equation",
    "linear_full_rank",
    "linear_rank_1",
    "linear_rank_1_zero_borders",
    "penalty_1",
    "penalty_2",
    "trigonometric",
    "variably_dimensioned",
]


@sized(n=1)
def penalty_1(n: int = 10) -> VectorProblem:
    """Problem 23: n + 1 residuals, the last of another order of magnitude (Gill, Murray and Pitfield 1972)."""
    weight = np.sqrt(1e-5)

    def residual(x: Array) -> Any:
        return np.concatenate([weight * (x - 1), [x @ x - 0.25]])

    def jacobian(x: Array) -> Any:
        return np.vstack([weight * np.eye(n), 2 * x])

    x0, minimum = np.arange(1.0, n + 1), {4: 2.24997e-5, 10: 7.08765e-5}.get(n)
    return VectorProblem("penalty_1", residual, x0, n + 1, jacobian, number=23, minimum=minimum)


@sized(n=1)
def penalty_2(n: int = 10) -> VectorProblem:
    """Problem 24: 2n residuals, exponentials under a penalty (Gill, Murray and Pitfield 1972)."""
    weight, i = np.sqrt(1e-5), np.arange(2, n + 1)
    y, counts = np.exp(i / 10) + np.exp((i - 1) / 10), np.arange(n, 0, -1)

    def residual(x: Array) -> Any:
        e = np.exp(x / 10)
        pairs, singles = weight * (e[1:] + e[:-1] - y), weight * (e[1:] - np.exp(-0.1))
        return np.concatenate([[x[0] - 0.2], pairs, singles, [counts @ x**2 - 1]])

    def jacobian(x: Array) -> Any:
        slopes = weight * np.diag(np.exp(x / 10) / 10)
        first = np.zeros(n)
        first[0] = 1
        return np.vstack([first, slopes[1:] + slopes[:-1], slopes[1:], 2 * counts * x])

    x0, minimum = np.full(n, 0.5), {4: 9.37629e-6, 10: 2.93660e-4}.get(n)
    return VectorProblem("penalty_2", residual, x0, 2 * n, jacobian, number=24, minimum=minimum)


@sized(n=1)
def variably_dimensioned(n: int = 10) -> VectorProblem:
    """Problem 25: n + 2 residuals of very different sizes (unpublished)."""
    j = np.arange(1.0, n + 1)

    def residual(x: Array) -> Any:
        s = j @ (x - 1)
        return np.concatenate([x - 1, [s, s * s]])

    def jacobian(x: Array) -> Any:
        return np.vstack([np.eye(n), j, 2 * (j @ (x - 1)) * j])

    return VectorProblem(
        "variably_dimensioned", residual, 1 - j / n, n + 2, jacobian, number=25, minimum=0.0, minimizer=np.ones(n)
    )


@sized(n=1)
def trigonometric(n: int = 10) -> VectorProblem:
    """Problem 26: sums of sines and cosines with many local minima (Spedicato 1975)."""
    i = np.arange(1, n + 1)

    def residual(x: Array) -> Any:
        return n - np.cos(x).sum() + i * (1 - np.cos(x)) - np.sin(x)

    def jacobian(x: Array) -> Any:
        return np.sin(x) + np.diag(i * np.sin(x) - np.cos(x))

    x0 = np.full(n, 1 / n)
    return VectorProblem("trigonometric", residual, x0, n, jacobian, number=26, minimum=0.0, minimizer=np.zeros(n))


@sized(n=1)
def brown_almost_linear(n: int = 10) -> VectorProblem:
    """Problem 27: all residuals linear but the last, a product (Brown 1969)."""

    def residual(x: Array) -> Any:
        return np.concatenate([x[:-1] + x.sum() - (n + 1), [np.prod(x) - 1]])

    def jacobian(x: Array) -> Any:
        before, after = np.cumprod(x[:-1]), np.cumprod(x[:0:-1])[::-1]
        others = np.concatenate([[1.0], before]) * np.concatenate([after, [1.0]])
        return np.vstack([np.eye(n)[:-1] + 1, others])

    x0 = np.full(n, 0.5)
    return VectorProblem("brown_almost_linear", residual, x0, n, jacobian, number=27, minimum=0.0, minimizer=np.ones(n))


@sized(n=1)
def discrete_integral_equation(n: int = 10) -> VectorProblem:
    """Problem 29: a Hammerstein equation on a grid (Moré and Cosnard 1979)."""
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    row, column = t[:, np.newaxis], t
    kernel = h / 2 * np.where(column <= row, (1 - row) * column, row * (1 - column))

    def residual(x: Array) -> Any:
        return x + kernel @ (x + t + 1) ** 3

    def jacobian(x: Array) -> Any:
        return np.eye(n) + kernel * (3 * (x + t + 1) ** 2)

    return VectorProblem("discrete_integral_equation", residual, t * (t - 1), n, jacobian, number=29, minimum=0.0)


@sized(n=1, m=1)
def linear_full_rank(n: int = 10, m: int = 20) -> VectorProblem:
    """Problem 32: linear residuals, m ≥ n; the minimum is m - n (unpublished)."""
    A = np.vstack([np.eye(n), np.zeros((m - n, n))]) - 2 / m
    return VectorProblem(
        "linear_full_rank",
        lambda x: A @ x - 1,
        np.ones(n),
        m,
        lambda x: A.copy(),
        number=32,
        minimum=float(m - n),
        minimizer=-np.ones(n),
    )


@sized(n=1, m=1)
def linear_rank_1(n: int = 10, m: int = 20) -> VectorProblem:
    """Problem 33: linear residuals whose Jacobian has rank 1 (unpublished)."""
    A = np.outer(np.arange(1.0, m + 1), np.arange(1, n + 1))
    minimum = m * (m - 1) / (2 * (2 * m + 1))
    return VectorProblem(
        "linear_rank_1", lambda x: A @ x - 1, np.ones(n), m, lambda x: A.copy(), number=33, minimum=minimum
    )


@sized(n=1, m=1)
def linear_rank_1_zero_borders(n: int = 10, m: int = 20) -> VectorProblem:
    """Problem 34: as problem 33, with columns and rows of zeros at the ends (unpublished)."""
    A = np.zeros((m, n))
    A[1:-1, 1:-1] = np.outer(np.arange(1, m - 1), np.arange(2, n))
    minimum = (m * m + 3 * m - 6) / (2 * (2 * m - 3))
    return VectorProblem(
        "linear_rank_1_zero_borders", lambda x: A @ x - 1, np.ones(n), m, lambda x: A.copy(), number=34, minimum=minimum
    )


@sized(n=1, m=1)
def chebyquad(n: int = 8, m: int | None = None) -> VectorProblem:
    """Problem 35: nodes of a quadrature with equal weights, m ≥ n residuals, by default n (Fletcher 1965)."""
    count = n if m is None else m
    degree = np.arange(1.0, count + 1)
    integrals = np.where(degree % 2 == 0, -1 / np.where(degree == 1, 2, degree**2 - 1), 0.0)

    def polynomials(x: Array) -> tuple[Array, Array]:
        """Return the shifted Chebyshev polynomials of degrees 1 to m at x, and their derivatives, rows by degree."""
        y = 2 * x - 1
        values, slopes = [y**0, y], [0 * y, 2 * y**0]
        for _ in range(count - 1):
            values.append(2 * y * values[-1] - values[-2])
            slopes.append(2 * y * slopes[-1] + 4 * values[-2] - slopes[-2])
        return np.array(values[1:]), np.array(slopes[1:])

    def residual(x: Array) -> Any:
        return polynomials(x)[0].mean(axis=1) - integrals

    def jacobian(x: Array) -> Any:
        return polynomials(x)[1] / n

    x0 = np.arange(1, n + 1) / (n + 1)
    minimum = {**dict.fromkeys((1, 2, 3, 4, 5, 6, 7, 9), 0.0), 8: 3.51687e-3, 10: 6.50395e-3}.get(n)
    return VectorProblem("chebyquad", residual, x0, count, jacobian, number=35, minimum=minimum if count == n else None)
