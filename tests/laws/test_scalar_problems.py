"""The functions of one variable: values and exact derivatives against the same functions at 50 digits.

The formulas below are written apart from the package's; mpmath differentiates them numerically at high precision.
"""

import doctest
import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from fastgrad import problems
from fastgrad.problems import SCALAR, ScalarProblem, _catalog, _special, _values

EPS = np.finfo(float).eps


def cubes(x: Any) -> Any:
    return mp.sin(x) ** 3 + mp.cos(x) ** 3


FORMULAS: dict[str, Callable[[Any], Any]] = {
    "wallis_cubic": lambda x: x**3 - 2 * x - 5,
    "x_exp_x": lambda x: x * mp.exp(x),
    "runge": lambda x: 1 / (1 + 25 * x**2),
    "lyness_moler": lambda x: mp.exp(x) / cubes(x),
    "squire_trapp": lambda x: x ** mp.mpf(4.5),
    "martins": lambda x: mp.exp(x) / mp.sqrt(cubes(x)),
    "humps": lambda x: 1 / ((x - 0.3) ** 2 + 0.01) + 1 / ((x - 0.9) ** 2 + 0.04) - 6,
    "forrester": lambda x: (6 * x - 2) ** 2 * mp.sin(12 * x - 4),
    "gramacy_lee": lambda x: mp.sin(10 * mp.pi * x) / (2 * x) + (x - 1) ** 4,
    "kahan_spike": lambda x: x**2 + 1 + mp.log(abs(3 * (1 - x) + 1)) / 80,
    "wilkinson_20": lambda x: mp.fprod(x - k for k in range(1, 21)),
    "chebyshev_20": lambda x: mp.chebyt(20, x),
    "power_20": lambda x: x**20,
    "lennard_jones": lambda x: 4 * (x**-12 - x**-6),
    "planck": lambda x: x**3 / mp.expm1(x),
    "logistic": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log(1 + mp.exp(x)),
    "x_to_the_x": lambda x: x**x,
    "bump": lambda x: mp.exp(-1 / (1 - x**2)),
    "gamma": mp.gamma,
    "log_gamma": mp.loggamma,
    "bessel_j0": lambda x: mp.besselj(0, x),
    "erf": mp.erf,
    "gelu": lambda x: x * mp.ncdf(x),
    "sinc": lambda x: mp.sin(x) / x,
    "log_tiny": mp.log,
    "sqrt_tiny": mp.sqrt,
    "log_large": mp.log,
    "power_large": lambda x: x ** mp.mpf(1.5),
    "cos_million": mp.cos,
    "offset_square": lambda x: 10**8 + x**2,
    "exp_huge": mp.exp,
    "exp_vanishing": mp.exp,
    "erfc_tail": mp.erfc,
    "michaelis_menten": lambda x: x / (x + 1e-10),
    "exp_inverse": lambda x: mp.exp(1 / x),
    "arcsin_edge": mp.asin,
    "sin_100x": lambda x: mp.sin(100 * x),
    "tanh_50x": lambda x: mp.tanh(50 * x),
    "arctan_1000x": lambda x: mp.atan(1000 * x),
    "fermi_edge": lambda x: 1 / (1 + mp.exp(1024 * (x - 1))),
    "narrow_gaussian": lambda x: mp.exp(-((1024 * x) ** 2) / 2),
    "near_pole": lambda x: 1 / (x - 1),
    "tan_near_pole": mp.tan,
    "two_scales": lambda x: mp.sin(x) + mp.sin(1000 * x) / 1000,
    "weierstrass": lambda x: mp.fsum(mp.cos(3**k * x) / 2**k for k in range(12)),
    "x2_sin_inverse": lambda x: x**2 * mp.sin(1 / x),
    "x2_sin_inverse_at_0": lambda x: x**2 * mp.sin(1 / x) if x else mp.mpf(0),
    "x_abs_x": lambda x: x * abs(x),
    "huber": lambda x: x**2 / 2 if abs(x) <= 1 else abs(x) - 0.5,
    "abs_near_kink": abs,
    "cube_at_0": lambda x: x**3,
    "noisy_sin": mp.sin,
    "noisy_exp": mp.exp,
    "single_precision_sin": mp.sin,
    "cancelling": lambda x: (1 - mp.cos(x)) / x**2,
}

each = pytest.mark.parametrize("problem", SCALAR, ids=lambda p: p.name)


def exact(name: str, x: float) -> tuple[float, float]:
    """The value and the derivative at 50 digits, rounded to doubles."""
    with mp.workdps(50):
        return float(FORMULAS[name](mp.mpf(x))), float(mp.diff(FORMULAS[name], mp.mpf(x)))


def test_the_catalog_is_whole_and_its_names_are_its_own() -> None:
    names = [p.name for p in SCALAR]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    assert set(names) == set(FORMULAS)
    assert all(problems.scalar(p.name) is p for p in SCALAR)
    with pytest.raises(ValueError, match=r"'rung'.*wallis_cubic, x_exp_x, runge"):
        problems.scalar("rung")


@each
def test_the_derivative_is_exact_to_a_few_ulp(problem: ScalarProblem) -> None:
    _, slope = exact(problem.name, problem.x)
    assert problem.exact == problem.derivative(problem.x)
    assert abs(problem.exact - slope) <= 4 * EPS * abs(slope) + 1e-20 * problem.size


@each
def test_the_value_is_f_to_the_rounding_of_its_argument_or_to_its_noise(problem: ScalarProblem) -> None:
    value, slope = exact(problem.name, problem.x)
    rounding = 8 * EPS * (abs(value) + abs(problem.x * slope))
    assert abs(problem.f(problem.x) - value) <= rounding + problem.noise


@each
def test_formula_and_derivative_hold_around_the_point(problem: ScalarProblem) -> None:
    for x in (problem.x * (1 - 2**-12), problem.x * (1 + 2**-20)):
        value, slope = exact(problem.name, x)
        conditioned = 1e-10 * (problem.size + abs(slope)) if problem.noise == 0 else problem.noise / problem.x
        assert abs(problem.derivative(x) - slope) <= conditioned
        assert abs(problem.f(x) - value) <= 1e-13 * (abs(value) + abs(x * slope)) + problem.noise


@each
def test_functions_work_elementwise_and_quietly(problem: ScalarProblem) -> None:
    x = problem.x + np.array([[0.0, 1e-3, -1e-3], [2.0, -2.0, 1.0]])
    for function in (problem.f, problem.derivative):
        values = function(x)
        assert values.shape == x.shape
        np.testing.assert_allclose(values, [[function(float(t)) for t in row] for row in x], rtol=1e-13)
        assert np.isscalar(function(problem.x))
        assert function([1, 2]).dtype == np.float64


@pytest.mark.parametrize("problem", [p for p in SCALAR if p.takes_complex], ids=lambda p: p.name)
def test_complex_arguments_give_the_derivative_too(problem: ScalarProblem) -> None:
    h = 1e-30 * max(abs(problem.x), 1e-12)
    measured = problem.f(complex(problem.x, h)).imag / h
    assert abs(measured - problem.exact) <= 1e-13 * problem.size


@pytest.mark.parametrize("problem", [p for p in SCALAR if p.noise], ids=lambda p: p.name)
def test_noise_is_there_deterministic_and_no_larger_than_stated(problem: ScalarProblem) -> None:
    x = problem.x + 1e-7 * np.linspace(-1, 1, 401)
    smooth = np.array([exact(problem.name, t)[0] for t in x])
    noise = problem.f(x) - smooth
    assert np.array_equal(problem.f(x), problem.f(x))
    assert 0.2 * problem.noise < np.abs(noise).max() <= problem.noise * (1 + 1e-6)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("x_exp_x", 22.167168),  # Burden and Faires
        ("lyness_moler", 3.62203370071633),  # Squire and Trapp
        ("squire_trapp", 18.60081273425976),  # Squire and Trapp
        ("martins", 4.05342789389862),  # Martins, Sturdza and Alonso
        ("wilkinson_20", float(math.factorial(19))),
    ],
)
def test_published_derivatives_are_met(name: str, published: float) -> None:
    digits = len(f"{published:.15g}".replace(".", "").rstrip("0"))
    assert problems.scalar(name).exact == pytest.approx(published, rel=10.0 ** (1 - digits))


def test_digits_and_size_follow_their_definition() -> None:
    offset = problems.scalar("offset_square")
    assert offset.size == 1e8 + 1
    assert offset.digits(2.0) == 16
    assert offset.digits(2.0 + offset.size * 1e-5) == pytest.approx(5)
    assert offset.digits(1e9) == 0
    assert offset.digits(math.nan) == 0
    assert offset.digits(-math.inf) == 0
    assert problems.scalar("log_large").size == math.log(2.0**50) / 2.0**50
    assert problems.scalar("x_abs_x").digits(1e-9) == pytest.approx(9)


def test_outside_the_domain_f_is_not_finite() -> None:
    for name, x in [("log_tiny", -1.0), ("sqrt_tiny", -1.0), ("arcsin_edge", 1.5), ("gamma", -1.0), ("near_pole", 1.0)]:
        assert not np.isfinite(problems.scalar(name).f(x))
    assert np.isnan(problems.scalar("log_gamma").derivative(-0.5))


@pytest.mark.parametrize("x", [0.03125, 0.5, 1.0, 4.5, 9.99, 37.5])
def test_digamma(x: float) -> None:
    assert _special.digamma(x) == pytest.approx(float(mp.digamma(x)), rel=1e-14)


@pytest.mark.parametrize("x", [0.0, 1e-3, 0.999, 1.0, 2.5, 9.0])
def test_bessel_and_sinc(x: float) -> None:
    assert _special.bessel_j0(np.asarray(x)) == pytest.approx(float(mp.besselj(0, x)), abs=1e-15)
    assert _special.bessel_j1(np.asarray(x)) == pytest.approx(float(mp.besselj(1, x)), abs=1e-15)
    at = problems.scalar("sinc")
    assert at.f(x) == pytest.approx(float(mp.sinc(x)), rel=1e-14, abs=1e-16)
    assert at.derivative(x) == pytest.approx(exact("sinc", x)[1] if x else 0.0, rel=1e-14)


@pytest.mark.parametrize("module", [_values, _catalog], ids=lambda m: m.__name__)
def test_examples_in_the_docstrings(module: Any) -> None:
    assert doctest.testmod(module).attempted > 0
    assert doctest.testmod(module).failed == 0
