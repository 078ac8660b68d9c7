"""Section 5 for stacks: x untouched, what f does to a stack, exceptions, threads, and both twins."""

import copy
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _stacks
from fastgrad._kernels import stacks as compiled
from fastgrad._point import as_point
from fastgrad._stack_reading import StackReader
from fastgrad._stencils.scheme import planned
from fastgrad.reference import stacks as plain


@pytest.fixture(params=[compiled, plain], ids=["compiled", "reference"], autouse=True)
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("fastgrad._backend.stacks", request.param, raising=False)
    return request.param


@pytest.fixture(params=[1, 120, 1 << 19], ids=["an entry a call", "some", "all"], autouse=True)
def cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(_stacks, "CACHE", request.param)
    return request.param


X = np.array([1.0, -2.0, 0.0, 3.0, 0.5, 7.0])


def total(stack: Any) -> Any:
    return (stack**2).sum(axis=1)


EXPECTED = fg.numerical_gradient(total, X, vectorized=True)


def writes_all(stack: Any) -> Any:
    y = total(stack)
    stack += 1.0
    return y


def writes_moved(stack: Any) -> Any:
    y = total(stack)
    stack[:, 0] = 5.0
    return y


def writes_late(calls: list[int]) -> Any:
    def f(stack: Any) -> Any:
        calls.append(1)
        y = total(stack)
        if len(calls) == 3:
            stack[0, 5] = 99.0
        return y

    return f


def reshapes(stack: Any) -> Any:
    y = total(stack)
    stack.shape = (stack.size,)
    return y


def sorts(stack: Any) -> Any:
    y = total(stack)
    stack.sort(axis=1)
    return y


@pytest.mark.parametrize("f", [writes_all, writes_moved, sorts])
def test_f_may_write_into_the_stack(f: Any) -> None:
    before = X.tobytes()
    assert fg.numerical_gradient(f, X, vectorized=True).tobytes() == EXPECTED.tobytes()
    assert X.tobytes() == before


def test_f_may_write_once_and_where_nobody_looks() -> None:
    assert fg.numerical_gradient(writes_late([]), X, vectorized=True).tobytes() == EXPECTED.tobytes()


@pytest.mark.filterwarnings("ignore:Setting the shape:DeprecationWarning")
def test_f_may_change_the_stacks_shape() -> None:
    assert fg.numerical_gradient(reshapes, X, vectorized=True).tobytes() == EXPECTED.tobytes()


def test_f_may_keep_the_stack_or_a_view() -> None:
    kept: list[Any] = []
    copies: list[Any] = []

    def f(stack: Any) -> Any:
        kept.append(stack[:, 1:] if len(kept) % 2 else stack)
        copies.append(kept[-1].copy())
        return total(stack)

    assert fg.numerical_gradient(f, X, vectorized=True).tobytes() == EXPECTED.tobytes()
    assert all(np.array_equal(a, b) for a, b in zip(kept, copies, strict=True))


def test_f_may_return_a_view_of_the_stack_or_one_array_each_time() -> None:
    out = np.empty(64)

    def f(stack: Any) -> Any:
        np.sum(stack**2, axis=1, out=out[: len(stack)])
        return out[: len(stack)]

    assert fg.numerical_gradient(f, X, vectorized=True).tobytes() == EXPECTED.tobytes()
    np.testing.assert_allclose(fg.numerical_gradient(lambda s: s[:, 3], X, vectorized=True), np.eye(6)[3], atol=1e-9)
    np.testing.assert_allclose(fg.numerical_jacobian(lambda s: s, X, vectorized=True), np.eye(6), atol=1e-9)
    np.testing.assert_allclose(
        fg.numerical_jacobian(lambda s: s[:, ::-1], X, method="forward", vectorized=True), np.eye(6)[::-1], atol=1e-9
    )


def test_f_sees_an_array_of_its_own_in_the_working_dtype() -> None:
    seen = []

    def f(stack: Any) -> Any:
        seen.append((type(stack), stack.dtype, stack.shape[1:], stack.flags.c_contiguous, stack.flags.writeable))
        return stack.sum(axis=(1, 2))

    fg.numerical_gradient(f, np.ones((2, 3), np.float32, order="F")[::-1], vectorized=True)
    assert set(seen) == {(np.ndarray, np.dtype(np.float32), (2, 3), True, True)}


def test_an_exception_after_a_write_is_that_of_fresh_stacks() -> None:
    """What f wrote in an earlier call may be the reason for its error: it is called again as if it had not."""

    def f(stack: Any) -> Any:
        if stack.max() > 50:
            raise ValueError("out of range")
        y = total(stack)
        stack[:, 5] += 40.0
        return y

    assert fg.numerical_gradient(f, X, vectorized=True).tobytes() == EXPECTED.tobytes()


def test_x_is_intact_after_an_exception() -> None:
    x = X.copy()

    def f(stack: Any) -> Any:
        stack *= 3
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fg.numerical_gradient(f, x, vectorized=True)
    assert x.tobytes() == X.tobytes()


def test_threads_and_nested_calls() -> None:
    def f(stack: Any) -> Any:
        return np.array([fg.numerical_gradient(total, p, 2.0**-8, vectorized=True).sum() for p in stack])

    alone = fg.numerical_gradient(f, X, 2.0**-8, vectorized=True)
    np.testing.assert_allclose(alone, np.full(6, 2.0), atol=1e-6)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: fg.numerical_gradient(f, X, 2.0**-8, vectorized=True), range(8)):
            assert found.tobytes() == alone.tobytes()


@pytest.mark.parametrize("options", [{}, {"order": 6}, {"method": "forward", "order": 2}, {"bounds": (X, np.inf)}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_twins_make_the_same_calls_and_bits(options: dict[str, Any], dtype: Any, cache: int) -> None:
    point = as_point(X.astype(dtype))
    plan = planned(point, None, options.get("method"), options.get("order"), copy.copy(options.get("bounds")))
    outcomes = []
    for module in (compiled, plain):
        seen: list[Any] = []

        def f(stack: Any, seen: list[Any] = seen) -> Any:
            seen.append((stack.shape, stack.dtype, stack.tobytes()))
            return np.exp(stack[:, :3])

        rows = max(1, cache // point.array.nbytes)
        made: list[Any] = []
        J = module.jacobian(
            f, point.array, plan.h, *plan.tables, rows, 40, lambda shape: np.empty((*shape, 6), dtype),
            StackReader(point.name),
        )  # fmt: skip
        out = np.empty(6, dtype)
        calls = module.gradient(
            lambda s: f(s).sum(axis=1), point.array, plan.h, *plan.tables, rows, out, StackReader(point.name)
        )
        made += [J.tobytes(), out.tobytes(), calls]
        outcomes.append((seen, made))
    assert outcomes[0] == outcomes[1]
