"""Section 5, line 3: f may keep and return its argument or a view of it, and reuse its output."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

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
