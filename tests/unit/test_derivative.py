"""fastgrad.derivative, and the adaptive gradient beside it, do what their docstrings say."""

import math
import pickle
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._adaptive.entries import adaptive_gradient
from fastgrad._estimates import FLAGS
from fastgrad._point import as_point


@pytest.mark.parametrize("shape", [(), (1,), (3,), (2, 3), (0,), (2, 0, 3)])
def test_all_is_shaped_like_x(shape: tuple[int, ...]) -> None:
    x = np.linspace(0.5, 2, math.prod(shape)).reshape(shape)
    found = fg.derivative(np.exp, x, details=True)
    for array in (found.value, found.error, found.calls, found.step, *found.flags.values()):
        assert isinstance(array, np.ndarray)
        assert array.shape == shape
    assert tuple(found.flags) == FLAGS
    assert (found.value.dtype, found.error.dtype, found.step.dtype) == (np.float64, np.float64, np.float64)
    assert (found.calls.dtype.kind, found.flags["kink"].dtype) == ("i", np.bool_)
    np.testing.assert_allclose(found.value, np.exp(x), rtol=1e-12)
    np.testing.assert_array_equal(fg.derivative(np.exp, x), found.value)


def test_a_number_gives_a_number() -> None:
    for x in (1, 1.0, np.float64(1.0)):
        found = fg.derivative(math.exp, x, details=True)
        assert type(found.value) is type(found.error) is np.float64
        assert type(found.flags["noisy"]) is np.bool_
        assert found.value == pytest.approx(math.e, rel=1e-12)
        assert type(fg.derivative(math.exp, x)) is np.float64


def test_f_sees_scalars_of_the_working_dtype() -> None:
    for x, kind in (([1, 2], np.float64), (np.ones(2, np.float32), np.float32), ([True, False], np.float64)):
        seen = set()

        def f(y: Any) -> Any:
            seen.add(type(y))  # noqa: B023
            return y * y

        assert fg.derivative(f, x).dtype == kind
        assert seen == {kind}


def test_functions_of_scalars_and_of_arrays_will_do() -> None:
    x = np.array([[0.5, 1.0], [1.5, 2.0]], order="F")
    before = x.copy()
    x.flags.writeable = False
    for f in (math.log, np.log, lambda y: np.array([math.log(y)]), lambda y: [np.log(y)]):
        np.testing.assert_allclose(fg.derivative(f, x), 1 / before, rtol=1e-12)
    np.testing.assert_array_equal(x, before)


def test_single_precision_keeps_its_digits() -> None:
    x = np.array([0.5, 1.0, 2.0], np.float32)
    found = fg.derivative(np.sin, x, details=True)
    assert found.value.dtype == found.error.dtype == np.float32
    off = np.abs(found.value.astype(float) - np.cos(x.astype(float)))
    assert np.all(off <= 3 * (found.error + 2.0**-24))
    assert off.max() < 1e-5


def test_calls_are_those_made() -> None:
    x = np.array([0.3, 1.0, 1e6])
    made: list[float] = []

    def f(y: float) -> float:
        made.append(y)
        return math.cos(y)

    found = fg.derivative(f, x, details=True)
    assert found.calls.sum() == len(made)
    assert [made[0], made[found.calls[0]], made[found.calls[0] + found.calls[1]]] == x.tolist()
    assert np.all(found.step > 0)


def test_arguments_reach_f() -> None:
    def f(x: float, a: float, *, b: float) -> float:
        return a * x + b * x * x

    assert fg.derivative(f, 1.0, args=(3.0,), kwargs={"b": 2.0}) == pytest.approx(7.0, rel=1e-12)


def test_a_side_is_not_left() -> None:
    x = np.array([0.0, 0.25, -3.0])
    for method, sign in (("forward", 1.0), ("backward", -1.0)):

        def f(y: float) -> float:
            nearest = x[np.argmin(np.abs(x - y))]
            assert sign * (y - nearest) >= 0  # noqa: B023
            return float(np.sin(y) + abs(y))

        found = fg.derivative(f, x, method=method, details=True)  # type: ignore[arg-type]
        np.testing.assert_allclose(found.value, np.cos(x) + np.array([sign, 1, -1]), atol=1e-10)
        assert found.flags["one-sided"].all()
        assert not found.flags["kink"].any()


def test_bounds_are_kept_for_each_element() -> None:
    x, lower, upper = np.array([[0.0, 0.5], [1.0, 0.1]]), np.array([[0.0, 0.0], [0.0, 0.05]]), 1.0

    def f(y: float) -> float:
        assert 0 <= y <= 1
        return math.exp(y)

    found = fg.derivative(f, x, bounds=(lower, upper), details=True)
    np.testing.assert_allclose(found.value, np.exp(x), rtol=1e-9)
    np.testing.assert_array_equal(found.flags["one-sided"], [[True, False], [True, False]])


def test_bounds_of_single_precision_are_rounded_inwards() -> None:
    upper = 0.1  # below the float32 next to it
    x = np.float32(0.09999999)

    def f(y: Any) -> Any:
        assert float(y) <= upper
        return np.exp(y)

    assert fg.derivative(f, x, bounds=(-1.0, upper)) == pytest.approx(math.exp(0.1), rel=1e-3)


def test_a_point_outside_its_bounds_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"x\[1\] = 2 lies outside its bounds, 0 and 1"):
        fg.derivative(np.exp, [0.5, 2.0], bounds=(0, 1))
    with pytest.raises(TypeError, match="bounds must be a pair"):
        fg.derivative(np.exp, [0.5, 2.0], bounds=3)


@pytest.mark.parametrize("n", [0, 5, -1])
def test_an_unknown_order_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"n must be 1 to 4, the order of the derivative; got {n}"):
        fg.derivative(np.exp, 1.0, n)


def test_an_order_that_is_no_integer_is_refused() -> None:
    with pytest.raises(TypeError, match=r"n must be an integer; got 1\.0"):
        fg.derivative(np.exp, 1.0, 1.0)  # type: ignore[arg-type]


def test_what_is_no_option_is_refused() -> None:
    with pytest.raises(ValueError, match="method must be one of 'adaptive', 'forward', 'backward'; got 'best'"):
        fg.derivative(np.exp, 1.0, method="best")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="integer"):
        fg.derivative(np.exp, 1.0, 1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="f must be callable"):
        fg.derivative(3, 1.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="complex"):
        fg.derivative(np.exp, 1j)


@pytest.mark.parametrize("error", [ValueError, ZeroDivisionError, KeyError])
def test_what_f_raises_at_x_arrives_with_a_note(error: type[Exception]) -> None:
    def f(y: float) -> float:
        if y == 2.0:
            raise error("here")
        return y

    with pytest.raises(error, match="here") as caught:
        fg.derivative(f, [1.0, 2.0])
    assert "called at x itself" in caught.value.__notes__[0]


def test_what_is_no_error_of_a_domain_arrives_from_beside_x_too() -> None:
    def f(y: float) -> float:
        if y > 1.0:
            raise RuntimeError("beyond")
        return y

    with pytest.raises(RuntimeError, match="beyond") as caught:
        fg.derivative(f, [1.0])
    assert "x[0] plus its step" in caught.value.__notes__[0]


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(fg.ShapeError, match=r"array of shape \(2,\)"):
        fg.derivative(lambda y: [y, y], 1.0)
    with pytest.raises(TypeError, match="returned None"):
        fg.derivative(lambda y: None, 1.0)
    with pytest.raises(TypeError, match=r"x plus its step it returned an array of shape \(2,\)"):
        fg.derivative(lambda y: [y, y] if y > 1 else y, 1.0)


def test_a_domain_is_found_without_a_warning() -> None:
    x = np.array([1e-3, 1.0, 0.0, -1.0])
    found = fg.derivative(np.log1p, x - 1, details=True)
    assert found.value[:2] == pytest.approx([1e3, 1.0], rel=1e-9)
    assert np.isnan(found.value[2:]).all()
    assert found.error[2:].tolist() == [math.inf, math.inf]
    assert found.flags["undefined"].tolist() == [False, False, True, True]


def test_x_that_is_not_finite_has_no_derivative() -> None:
    found = fg.derivative(np.exp, [math.nan, 0.0, math.inf], details=True)
    assert np.isnan(found.value).tolist() == [True, False, True]
    assert found.value[1] == pytest.approx(1.0, rel=1e-12)


def test_a_derivative_is_plain_data() -> None:
    found = fg.derivative(np.exp, [0.0, 1.0], details=True)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.value, found.value)
    assert again.flags.keys() == found.flags.keys()
    with pytest.raises(AttributeError):
        found.value = 0
    assert found.mapped(np.ndarray.tolist).flags["kink"] == [False, False]


def test_the_adaptive_gradient_moves_one_entry_at_a_time_from_a_fresh_copy() -> None:
    x = np.array([[0.5, -1.0], [2.0, 1e-3]])
    seen: list[Any] = []

    def f(y: Any) -> float:
        seen.append(y.copy())
        value = float(np.sum(np.sin(y)) * y[0, 1])
        y[:] = np.nan
        return value

    point = as_point(x)
    found = adaptive_gradient(f, point)
    exact = np.cos(x) * x[0, 1]
    exact[0, 1] += np.sum(np.sin(x))
    assert np.all(np.abs(found.value - exact) <= 3 * (found.error + 2.0**-52))
    np.testing.assert_allclose(found.value, exact, rtol=1e-11)
    np.testing.assert_array_equal(point.array, x)
    moved = [int((y != x).sum()) for y in seen]
    assert moved[0] == 0
    assert set(moved[1:]) == {1}
    assert found.calls.sum() == len(seen)
    assert found.calls.shape == x.shape


def test_the_adaptive_gradient_keeps_bounds_and_sides() -> None:
    x = np.array([0.0, 1.0, 0.5])

    def f(y: Any) -> float:
        assert y.min() >= 0
        assert y.max() <= 1
        return float(np.sum(np.exp(y)))

    found = adaptive_gradient(f, as_point(x), (0.0, 1.0))
    np.testing.assert_allclose(found.value, np.exp(x), rtol=1e-10)
    assert found.flags["one-sided"].tolist() == [True, True, False]
    for side in (-1, 1):
        slopes = adaptive_gradient(lambda y: float(np.sum(np.abs(y))), as_point([0.0, 2.0]), side=side)
        np.testing.assert_allclose(slopes.value, [side, 1.0])


def test_an_empty_gradient_takes_no_call() -> None:
    found = adaptive_gradient(lambda y: pytest.fail("called"), as_point(np.empty((0, 2))))
    assert found.value.shape == (0, 2)
    assert found.calls.sum() == 0
