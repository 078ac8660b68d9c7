"""The compiled loop of a layer against the plain one."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastgrad._kernels import linear as compiled
from fastgrad.reference import linear as plain

Array = NDArray[Any]

#: Bytes of a result that is written around the caches.
LARGE = 1 << 30


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(0, 5),
    n=st.one_of(st.integers(0, 40), st.integers(90, 110), st.integers(1020, 1040), st.integers(4090, 4115)),
    dtype=st.sampled_from([np.float32, np.float64]),
    exact=st.booleans(),
    curved=st.booleans(),
    offset=st.integers(0, 15),
    nbytes=st.sampled_from([0, LARGE]),
    seed=st.integers(0, 2**32 - 1),
)
def test_layers_agree(
    m: int, n: int, dtype: type, exact: bool, curved: bool, offset: int, nbytes: int, seed: int
) -> None:
    """With whole numbers the products are exact, and what is left has the same bits."""
    rng = np.random.default_rng(seed)
    W: Array = rng.integers(-8, 9, (m, n)).astype(dtype)
    x, shift, c = (rng.integers(-8, 9, k).astype(np.float64) for k in (n, m, m))
    q, h = rng.random(m) * curved, np.array([2.0**-10 if exact else 1e-3])
    theirs: Array = np.empty((m, n), dtype)
    plain.layer_differences(W, x, shift, c, q, h, nbytes, theirs)
    ours, moved = elsewhere(theirs, offset), elsewhere(W, (3 * offset) % 16)
    moved[...] = W
    compiled.layer_differences(moved, x, shift, c, q, h, nbytes, ours)
    np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from([(1, 0), (0, 1), (1, 1), (0, 0)]), min_size=1, max_size=12),
    n=st.integers(500, 530) | st.integers(760, 790),
    dtype=st.sampled_from([np.float32, np.float64]),
    nbytes=st.sampled_from([0, LARGE]),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_of_all_kinds_may_follow_each_other(
    kinds: list[tuple[int, int]], n: int, dtype: type, nbytes: int, seed: int
) -> None:
    """A row is read while the one before is written, and the next one has begun: whatever the loss does with each."""
    rng, m = np.random.default_rng(seed), len(kinds)
    W: Array = rng.integers(-8, 9, (m, n)).astype(dtype)
    x, shift = rng.integers(-8, 9, n).astype(np.float64), rng.integers(-8, 9, m).astype(np.float64)
    c, q = np.array(kinds, float).T * rng.integers(1, 9, (2, m))
    ours: Array = np.empty((m, n), dtype)
    theirs: Array = np.empty((m, n), dtype)
    h = np.array([2.0**-10])
    compiled.layer_differences(W, x, shift, c, q, h, nbytes, ours)
    plain.layer_differences(W, x, shift, c, q, h, nbytes, theirs)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n", [1, 7, 8, 13, 21, 1029])
def test_the_last_entries_of_a_line_are_formed_as_the_others(n: int) -> None:
    """There is no square in it, that could overflow."""
    out = np.full((3, n), np.nan)
    shift, ones, zeros = np.full(3, 1e308), np.ones(3), np.zeros(3)
    compiled.layer_differences(np.zeros((3, n)), np.ones(n), shift, ones, zeros, np.array([2.0**-10]), 0, out)
    np.testing.assert_array_equal(out, np.zeros((3, n)))


def elsewhere(a: Array, offset: int) -> Array:
    """Return an array like a that starts `offset` entries behind a line of cache."""
    buffer: Array = np.full(a.size + 32, np.nan, a.dtype)
    start = (-buffer.ctypes.data % 64) // a.itemsize + offset
    return buffer[start : start + a.size].reshape(a.shape)


def test_the_bits_of_a_layer_do_not_depend_on_where_it_lies() -> None:
    rng = np.random.default_rng(2)
    W, x, zeros, h = rng.standard_normal((3, 77)), rng.standard_normal(77), np.zeros(3), np.array([2.0**-10])
    results = []
    for offset in range(16):
        moved, out = elsewhere(W, offset), np.empty((3, 77))
        moved[...] = W
        compiled.layer_differences(moved, x, zeros, zeros, np.ones(3), h, LARGE * (offset % 2), out)
        results.append(out)
    for out in results[1:]:
        np.testing.assert_array_equal(out, results[0])
    plain.layer_differences(W, x, zeros, zeros, np.ones(3), h, 0, out)
    np.testing.assert_allclose(results[0], out, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["x", "shift", "c", "q", "h", "out"])
def test_shapes_of_a_layer_are_looked_at(name: str) -> None:
    arguments: dict[str, Any] = {
        "W": np.ones((2, 3)),
        "x": np.ones(3),
        "shift": np.ones(2),
        "c": np.ones(2),
        "q": np.ones(2),
    }
    arguments.update(q=np.ones(2), h=np.ones(1), nbytes=0, out=np.ones((2, 3)))
    arguments[name] = np.concatenate([arguments[name]] * 2)
    with pytest.raises(ValueError, match="do not fit"):
        compiled.layer_differences(**arguments)


@pytest.mark.parametrize("name", plain.__all__)
def test_signatures_are_the_same(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(twin, name)) for twin in (compiled, plain))
    assert list(ours.parameters) == list(theirs.parameters)
