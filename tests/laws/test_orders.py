"""The error of each method falls with the power of the step that its order says; its points are its stencil's."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._stencils.table import ORDERS, stencil
from fastgrad._typing import Array

CASES = [(method, order) for method, orders in ORDERS.items() for order in orders]
X = np.array([0.3, 1.1, -0.7])


def f(x: Array) -> float:
    return float(np.sum(np.exp(x) * np.sin(2 * x)))


GRADIENT = np.exp(X) * (np.sin(2 * X) + 2 * np.cos(2 * X))


@pytest.mark.parametrize(("method", "order"), CASES)
def test_the_error_falls_at_the_stated_order(method: str, order: int) -> None:
    # the largest steps at which the leading term rules, and the smallest at which rounding does not
    coarse, fine = {6: (2.0**-5, 2.0**-6), 8: (2.0**-4, 2.0**-5)}.get(order, (2.0**-7, 2.0**-9))
    errors = [np.abs(fg.numerical_gradient(f, X, h, method=method, order=order) - GRADIENT) for h in (coarse, fine)]
    slope = np.log2(errors[0] / errors[1]) / np.log2(coarse / fine)
    np.testing.assert_allclose(slope, order, atol=0.1)


@pytest.mark.parametrize(("method", "order"), CASES)
def test_both_twins_call_f_at_the_points_of_the_stencil(method: str, order: int) -> None:
    seen: list[Array] = []

    def watched(x: Array) -> float:
        seen.append(x.copy())
        return f(x)

    fg.numerical_gradient(watched, X, 0.25, method=method, order=order)
    offsets = stencil(method, order).offsets
    expected = [X] if 0 in offsets else []
    for i in range(X.size):
        expected += [X + 0.25 * k * np.eye(X.size)[i] for k in offsets if k]
    np.testing.assert_array_equal(seen, expected)


@pytest.mark.parametrize(("method", "order"), CASES)
def test_jacobian_and_gradient_are_one(method: str, order: int) -> None:
    J = fg.numerical_jacobian(lambda x: np.array([f(x), -f(x)]), X, method=method, order=order)
    g = fg.numerical_gradient(f, X, method=method, order=order)
    np.testing.assert_array_equal(J, [g, -g])


@pytest.mark.parametrize(("method", "order"), CASES)
def test_the_step_that_suits_the_order_is_taken(method: str, order: int) -> None:
    measured = fg.numerical_gradient(f, X, method=method, order=order)
    rounding = np.finfo(float).eps ** (order / (order + 1))
    np.testing.assert_allclose(measured, GRADIENT, rtol=0, atol=300 * rounding)


def test_one_sided_methods_keep_to_their_side() -> None:
    def forward_only(x: Array) -> float:
        assert np.all(x >= X)
        return f(x)

    def backward_only(x: Array) -> float:
        assert np.all(x <= X)
        return f(x)

    for order in ORDERS["forward"]:
        fg.numerical_gradient(forward_only, X, method="forward", order=order)
        fg.numerical_gradient(backward_only, X, method="backward", order=order)


@pytest.mark.parametrize("write", [False, True])
def test_f_that_writes_into_its_argument_is_measured_right(write: bool) -> None:
    def rough(x: Array) -> float:
        value = f(x)
        if write:
            x[:] = 7.0
        return value

    for method, order in CASES:
        expected = fg.numerical_gradient(f, X, 2.0**-10, method=method, order=order)
        np.testing.assert_array_equal(fg.numerical_gradient(rough, X, 2.0**-10, method=method, order=order), expected)


@pytest.mark.parametrize("options", [{"method": "sideways"}, {"order": 3}, {"method": "forward", "order": 8}])
def test_what_is_not_offered_is_refused_by_name(options: dict[str, Any]) -> None:
    for verb in (fg.numerical_gradient, fg.numerical_jacobian):
        with pytest.raises(ValueError, match=r"method must be one of .*'adaptive'|has the orders"):
            verb(f, X, **options)


def test_a_structured_callable_does_not_take_what_cannot_reach_it() -> None:
    loss = fg.losses.LinearLoss(np.eye(3), X, loss="sum")
    for options in ({"method": "forward"}, {"order": 4}, {"bounds": (0, 1)}):
        with pytest.raises(TypeError, match="its own loop"):
            fg.numerical_gradient(loss, np.eye(3), **options)
