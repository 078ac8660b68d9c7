"""Section 5, line 9: memory is linear in what is asked for."""

import gc
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

import fastgrad as fg


def peak_of(call: Callable[[], Any]) -> int:
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_gradient_needs_x_a_few_times_and_never_two_copies_an_entry() -> None:
    x = np.ones(20_000)
    peak = peak_of(lambda: fg.numerical_gradient(lambda p: 1.0, x))
    assert 2 * x.nbytes <= peak < 4 * x.nbytes


def test_nor_does_it_where_f_keeps_or_writes() -> None:
    x = np.ones(20_000)  # beyond the sizes at which a few spares are held, to find memory that begins a line of cache
    last: list[Any] = [None]

    def keeps(p: Any) -> float:
        last[0] = p
        return 1.0

    def writes(p: Any) -> float:
        p[0] = 5.0
        return 1.0

    assert peak_of(lambda: fg.numerical_gradient(keeps, x)) < 8 * x.nbytes
    assert peak_of(lambda: fg.numerical_gradient(writes, x)) < 8 * x.nbytes


def test_a_dense_jacobian_is_the_only_array_of_its_size() -> None:
    x, y = np.ones(500), np.ones(1000)
    result = x.nbytes * y.size
    peak = peak_of(lambda: fg.numerical_jacobian(lambda p: y, x))
    assert result <= peak < 1.1 * result


def test_a_jacobian_of_one_column_needs_that_column_a_few_times() -> None:
    y = np.ones(100_000)
    assert peak_of(lambda: fg.numerical_jacobian(lambda p: y, np.ones(1))) < 4 * y.nbytes


def test_out_is_filled_in_place() -> None:
    x, y = np.ones(300), np.ones(1000)
    J = np.empty((1000, 300))
    assert peak_of(lambda: fg.numerical_jacobian(lambda p: y, x, out=J)) < 0.1 * J.nbytes
    assert not J.any()


def test_nothing_is_left_behind() -> None:
    x = np.ones(1000)

    def fails(p: Any) -> float:
        raise ValueError

    def run() -> None:
        for _ in range(5):
            fg.numerical_gradient(lambda p: p[0], x)
            fg.numerical_jacobian(lambda p: p[:3], x[:10])
            with suppress(ValueError):
                fg.numerical_gradient(fails, x)

    run()
    gc.collect()
    tracemalloc.start()
    try:
        run()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        run()
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - before < x.nbytes
    finally:
        tracemalloc.stop()
