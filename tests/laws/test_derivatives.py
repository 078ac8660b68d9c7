"""Derivatives of one variable, first to fourth, beside exact ones: digits and honest bars."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad.problems import SCALAR

ULP = 2.0**-52
#: The digits that each order of derivative keeps, as an error over the size of f's terms.
SHARE = {1: 1e-12, 2: 1e-10, 3: 1e-8, 4: 1e-6}
POINTS = np.concatenate([np.linspace(-3, 3, 13), [1e-3, -1e-6]])

FUNCTIONS: dict[str, tuple[Callable[[float], float], Callable[[np.ndarray, int], np.ndarray]]] = {
    "exp": (math.exp, lambda x, n: np.exp(x)),
    "sin": (np.sin, lambda x, n: np.sin(x + n * np.pi / 2)),
    "cosh(2x)": (lambda x: math.cosh(2 * x), lambda x, n: 2.0**n * (np.sinh(2 * x) if n % 2 else np.cosh(2 * x))),
    "1/(4 + x)": (lambda x: 1 / (4 + x), lambda x, n: (-1.0) ** n * math.factorial(n) / (4 + x) ** (n + 1)),
    "log(5 - x)": (lambda x: math.log(5 - x), lambda x, n: -math.factorial(n - 1) / (5 - x) ** n),
}


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_digits_and_bars(name: str, n: int) -> None:
    f, df = FUNCTIONS[name]
    found = fg.derivative(f, POINTS, n, details=True)
    exact = df(POINTS, n)
    off = np.abs(found.value - exact)
    size = np.maximum(np.abs(exact), np.abs([float(f(x)) for x in POINTS]))
    assert np.all(off <= SHARE[n] * np.maximum(size, 1))
    assert np.mean(off <= 3 * (found.error + ULP * np.abs(exact))) >= 0.99
    assert np.median(found.error) <= 100 * SHARE[n]
    assert found.calls.mean() <= 25


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@settings(max_examples=20)
@given(coefficients=st.lists(st.integers(-9, 9), min_size=1, max_size=7), x=st.floats(-4, 4))
def test_polynomials_of_any_degree(n: int, coefficients: list[int], x: float) -> None:
    p = np.polynomial.Polynomial(coefficients)
    found = fg.derivative(p, x, n, details=True)
    exact = float(p.deriv(n)(x))
    rounding = float(np.polynomial.Polynomial(np.abs(coefficients))(abs(x) + 1))
    assert abs(found.value - exact) <= SHARE[n] * rounding
    assert abs(found.value - exact) <= 10 * (found.error + ULP * rounding)


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_one_side_of_an_analytic_function_is_enough(method: str) -> None:
    found = fg.derivative(np.sin, POINTS, method=method, details=True)  # type: ignore[arg-type]
    off = np.abs(found.value - np.cos(POINTS))
    assert off.max() <= 1e-9
    assert np.mean(off <= 3 * (found.error + ULP)) >= 0.99


def test_the_whole_catalog_through_the_public_door() -> None:
    digits, calls, honest = [], [], []
    for problem in SCALAR:
        found = fg.derivative(problem.f, problem.x, details=True)
        digits.append(problem.digits(float(found.value)))
        calls.append(int(found.calls))
        honest.append(abs(found.value - problem.exact) <= 3 * (found.error + ULP * abs(problem.exact)))
    assert np.mean(digits) >= 12
    assert np.mean(calls) <= 15
    assert np.mean(honest) >= 0.99
