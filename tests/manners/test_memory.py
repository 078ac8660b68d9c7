"""Section 5, line 9: memory is linear in what is asked for."""

import gc
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
from scipy import sparse

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


def test_a_sparse_check_needs_its_entries_some_times_and_no_matrix() -> None:
    n = 20_000
    x = np.linspace(-1.0, 1.0, n)
    ones = np.ones(n - 1)

    def f(x: Any) -> Any:
        y = x**2
        y[1:] -= x[:-1]
        y[:-1] -= x[1:]
        return y

    right = sparse.diags_array([-ones, 2 * x, -ones], offsets=[-1, 0, 1], format="csr")
    forgot = sparse.diags_array([2 * x, -ones], offsets=[0, 1], format="csr")
    hessian = sparse.diags_array([-ones, 2 * x, -ones], offsets=[-1, 0, 1], format="csr")
    entries = 8 * right.nnz
    assert peak_of(lambda: fg.jacobian_check(f, right, x)) < 30 * entries
    assert peak_of(lambda: fg.jacobian_check(f, 2 * right, x)) < 100 * entries
    assert peak_of(lambda: fg.jacobian_check(f, forgot, x)) < 100 * entries
    assert peak_of(lambda: fg.hessian_check(None, hessian, x, grad=f)) < 30 * entries


def test_error_bars_of_a_sparse_jacobian_need_its_entries_some_times() -> None:
    n = 20_000
    pattern = fg.sparsity.banded(n)
    x = np.linspace(-1.0, 1.0, n)
    call = lambda: fg.numerical_jacobian(np.sin, x, sparsity=pattern, details=True)  # noqa: E731
    assert peak_of(call) < 100 * 8 * pattern.nnz
