"""Functions of one variable that the literature differentiates, or that everybody meets: smooth, of moderate scale."""

from typing import Any

import numpy as np

from fastgrad.problems import _special
from fastgrad.problems._values import ScalarProblem

__all__ = ["CLASSIC"]


def _cubes(x: Any) -> Any:
    return np.sin(x) ** 3 + np.cos(x) ** 3


def _cubes_derivative(x: Any) -> Any:
    return 3 * np.sin(x) * np.cos(x) * (np.sin(x) - np.cos(x))


def _chebyshev(degree: int, x: Any) -> tuple[Any, Any]:
    """Return T_degree and U_degree by their common recurrence (DLMF 18.9.1)."""
    t, t_next, u, u_next = x**0, x, x**0, 2 * x
    for _ in range(degree):
        t, t_next = t_next, 2 * x * t_next - t
        u, u_next = u_next, 2 * x * u_next - u
    return t, u


def _wilkinson(x: Any) -> tuple[Any, Any]:
    """Return the product of x - 1, …, x - 20 and its derivative, factor by factor."""
    p, dp = x**0, 0 * x
    for k in range(1, 21):
        p, dp = p * (x - k), dp * (x - k) + p
    return p, dp


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _bump(x: Any) -> Any:
    # The exponent -1/(1-x²) in partial fractions, whose first is exact where 1 - x is a power of two.
    return np.where(np.abs(x) < 1, np.exp(-0.5 / (1 - x)) * np.exp(-0.5 / (1 + x)), 0.0)


CLASSIC = (
    ScalarProblem(
        "wallis_cubic",
        lambda x: (x * x - 2) * x - 5,
        2.0,
        lambda x: 3 * x * x - 2,
        "The cubic with which Wallis (A Treatise of Algebra, 1685) told of Newton's method.",
    ),
    ScalarProblem(
        "x_exp_x",
        lambda x: x * np.exp(x),
        2.0,
        lambda x: (x + 1) * np.exp(x),
        "Burden and Faires, Numerical Analysis, the chapter on numerical differentiation; f'(2) = 22.167168.",
    ),
    ScalarProblem(
        "runge",
        lambda x: 1 / (1 + 25 * x * x),
        0.75,
        lambda x: -50 * x / (1 + 25 * x * x) ** 2,
        "Poles at ±i/5. Runge, Zeitschrift für Mathematik und Physik 46 (1901).",
    ),
    ScalarProblem(
        "lyness_moler",
        lambda x: np.exp(x) / _cubes(x),
        1.5,
        lambda x: np.exp(x) * (_cubes(x) - _cubes_derivative(x)) / _cubes(x) ** 2,
        "Lyness and Moler, SIAM J. Numer. Anal. 4 (1967); at 1.5 as Squire and Trapp have it.",
    ),
    ScalarProblem(
        "squire_trapp",
        lambda x: x**4.5,
        1.5,
        lambda x: 4.5 * x**3.5,
        "Squire and Trapp, Using complex variables to estimate derivatives of real functions, SIAM Review 40 (1998).",
    ),
    ScalarProblem(
        "martins",
        lambda x: np.exp(x) / np.sqrt(_cubes(x)),
        1.5,
        lambda x: np.exp(x) * (_cubes(x) - _cubes_derivative(x) / 2) / _cubes(x) ** 1.5,
        "Martins, Sturdza and Alonso, The complex-step derivative approximation, ACM TOMS 29 (2003).",
    ),
    ScalarProblem(
        "humps",
        lambda x: 1 / ((x - 0.3) ** 2 + 0.01) + 1 / ((x - 0.9) ** 2 + 0.04) - 6,
        0.25,
        lambda x: -2 * (x - 0.3) / ((x - 0.3) ** 2 + 0.01) ** 2 - 2 * (x - 0.9) / ((x - 0.9) ** 2 + 0.04) ** 2,
        "Two narrow peaks: MATLAB's humps.",
    ),
    ScalarProblem(
        "forrester",
        lambda x: (6 * x - 2) ** 2 * np.sin(12 * x - 4),
        0.625,
        lambda x: 12 * (6 * x - 2) * (np.sin(12 * x - 4) + (6 * x - 2) * np.cos(12 * x - 4)),
        "Forrester, Sóbester and Keane, Engineering Design via Surrogate Modelling (2008).",
    ),
    ScalarProblem(
        "gramacy_lee",
        lambda x: np.sin(10 * np.pi * x) / (2 * x) + (x - 1) ** 4,
        0.5,
        lambda x: (10 * np.pi * x * np.cos(10 * np.pi * x) - np.sin(10 * np.pi * x)) / (2 * x * x) + 4 * (x - 1) ** 3,
        "Oscillation under a trend. Gramacy and Lee, Statistics and Computing 22 (2012).",
    ),
    ScalarProblem(
        "kahan_spike",
        lambda x: x * x + 1 + np.log((4 - 3 * x) ** 2) / 160,
        1.34375,
        lambda x: 2 * x - 3 / (80 * (4 - 3 * x)),
        "A parabola with an invisible spike at 4/3, 0.01 away. Kahan, How futile are mindless assessments of roundoff.",
    ),
    ScalarProblem(
        "wilkinson_20",
        lambda x: _wilkinson(x)[0],
        20.0,
        lambda x: _wilkinson(x)[1],
        "At a root of (x-1)…(x-20), where f' = 19!. Wilkinson, Numerische Mathematik 1 (1959).",
    ),
    ScalarProblem(
        "chebyshev_20",
        lambda x: _chebyshev(20, x)[0],
        0.5,
        lambda x: 20 * _chebyshev(19, x)[1],
        "A polynomial of degree 20 within ±1 on [-1, 1], and steep beyond. DLMF 18.",
    ),
    ScalarProblem(
        "power_20",
        lambda x: x**20,
        1.5,
        lambda x: 20 * x**19,
        "All derivatives up to the 20th are large.",
    ),
    ScalarProblem(
        "lennard_jones",
        lambda x: 4 * (x**-12 - x**-6),
        1.0,
        lambda x: 24 * (x**-7 - 2 * x**-13),
        "f = 0 beside a steep wall. Lennard-Jones, Proc. Phys. Soc. 43 (1931).",
    ),
    ScalarProblem(
        "planck",
        lambda x: x**3 / np.expm1(x),
        0.0009765625,
        lambda x: x * x / np.expm1(x) * (3 + x / np.expm1(-x)),
        "Planck's law, in its long-wave end: x small against the scale on which x² changes.",
    ),
    ScalarProblem(
        "logistic",
        _logistic,
        10.0,
        lambda x: _logistic(x) * _logistic(-x),
        "Saturated: f = 1 to four digits, f' = 4.5e-5.",
    ),
    ScalarProblem("softplus", lambda x: np.log1p(np.exp(x)), -20.0, _logistic, "f and f' about 2e-9."),
    ScalarProblem("x_to_the_x", lambda x: x**x, 0.5, lambda x: x**x * (np.log(x) + 1), "Bernoulli's function (1697)."),
    ScalarProblem(
        "bump",
        _bump,
        0.96875,
        lambda x: -2 * x / ((1 - x) * (1 + x)) ** 2 * _bump(x),
        "exp(-1/(1-x²)) within ±1, else 0: smooth, not analytic at 1, which is 0.03 away; f about 1e-7.",
    ),
    ScalarProblem(
        "gamma",
        _special.gamma,
        4.5,
        lambda x: _special.gamma(x) * _special.digamma(x),
        "Γ' = Γψ. DLMF 5.2.2.",
        takes_complex=False,
    ),
    ScalarProblem(
        "log_gamma", _special.log_gamma, 0.03125, _special.digamma, "Near a pole. DLMF 5.2.2.", takes_complex=False
    ),
    ScalarProblem("bessel_j0", _special.bessel_j0, 2.5, lambda x: -_special.bessel_j1(x), "J_0' = -J_1. DLMF 10.6.3."),
    ScalarProblem(
        "erf",
        _special.erf,
        0.5,
        lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x),
        "DLMF 7.2.1.",
        takes_complex=False,
    ),
    ScalarProblem(
        "gelu",
        lambda x: x * _special.erfc(-x / np.sqrt(2)) / 2,
        -2.0,
        lambda x: _special.erfc(-x / np.sqrt(2)) / 2 + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi),
        "x times the normal distribution function. Hendrycks and Gimpel, arXiv 1606.08415.",
        takes_complex=False,
    ),
    ScalarProblem(
        "sinc",
        _special.sinc,
        0.0078125,
        _special.sinc_derivative,
        "Its textbook derivative cancels here; f' is 400 times smaller than f.",
    ),
)
