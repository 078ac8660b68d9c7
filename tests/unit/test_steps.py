"""fastgrad.steps does what its docstrings say."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import steps
from fastgrad._point import as_point


def test_none_is_the_textbooks_step_in_double_and_a_power_of_two_in_single() -> None:
    assert steps.resolve(None, as_point([1.0, 2.0])).tolist() == [1e-5]
    assert steps.resolve(None, as_point(np.ones(2, np.float32))).tolist() == [2.0**-8]
    assert steps.as_steps(None, np.array([1.0]), steps.STRUCTURED).tolist() == [2.0**-17]


def test_a_float_is_absolute_and_an_array_is_one_an_entry() -> None:
    x = as_point([[1.0, 2.0], [3.0, 4.0]])
    for eps in (0.25, np.float32(0.25), np.array(0.25), np.longdouble(0.25)):
        h = steps.resolve(eps, x)
        assert h.tolist() == [0.25]
        assert h.dtype == np.float64
    assert steps.resolve(2, x).tolist() == [2.0]
    assert steps.resolve([[1, 2], [3, 4]], x).tolist() == [1.0, 2.0, 3.0, 4.0]
    assert steps.resolve(np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]), x).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_auto_is_the_power_of_two_below_the_rule() -> None:
    x = np.array([0.0, -0.5, 1.0, 3.0, -1e6, 1e300, np.nan, np.inf])
    for dtype, order in ((np.float64, 2), (np.float64, 1), (np.float64, 6), (np.float32, 2), (np.float32, 4)):
        h = steps.auto(x[:5].astype(dtype) if dtype is np.float32 else x, order)
        eps = np.finfo(dtype).eps
        size = np.where(np.isfinite(x), np.maximum(np.abs(x), 1.0), 1.0)[: h.size]
        rule = np.maximum((eps * size) ** (1 / (order + 1)), eps**0.6 * size)
        assert np.frexp(h)[0].tolist() == [0.5] * h.size
        assert np.all((h <= rule * (1 + 1e-12)) & (2 * h > rule * (1 - 1e-12)))
    assert steps.auto(x)[[0, 1, 2, 3, 6, 7]].tolist() == [2.0**-18] * 3 + [2.0**-17] + [2.0**-18] * 2
    assert steps.auto(np.ones(2, np.float32)).tolist() == [2.0**-8] * 2
    assert steps.auto(np.ones((2, 3))).shape == (6,)


@pytest.mark.parametrize("power", [1.5, -1.0, 3.0])
def test_auto_keeps_six_digits_of_a_power_however_large_x_is(power: float) -> None:
    for x in 10.0 ** np.arange(-2, 61, 3):
        found = fg.numerical_gradient(lambda x: x**power, x, "auto")
        assert found == pytest.approx(power * x ** (power - 1), rel=2e-6)


def test_auto_keeps_digits_of_a_sine_far_from_zero() -> None:
    for x in 10.0 ** np.arange(0, 8):
        found = fg.numerical_gradient(np.sin, x, "auto")
        assert abs(found - np.cos(x)) < 2 * (np.finfo(float).eps * x) ** (2 / 3)


def test_auto_is_never_lost() -> None:
    for dtype in (np.float64, np.float32):
        x = np.concatenate([s * 10.0 ** np.arange(-30, 31) for s in (1, -1)]).astype(dtype)
        steps.refuse_lost_steps(as_point(x), steps.auto(x))


@pytest.mark.parametrize("eps", [0, -1.0, np.nan, np.inf, 1j, True, "Auto", [1.0, np.nan], {}, b"x"], ids=repr)
def test_what_is_no_step_is_refused_with_what_was_given(eps: Any) -> None:
    with pytest.raises(fg.StepError, match='eps must be None, "auto", "noise", a positive finite real') as caught:
        steps.resolve(eps, as_point([1.0, 2.0]))
    assert repr(eps) in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_an_array_of_steps_of_another_shape_is_refused_with_both_shapes() -> None:
    with pytest.raises(fg.ShapeError, match=r"shaped like x, \(2,\); got \(2, 1\)"):
        steps.resolve([[1.0], [2.0]], as_point([1.0, 2.0]))


@pytest.mark.parametrize(("value", "eps"), [(1e12, 1e-5), (1e9, 1e-9), (3e10, 1e-5), (-3e10, 1e-5)])
def test_a_step_that_rounding_changes_by_more_than_a_hundredth_is_refused(value: float, eps: float) -> None:
    realised = ((value + eps) - (value - eps)) / 2
    assert abs(realised / eps - 1) > 0.01
    with pytest.raises(fg.StepError) as caught:
        steps.resolve(eps, as_point([1.0, value, 2.0]))
    assert str(caught.value) == (
        f"the step eps = {eps:.6g} is lost to rounding at x[1] = {value:.17g}: the step really taken would be "
        f'{realised:.6g}. Give a larger eps, one step an entry, or eps="auto".'
    )


def test_a_step_that_rounding_changes_by_less_is_taken() -> None:
    """At 1e8 the spacing is 1.5e-8: 1e-5 comes out as 1.0006e-5 or so."""
    assert steps.resolve(1e-5, as_point([1e8])).tolist() == [1e-5]
    with pytest.raises(fg.StepError):
        steps.resolve(1e-7, as_point([1e8]))


def test_single_precision_is_asked_with_its_own_spacing() -> None:
    x = np.array([1.0, 1e6], np.float32)
    with pytest.raises(fg.StepError, match=r"x\[1\] = 1000000: .*"):
        steps.resolve(None, as_point(x))
    assert steps.resolve(None, as_point(x.astype(np.float64))).tolist() == [1e-5]


def test_a_step_beyond_the_largest_number_is_refused_without_a_warning() -> None:
    with pytest.raises(fg.StepError, match="would be inf"):
        steps.resolve(1e38, as_point(np.array([3e38], np.float32)))
    with pytest.raises(fg.StepError, match="would be inf"):
        steps.resolve(1e308, as_point([1.7e308]))


def test_entries_that_are_not_finite_have_no_step_to_lose() -> None:
    assert steps.resolve(1e-5, as_point([np.nan, np.inf])).tolist() == [1e-5]


def test_a_0d_x_is_named_x_alone() -> None:
    with pytest.raises(fg.StepError, match="lost to rounding at x = 1000000000000"):
        steps.resolve(None, as_point(1e12))


def test_a_rule_for_steps_is_asked_with_x_itself() -> None:
    x = np.array([[1.0, 200.0], [-3e4, 0.0]])

    def rule(x: Any) -> Any:
        x = np.abs(x)
        return 1e-6 * np.maximum(1.0, x, out=x)

    def f(x: Any) -> float:
        return float(np.sum(x**3))

    expected = fg.numerical_gradient(f, x, 1e-6 * np.maximum(1.0, np.abs(x)))
    for twin in (fg, fg.reference):
        np.testing.assert_array_equal(twin.numerical_gradient(f, x, rule), expected)
    np.testing.assert_array_equal(fg.numerical_jacobian(f, x, rule), expected)
    assert fg.gradient_check(f, 3 * x**2, x, rule)
    assert x[1, 0] == -3e4


def test_a_rule_for_steps_takes_a_tree_as_f_does() -> None:
    tree = {"a": np.array([1.0, 2.0]), "b": 300.0}
    rule = {"a": np.array([1e-5, 2e-5]), "b": 1e-3}
    found = fg.numerical_gradient(lambda p: np.sum(p["a"] ** 2) * p["b"], tree, lambda p: rule)
    expected = fg.numerical_gradient(lambda p: np.sum(p["a"] ** 2) * p["b"], tree, rule)
    np.testing.assert_array_equal(found["a"], expected["a"])
    assert found["b"] == expected["b"]


def test_a_rule_that_gives_no_steps_is_refused() -> None:
    with pytest.raises(fg.StepError, match="function of x"):
        fg.numerical_gradient(np.sum, np.ones(2), lambda x: -x)


def test_automatic_steps_take_lists_and_integers() -> None:
    assert np.array_equal(steps.auto([1, 1000]), steps.auto(np.array([1.0, 1000.0])))


@pytest.mark.parametrize("order", [0, -1])
def test_there_are_no_steps_for_an_order_below_one(order: int) -> None:
    with pytest.raises(ValueError, match="the order of a difference is at least 1"):
        steps.auto([1.0], order)
