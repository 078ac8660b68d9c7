"""Section 5, line 1: x as the caller sees it is never written, whatever f does and however the call ends."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


class Keeper:
    """Does one thing to its argument, and returns a value that depends on all of it."""

    def __init__(self, deed: Callable[[Any], Any]) -> None:
        self.deed = deed

    def __call__(self, x: Any) -> float:
        value = float((x**2).sum())
        self.deed(x)
        return value


def fail(x: Any) -> None:
    raise ValueError("half way")


def interrupt(x: Any) -> None:
    raise KeyboardInterrupt


DEEDS: dict[str, Callable[[Any], Any]] = {
    "nothing": lambda x: None,
    "overwrites": lambda x: x.fill(7.0),
    "adds in place": lambda x: np.add(x, 1.0, out=x),
    "writes through a view": lambda x: x.reshape(-1)[::-1].__setitem__(0, 9.0),
    "writes through a buffer": lambda x: memoryview(x).cast("B").__setitem__(0, 255),
    "sorts": lambda x: x.reshape(-1).sort(),
    "freezes": lambda x: x.setflags(write=False),
    "raises": fail,
    "is interrupted": interrupt,
}

POINTS = {
    "float64": np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]),
    "float32": np.array([1.0, -2.0, 3.0], np.float32),
    "Fortran": np.asfortranarray([[1.0, 2.0], [3.0, 4.0]]),
    "0-d": np.array(2.0),
    "strided": np.arange(1.0, 9.0)[::2],
}


@pytest.mark.parametrize("deed", sorted(DEEDS))
@pytest.mark.parametrize("kind", sorted(POINTS))
@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_x_is_bit_for_bit_intact_and_the_result_right(verbs: Any, verb: str, kind: str, deed: str) -> None:
    x = POINTS[kind].copy(order="K")
    before = x.tobytes()
    ends_badly = deed in ("raises", "is interrupted")
    tolerance = 1e-2 if kind == "float32" else 1e-6
    try:
        measured = getattr(verbs, verb)(Keeper(DEEDS[deed]), x)
    except (ValueError, KeyboardInterrupt):
        assert ends_badly
    else:
        assert not ends_badly
        np.testing.assert_allclose(measured, 2 * x, atol=tolerance)
    assert x.tobytes() == before
    assert x.flags.writeable


def test_x_stays_what_it_is_when_f_fails_half_way(verbs: Any) -> None:
    """A loop that perturbs in place and leaves when f raises brings x back as [-5.05e-6, 1e-6]."""
    x = np.array([1e-6, 1e-6])
    calls = iter(range(3))
    with pytest.raises(StopIteration):
        verbs.numerical_gradient(lambda point: float(next(calls)), x)
    assert x.tolist() == [1e-6, 1e-6]


def test_a_read_only_x_can_be_differentiated_at_and_f_may_write(verbs: Any) -> None:
    x = np.array([1.0, 2.0])
    x.flags.writeable = False

    def f(point: Any) -> Any:
        assert point.flags.writeable
        value = point @ point
        point *= 0
        return value

    np.testing.assert_allclose(verbs.numerical_gradient(f, x), [2.0, 4.0], atol=1e-6)
    assert not x.flags.writeable


def test_f_that_writes_into_the_callers_own_x_does_not_move_the_point(verbs: Any) -> None:
    """The point is taken when the verb is called: a later change of x, by f itself, changes no number."""
    x = np.array([1.0, 2.0, 3.0])

    def f(point: Any) -> Any:
        x[:] = -1.0
        return (point**2).sum()

    np.testing.assert_allclose(verbs.numerical_gradient(f, x), [2.0, 4.0, 6.0], atol=1e-6)


def test_steps_are_taken_when_the_verb_is_called(verbs: Any) -> None:
    eps = np.array([1e-5, 1e-4])

    def f(point: Any) -> Any:
        eps[:] = np.nan
        return (point**2).sum()

    np.testing.assert_allclose(verbs.numerical_gradient(f, [1.0, 2.0], eps), [2.0, 4.0], atol=1e-6)


def test_a_structured_callable_cannot_write_into_x() -> None:
    class Structured:
        def __call__(self, x: Any) -> float:
            return float(x.sum())

        def __fastgrad_gradient__(self, x: Any, h: Any, out: Any) -> int:
            x[...] = 0.0
            return 2

    x = np.ones(3)
    with pytest.raises(ValueError, match="read-only"):
        fg.numerical_gradient(Structured(), x)
    assert x.tolist() == [1.0, 1.0, 1.0]
    assert x.flags.writeable


@pytest.mark.parametrize("x", [[1.0, 2.0], (1, 2), [[1, 2], [3, 4]]], ids=repr)
def test_a_list_stays_what_it_is(verbs: Any, x: Any) -> None:
    before = repr(x)
    verbs.numerical_gradient(lambda point: point.sum(), x)
    assert repr(x) == before
