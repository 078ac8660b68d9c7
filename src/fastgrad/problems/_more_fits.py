"""Moré, Garbow and Hillstrom's problems that fit a model to data given or formed (ACM TOMS 7, 1981, section 3).

Rows of the Jacobian are the data points, columns the parameters. Numbers, data, starting points and minima are the
paper's; the names after them are of those who posed the problem, as the paper credits them.
"""

from typing import Any

import numpy as np

from fastgrad._typing import Array
from fastgrad.problems import _more_data as data
from fastgrad.problems._sizes import sized
from fastgrad.problems._values import VectorProblem

__all__ = [
    "bard",
    "biggs_exp6",
    "box",
    "brown_dennis",
    "gaussian",
    "gulf",
    "jennrich_sampson",
    "kowalik_osborne",
    "meyer",
    "osborne_1",
    "osborne_2",
    "watson",
]


@sized(m=1)
def jennrich_sampson(m: int = 10) -> VectorProblem:
    """Problem 6: two exponentials, m ≥ 2 residuals; the minimum is published for m = 10 (Jennrich and Sampson 1968)."""
    i = np.arange(1, m + 1)

    def residual(x: Array) -> Any:
        return 2 + 2 * i - (np.exp(i * x[0]) + np.exp(i * x[1]))

    def jacobian(x: Array) -> Any:
        return np.column_stack([-i * np.exp(i * x[0]), -i * np.exp(i * x[1])])

    minimum = 124.362 if m == 10 else None
    return VectorProblem("jennrich_sampson", residual, np.array([0.3, 0.4]), m, jacobian, number=6, minimum=minimum)


def bard() -> VectorProblem:
    """Problem 8: a rational model, 15 points (Bard 1970)."""
    u = np.arange(1, 16)
    v, w = 16 - u, np.minimum(u, 16 - u)

    def residual(x: Array) -> Any:
        return data.BARD - (x[0] + u / (v * x[1] + w * x[2]))

    def jacobian(x: Array) -> Any:
        q = u / (v * x[1] + w * x[2]) ** 2
        return np.column_stack([-np.ones(15), v * q, w * q])

    return VectorProblem("bard", residual, np.ones(3), 15, jacobian, number=8, minimum=8.21487e-3)


def gaussian() -> VectorProblem:
    """Problem 9: a bell curve, 15 points; almost solved at the start (unpublished)."""
    t = (8 - np.arange(1, 16)) / 2

    def residual(x: Array) -> Any:
        return x[0] * np.exp(-x[1] * (t - x[2]) ** 2 / 2) - data.GAUSSIAN

    def jacobian(x: Array) -> Any:
        d = t - x[2]
        bell = np.exp(-x[1] * d**2 / 2)
        return np.column_stack([bell, -x[0] * bell * d**2 / 2, x[0] * x[1] * bell * d])

    x0 = np.array([0.4, 1.0, 0.0])
    return VectorProblem("gaussian", residual, x0, 15, jacobian, number=9, minimum=1.12793e-8)


def meyer() -> VectorProblem:
    """Problem 10: the resistance of a thermistor, 16 points; residuals up to 1e4 and badly scaled (Meyer 1970)."""
    t = 45.0 + 5 * np.arange(1, 17)

    def residual(x: Array) -> Any:
        return x[0] * np.exp(x[1] / (t + x[2])) - data.MEYER

    def jacobian(x: Array) -> Any:
        s = t + x[2]
        e = np.exp(x[1] / s)
        return np.column_stack([e, x[0] * e / s, -x[0] * x[1] * e / s**2])

    x0 = np.array([0.02, 4000.0, 250.0])
    return VectorProblem("meyer", residual, x0, 16, jacobian, number=10, minimum=87.9458)


@sized(m=1)
def gulf(m: int = 99) -> VectorProblem:
    """Problem 11: Gulf research and development, 3 ≤ m ≤ 100 (Cox 1969).

    The paper prints the inner term with factors m and i that belong to a minus sign; |y_i - x_2| is meant, for only so
    is the published root one.
    """
    t = np.arange(1, m + 1) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)

    def distance(x: Array) -> tuple[Array, Array]:
        sign = np.where((y - x[1]).real < 0, -1.0, 1.0)
        return sign * (y - x[1]), sign

    def residual(x: Array) -> Any:
        d, _ = distance(x)
        return np.exp(-(d ** x[2]) / x[0]) - t

    def jacobian(x: Array) -> Any:
        d, sign = distance(x)
        e = np.exp(-(d ** x[2]) / x[0]) / x[0]
        # d^c log d goes to 0 with d, which is 0 at the root for i = 100.
        logarithm = np.log(np.where(d == 0, 1.0, d))
        return np.column_stack([e * d ** x[2] / x[0], e * x[2] * sign * d ** (x[2] - 1), -e * d ** x[2] * logarithm])

    return VectorProblem(
        "gulf",
        residual,
        np.array([5.0, 2.5, 0.15]),
        m,
        jacobian,
        number=11,
        minimum=0.0,
        minimizer=np.array([50.0, 25.0, 1.5]),
    )


@sized(m=1)
def box(m: int = 10) -> VectorProblem:
    """Problem 12: Box's exponentials in three variables, m ≥ 3 (Box 1966)."""
    t = np.arange(1, m + 1) / 10
    fixed = np.exp(-t) - np.exp(-10 * t)

    def residual(x: Array) -> Any:
        return np.exp(-t * x[0]) - np.exp(-t * x[1]) - x[2] * fixed

    def jacobian(x: Array) -> Any:
        return np.column_stack([-t * np.exp(-t * x[0]), t * np.exp(-t * x[1]), -fixed])

    return VectorProblem(
        "box",
        residual,
        np.array([0.0, 10.0, 20.0]),
        m,
        jacobian,
        number=12,
        minimum=0.0,
        minimizer=np.array([1.0, 10.0, 1.0]),
    )


def kowalik_osborne() -> VectorProblem:
    """Problem 15: an enzyme reaction, 11 points (Kowalik and Osborne 1968)."""
    u = data.KOWALIK_OSBORNE_U

    def residual(x: Array) -> Any:
        return data.KOWALIK_OSBORNE - x[0] * (u * u + u * x[1]) / (u * u + u * x[2] + x[3])

    def jacobian(x: Array) -> Any:
        p, q = u * u + u * x[1], u * u + u * x[2] + x[3]
        return np.column_stack([-p / q, -x[0] * u / q, x[0] * p * u / q**2, x[0] * p / q**2])

    x0 = np.array([0.25, 0.39, 0.415, 0.39])
    return VectorProblem("kowalik_osborne", residual, x0, 11, jacobian, number=15, minimum=3.07505e-4)


@sized(m=1)
def brown_dennis(m: int = 20) -> VectorProblem:
    """Problem 16: m ≥ 4 sums of two squares; the minimum is published for m = 20 (Brown and Dennis 1971)."""
    t = np.arange(1, m + 1) / 5

    def parts(x: Array) -> tuple[Array, Array]:
        return x[0] + t * x[1] - np.exp(t), x[2] + x[3] * np.sin(t) - np.cos(t)

    def residual(x: Array) -> Any:
        p, q = parts(x)
        return p * p + q * q

    def jacobian(x: Array) -> Any:
        p, q = parts(x)
        return 2 * np.column_stack([p, t * p, q, q * np.sin(t)])

    x0, minimum = np.array([25.0, 5.0, -5.0, -1.0]), 85822.2 if m == 20 else None
    return VectorProblem("brown_dennis", residual, x0, m, jacobian, number=16, minimum=minimum)


def osborne_1() -> VectorProblem:
    """Problem 17: two decays over a constant, 33 points (Osborne 1972)."""
    t = 10.0 * np.arange(33)

    def residual(x: Array) -> Any:
        return data.OSBORNE_1 - (x[0] + x[1] * np.exp(-t * x[3]) + x[2] * np.exp(-t * x[4]))

    def jacobian(x: Array) -> Any:
        e, g = np.exp(-t * x[3]), np.exp(-t * x[4])
        return np.column_stack([-np.ones(33), -e, -g, x[1] * t * e, x[2] * t * g])

    x0 = np.array([0.5, 1.5, -1.0, 0.01, 0.02])
    return VectorProblem("osborne_1", residual, x0, 33, jacobian, number=17, minimum=5.46489e-5)


@sized(m=1)
def biggs_exp6(m: int = 13) -> VectorProblem:
    """Problem 18: three exponentials, m ≥ 6; for m = 13 also a local minimum of 5.65565e-3 (Biggs 1971)."""
    t = np.arange(1, m + 1) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)

    def residual(x: Array) -> Any:
        return x[2] * np.exp(-t * x[0]) - x[3] * np.exp(-t * x[1]) + x[5] * np.exp(-t * x[4]) - y

    def jacobian(x: Array) -> Any:
        a, b, c = np.exp(-t * x[0]), np.exp(-t * x[1]), np.exp(-t * x[4])
        return np.column_stack([-t * x[2] * a, t * x[3] * b, a, -b, -t * x[5] * c, c])

    return VectorProblem(
        "biggs_exp6",
        residual,
        np.array([1.0, 2.0, 1.0, 1.0, 1.0, 1.0]),
        m,
        jacobian,
        number=18,
        minimum=0.0,
        minimizer=np.array([1.0, 10.0, 1.0, 5.0, 4.0, 3.0]),
    )


def osborne_2() -> VectorProblem:
    """Problem 19: a decay and three bells, 65 points (Osborne 1972)."""
    t = np.arange(65) / 10

    def bells(x: Array) -> tuple[Array, Array]:
        d = t[:, np.newaxis] - x[8:]
        return d, np.exp(-(d**2) * x[5:8])

    def residual(x: Array) -> Any:
        _, bell = bells(x)
        return data.OSBORNE_2 - (x[0] * np.exp(-t * x[4]) + bell @ x[1:4])

    def jacobian(x: Array) -> Any:
        d, bell = bells(x)
        decay = np.exp(-t * x[4])
        heights = x[1:4] * bell
        return np.column_stack([-decay, -bell, x[0] * t * decay, heights * d**2, -2 * heights * d * x[5:8]])

    x0 = np.array([1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5])
    return VectorProblem("osborne_2", residual, x0, 65, jacobian, number=19, minimum=4.01377e-2)


@sized(n=2)
def watson(n: int = 6) -> VectorProblem:
    """Problem 20: a polynomial as solution of a differential equation, 2 ≤ n ≤ 31 (Kowalik and Osborne 1968)."""
    t, k = np.arange(1, 30)[:, np.newaxis] / 29, np.arange(n)
    powers = t**k
    slopes = np.column_stack([np.zeros(29), k[1:] * powers[:, :-1]])

    def residual(x: Array) -> Any:
        return np.concatenate([slopes @ x - (powers @ x) ** 2 - 1, x[:1], x[1:2] - x[:1] ** 2 - 1])

    def jacobian(x: Array) -> Any:
        last = np.zeros((2, n))
        last[:, :2] = [[1, 0], [-2 * x[0], 1]]
        return np.vstack([slopes - 2 * (powers @ x)[:, np.newaxis] * powers, last])

    minimum = {6: 2.28767e-3, 9: 1.39976e-6, 12: 4.72238e-10}.get(n)
    return VectorProblem("watson", residual, np.zeros(n), 31, jacobian, number=20, minimum=minimum)
