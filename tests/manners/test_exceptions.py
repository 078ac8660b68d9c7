"""Section 5, line 7: f's own exception arrives unchanged, with a note of the entry and the sign."""

import dataclasses
import signal
import sys
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([[1.0, 2.0], [3.0, 4.0]])
VERBS = ["numerical_gradient", "numerical_jacobian"]


class OwnError(Exception):
    """An exception of f's own library, with state."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}")
        self.code = code


ERRORS: list[BaseException] = [OwnError(3), KeyboardInterrupt(), SystemExit(2), StopIteration(1), GeneratorExit()]
CALLS = {0: "x[0, 0] plus", 1: "x[0, 0] minus", 6: "x[1, 1] plus", 7: "x[1, 1] minus"}


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("call", sorted(CALLS))
def test_it_arrives_as_the_same_object_with_a_note(verbs: Any, verb: str, error: Any, call: int) -> None:
    calls = iter(range(99))
    error.__notes__ = []

    def f(x: Any) -> float:
        if next(calls) == call:
            raise error
        return 1.0

    before = error.args
    with pytest.raises(type(error)) as caught:
        getattr(verbs, verb)(f, X)
    assert caught.value is error
    assert error.args == before
    assert error.__cause__ is None
    assert error.__notes__ == [f"fastgrad: f raised this when called at {CALLS[call]} its step."]
    assert next(calls) == call + 1


@dataclasses.dataclass(frozen=True)
class Frozen(Exception):  # noqa: N818 - it is an exception by what it does
    code: int = 1


class Deaf(Exception):  # noqa: N818
    def add_note(self, note: str) -> None:
        raise RuntimeError("takes no notes")


@pytest.mark.parametrize("error", [Frozen(), Deaf()], ids=repr)
@pytest.mark.parametrize("verb", VERBS)
def test_an_exception_that_takes_no_notes_arrives_all_the_same(verbs: Any, verb: str, error: Exception) -> None:
    def f(x: Any) -> float:
        raise error

    for x in (X, np.ones(0)):
        if x.size or verb == "numerical_jacobian":
            with pytest.raises(type(error)) as caught:
                getattr(verbs, verb)(f, x)
            assert caught.value is error


def test_at_an_empty_x_the_note_says_x_itself(verbs: Any) -> None:
    def f(x: Any) -> float:
        raise OwnError(1)

    with pytest.raises(OwnError) as caught:
        verbs.numerical_jacobian(f, np.ones((0, 2)))
    assert caught.value.__notes__ == ["fastgrad: f raised this when called at x itself."]


def test_nested_calls_leave_a_note_each(verbs: Any) -> None:
    def f(x: Any) -> float:
        raise OwnError(1)

    with pytest.raises(OwnError) as caught:
        verbs.numerical_gradient(lambda x: verbs.numerical_gradient(f, x[0]).sum(), X)
    places = [note.split(" at ")[1] for note in caught.value.__notes__]
    assert places == ["x[0] plus its step.", "x[0, 0] plus its step."]


def test_the_traceback_still_leads_into_f(verbs: Any) -> None:
    def f_of_mine(x: Any) -> float:
        raise OwnError(1)

    with pytest.raises(OwnError) as caught:
        verbs.numerical_gradient(f_of_mine, X)
    assert caught.traceback[-1].name == "f_of_mine"


def test_no_note_where_f_did_not_raise(verbs: Any) -> None:
    with pytest.raises(TypeError) as caught:
        verbs.numerical_gradient(lambda x: None, X)
    assert not hasattr(caught.value, "__notes__")


def test_an_exception_that_f_swallows_changes_nothing(verbs: Any) -> None:
    def f(x: Any) -> Any:
        try:
            raise OwnError(1)
        except OwnError:
            return x.sum()

    np.testing.assert_allclose(verbs.numerical_gradient(f, X), np.ones((2, 2)), atol=1e-8)


def test_an_exception_of_a_value_names_the_entry(verbs: Any) -> None:
    """A number that fails when it is read as one is a value that is no number."""

    class Failing:
        def __float__(self) -> float:
            raise ValueError("not known yet")

    with pytest.raises(TypeError, match=r"at x\[0, 0\] plus its step") as caught:
        verbs.numerical_gradient(lambda x: Failing(), X)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("verb", VERBS)
def test_a_signal_raised_inside_f_stops_the_call(verbs: Any, verb: str) -> None:
    x, calls = X.copy(), []

    def f(point: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return point.sum()

    with pytest.raises(KeyboardInterrupt):
        getattr(verbs, verb)(f, x)
    assert len(calls) <= 4
    assert x.tobytes() == X.tobytes()


@pytest.mark.skipif(sys.platform == "win32", reason="an interval timer is a POSIX thing")
def test_ctrl_c_stops_a_loop_over_an_f_that_is_all_c(verbs: Any) -> None:
    """f is a bound method of an array, so no bytecode runs between the calls in which a signal would be seen."""
    n = 200_000
    weights, x = np.ones(n), np.zeros(n)
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        with pytest.raises(KeyboardInterrupt):
            verbs.numerical_gradient(weights.dot, x)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert not x.any()


def test_an_interrupt_is_never_taken_for_a_reason_to_begin_again(verbs: Any) -> None:
    """f wrote into its argument, so its other failures are asked for again on fresh copies; this one is not."""
    calls: list[int] = []

    def f(x: Any) -> float:
        calls.append(1)
        if len(calls) == 4:
            x[1, 1] = 77.0
            raise KeyboardInterrupt
        return 1.0

    with pytest.raises(KeyboardInterrupt):
        verbs.numerical_gradient(f, X)
    assert len(calls) == 4


class Proxy:
    """A callable that stands for something elsewhere, which it asks for whatever it has not itself."""

    def __call__(self, x: Any) -> Any:
        return np.sum(x**2)

    def __getattr__(self, name: str) -> Any:
        raise ConnectionError(f"{name}: nobody answers")


def test_nothing_is_asked_of_an_f_but_values() -> None:
    x = np.array([1.0, -2.0])
    assert fg.numerical_gradient(Proxy(), x).round(6).tolist() == [2.0, -4.0]
    assert fg.numerical_jacobian(Proxy(), x).round(6).tolist() == [2.0, -4.0]
    assert fg.gradient_check(Proxy(), 2 * x, x)
