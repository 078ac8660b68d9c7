"""details=True: what numerical_gradient and numerical_jacobian tell beside the value."""

import math
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._stencils.table import ORDERS
from tests.unit.neighbours import Counted

CASES = [(method, order) for method, orders in ORDERS.items() for order in orders]
EITHER: list[dict[str, Any]] = [{}, {"method": "adaptive"}]
FLAGS = {"one-sided", "kink", "noisy", "diverges", "unsettled", "undefined"}


def waves(x: Any) -> Any:
    return float(np.sum(np.sin(x, dtype=np.float64)))


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (0,), (2, 0)])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("options", [{}, {"method": "forward"}, {"order": 4}, {"method": "adaptive"}], ids=str)
def test_all_has_the_shape_and_precision_of_x(shape: tuple[int, ...], dtype: Any, options: dict[str, Any]) -> None:
    x = np.full(shape, 0.5, dtype)
    found = fg.numerical_gradient(waves, x, details=True, **options)
    assert found.value.dtype == found.error.dtype == dtype
    assert found.step.dtype == np.float64
    assert set(found.flags) == FLAGS
    for array in (found.value, found.error, found.calls, found.step, *found.flags.values()):
        assert array.shape == shape
    np.testing.assert_allclose(found.value, np.cos(x), atol=1e-8 if dtype == np.float64 else 1e-3)
    J = fg.numerical_jacobian(lambda x: np.sin(x).sum() * np.ones((2, 5)), x, details=True, **options)
    assert J.calls.shape == shape
    for array in (J.value, J.error, J.step, *J.flags.values()):
        assert array.shape == (2, 5, *shape)
    assert J.value.dtype == J.error.dtype == dtype


def test_a_number_gives_numbers_and_a_tree_trees() -> None:
    found = fg.numerical_gradient(lambda t: t**3, 2, details=True)
    assert type(found.value) is type(found.error) is type(found.step) is np.float64
    x = {"W": np.ones((2, 2)), "b": 0.5}
    for options in EITHER:
        tree = fg.numerical_gradient(lambda p: np.sum(p["W"]) * p["b"], x, details=True, **options)
        assert tree.value["W"].shape == tree.error["W"].shape == tree.flags["kink"]["W"].shape == (2, 2)
        assert abs(tree.value["b"] - 4) <= 3 * tree.error["b"]
        J = fg.numerical_jacobian(lambda p: p["W"][0] * p["b"], x, details=True, **options)
        assert J.value["W"].shape == J.error["W"].shape == (2, 2, 2)
        assert J.value["b"].shape == (2,)
        assert J.calls["W"].shape == (2, 2)


@pytest.mark.parametrize(("method", "order"), CASES)
def test_the_calls_that_are_told_are_those_made(method: str, order: int) -> None:
    x = np.array([0.3, -1.0, 2.0])
    for verb, f in ((fg.numerical_gradient, waves), (fg.numerical_jacobian, np.sin)):
        counted = Counted(f)
        found = verb(counted, x, method=method, order=order, details=True)
        assert found.calls.sum() == counted.calls
    halves = -(-order // 4) * 2 if method == "central" else (order + 1) // 2
    quarters = int(order == 1)
    assert fg.numerical_gradient(waves, x, method=method, order=order, details=True).calls.tolist() == [
        order + halves + quarters + one for one in (1, 0, 0)
    ]


def test_the_calls_of_an_adaptive_jacobian_are_those_made_and_none_is_made_twice() -> None:
    asked: list[tuple[float, ...]] = []

    def f(x: Any) -> Any:
        asked.append(tuple(x))
        return np.array([np.sin(x[0] * x[1]), np.exp(x[0]), x[1] ** 3, 7.0])

    found = fg.numerical_jacobian(f, [0.5, 1.5], method="adaptive", details=True)
    assert found.calls.sum() == len(asked) == len(set(asked))
    assert found.calls.sum() <= 2 * 40


def test_an_element_is_the_same_whatever_stands_beside_it() -> None:
    def alone(x: Any) -> Any:
        return [np.exp(x[0]) * x[1]]

    def beside(x: Any) -> Any:
        return [np.tanh(1e4 * x[0]), np.exp(x[0]) * x[1], x[1] ** 9]

    one = fg.numerical_jacobian(alone, [0.1, 2.0], method="adaptive", details=True)
    three = fg.numerical_jacobian(beside, [0.1, 2.0], method="adaptive", details=True)
    np.testing.assert_array_equal(one.value[0], three.value[1])
    np.testing.assert_array_equal(one.error[0], three.error[1])


def test_the_adaptive_jacobian_takes_no_steps() -> None:
    for options in ({"eps": 1e-3}, {"order": 4}):
        with pytest.raises(TypeError, match="picks its own steps"):
            fg.numerical_jacobian(np.sin, np.ones(2), method="adaptive", **options)


def test_the_step_is_the_one_taken() -> None:
    x = np.array([1.0, 100.0])
    assert fg.numerical_gradient(waves, x, details=True).step.tolist() == [1e-5, 1e-5]
    assert fg.numerical_gradient(waves, x, [1e-4, 1e-3], details=True).step.tolist() == [1e-4, 1e-3]
    bounded = fg.numerical_gradient(waves, [1.0], 1e-2, bounds=(1.0, 1.001), details=True)
    assert bounded.step[0] == pytest.approx(5e-4)
    assert bounded.flags["one-sided"].all()


def test_out_takes_the_value() -> None:
    for options in EITHER:
        out = np.empty(2)
        assert fg.numerical_gradient(waves, [1.0, 2.0], out=out, details=True, **options).value is out
        J = np.empty((2, 2))
        assert fg.numerical_jacobian(np.sin, [1.0, 2.0], out=J, details=True, **options).value is J
        np.testing.assert_allclose(J.diagonal(), out, atol=1e-9)


def test_a_kink_is_flagged_and_its_bar_reaches_both_slopes() -> None:
    x = np.array([-1.0, 0.0, 1.0])
    found = fg.numerical_gradient(lambda x: float(np.sum(np.maximum(x, 0.0))), x, details=True)
    assert found.flags["kink"].tolist() == [False, True, False]
    assert found.error[1] >= 0.5 * (1 - 1e-6)
    assert np.all(found.error[[0, 2]] < 1e-8)
    J = fg.numerical_jacobian(np.abs, x, details=True)
    assert np.argwhere(J.flags["kink"]).tolist() == [[1, 1]]


def test_noise_is_flagged() -> None:
    single = fg.numerical_gradient(lambda x: np.sin(x[0].astype(np.float32)), [1.0], details=True)
    assert single.flags["noisy"].all()
    assert abs(single.value[0] - math.cos(1.0)) <= 3 * single.error[0]
    assert not fg.numerical_gradient(lambda x: np.sin(x[0]), [1.0], details=True).flags["noisy"].any()


def test_where_the_slope_is_infinite_so_is_the_bar() -> None:
    found = fg.numerical_gradient(lambda x: np.cbrt(x[0]), [0.0], details=True)
    assert found.flags["diverges"].all()
    assert np.isinf(found.error).all()


def test_where_f_has_no_value_the_bar_is_infinite() -> None:
    found = fg.numerical_gradient(lambda x: np.sin(x[0]) / x[0] if x[0] else math.nan, [0.0], details=True)
    assert found.value.tolist() == [0.0]
    assert found.flags["undefined"].all()
    assert np.isinf(found.error).all()
    J = fg.numerical_jacobian(lambda x: [x[0], math.nan * x[1]], [1.0, 2.0], details=True)
    assert J.flags["undefined"].tolist() == [[False, False], [True, True]]
    assert np.isfinite(J.error[0]).all()
    assert np.isinf(J.error[1]).all()


def test_an_x_that_is_nan_costs_its_own_column_alone() -> None:
    J = fg.numerical_jacobian(lambda x: x**2, [1.0, math.nan], details=True)
    assert np.isfinite(J.error).tolist() == [[True, False], [False, False]]
    assert abs(J.value[0, 0] - 2) <= J.error[0, 0]


def test_a_structured_callable_has_bars_of_its_own() -> None:
    rng = np.random.default_rng(3)
    W, x = rng.normal(size=(4, 3)), rng.normal(size=(6, 3))
    loss = fg.losses.LinearLoss(W, x, loss=fg.losses.CrossEntropy(np.arange(6) % 4))
    plain = fg.numerical_gradient(loss, W)
    found = fg.numerical_gradient(loss, W, details=True)
    np.testing.assert_array_equal(found.value, plain)
    exact = fg.numerical_gradient(lambda W: loss(W), W, method="adaptive")
    assert np.mean(np.abs(found.value - exact) <= 3 * found.error) >= 0.9
    assert np.all(found.error < 1e-7)
    assert found.calls.sum() >= 4 * W.size
    assert np.all(found.step == 2.0**-17)


def test_f_may_write_into_its_argument_and_keep_it() -> None:
    x = np.array([0.5, 1.5])
    kept = []

    def rough(y: Any) -> Any:
        value = waves(y)
        y[:] = 9.0
        kept.append(y)
        return value

    for options in ({}, {"order": 4}, {"method": "forward"}):
        np.testing.assert_array_equal(
            fg.numerical_gradient(rough, x, details=True, **options).value, fg.numerical_gradient(waves, x, **options)
        )
    assert x.tolist() == [0.5, 1.5]
    assert all(y.tolist() == [9.0, 9.0] for y in kept)
    same = np.empty(2)
    J = fg.numerical_jacobian(lambda y: np.sin(y, out=same), x, method="adaptive")
    np.testing.assert_allclose(J, np.diag(np.cos(x)), atol=1e-12)


def test_what_f_raises_at_x_itself_arrives_with_a_note() -> None:
    for verb in (fg.numerical_gradient, fg.numerical_jacobian):
        with pytest.raises(ZeroDivisionError) as caught:
            verb(lambda x: 1 / 0, [1.0], details=True)
        assert caught.value.__notes__ == ["fastgrad: f raised this when called at x itself."]
