"""A function that claims may return what it or f uses again: its claim is what it was when it was made."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import fastgrad as fg

X = np.array([1.0, 2.0, 3.0])


class Model:
    """Forward and backward share one buffer, as those that allocate nothing do."""

    def __init__(self) -> None:
        self.buffer = np.zeros(3)
        self.matrix = np.zeros((3, 3))
        self.stored = sparse.csr_array(np.eye(3))

    def value(self, x: Any) -> float:
        self.buffer[:] = np.nan
        self.matrix[:] = np.nan
        self.stored.data[:] = np.nan
        return float(x @ x)

    def gradient(self, x: Any) -> Any:
        np.multiply(x, 2, out=self.buffer)
        return self.buffer

    def both(self, x: Any) -> Any:
        value, gradient = self.value(x), self.gradient(x)
        gradient += 1e3 * (x - X)
        return value, gradient

    def values(self, x: Any) -> Any:
        self.value(x)
        return x**2

    def dense(self, x: Any) -> Any:
        self.matrix[:] = np.diag(2 * x)
        return self.matrix

    def sparse(self, x: Any) -> Any:
        self.stored.data[:] = 2 * x
        return self.stored


class Foreign:
    """An array of another library, which shares memory with a buffer."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.array, dtype=dtype) if copy else self.array


@pytest.mark.parametrize("mode", ["full", "search", "sample"])
def test_a_gradient_in_a_buffer_that_f_overwrites(mode: str) -> None:
    m = Model()
    assert fg.gradient_check(m.value, m.gradient, X, mode=mode, rng=0).passed
    assert fg.gradient_check(m.value, lambda x: Foreign(m.gradient(x)), X, mode=mode, rng=0).passed
    assert fg.gradient_check(m.value, lambda x: list(m.gradient(x)), X, mode=mode, rng=0).passed


def test_a_gradient_that_comes_with_each_value() -> None:
    m = Model()
    assert fg.gradient_check(m.both, True, X).passed


def test_trees_of_buffers() -> None:
    m = Model()
    for claim in (lambda p: {"a": m.gradient(p["a"])}, lambda p: {"a": [m.gradient(p["a"])][0]}):
        assert fg.gradient_check(lambda p: m.value(p["a"]), claim, {"a": X}).passed


def test_matrices_in_buffers() -> None:
    m = Model()
    assert fg.jacobian_check(m.values, m.dense, X).passed
    assert fg.jacobian_check(m.values, m.sparse, X).passed
    assert fg.hessian_check(m.value, lambda x: m.dense(np.ones(3)), X).passed
