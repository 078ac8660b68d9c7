"""Where f has no value on one side of an entry, the other side is taken, if more than the textbook's call is asked."""

import math
import warnings
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._stencils.table import ORDERS

CASES = [(method, order) for method, orders in ORDERS.items() for order in orders]
X = np.array([0.0, 1.0, 0.0])


def roots(x: Any) -> Any:
    """Return Σ x√x, which is NaN below zero and flat there."""
    return float(np.sum(x * np.sqrt(x))) if np.all(x >= 0) else math.nan


def raising(x: Any) -> float:
    return math.fsum(v * math.sqrt(v) for v in x)


def floating(x: Any) -> float:
    with np.errstate(all="raise"):
        return float(np.sum(x * np.sqrt(x)))


@pytest.mark.parametrize("f", [roots, raising, floating])
@pytest.mark.parametrize(("method", "order"), CASES)
def test_the_other_side_is_taken_and_told(f: Any, method: str, order: int) -> None:
    found = fg.numerical_gradient(f, X, 2.0**-20, method=method, order=order, details=True)
    assert found.flags["one-sided"].tolist() == ([False] * 3 if method == "forward" else [True, False, True])
    assert np.all(np.abs(found.value - 1.5 * np.sqrt(X)) <= 3 * found.error)
    np.testing.assert_allclose(found.value, 1.5 * np.sqrt(X), atol=5e-3)
    if method == "forward":
        plain = fg.numerical_gradient(f, X, 2.0**-20, method=method, order=order)
    else:
        with pytest.warns(fg.OneSidedWarning, match=r"on one side of x\[0\] \(and of 1 more\)"):
            plain = fg.numerical_gradient(f, X, 2.0**-20, method=method, order=order)
    np.testing.assert_array_equal(plain, found.value)


def test_the_order_is_kept_as_far_as_there_is_one() -> None:
    def f(x: Any) -> Any:
        return np.exp(x[0]) if x[0] <= 0.5 else np.inf

    for method, order in (("central", 2), ("central", 4), ("central", 8), ("forward", 3)):
        errors = []
        for h in (2.0**-6, 2.0**-7):
            found = fg.numerical_gradient(f, [0.5], h, method=method, order=order, details=True)
            assert found.flags["one-sided"].all()
            errors.append(abs(found.value[0] - math.exp(0.5)))
        assert math.log2(errors[0] / errors[1]) == pytest.approx(min(order, 4), abs=0.2)


def test_the_warning_points_to_the_caller() -> None:
    for verb in (fg.numerical_gradient, fg.numerical_jacobian):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            verb(roots, X, method="central")
        assert [w.filename for w in caught] == [__file__]
        assert issubclass(caught[0].category, RuntimeWarning)


@pytest.mark.parametrize("f", [roots, floating])
def test_elements_of_a_jacobian_change_sides_each_for_itself(f: Any) -> None:
    def vector(x: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.array([x[0] ** 2 + x[0], np.sqrt(x[0]) * x[0], x[1]])

    found = fg.numerical_jacobian(vector, [0.0, 1.0], method="central", details=True)
    assert found.flags["one-sided"].tolist() == [[False, False], [True, False], [False, False]]
    with pytest.warns(fg.OneSidedWarning):
        J = fg.numerical_jacobian(vector, [0.0, 1.0], method="central")
    np.testing.assert_array_equal(J, found.value)
    np.testing.assert_allclose(J, [[1, 0], [0, 0], [0, 1]], atol=1e-2)


def test_a_jacobian_of_what_raises_takes_its_shape_from_x_itself() -> None:
    def f(x: Any) -> Any:
        return [math.log(x[0]), [x[0]][0]]

    with pytest.warns(fg.OneSidedWarning, match="on one side"):
        J = fg.numerical_jacobian(f, [1e-3], 1e-2, method="backward")
    assert J.shape == (2, 1)
    assert J[1] == pytest.approx(1.0)
    assert np.isfinite(J[0])


def test_a_step_too_long_for_the_domain_has_a_bar_that_says_so() -> None:
    found = fg.numerical_gradient(lambda x: math.log(x[0]), [1e-9], 1e-5, method="central", details=True)
    assert found.flags["one-sided"].all()
    assert found.flags["unsettled"].all()
    assert abs(found.value[0] - 1e9) <= 3 * found.error[0]


def test_bounds_hold_on_the_other_side_too() -> None:
    def f(x: Any) -> Any:
        assert x[0] <= 1e-6
        return x[0] ** 2 + x[0] if x[0] >= 0 else math.nan

    found = fg.numerical_gradient(f, [0.0], 1e-5, bounds=(-1.0, 1e-6), details=True)
    assert found.flags["one-sided"].all()
    assert found.step[0] <= 5e-7
    assert abs(found.value[0] - 1) <= 3 * found.error[0] < 1e-6


@pytest.mark.parametrize("method", ["central", "forward", "backward"])
def test_where_neither_side_has_a_value_it_stays_nan(method: str) -> None:
    def lonely(x: Any) -> float:
        return x[0] if x[1] == 2.0 else math.nan

    g = fg.numerical_gradient(lonely, [1.0, 2.0], method=method)
    assert g[0] == pytest.approx(1.0)
    assert math.isnan(g[1])
    found = fg.numerical_gradient(lonely, [1.0, 2.0], method=method, details=True)
    assert found.flags["undefined"].tolist() == [False, True]
    assert math.isinf(found.error[1])


def test_where_f_has_no_value_at_x_itself_there_is_no_other_side() -> None:
    found = fg.numerical_gradient(lambda x: 1.0 if x[0] > 1 else math.nan, [1.0], method="central", details=True)
    assert math.isnan(found.value[0])
    assert math.isnan(fg.numerical_gradient(lambda x: 1.0 if x[0] > 1 else math.nan, [1.0], method="central")[0])


@pytest.mark.parametrize("details", [False, True])
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_what_f_raises_on_both_sides_arrives(verb: str, details: bool) -> None:
    def f(x: Any) -> Any:
        if x[1] != 2.0:
            raise ValueError("edge")
        return x[0]

    with pytest.raises(ValueError, match="edge") as caught:
        getattr(fg, verb)(f, [1.0, 2.0], method="central", details=details)
    assert caught.value.__notes__ == ["fastgrad: f raised this when called at x[1] plus its step."]


@pytest.mark.parametrize("details", [False, True])
def test_other_exceptions_arrive(details: bool) -> None:
    def f(x: Any) -> Any:
        if x[0] < 1.0:
            raise KeyError("lost")
        return x[0]

    with pytest.raises(KeyError, match="lost"):
        fg.numerical_gradient(f, [1.0], method="central", details=details)
    with pytest.raises(fg.ShapeError):
        fg.numerical_gradient(lambda x: x, [1.0, 2.0], method="central", details=details)


@pytest.mark.parametrize("eps", [None, "auto", 1e-4])
def test_the_textbooks_call_lets_nan_and_errors_through(eps: Any) -> None:
    g = fg.numerical_gradient(roots, X, eps)
    assert np.isnan(g).tolist() == [True, False, True]
    found = fg.numerical_gradient(roots, X, eps, details=True)
    np.testing.assert_array_equal(found.value, g)
    assert found.flags["undefined"].tolist() == [True, False, True]
    assert not found.flags["one-sided"].any()
    for details in (False, True):
        with pytest.raises(ValueError, match=r"domain|nonnegative"):
            fg.numerical_gradient(raising, X, eps, details=details)
    J = fg.numerical_jacobian(lambda x: np.array([roots(x), 1.0]), X, eps)
    assert np.isnan(J).tolist() == [[True, False, True], [False] * 3]


def test_a_check_does_not_pass_because_of_the_other_side() -> None:
    def claim(x: Any) -> Any:
        return 1.5 * np.sqrt(x)

    assert not fg.gradient_check(roots, claim, X)
    assert fg.gradient_check(roots, claim, X + 1.0)
    assert not fg.gradient_check(lambda x: 1.0 if x[0] > 1.0 else math.nan, lambda x: [0.0], [1.0])
