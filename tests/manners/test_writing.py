"""Section 5, line 4: f may write into its argument and change what it is. Never a wrong number."""

import ctypes
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([1.0, 2.0, 3.0, 4.0])


def value(x: Any) -> float:
    return float((np.arange(1.0, 5.0) * x.reshape(-1)).sum() + (x**2).sum())


GRADIENT = np.arange(1.0, 5.0) + 2 * X


def toggled_sign(x: Any) -> float:
    result = value(x)
    x[1:] *= -1
    return result


def counted(x: Any) -> float:
    """Count its calls in the last entry, and fail when there were too many."""
    result = value(x)
    x[-1] += 100.0
    if x[-1] > 450:
        raise ValueError("too many calls")
    return result


def clipped(x: Any) -> float:
    result = value(x)
    np.clip(x, 0, 2.5, out=x)
    return result


def swapped_bytes(x: Any) -> float:
    result = value(x)
    x.byteswap(inplace=True)
    return result


def written_by_address(x: Any) -> float:
    result = value(x)
    ctypes.memset(x.ctypes.data + 8, 0, 8)
    return result


def shuffled(x: Any) -> float:
    result = value(x)
    x[:] = x[::-1].copy()
    return result


@pytest.mark.parametrize(
    "f",
    [
        toggled_sign,
        counted,
        clipped,
        swapped_bytes,
        written_by_address,
        shuffled,
    ],
)
def test_f_may_write_into_its_argument(verbs: Any, f: Any) -> None:
    np.testing.assert_allclose(verbs.numerical_gradient(f, X), GRADIENT, atol=1e-6)


@pytest.mark.parametrize("then", ["never again", "at each call", "keeps the next"])
@pytest.mark.parametrize("entry", range(11))
def test_f_may_begin_to_write_at_any_call(verbs: Any, entry: int, then: str) -> None:
    """Found when another entry's turn comes, or at the end; then all is measured again, on fresh copies.

    What f keeps is replaced by a fresh buffer, on which nothing would be left to be found.
    """
    x, weights = np.linspace(-1.0, 2.0, 11), np.arange(1.0, 12.0)
    expected = 2 * (x * weights).sum() * weights
    for first in range(2 * x.size):
        kept: list[Any] = []
        calls = iter(range(99))

        def f(point: Any, first: int = first, calls: Any = calls, kept: Any = kept) -> float:
            result = float((point * weights).sum() ** 2)
            call = next(calls)
            if call == first or (then == "at each call" and call > first):
                point[entry] = -50.0
            if then == "keeps the next" and call == first + 1:
                kept.append(point)
            return result

        np.testing.assert_allclose(verbs.numerical_gradient(f, x), expected, rtol=1e-8)


def test_f_that_changes_the_signs_of_zeros_and_back_is_seen(verbs: Any) -> None:
    """It never touches the entry that is perturbed, and after each pair of calls everything is as before."""

    def f(x: Any) -> float:
        result = float(np.copysign(1.0, x).sum() + 3 * x.sum())
        x[x == 0] *= -1
        return result

    expected = fg.reference.numerical_gradient(f, np.zeros(5))
    assert verbs.numerical_gradient(f, np.zeros(5)).tolist() == expected.tolist()
    np.testing.assert_allclose(expected, 3 + 1e5, rtol=1e-9)


def turn_shape(x: Any) -> None:
    x.shape = x.shape[::-1]


def turn_strides(x: Any) -> None:
    x.strides = x.strides[::-1]


def flatten(x: Any) -> None:
    x.shape = (-1,)


def as_integers(x: Any) -> None:
    x.dtype = np.int64


def freeze(x: Any) -> None:
    x.flags.writeable = False


def grow(x: Any) -> None:
    x.resize(5000, refcheck=False)


def shrink(x: Any) -> None:
    x.resize(2, refcheck=False)


@pytest.mark.parametrize("deed", [turn_shape, turn_strides, flatten, as_integers, freeze, grow, shrink])
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_f_may_change_what_its_argument_is(verbs: Any, verb: str, deed: Callable[[Any], None]) -> None:
    """Each call sees an array of x's own shape, strides and dtype, writeable, whatever was made of an earlier one."""
    x = np.arange(1.0, 10.0).reshape(3, 3) if deed is turn_strides else np.arange(1.0, 7.0).reshape(2, 3)
    weights = np.arange(x.size) + 1.0

    frames = []

    def f(point: Any) -> float:
        frames.append((point.shape, point.strides, point.dtype, point.flags.writeable))
        result = float((point.reshape(-1)[: x.size] * weights).sum())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            deed(point)
        return result

    np.testing.assert_allclose(getattr(verbs, verb)(f, x), weights.reshape(x.shape), atol=1e-6)
    assert set(frames) == {(x.shape, x.strides, x.dtype, True)}


@pytest.mark.parametrize("begin", [0, 3, 10, 11])
@pytest.mark.parametrize("complaint", ["raises", "returns None", "returns an array"])
def test_f_that_fails_because_of_what_it_wrote_before_is_asked_again_on_fresh_copies(
    verbs: Any, complaint: str, begin: int
) -> None:
    calls = iter(range(99))

    def f(x: Any) -> Any:
        if x[-1] < 0:
            if complaint == "raises":
                raise ValueError("a negative entry")
            return None if complaint == "returns None" else x
        result = float((x * x).sum())
        if next(calls) == begin:
            x[-1] = -1.0
        return result

    x = np.arange(1.0, 9.0)
    np.testing.assert_allclose(verbs.numerical_gradient(f, x), 2 * x, atol=1e-6)
