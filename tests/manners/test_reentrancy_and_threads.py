"""Section 5, line 7: f may call fastgrad; several threads may differentiate one f at once."""

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


def test_f_may_differentiate(verbs: Any) -> None:
    """The Jacobian of a measured gradient is the Hessian."""
    A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, -1.0], [0.0, -1.0, 1.0]])
    inner = lambda x: 0.5 * x @ A @ x  # noqa: E731
    H = verbs.numerical_jacobian(lambda x: verbs.numerical_gradient(inner, x, 2.0**-8), np.ones(3), 2.0**-8)
    np.testing.assert_allclose(H, A, atol=1e-8)


def test_f_may_differentiate_itself_at_its_own_argument(verbs: Any) -> None:
    def f(x: Any, depth: int = 2) -> Any:
        if depth == 0:
            return (x**3).sum()
        return verbs.numerical_gradient(lambda p: f(p, depth - 1), x, 2.0**-6).sum()

    np.testing.assert_allclose(verbs.numerical_gradient(f, np.array([1.0, 2.0]), 2.0**-6), [6.0, 6.0], atol=1e-4)


@pytest.mark.parametrize("verb", ["numerical_gradient", "numerical_jacobian"])
def test_threads_get_the_bits_that_one_gets(verbs: Any, verb: str, rng: np.random.Generator) -> None:
    points = [rng.normal(size=(3, 4)) for _ in range(12)]

    def f(x: Any) -> Any:
        return np.float64(sum(v * v * v for v in x.reshape(-1).tolist()))

    alone = [getattr(verbs, verb)(f, x) for x in points]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: getattr(verbs, verb)(f, x), points))
    for one, other in zip(alone, together, strict=True):
        assert one.tobytes() == other.tobytes()


def test_two_calls_that_take_turns_do_not_meet(verbs: Any) -> None:
    """Each call of f waits for the other thread's: the two loops go hand in hand, in one function."""
    barrier = threading.Barrier(2, timeout=30)

    def f(x: Any) -> Any:
        barrier.wait()
        value = float((x**2).sum())
        barrier.wait()
        return value

    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(verbs.numerical_gradient, f, np.full(5, start)) for start in (1.0, -3.0)]
        np.testing.assert_allclose(jobs[0].result(), np.full(5, 2.0), atol=1e-6)
        np.testing.assert_allclose(jobs[1].result(), np.full(5, -6.0), atol=1e-6)


def test_a_thread_that_outlives_the_call_keeps_its_point(verbs: Any) -> None:
    """f hands its argument to a worker that reads it only when the whole gradient is there."""
    go, X = threading.Event(), np.array([1.0, 2.0])
    late: list[list[float]] = []
    workers: list[threading.Thread] = []

    def read_late(x: Any) -> None:
        go.wait(30)
        late.append(x.tolist())

    def f(x: Any) -> Any:
        workers.append(threading.Thread(target=read_late, args=(x,)))
        workers[-1].start()
        return x.sum()

    verbs.numerical_gradient(f, X, 0.5)
    go.set()
    for worker in workers:
        worker.join(30)
    assert sorted(late) == [[0.5, 2.0], [1.0, 1.5], [1.0, 2.5], [1.5, 2.0]]


def test_the_same_call_gives_the_same_bits(verbs: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 5))
    f: Callable[[Any], Any] = lambda p: np.exp(-p).sum()  # noqa: E731
    assert len({verbs.numerical_gradient(f, x).tobytes() for _ in range(5)}) == 1
    assert len({verbs.numerical_jacobian(np.exp, x).tobytes() for _ in range(5)}) == 1


def test_the_whole_package_runs_on_the_plain_twins(fresh_python: Callable[..., str]) -> None:
    code = """
import numpy as np, fastgrad as fg
from fastgrad import _backend
x = np.linspace(-1.0, 2.0, 7)
print(_backend.differences.__name__, fg.numerical_gradient(lambda p: np.sum(p**3), x).tobytes().hex(),
      fg.numerical_jacobian(np.sin, x, out=np.empty((7, 7))).tobytes().hex())
"""
    plain = fresh_python(code, FASTGRAD_BACKEND="reference").split()
    compiled = fresh_python(code, FASTGRAD_BACKEND="compiled").split()
    assert plain[0] == "fastgrad.reference.differences"
    assert compiled[0] == "fastgrad._kernels.differences"
    assert plain[1:] == compiled[1:]


def test_an_unknown_backend_is_refused_with_both_names(fresh_python: Callable[..., str]) -> None:
    with pytest.raises(AssertionError, match="must be 'compiled' or 'reference', got 'fast'"):
        fresh_python("import fastgrad", FASTGRAD_BACKEND="fast")


def test_verbs_of_one_class_serve_as_f() -> None:
    """f is anything callable: a bound method, a class, a partial, an instance, a ufunc, another verb."""
    from functools import partial

    class Model:
        def __init__(self, x: Any = None) -> None:
            self.value = 0.0 if x is None else float(x.sum())

        def loss(self, x: Any) -> Any:
            return x.sum()

        __call__ = loss

        def __float__(self) -> float:
            return self.value

        @staticmethod
        def static(x: Any) -> Any:
            return x.sum()

        @classmethod
        def of_class(cls, x: Any) -> Any:
            return x.sum()

    dot = partial(np.dot, np.ones(3))
    for f in (Model().loss, Model(), Model, Model.static, Model.of_class, dot, np.sum, np.ones(3).dot, np.add.reduce):
        np.testing.assert_allclose(fg.numerical_gradient(f, np.zeros(3)), np.ones(3), atol=1e-9)


@pytest.mark.parametrize("threads", [2, 8])
@pytest.mark.parametrize("shares_its_output", [False, True])
def test_many_threads_on_one_f_at_one_point(threads: int, shares_its_output: bool, rng: np.random.Generator) -> None:
    """All begin at once and switch as often as can be; f keeps its point, or writes into it."""
    x = rng.normal(size=24)
    kept: list[Any] = []
    barrier = threading.Barrier(threads, timeout=60)
    own = threading.local()

    def f(p: Any) -> Any:
        if p[0] > x[0]:
            kept.append(p)
        elif p[1] > x[1]:
            value = float((p * p).sum())
            p += 1.0
            return value
        if shares_its_output:
            own.out = getattr(own, "out", np.empty(1))
            own.out[0] = (p * p).sum()
            return own.out
        return (p * p).sum()

    def work(_: int) -> tuple[bytes, bytes, bytes]:
        barrier.wait()
        return (
            fg.numerical_gradient(f, x).tobytes(),
            fg.numerical_jacobian(lambda p: p[::-1] * p, x).tobytes(),
            fg.numerical_gradient(lambda stack: (stack * stack).sum(axis=1), x, vectorized=True).tobytes(),
        )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            found = list(pool.map(work, range(threads)))
    finally:
        sys.setswitchinterval(interval)
    barrier = threading.Barrier(1)
    assert set(found) == {work(0)}
    assert all(p[0] > x[0] and np.array_equal(p[1:], x[1:]) for p in kept)
