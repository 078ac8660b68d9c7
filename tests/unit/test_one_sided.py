"""fastgrad.one_sided_derivatives does what its docstring says."""

import math
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.losses import SquaredError, TwoLayerLoss


def kinked(x: Any) -> float:
    return float(np.sum(np.maximum(x, 0) * 3 + np.sin(x)))


X = np.array([[-1.0, 0.0], [2.0, -0.0]])
BELOW = np.cos(X) + np.array([[0.0, 0.0], [3.0, 0.0]])
ABOVE = np.cos(X) + np.array([[0.0, 3.0], [3.0, 3.0]])


@pytest.mark.parametrize(("order", "error"), [(None, 1e-9), (1, 2e-5), (2, 1e-9), (3, 1e-9), (4, 1e-9)])
def test_slopes_on_both_sides(order: int | None, error: float) -> None:
    left, right = fg.one_sided_derivatives(kinked, X, order=order)
    assert left.dtype == right.dtype == np.float64
    np.testing.assert_allclose(left, BELOW, rtol=0, atol=error)
    np.testing.assert_allclose(right, ABOVE, rtol=0, atol=error)


def test_the_adaptive_method_has_more_digits_and_bars_that_hold() -> None:
    left, right = fg.one_sided_derivatives(kinked, X, method="adaptive", details=True)
    for found, exact in ((left, BELOW), (right, ABOVE)):
        assert np.all(np.abs(found.value - exact) <= 3 * found.error + 1e-15)
        np.testing.assert_allclose(found.value, exact, rtol=1e-10)
        np.testing.assert_array_equal(found.flags["kink"], [[False, True], [False, True]])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_details_have_bars_that_hold_and_count_the_calls(order: int) -> None:
    points = []

    def f(x: Any) -> float:
        points.append(x.copy())
        return kinked(x)

    left, right = fg.one_sided_derivatives(f, X, order=order, details=True)
    for found, exact in ((left, BELOW), (right, ABOVE)):
        assert found.value.shape == found.error.shape == found.calls.shape == found.step.shape == X.shape
        assert np.all(np.abs(found.value - exact) <= 3 * found.error)
        assert np.all(found.error < (1e-3 if order == 1 else 1e-7))
        np.testing.assert_array_equal(found.flags["kink"], [[False, True], [False, True]])
    calls = 1 + 2 * X.size * min(order + 1, 4)
    assert left.calls.sum() + right.calls.sum() == len(points) == calls


@pytest.mark.parametrize("order", [1, 2, 4])
def test_without_details_each_side_takes_as_many_calls_as_the_order(order: int) -> None:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        value = kinked(x)
        x[:] = 7.0
        return value

    left, right = fg.one_sided_derivatives(f, X, order=order)
    assert calls == 1 + 2 * order * X.size
    np.testing.assert_allclose(right - left, ABOVE - BELOW, atol=1e-4)


def test_a_number_gives_numbers_and_single_precision_stays() -> None:
    left, right = fg.one_sided_derivatives(abs, 0.0)
    assert type(left) is type(right) is np.float64
    assert (left, right) == (-1.0, 1.0)
    left, right = fg.one_sided_derivatives(lambda x: np.sum(np.abs(x)), np.zeros(2, np.float32))
    assert left.dtype == np.float32
    assert (left.tolist(), right.tolist()) == ([-1.0, -1.0], [1.0, 1.0])
    left, right = fg.one_sided_derivatives(np.sum, np.empty((0, 3)))
    assert left.shape == right.shape == (0, 3)


def test_steps_are_the_callers() -> None:
    seen = set()

    def f(x: Any) -> float:
        seen.update((x - [1.0, 2.0]).tolist())
        return float(x.sum())

    fg.one_sided_derivatives(f, [1.0, 2.0], [0.25, 0.5], order=1)
    assert seen == {0.0, 0.25, -0.25, 0.5, -0.5}
    with pytest.raises(fg.StepError, match="lost to rounding"):
        fg.one_sided_derivatives(f, [1.0, 1e15])


def test_a_side_without_values_is_undefined() -> None:
    for f in (lambda x: np.sqrt(x) * x, lambda x: math.sqrt(x) * x):
        left, right = fg.one_sided_derivatives(f, 0.0, details=True)
        assert math.isnan(left.value)
        assert left.error == math.inf
        assert left.flags["undefined"]
        assert abs(right.value) < 1e-2
        assert not right.flags["undefined"]


def test_exceptions_at_x_arrive_and_so_do_those_that_speak_of_no_domain() -> None:
    def nowhere(x: Any) -> float:
        raise ValueError("nowhere")

    with pytest.raises(ValueError, match="nowhere") as caught:
        fg.one_sided_derivatives(nowhere, [1.0])
    assert "x itself" in caught.value.__notes__[0]

    def right_only(x: Any) -> float:
        if x[0] < 1:
            raise RuntimeError("left")
        return 1.0

    with pytest.raises(RuntimeError, match="left") as raised:
        fg.one_sided_derivatives(right_only, [1.0])
    assert "x[0] minus its step" in raised.value.__notes__[0]
    with pytest.raises(fg.ShapeError, match=r"x\[0\] minus its step it returned an array of shape \(2,\)"):
        fg.one_sided_derivatives(lambda x: [1.0, 2.0] if x[0] < 1 else 1.0, [1.0])


def test_options_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="method must be one of 'differences', 'adaptive'; got 'central'"):
        fg.one_sided_derivatives(kinked, X, method="central")  # type: ignore[arg-type]
    for options in ({"eps": 1e-3}, {"order": 2}):
        with pytest.raises(ValueError, match="finds its own steps"):
            fg.one_sided_derivatives(kinked, X, method="adaptive", **options)
    with pytest.raises(ValueError, match="has the orders 1, 2, 3, 4; got 5"):
        fg.one_sided_derivatives(kinked, X, order=5)


def test_arguments_reach_f() -> None:
    left, right = fg.one_sided_derivatives(lambda x, a, b: a * abs(x) + b * x, 0.0, args=(2.0,), kwargs={"b": 1.0})
    assert (left, right) == pytest.approx((-1.0, 3.0))


def structured() -> tuple[TwoLayerLoss, Any]:
    W1, W2 = np.array([[1.0, -1.0], [2.0, 1.0]]), np.array([[3.0, 1.0]])
    return TwoLayerLoss((W1, W2), [1.0, 1.0], loss=SquaredError([0.5]), wrt="W1"), W1


def test_a_structured_callable_measures_by_its_own_loop() -> None:
    f, W1 = structured()  # the first unit stands at 0
    left, right = fg.one_sided_derivatives(f, W1)
    plain = fg.one_sided_derivatives(lambda W: f(W), W1)
    np.testing.assert_allclose(left, plain[0], atol=1e-3)
    np.testing.assert_allclose(right, plain[1], atol=1e-3)
    assert np.abs(right - left)[0].min() > 1
    np.testing.assert_array_equal(left[1], right[1])


def test_a_structured_callable_has_details_too() -> None:
    f, W1 = structured()
    left, right = fg.one_sided_derivatives(f, W1, details=True)
    exact = fg.one_sided_derivatives(lambda W: f(W), W1, method="adaptive")
    assert np.all(np.abs(left.value - exact[0]) <= 3 * left.error)
    assert np.all(np.abs(right.value - exact[1]) <= 3 * right.error)
    assert left.flags["kink"].tolist() == [[True, True], [False, False]]
    assert left.calls.sum() + right.calls.sum() > 4 * W1.size
    with pytest.raises(TypeError, match="measures by its own loop"):
        fg.one_sided_derivatives(f, W1, order=1)
    adaptive = fg.one_sided_derivatives(f, W1, method="adaptive")
    np.testing.assert_allclose(adaptive[0], exact[0], rtol=1e-9)
