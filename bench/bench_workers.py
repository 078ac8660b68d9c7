"""Gradients of expensive callables on two workers, over half of the time that the calls take by themselves."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most
from fastgrad._typing import Array

TITLE = "Expensive callables on two workers"
_N = 40
_SECONDS = 0.01


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for an f that waits, which shows the overhead, and for one that computes."""
    x = np.random.default_rng(1).standard_normal(_N)
    with ThreadPoolExecutor(2) as threads:
        yield _row("f waits 10 ms, processes", _waits, x, 2, effort, at_most(1.05))
        yield _row("f waits 10 ms, threads", _waits, x, threads, effort, at_most(1.05))
    yield _row("f computes 10 ms, processes", _computing(), x, 2, effort, None)


def _waits(x: Array) -> Any:
    time.sleep(_SECONDS)
    return x @ x


def _computing() -> Callable[[Array], Any]:
    """Return a function of pure Python that takes about as long on this machine."""

    def work(x: Array, count: int) -> float:
        total = float(x @ x)
        for k in range(count):
            total += k % 7
        return total

    start = time.perf_counter()
    work(np.ones(_N), 10**6)
    count = int(10**6 * _SECONDS / (time.perf_counter() - start))
    return lambda x: work(x, count)


def _row(name: str, f: Callable[[Array], Any], x: Array, workers: Any, effort: Effort, ceiling: Any) -> Row:
    if not np.array_equal(fg.numerical_gradient(f, x, workers=workers), fg.numerical_gradient(f, x)):
        raise AssertionError(f"{name}: the gradient is not that of one worker.")
    times = interleave(
        {
            "half": lambda: [f(x) for _ in range(_N)],
            "split": lambda: _split(f, x),
            "workers": lambda: fg.numerical_gradient(f, x, workers=workers),
        },
        effort,
    )
    return Row(
        f"{name}, n = {_N}",
        times.best("workers"),
        [
            Figure("over half of the calls", times.ratio("workers", "half"), ceiling),
            Figure("over two processes with half of the calls each", times.ratio("workers", "split")),
        ],
    )


def _split(f: Callable[[Array], Any], x: Array) -> None:
    """Let two processes make half of the calls each, with nothing else to do: two cores may be less than twice one."""
    from joblib import Parallel, delayed

    Parallel(n_jobs=2)(delayed(_calls)(f, x, _N) for _ in range(2))


def _calls(f: Callable[[Array], Any], x: Array, count: int) -> None:
    for _ in range(count):
        f(x)
