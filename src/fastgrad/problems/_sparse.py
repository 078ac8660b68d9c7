"""Problems of variable size with sparse Jacobians, their patterns known.

Problems with a number are of Moré, Garbow and Hillstrom's collection (ACM TOMS 7, 1981, section 3), with its starting
points; the names after them are of those who posed the problem, as the paper credits them.
"""

from typing import Any

import numpy as np

from fastgrad._arrays import whole_number
from fastgrad._typing import Array, Float64Array
from fastgrad.problems._sizes import sized
from fastgrad.problems._values import Pattern, VectorProblem

__all__ = [
    "bratu",
    "broyden_banded",
    "broyden_tridiagonal",
    "brusselator",
    "chained_rosenbrock",
    "discrete_boundary_value",
    "extended_powell_singular",
    "extended_rosenbrock",
]


def _multiple(n: int, by: int, problem: str) -> int:
    """Return the number of variables, if it is a positive multiple."""
    n = whole_number(n, "n")
    if n < by or n % by:
        raise ValueError(f"the problem {problem} has a positive multiple of {by} variables; got n = {n}.")
    return n


def _banded(n: int, offsets: tuple[int, ...], values: Any) -> Pattern:
    """Return the pattern of diagonals; `values` gives from x one full-length row of entries by column for each."""
    j = np.arange(n)
    inside = [(j - k >= 0) & (j - k < n) for k in offsets]
    rows = np.concatenate([(j - k)[keep] for k, keep in zip(offsets, inside, strict=True)])
    cols = np.concatenate([j[keep] for keep in inside])

    def entries(x: Array) -> Any:
        return np.concatenate([diagonal[keep] for diagonal, keep in zip(values(x), inside, strict=True)])

    return Pattern(rows, cols, entries)


def extended_rosenbrock(n: int = 10) -> VectorProblem:
    """Problem 21: n/2 valleys side by side (Spedicato 1975)."""
    n = _multiple(n, 2, "extended_rosenbrock")
    even, odd = np.arange(0, n, 2), np.arange(1, n, 2)

    def residual(x: Array) -> Any:
        return np.stack([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]], axis=1).reshape(-1)

    def values(x: Array) -> Any:
        return np.concatenate([-20 * x[::2], np.full(n // 2, 10.0), np.full(n // 2, -1.0)])

    pattern = Pattern(np.concatenate([even, even, odd]), np.concatenate([even, odd, even]), values)
    x0 = np.tile([-1.2, 1.0], n // 2)
    return VectorProblem(
        "extended_rosenbrock",
        residual,
        x0,
        n,
        pattern.dense(n, n),
        number=21,
        minimum=0.0,
        minimizer=np.ones(n),
        pattern=pattern,
    )


def extended_powell_singular(n: int = 12) -> VectorProblem:
    """Problem 22: n/4 singular systems side by side (Spedicato 1975)."""
    n = _multiple(n, 4, "extended_powell_singular")
    first = np.arange(0, n, 4)

    def residual(x: Array) -> Any:
        a, b, c, d = x.reshape(-1, 4).T
        parts = [a + 10 * b, np.sqrt(5) * (c - d), (b - 2 * c) ** 2, np.sqrt(10) * (a - d) ** 2]
        return np.stack(parts, axis=1).reshape(-1)

    def values(x: Array) -> Any:
        a, b, c, d = x.reshape(-1, 4).T
        p, q, one, root = 2 * (b - 2 * c), 2 * np.sqrt(10) * (a - d), np.ones(n // 4), np.full(n // 4, np.sqrt(5))
        return np.concatenate([one, 10 * one, root, -root, p, -2 * p, q, -q])

    rows = np.concatenate([first + k for k in (0, 0, 1, 1, 2, 2, 3, 3)])
    cols = np.concatenate([first + k for k in (0, 1, 2, 3, 1, 2, 0, 3)])
    pattern, x0 = Pattern(rows, cols, values), np.tile([3.0, -1.0, 0.0, 1.0], n // 4)
    return VectorProblem(
        "extended_powell_singular",
        residual,
        x0,
        n,
        pattern.dense(n, n),
        number=22,
        minimum=0.0,
        minimizer=np.zeros(n),
        pattern=pattern,
    )


@sized(n=1)
def discrete_boundary_value(n: int = 10) -> VectorProblem:
    """Problem 28: a nonlinear two-point boundary value problem, tridiagonal (Moré and Cosnard 1979)."""
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)

    def residual(x: Array) -> Any:
        r = 2 * x + h**2 * (x + t + 1) ** 3 / 2
        r[1:] -= x[:-1]
        r[:-1] -= x[1:]
        return r

    def diagonals(x: Array) -> list[Float64Array]:
        return [np.full(n, -1.0), 2 + 1.5 * h**2 * (x + t + 1) ** 2, np.full(n, -1.0)]

    pattern = _banded(n, (-1, 0, 1), diagonals)
    return VectorProblem(
        "discrete_boundary_value",
        residual,
        t * (t - 1),
        n,
        pattern.dense(n, n),
        number=28,
        minimum=0.0,
        pattern=pattern,
    )


@sized(n=1)
def broyden_tridiagonal(n: int = 10) -> VectorProblem:
    """Problem 30: a quadratic system with a tridiagonal Jacobian (Broyden 1965)."""

    def residual(x: Array) -> Any:
        r = (3 - 2 * x) * x + 1
        r[1:] -= x[:-1]
        r[:-1] -= 2 * x[1:]
        return r

    def diagonals(x: Array) -> list[Float64Array]:
        return [np.full(n, -1.0), 3 - 4 * x, np.full(n, -2.0)]

    pattern = _banded(n, (-1, 0, 1), diagonals)
    return VectorProblem(
        "broyden_tridiagonal",
        residual,
        -np.ones(n),
        n,
        pattern.dense(n, n),
        number=30,
        minimum=0.0,
        pattern=pattern,
    )


@sized(n=1)
def broyden_banded(n: int = 10) -> VectorProblem:
    """Problem 31: a cubic system, five diagonals below the main one and one above (Broyden 1971)."""
    offsets = (-5, -4, -3, -2, -1, 1)

    def residual(x: Array) -> Any:
        r, terms = x * (2 + 5 * x**2) + 1, x * (1 + x)
        for k in offsets:
            if k < 0:
                r[-k:] -= terms[:k]
            else:
                r[:-k] -= terms[k:]
        return r

    def diagonals(x: Array) -> list[Float64Array]:
        return [2 + 15 * x**2, *([-1 - 2 * x] * len(offsets))]

    pattern = _banded(n, (0, *offsets), diagonals)
    return VectorProblem(
        "broyden_banded",
        residual,
        -np.ones(n),
        n,
        pattern.dense(n, n),
        number=31,
        minimum=0.0,
        pattern=pattern,
    )


@sized(n=1)
def chained_rosenbrock(n: int = 10) -> VectorProblem:
    """Rosenbrock's valley through all of n ≥ 2 variables, 2(n - 1) residuals (after Toint, Math. Comp. 32, 1978)."""
    i = np.arange(n - 1)

    def residual(x: Array) -> Any:
        return np.concatenate([10 * (x[1:] - x[:-1] ** 2), 1 - x[:-1]])

    def values(x: Array) -> Any:
        return np.concatenate([-20 * x[:-1], np.full(n - 1, 10.0), np.full(n - 1, -1.0)])

    pattern = Pattern(np.concatenate([i, i, i + n - 1]), np.concatenate([i, i + 1, i]), values)
    x0 = np.where(np.arange(n) % 2 == 0, -1.2, 1.0)
    return VectorProblem(
        "chained_rosenbrock",
        residual,
        x0,
        2 * (n - 1),
        pattern.dense(2 * (n - 1), n),
        minimum=0.0,
        minimizer=np.ones(n),
        pattern=pattern,
    )


def brusselator(n: int = 20) -> VectorProblem:
    """Return the rates of the Brusselator with diffusion on n/2 grid points, u and v of a point side by side.

    Rates u' = 1 + u²v - 4u + α u_xx, v' = 3u - u²v + α v_xx with α = 1/50 and boundary values u = 1, v = 3, from
    u = 1 + sin 2πx, v = 3: Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.10.
    """
    n = _multiple(n, 2, "brusselator")
    diffusion = (n // 2 + 1) ** 2 / 50
    grid = np.arange(1, n // 2 + 1) / (n // 2 + 1)

    def residual(x: Array) -> Any:
        w = np.concatenate([[[1.0, 3.0]], x.reshape(-1, 2), [[1.0, 3.0]]])
        u, v = x[::2], x[1::2]
        reaction = np.stack([1 + u * u * v - 4 * u, 3 * u - u * u * v], axis=1)
        return (reaction + diffusion * (w[:-2] - 2 * w[1:-1] + w[2:])).reshape(-1)

    def diagonals(x: Array) -> list[Float64Array]:
        u, v, centre, off = x[::2], x[1::2], np.empty(n), np.full(n, diffusion)
        centre[::2], centre[1::2] = 2 * u * v - 4 - 2 * diffusion, -u * u - 2 * diffusion
        return [off, 3 - 2 * u * v, centre, u * u, off]

    pattern = _coupled_pairs(n, diagonals)
    x0 = np.stack([1 + np.sin(2 * np.pi * grid), np.full(n // 2, 3.0)], axis=1).reshape(-1)
    return VectorProblem("brusselator", residual, x0, n, pattern.dense(n, n), pattern=pattern)


def _coupled_pairs(n: int, diagonals: Any) -> Pattern:
    """Return the pattern of pairs of variables, coupled within, and each to its own kind in the next pairs."""
    j, even, odd = np.arange(n), np.arange(0, n, 2), np.arange(1, n, 2)
    rows = np.concatenate([j[2:], odd, j, even, j[:-2]])
    cols = np.concatenate([j[:-2], even, j, odd, j[2:]])

    def values(x: Array) -> Any:
        below, across, centre, back, above = diagonals(x)
        return np.concatenate([below[2:], across, centre, back, above[2:]])

    return Pattern(rows, cols, values)


@sized(side=1)
def bratu(side: int = 5, strength: float = 6.0) -> VectorProblem:
    """Solid fuel ignition, -Δu = λ exp(u), on side × side points inside the unit square, by the five-point stencil.

    Averick, Carter, Moré and Xue, The MINPACK-2 test problem collection (1992), section 3; solvable for λ ≤ 6.81.
    The start is λ/(λ+1) times the square root of the distance to the nearest edge.
    """
    h = 1 / (side + 1)
    number = np.arange(side * side).reshape(side, side)
    distance = np.minimum(np.arange(1, side + 1), np.arange(side, 0, -1)) * h
    start = strength / (strength + 1) * np.sqrt(np.minimum(distance[:, np.newaxis], distance))
    west, east, north, south = number[:, 1:], number[:, :-1], number[1:], number[:-1]
    rows = np.concatenate([number, west, east, north.T, south.T], axis=1).reshape(-1)
    cols = np.concatenate([number, east, west, south.T, north.T], axis=1).reshape(-1)

    def residual(x: Array) -> Any:
        u = np.pad(x.reshape(side, side), 1)
        centre = u[1:-1, 1:-1]
        r = 4 * centre - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:] - h**2 * strength * np.exp(centre)
        return r.reshape(-1)

    def values(x: Array) -> Any:
        return np.where(rows == cols, 4 - h**2 * strength * np.exp(x[rows]), -1.0)

    n, pattern = side * side, Pattern(rows, cols, values)
    return VectorProblem("bratu", residual, start.reshape(-1), n, pattern.dense(n, n), pattern=pattern)
