"""Both twins tell the reader how far they are at the entries that it asked for, and at no others."""

from collections.abc import Callable
from itertools import accumulate
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad._kernels import differences as compiled
from fastgrad._reading import Reader
from fastgrad.reference import differences as plain

N = 12


def well_behaved(x: Any) -> float:
    return float(x @ x)


def written_into(x: Any) -> float:
    """Bring the compiled loop to begin anew, with a copy a call."""
    value = float(x @ x)
    x[-1] = 7.0
    return value


def asked_at(module: ModuleType, f: Callable[[Any], Any], strides: list[int]) -> list[int]:
    asked: list[int] = []

    def pace(done: int) -> int:
        asked.append(done)
        return done + strides[len(asked) % len(strides)]

    scheme = module.Scheme(np.array([[1, -1]]), np.array([[1.0, -1.0]]), np.array([2.0]), np.zeros(1, np.uint8))
    out = np.empty(N)
    module.gradient(f, np.linspace(0.0, 1.0, N), np.array([1e-5]), scheme, out, Reader(str, pace))
    assert np.allclose(out, 2 * np.linspace(0.0, 1.0, N))
    return asked


@given(strides=st.lists(st.integers(1, 2 * N), min_size=1, max_size=N))
def test_twins_ask_at_the_same_entries(strides: list[int]) -> None:
    asked = asked_at(compiled, well_behaved, strides)
    steps = [strides[k % len(strides)] for k in range(1, N + 1)]
    assert asked == [k for k in accumulate(steps, initial=0) if k < N]
    assert asked_at(plain, well_behaved, strides) == asked


def test_a_loop_that_begins_anew_asks_anew() -> None:
    assert asked_at(plain, written_into, [5]) == [0, 5, 10]
    assert asked_at(compiled, written_into, [5])[-3:] == [0, 5, 10]


@pytest.mark.parametrize("answer", [0, -1])
def test_an_answer_that_lies_behind_is_an_end(answer: int) -> None:
    for module in (compiled, plain):
        assert asked_at(module, well_behaved, [answer - N]) == [0]


def test_jacobians_ask_too() -> None:
    for module in (compiled, plain):
        asked: list[int] = []

        def pace(done: int, asked: list[int] = asked) -> int:
            asked.append(done)
            return done + 4

        scheme = module.Scheme(np.array([[1, -1]]), np.array([[1.0, -1.0]]), np.array([2.0]), np.zeros(1, np.uint8))
        reader = Reader(str, pace)
        module.jacobian(lambda x: x, np.ones(N), np.array([1e-5]), scheme, lambda shape: np.empty((*shape, N)), reader)
        assert asked == [0, 4, 8]
