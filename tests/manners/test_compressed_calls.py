"""The manners of DESIGN's section 5 where many entries move at once: sparse Jacobians and plans."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import sparsity

N = 9
BAND = sparsity.banded(N)
X = np.linspace(0.5, 1.5, N)


def f(x: Any) -> Any:
    y = x * x
    y[1:] += 3 * x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


EXACT = np.diag(2 * X) + np.diag(np.full(N - 1, 3.0), -1) + np.diag(np.full(N - 1, -2.0), 1)


def whole(f: Any, x: Any, **how: Any) -> Any:
    return fg.numerical_jacobian(f, x, sparsity=BAND, **how).toarray()


def planned(f: Any, x: Any, **how: Any) -> Any:
    return fg.plan_jacobian(f, np.ones_like(x), sparsity=BAND, **how)(x).toarray()


def dense_plan(f: Any, x: Any, **how: Any) -> Any:
    return fg.plan_jacobian(f, np.ones_like(x), **how)(x)


WAYS = pytest.mark.parametrize("measure", [whole, planned, dense_plan])


@WAYS
@pytest.mark.parametrize("how", [{}, {"method": "forward"}, {"bounds": (np.where(np.arange(N) % 2, X, -9), 9.0)}])
def test_f_may_write_into_its_argument(measure: Callable[..., Any], how: dict[str, Any]) -> None:
    if "bounds" in how and measure is not whole:
        how = {"bounds": (0.0, 9.0)}

    def overwrites(x: Any) -> Any:
        y = f(x)
        x[...] = -1.0
        return y

    def now_and_then(x: Any) -> Any:
        y = f(x)
        calls.append(1)
        if len(calls) % 4 == 0:
            x[-1] = 7.0
        return y

    def reshapes(x: Any) -> Any:
        y = f(x)
        x.shape = (3, 3)
        return y

    def freezes(x: Any) -> Any:
        y = f(x)
        x.flags.writeable = False
        return y

    expected = measure(f, X, **how)
    np.testing.assert_allclose(expected, EXACT, atol=1e-7)
    for g in (overwrites, now_and_then, freezes):
        calls: list[int] = []
        before = X.tobytes()
        assert np.array_equal(measure(g, X, **how), expected), g.__name__
        assert X.tobytes() == before
    if np.lib.NumpyVersion(np.__version__) < "2.5.0":
        assert np.array_equal(measure(reshapes, X, **how), expected)


@WAYS
def test_f_may_keep_its_argument_and_return_it_or_one_and_the_same_output(measure: Callable[..., Any]) -> None:
    kept = []

    def keeps(x: Any) -> Any:
        kept.append((x, x.copy()))
        return f(x)

    assert np.array_equal(measure(keeps, X), measure(f, X))
    assert len(kept) >= 6
    assert all(np.array_equal(a, b) for a, b in kept)
    out = np.empty(N)

    def fills(x: Any) -> Any:
        out[...] = f(x)
        return out

    assert np.array_equal(measure(fills, X), measure(f, X))
    for returned in (lambda x: x, lambda x: x[::-1][::-1], lambda x: x.reshape(3, 3)):
        assert np.array_equal(measure(returned, X).reshape(N, N).round(6), np.eye(N))


@WAYS
def test_what_f_raises_arrives_with_a_note_and_all_is_well_afterwards(measure: Callable[..., Any]) -> None:
    class OddError(Exception):
        pass

    def fails(x: Any) -> Any:
        if x[4] > X[4]:
            raise OddError("above")
        return f(x)

    with pytest.raises(OddError, match="above") as caught:
        measure(fails, X)
    assert "x[4]" in caught.value.__notes__[0]
    assert "plus" in caught.value.__notes__[0]

    def interrupted(x: Any) -> Any:
        if x[4] > X[4]:
            raise KeyboardInterrupt
        return f(x)

    with pytest.raises(KeyboardInterrupt):
        measure(interrupted, X)


def test_a_plan_outlives_exceptions_writers_and_keepers() -> None:
    mood = "good"
    kept = []

    def moody(x: Any) -> Any:
        y = f(x)
        if mood == "raises":
            raise ValueError("no")
        if mood == "writes":
            x[:] = 0
        if mood == "keeps":
            kept.append((x, x.copy()))
        if mood == "freezes":
            x.flags.writeable = False
        return y

    plan = fg.plan_jacobian(moody, X, sparsity=BAND)
    expected = plan(X).toarray()
    for mood in ("raises", "good", "writes", "good", "keeps", "good", "freezes", "good"):
        if mood == "raises":
            with pytest.raises(ValueError, match="no"):
                plan(X)
        else:
            assert np.array_equal(plan(X).toarray(), expected), mood
    assert all(np.array_equal(a, b) for a, b in kept)


def test_f_may_call_the_plan_and_threads_may_share_it() -> None:
    depth = 0

    def nested(x: Any) -> Any:
        nonlocal depth
        if depth == 0:
            depth = 1
            assert np.array_equal(plan(2 * X).toarray(), other)
            depth = 0
        return f(x)

    other = fg.numerical_jacobian(f, 2 * X, sparsity=BAND).toarray()
    plan = fg.plan_jacobian(nested, X, sparsity=BAND)
    assert np.array_equal(plan(X).toarray(), fg.numerical_jacobian(f, X, sparsity=BAND).toarray())

    shared = fg.plan_jacobian(f, X, sparsity=BAND)
    wrong: list[int] = []

    def work(scale: float) -> None:
        expected = fg.numerical_jacobian(f, scale * X, sparsity=BAND).toarray()
        wrong.extend(k for k in range(40) if not np.array_equal(shared(scale * X).toarray(), expected))

    threads = [threading.Thread(target=work, args=(1.0 + k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@WAYS
def test_values_of_wrong_or_changing_shape_are_named(measure: Callable[..., Any]) -> None:
    calls = 0

    def changes(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return f(x) if calls < 4 else f(x)[:-1]

    with pytest.raises(fg.ShapeError, match=r"arrays of one shape: it returned \(9,\) at first and \(8,\)"):
        measure(changes, X)
    with pytest.raises(TypeError, match="must return real numbers"):
        measure(lambda x: None, X)
    with pytest.raises(TypeError, match="must return real numbers"):
        measure(lambda x: x * 1j, X)


@WAYS
def test_values_of_other_kinds_are_read(measure: Callable[..., Any]) -> None:
    expected = measure(f, X)
    assert np.array_equal(measure(lambda x: f(x).tolist(), X), expected)
    assert np.array_equal(measure(lambda x: f(x).astype(">f8"), X), expected)
    assert np.array_equal(measure(lambda x: np.repeat(f(x), 2)[::2], X), expected)
    read_only = X.copy()
    read_only.flags.writeable = False
    assert np.array_equal(measure(f, read_only), expected)
    assert np.array_equal(measure(f, np.repeat(X, 2)[::2]), expected)
