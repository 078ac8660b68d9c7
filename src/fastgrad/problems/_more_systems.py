"""Moré, Garbow and Hillstrom's problems of fixed size whose residuals are plain formulas (ACM TOMS 7, 1981, section 3).

The numbers, starting points and published minima are the paper's; the names after them are of those who posed the
problem, as the paper credits them.
"""

from typing import Any

import numpy as np

from fastgrad._typing import Array
from fastgrad.problems._values import VectorProblem

__all__ = [
    "beale",
    "brown_badly_scaled",
    "freudenstein_roth",
    "helical_valley",
    "powell_badly_scaled",
    "powell_singular",
    "rosenbrock",
    "wood",
]


def rosenbrock() -> VectorProblem:
    """Problem 1: a banana-shaped valley (Rosenbrock 1960)."""

    def residual(x: Array) -> Any:
        return np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]])

    def jacobian(x: Array) -> Any:
        return np.array([[-20 * x[0], 10], [-1, 0]])

    return VectorProblem(
        "rosenbrock", residual, np.array([-1.2, 1]), 2, jacobian, number=1, minimum=0.0, minimizer=np.ones(2)
    )


def freudenstein_roth() -> VectorProblem:
    """Problem 2: two cubics; a local minimum of 48.9842 besides the root (Freudenstein and Roth 1963)."""

    def residual(x: Array) -> Any:
        a, b = x
        return np.array([-13 + a + ((5 - b) * b - 2) * b, -29 + a + ((b + 1) * b - 14) * b])

    def jacobian(x: Array) -> Any:
        b = x[1]
        return np.array([[1, (10 - 3 * b) * b - 2], [1, (3 * b + 2) * b - 14]])

    return VectorProblem(
        "freudenstein_roth",
        residual,
        np.array([0.5, -2]),
        2,
        jacobian,
        number=2,
        minimum=0.0,
        minimizer=np.array([5.0, 4.0]),
    )


def powell_badly_scaled() -> VectorProblem:
    """Problem 3: variables of sizes 1e-5 and 10 at the root (Powell 1970)."""

    def residual(x: Array) -> Any:
        return np.array([1e4 * x[0] * x[1] - 1, np.exp(-x[0]) + np.exp(-x[1]) - 1.0001])

    def jacobian(x: Array) -> Any:
        return np.array([[1e4 * x[1], 1e4 * x[0]], [-np.exp(-x[0]), -np.exp(-x[1])]])

    return VectorProblem("powell_badly_scaled", residual, np.array([0.0, 1.0]), 2, jacobian, number=3, minimum=0.0)


def brown_badly_scaled() -> VectorProblem:
    """Problem 4: variables of sizes 1e6 and 1e-6 at the root (Brown, unpublished)."""

    def residual(x: Array) -> Any:
        return np.array([x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2])

    def jacobian(x: Array) -> Any:
        return np.array([[1, 0], [0, 1], [x[1], x[0]]])

    return VectorProblem(
        "brown_badly_scaled",
        residual,
        np.ones(2),
        3,
        jacobian,
        number=4,
        minimum=0.0,
        minimizer=np.array([1e6, 2e-6]),
    )


def beale() -> VectorProblem:
    """Problem 5: a narrow curved valley (Beale 1958)."""
    y, i = np.array([1.5, 2.25, 2.625]), np.arange(1, 4)

    def residual(x: Array) -> Any:
        return y - x[0] * (1 - x[1] ** i)

    def jacobian(x: Array) -> Any:
        return np.column_stack([x[1] ** i - 1, x[0] * i * x[1] ** (i - 1)])

    return VectorProblem(
        "beale", residual, np.ones(2), 3, jacobian, number=5, minimum=0.0, minimizer=np.array([3.0, 0.5])
    )


def helical_valley() -> VectorProblem:
    """Problem 7: a valley that winds around the x3 axis (Fletcher and Powell 1963)."""

    def residual(x: Array) -> Any:
        a, b, c = x
        turn = np.arctan(b / a) / (2 * np.pi) + (0.5 if a.real < 0 else 0.0)
        return np.array([10 * (c - 10 * turn), 10 * (np.sqrt(a * a + b * b) - 1), c])

    def jacobian(x: Array) -> Any:
        a, b, _ = x
        square = a * a + b * b
        radius, slope = np.sqrt(square), 50 / (np.pi * square)
        return np.array([[slope * b, -slope * a, 10], [10 * a / radius, 10 * b / radius, 0], [0, 0, 1]])

    return VectorProblem(
        "helical_valley",
        residual,
        np.array([-1.0, 0.0, 0.0]),
        3,
        jacobian,
        number=7,
        minimum=0.0,
        minimizer=np.array([1.0, 0.0, 0.0]),
    )


def powell_singular() -> VectorProblem:
    """Problem 13: the Jacobian is singular at the root (Powell 1962)."""

    def residual(x: Array) -> Any:
        a, b, c, d = x
        return np.array([a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2])

    def jacobian(x: Array) -> Any:
        a, b, c, d = x
        p, q = 2 * (b - 2 * c), 2 * np.sqrt(10) * (a - d)
        return np.array([[1, 10, 0, 0], [0, 0, np.sqrt(5), -np.sqrt(5)], [0, p, -2 * p, 0], [q, 0, 0, -q]])

    return VectorProblem(
        "powell_singular",
        residual,
        np.array([3.0, -1.0, 0.0, 1.0]),
        4,
        jacobian,
        number=13,
        minimum=0.0,
        minimizer=np.zeros(4),
    )


def wood() -> VectorProblem:
    """Problem 14: two coupled valleys (Wood; Colville 1968)."""

    def residual(x: Array) -> Any:
        a, b, c, d = x
        return np.array(
            [
                10 * (b - a * a),
                1 - a,
                np.sqrt(90) * (d - c * c),
                1 - c,
                np.sqrt(10) * (b + d - 2),
                (b - d) / np.sqrt(10),
            ]
        )

    def jacobian(x: Array) -> Any:
        a, _, c, _ = x
        s, t = np.sqrt(10), np.sqrt(90)
        return np.array(
            [
                [-20 * a, 10, 0, 0],
                [-1, 0, 0, 0],
                [0, 0, -2 * t * c, t],
                [0, 0, -1, 0],
                [0, s, 0, s],
                [0, 1 / s, 0, -1 / s],
            ]
        )

    return VectorProblem(
        "wood",
        residual,
        np.array([-3.0, -1.0, -3.0, -1.0]),
        6,
        jacobian,
        number=14,
        minimum=0.0,
        minimizer=np.ones(4),
    )
