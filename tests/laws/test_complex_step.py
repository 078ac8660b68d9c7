"""The complex step on published problems: nothing cancels, so nothing is lost but what f itself loses."""

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import problems
from fastgrad._complex.step import complex_gradient, complex_jacobian
from fastgrad._point import as_point
from fastgrad.problems import SCALAR, ScalarProblem, VectorProblem

ANALYTIC = [p for p in SCALAR if p.takes_complex]
MORE = problems.more_garbow_hillstrom()
#: What is lost in f itself: sin(x)/x subtracts, and a complex power of 1e12 goes through its logarithm.
LOST = {"sinc": 13.8, "power_large": 14.8}


def test_there_are_analytic_functions_among_them() -> None:
    assert len(ANALYTIC) >= 40


@pytest.mark.parametrize("problem", ANALYTIC, ids=lambda p: p.name)
def test_analytic_functions_get_all_their_digits(problem: ScalarProblem) -> None:
    found = fg.numerical_gradient(problem.f, problem.x, method="complex")
    assert problem.digits(found) >= LOST.get(problem.name, 15.5)


@pytest.mark.parametrize("problem", ANALYTIC, ids=lambda p: p.name)
def test_error_bars_are_honest(problem: ScalarProblem) -> None:
    found = complex_gradient(problem.f, as_point(problem.x), details=True)
    exact = problem.exact
    assert abs(float(found.value) - exact) <= 3 * (float(found.error) + 2.0**-52 * abs(exact))
    assert float(found.error) <= 1e-9 * problem.size


@pytest.mark.parametrize("problem", MORE, ids=lambda p: p.name)
def test_systems_get_all_their_digits(problem: VectorProblem) -> None:
    x = problem.x0
    found = complex_jacobian(problem.residual, as_point(x), details=True)
    exact = problem.jacobian(x)
    assert np.max(np.abs(found.value - exact)) <= 4e-16 * np.max(np.abs(exact))
    assert np.mean(np.abs(found.value - exact) <= 3 * (found.error + 2.0**-52 * np.abs(exact))) >= 0.99
    gradient = fg.numerical_gradient(problem.objective, x, method="complex")
    assert np.max(np.abs(gradient - problem.gradient(x))) <= 1e-13 * np.max(np.abs(gradient))


@pytest.mark.parametrize("scale", [2.0**-300, 1e-30, 1e-8, 1.0, 1e8, 1e30, 2.0**300])
def test_the_step_fits_x_of_any_size(scale: float) -> None:
    x = scale * np.array([1.0, -2.5])
    found = fg.numerical_gradient(lambda x: np.sum(np.sqrt(x * x / scale)), x, method="complex")
    np.testing.assert_allclose(found, np.sign(x) / np.sqrt(scale), rtol=1e-15)


def test_calls_grow_by_one_an_entry() -> None:
    for n in (1, 10, 100):
        calls = complex_gradient(lambda x: np.sum(np.sin(x)), as_point(np.linspace(0.1, 1, n))).calls
        assert calls.sum() == n + 3
