"""Section 5, lines 3 and 4: f may keep, return, change and reshape its argument, and reuse its output."""

import ctypes
import gc
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([1.0, 2.0, 3.0, 4.0])


def value(x: Any) -> float:
    return float((np.arange(1.0, 5.0) * x.reshape(-1)).sum() + (x**2).sum())


GRADIENT = np.arange(1.0, 5.0) + 2 * X


def closure_over(x: Any) -> Callable[[], Any]:
    return lambda: x


def started(x: Any) -> Iterator[Any]:
    def steps() -> Iterator[Any]:
        yield None
        yield x

    generator = steps()
    next(generator)
    return generator


def in_a_cycle(x: Any) -> list[Any]:
    cycle: list[Any] = [x]
    cycle.append(cycle)
    return cycle


#: What f keeps of its argument, and how its numbers are got back from what it kept.
WAYS_TO_KEEP: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "the array": (lambda x: x, lambda k: k),
    "a slice": (lambda x: x[1:], lambda k: k.base),
    "the transpose": (lambda x: x.T, lambda k: k.base),
    "asarray": (np.asarray, lambda k: k),
    "a reshaped view": (lambda x: x.reshape(2, 2), lambda k: k.reshape(-1)),
    "a memoryview": (memoryview, np.asarray),
    "x.data": (lambda x: x.data, np.asarray),
    "frombuffer": (lambda x: np.frombuffer(x), lambda k: k),
    "x.flat": (lambda x: x.flat, lambda k: k.base),
    "the array struct": (lambda x: (x.__array_struct__, x), lambda k: k[1]),
    "a DLPack export": (np.from_dlpack, lambda k: k),
    "a closure": (closure_over, lambda k: k()),
    "a suspended generator": (started, next),
    "a garbage cycle": (in_a_cycle, lambda k: k[0]),
    "a ctypes array": (np.ctypeslib.as_ctypes, lambda k: np.array(list(k))),
    "a frame in a traceback": (lambda x: caught(x), lambda k: k.__traceback__.tb_frame.f_locals["x"]),
    "a bound method": (lambda x: x.sum, lambda k: k.__self__),
    "a dict": (lambda x: {"x": x}, lambda k: k["x"]),
}


def caught(x: Any) -> BaseException:
    try:
        raise ValueError("kept")
    except ValueError as error:
        return error


@pytest.mark.parametrize("way", sorted(WAYS_TO_KEEP))
@pytest.mark.parametrize("rule", ["always", "once", "each third", "minus sides"])
def test_what_f_keeps_keeps_its_values(verbs: Any, way: str, rule: str) -> None:
    keep, numbers = WAYS_TO_KEEP[way]
    chosen: dict[str, Callable[[int], bool]] = {
        "always": lambda call: True,
        "once": lambda call: call == 3,
        "each third": lambda call: call % 3 == 0,
        "minus sides": lambda call: call % 2 == 1,
    }
    kept: list[Any] = []
    seen: list[Any] = []
    calls = iter(range(99))

    def f(x: Any) -> float:
        if chosen[rule](next(calls)):
            kept.append(keep(x))
            seen.append(x.tolist())
        return value(x)

    np.testing.assert_allclose(verbs.numerical_gradient(f, X), GRADIENT, atol=1e-6)
    assert len(seen) > 0
    assert [list(numbers(k)) for k in kept] == seen
    kept.clear()
    gc.collect()


def test_a_recorder_of_points_records_different_points(verbs: Any) -> None:
    """A tracer that is given one array which changes later records the last point n times."""
    record: list[Any] = []

    def f(x: Any) -> float:
        record.append(x)
        return value(x)

    verbs.numerical_gradient(f, X)
    assert len({point.tobytes() for point in record}) == 2 * X.size


def test_f_may_keep_the_last_point_only(verbs: Any) -> None:
    last: list[Any] = [None]

    def f(x: Any) -> float:
        changed = last[0] is None or not np.array_equal(last[0], x)
        last[0] = x
        return value(x) if changed else np.nan

    np.testing.assert_allclose(verbs.numerical_gradient(f, X), GRADIENT, atol=1e-6)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (lambda x: x, lambda J: J),
        (lambda x: x.T, lambda J: J.transpose(1, 0, 2, 3)),
        (lambda x: x[:], lambda J: J),
        (lambda x: x[::-1], lambda J: J[::-1]),
        (np.asarray, lambda J: J),
        (lambda x: x[None], lambda J: J[None]),
        (lambda x: [x[0], x[1]], lambda J: J),
    ],
    ids=["identity", "transpose", "slice", "backwards", "asarray", "axis more", "list of views"],
)
def test_f_may_return_its_argument_or_a_view_of_it(verbs: Any, view: Any, expected: Any) -> None:
    """Reading the values after x was restored gives 0 where 1 is right."""
    J = verbs.numerical_jacobian(view, X.reshape(2, 2))
    np.testing.assert_allclose(J, expected(np.eye(4).reshape(2, 2, 2, 2)), atol=1e-9)


@pytest.mark.parametrize("view", [lambda x: x, lambda x: x[0], lambda x: x[:1], lambda x: x[None].T])
def test_f_of_one_entry_may_return_it(verbs: Any, view: Any) -> None:
    np.testing.assert_allclose(verbs.numerical_gradient(view, np.array([3.0])), [1.0], atol=1e-9)


def test_f_may_fill_and_return_one_array_each_time(verbs: Any) -> None:
    """Values that are not copied out before the next call make a Jacobian of zeros."""
    A, y = np.arange(12.0).reshape(3, 4), np.empty(3)
    np.testing.assert_allclose(verbs.numerical_jacobian(lambda x: np.dot(A, x, out=y), X), A, atol=1e-8)
    one = np.empty(1)
    np.testing.assert_allclose(
        verbs.numerical_gradient(lambda x: np.multiply(x[:1], 5.0, out=one), X), [5.0, 0, 0, 0], atol=1e-8
    )
    numbers = [0.0]
    np.testing.assert_allclose(
        verbs.numerical_gradient(lambda x: numbers.__setitem__(0, value(x)) or numbers, X), GRADIENT, atol=1e-6
    )


class Lazy:
    """A number that is read from the argument of f when it is asked for, not before."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __float__(self) -> float:
        return value(self.x)


def test_a_lazy_value_is_read_before_the_next_point(verbs: Any) -> None:
    np.testing.assert_allclose(verbs.numerical_gradient(Lazy, X), GRADIENT, atol=1e-6)
    np.testing.assert_allclose(verbs.numerical_jacobian(lambda x: [Lazy(x)], X), [GRADIENT], atol=1e-6)


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


@pytest.mark.parametrize("first", [0, 1, 2, 3, 5, 7])
def test_f_may_begin_to_write_at_any_call(verbs: Any, first: int) -> None:
    """Found when another entry's turn comes, or at the end; then all is measured again, on fresh copies."""
    for entry in range(X.size):
        calls = iter(range(99))

        def f(x: Any, entry: int = entry, calls: Any = calls) -> float:
            result = value(x)
            if next(calls) >= first:
                x[entry] = -50.0
            return result

        np.testing.assert_allclose(verbs.numerical_gradient(f, X), GRADIENT, atol=1e-6)


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

    def f(point: Any) -> float:
        assert (point.shape, point.strides, point.dtype) == (x.shape, x.strides, x.dtype)
        assert point.flags.writeable
        result = float((point.reshape(-1) * weights).sum())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            deed(point)
        return result

    np.testing.assert_allclose(getattr(verbs, verb)(f, x), weights.reshape(x.shape), atol=1e-6)


def test_f_that_fails_because_of_what_it_wrote_before_is_asked_again_on_fresh_copies(verbs: Any) -> None:
    calls = iter(range(99))

    def f(x: Any) -> Any:
        if x[-1] < 0:
            return None
        if next(calls) == 2:
            x[-1] = -1.0
            return value(X + (x - X) * (np.arange(4) < 3))
        return value(x)

    np.testing.assert_allclose(verbs.numerical_gradient(f, X), GRADIENT, atol=1e-6)
