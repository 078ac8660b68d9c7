"""numerical_gradient by the adaptive method."""

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import problems


@pytest.mark.parametrize("problem", problems.more_garbow_hillstrom(), ids=lambda p: p.name)
def test_gradients_of_published_problems(problem: problems.VectorProblem) -> None:
    exact = problem.gradient(problem.x0)
    measured = fg.numerical_gradient(problem.objective, problem.x0, method="adaptive")
    np.testing.assert_allclose(measured, exact, rtol=0, atol=1e-10 * np.max(np.abs(exact)))


def test_no_step_is_so_long_that_f_is_another_function_there() -> None:
    """At an extremum among large values only rounding moves the slope; that calls for longer steps, but not for any."""

    def f(x: np.ndarray) -> float:
        return float(2500 * (x[0] < 0) + 100 * (abs(x[0]) - 1) ** 2)

    found = fg.numerical_gradient(f, np.array([-1.0]), method="adaptive", details=True)
    assert abs(found.value[0]) <= found.error[0] < 1e-9
    assert found.step[0] < 1


def test_more_digits_than_the_textbook_on_a_steep_function() -> None:
    x = np.array([0.3, 0.7])
    exact = 100 * np.cos(100 * x)

    def f(x: np.ndarray) -> float:
        return float(np.sum(np.sin(100 * x)))

    adaptive = np.abs(fg.numerical_gradient(f, x, method="adaptive") - exact)
    textbook = np.abs(fg.numerical_gradient(f, x) - exact)
    assert np.all(adaptive < 1e-10 * np.abs(exact))
    assert np.all(adaptive < textbook / 1e3)


def test_shape_dtype_bounds_and_out() -> None:
    x = np.array([[0.0, 1.0], [2.0, 3.0]], np.float32)
    out = np.empty_like(x)

    def f(x: np.ndarray) -> float:
        assert np.all(x >= 0)
        return float(np.sum(np.sqrt(x + 1.0, dtype=np.float64)))

    assert fg.numerical_gradient(f, x, method="adaptive", bounds=(0.0, np.inf), out=out) is out
    np.testing.assert_allclose(out, 0.5 / np.sqrt(x + 1), rtol=1e-3)


def test_steps_and_orders_are_its_own() -> None:
    for options in ({"eps": 1e-3}, {"order": 4}):
        with pytest.raises(TypeError, match="picks its own steps"):
            fg.numerical_gradient(np.sum, np.ones(2), method="adaptive", **options)
