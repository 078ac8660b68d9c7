"""Section 5, line 5: what f may return, what is refused, and that non-finite values propagate."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def plain(x: Any) -> float:
    return float((x * X).sum())


class Number:
    """A number of a library that is not NumPy."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


class Tensor:
    """An array of a library that is not NumPy."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.array, dtype=dtype)

    def __float__(self) -> float:
        if self.array.size != 1:
            raise RuntimeError("a tensor with several elements cannot be converted to a scalar")
        return float(self.array.reshape(-1)[0])


class Spoken(str):
    __slots__ = ()

    def __float__(self) -> float:
        return 1.0


@pytest.mark.parametrize(
    "wrap",
    [
        float,
        np.float64,
        np.longdouble,
        np.array,
        Number,
        Decimal,
        Fraction,
        lambda v: [v],
        lambda v: (v,),
        lambda v: [[[v]]],
        lambda v: np.full((1, 1, 1), v),
        lambda v: np.array(v, dtype=object),
        lambda v: np.array([Number(v)], dtype=object),
        lambda v: Tensor(np.array([v])),
        lambda v: np.full((1, 1), v).view(np.matrix),
        lambda v: np.ma.array([v], mask=[False]),
        lambda v: np.array(v, ">f8"),
    ],
)
def test_a_value_may_be_any_one_real_number(verbs: Any, wrap: Any) -> None:
    np.testing.assert_allclose(verbs.numerical_gradient(lambda x: wrap(plain(x)), X), X, atol=1e-8)


@pytest.mark.parametrize("wrap", [int, np.int64, np.uint64, np.int8, bool, np.bool_])
def test_integer_and_boolean_values_do_not_wrap_around(verbs: Any, wrap: Any) -> None:
    """Unsigned differences wrap, and rows of integers are cut to 0, where values are not made doubles first."""
    low, high = wrap(1), wrap(2)

    def falling(x: Any) -> Any:
        return low if x[0] > 0 else high

    expected = (float(low) - float(high)) / 2e-5
    assert verbs.numerical_gradient(falling, np.array([0.0])).tolist() == [expected]
    assert verbs.numerical_gradient(lambda x: np.array([falling(x)]), np.array([0.0])).tolist() == [expected]
    assert verbs.numerical_jacobian(lambda x: [low, falling(x)], np.array([0.0])).tolist() == [[0.0], [expected]]


def test_the_kind_of_value_may_change_from_call_to_call(verbs: Any) -> None:
    kinds: list[Any] = [float, np.float64, np.array, Decimal, lambda v: [v], np.float32, lambda v: np.array([[v]]), int]
    calls = iter(kinds)
    measured = verbs.numerical_gradient(lambda x: next(calls)(x.sum()), X, 1.0)
    np.testing.assert_allclose(measured, np.ones((2, 2)), atol=1e-6)


NO_NUMBERS: list[Any] = [
    *(None, "1.5", b"1.5", Spoken("1.5"), [None], ["1.5"], np.array(["1.5"]), {}, set(), len, iter([1.0])),
    *(1j, np.complex128(1), np.array(1 + 0j), np.array(None), Tensor(np.ones(2))),
    *(np.datetime64("2026-01-01"), np.timedelta64(3), bytearray(b"1")),
]


def named(value: Any) -> str:
    """Return a name that is the same in every process, which an address in memory is not."""
    return re.sub(r" at 0x\w+", "", repr(value))


@pytest.mark.parametrize("value", NO_NUMBERS, ids=named)
@pytest.mark.parametrize("late", [0, 5])
def test_a_value_that_is_no_real_number_is_refused_by_name(verbs: Any, value: Any, late: int) -> None:
    calls = iter([1.0] * late)
    where = "x[0, 0] plus its step" if late == 0 else "x[1, 0] minus its step"
    with pytest.raises(TypeError) as caught:
        verbs.numerical_gradient(lambda x: next(calls, value), X)
    assert f"at {where} it returned" in str(caught.value)


@pytest.mark.parametrize("value", [np.zeros(0), np.zeros(2), [1.0, 2.0], [], np.zeros((1, 2))], ids=repr)
def test_an_array_is_no_scalar(verbs: Any, value: Any) -> None:
    with pytest.raises(fg.ShapeError, match=r"real scalar, but at x\[0, 0\] plus its step.*numerical_jacobian"):
        verbs.numerical_gradient(lambda x: value, X)


def test_a_number_too_large_for_a_double_is_refused_by_name(verbs: Any) -> None:
    calls = iter([1, 2])
    with pytest.raises(OverflowError, match=r"fit a double, but at x\[0, 1\] plus its step it returned 1000"):
        verbs.numerical_gradient(lambda x: next(calls, 10**400), X)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "ab", b"ab", bytearray(b"ab"), 1j, [1.0, None], [1.0, "a"], ["a", "b"], np.array(["a", "b"])),
        *(np.ones(2, complex), {}),
    ],
)
def test_arrays_of_anything_but_real_numbers_are_refused_by_name(verbs: Any, value: Any) -> None:
    for late in (0, 3):
        calls = iter([[1.0, 2.0]] * late)
        where = r"x\[0, 0\] plus" if late == 0 else r"x\[0, 1\] minus"
        with pytest.raises(TypeError, match=f"at {where} its step it returned"):
            verbs.numerical_jacobian(lambda x, calls=calls: next(calls, value), X)


@pytest.mark.parametrize("value", [[[1.0], [2.0, 3.0]], [np.ones(2), np.ones(3)]], ids=["ragged", "two lengths"])
def test_ragged_values_are_refused(verbs: Any, value: Any) -> None:
    with pytest.raises(fg.ShapeError, match=r"at x\[0, 0\] plus its step it returned .* which is no array"):
        verbs.numerical_jacobian(lambda x: value, X)


@pytest.mark.parametrize("other", [np.ones(3), np.ones((2, 1)), np.ones(()), np.ones(0), 1.0, [[1.0, 2.0]]], ids=repr)
def test_values_of_changing_shape_are_refused(verbs: Any, other: Any) -> None:
    for late in (1, 2, 7):
        calls = iter([np.ones(2)] * late)
        with pytest.raises(fg.ShapeError, match=r"one shape: it returned \(2,\) at first and \(.*\) at x\["):
            verbs.numerical_jacobian(lambda x, calls=calls: next(calls, other), X)


def test_a_masked_value_is_no_zero(verbs: Any) -> None:
    """What lies behind a mask is whatever was left there."""
    for f in (lambda x: np.ma.array(x, mask=True).sum(), lambda x: np.ma.array([x[0, 0], 1.0], mask=[True, False])):
        with pytest.raises(TypeError, match="masked value"):
            verbs.numerical_jacobian(f, X)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_values_spoil_their_own_entry_only(verbs: Any, value: float) -> None:
    def f(x: Any) -> Any:
        return value if x[0, 1] != 2.0 else plain(x)

    measured = verbs.numerical_gradient(f, X)
    assert np.isnan(measured[0, 1])
    np.testing.assert_allclose(np.delete(measured.reshape(-1), 1), [1.0, 3.0, 4.0], atol=1e-8)
    J = verbs.numerical_jacobian(lambda x: np.array([plain(x), f(x)]), X)
    np.testing.assert_allclose(J[0], X, atol=1e-8)
    assert np.isnan(J[1]).tolist() == [[False, True], [False, False]]


def test_one_infinite_side_gives_an_infinite_slope(verbs: Any) -> None:
    f = lambda x: np.inf if x[0] > 0 else 0.0  # noqa: E731
    assert verbs.numerical_gradient(f, [0.0]).tolist() == [np.inf]


def test_a_nan_in_x_spoils_what_depends_on_it_and_nothing_else(verbs: Any) -> None:
    x = np.array([1.0, np.nan, np.inf])
    J = verbs.numerical_jacobian(lambda p: np.array([p[0] ** 2, p[1], p[0] * 3.0]), x)
    assert (
        np.isnan(J).tolist() == [[False, False, False], [False, True, False], [False, False, False]]
        or np.isnan(J[1]).all()
    )
    np.testing.assert_allclose(J[0], [2.0, 0.0, 0.0], atol=1e-8)
    np.testing.assert_allclose(J[2], [3.0, 0.0, 0.0], atol=1e-8)
    assert np.isnan(J[1]).all()  # NaN minus NaN: y[1] is NaN at every point
