"""The compiled weight gradient kernels against the plain ones, to the bit."""

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastgrad._kernels import outer as compiled
from fastgrad.reference import outer as plain

Array = NDArray[Any]
TWINS = pytest.mark.parametrize("twin", [compiled, plain], ids=["compiled", "plain"])
SPECIAL = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-310, 1e300])


def draw(rng: np.random.Generator, n: int, dtype: type) -> Array:
    """Normal numbers among which some are zero, infinite, undefined, tiny or huge."""
    values = rng.standard_normal(n)
    special = rng.random(n) < 0.2
    values[special] = rng.choice(SPECIAL, special.sum())
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def at(offset: int, values: Array) -> Array:
    """Return a copy of values that starts `offset` entries behind a line of cache."""
    buffer = np.empty(values.size + 32, values.dtype)
    start = (-buffer.ctypes.data % 64) // values.itemsize + offset
    place = buffer[start : start + values.size].reshape(values.shape)
    place[...] = values
    return place


def bits(a: Array) -> bytes:
    """Return the bits of a, all undefined numbers alike."""
    return np.where(np.isnan(a), np.nan, a).tobytes()


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(0, 40),
    n=st.one_of(st.integers(0, 70), st.integers(4090, 4102)),
    dtype=st.sampled_from([np.float32, np.float64]),
    offset=st.integers(0, 15),
    accumulate=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_outer_has_the_same_bits(m: int, n: int, dtype: type, offset: int, accumulate: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, x, start = draw(rng, m, dtype), draw(rng, n, dtype), draw(rng, m * n, dtype).reshape(m, n)
    ours, theirs = at(offset, start), start.copy()
    compiled.outer(g, x, ours, accumulate)
    plain.outer(g, x, theirs, accumulate)
    assert bits(ours) == bits(theirs)


@settings(max_examples=60, deadline=None)
@given(
    m=st.integers(0, 40),
    n=st.integers(0, 70),
    dtype=st.sampled_from([np.float32, np.float64]),
    offset=st.integers(0, 15),
    seed=st.integers(0, 2**32 - 1),
)
def test_masked_outer_has_the_same_bits(m: int, n: int, dtype: type, offset: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, z, x = draw(rng, m, dtype), draw(rng, m, dtype), draw(rng, n, dtype)
    theirs: Array = np.full((m, n), 7, dtype)
    ours = at(offset, theirs)
    compiled.masked_outer(g, z, x, ours)
    plain.masked_outer(g, z, x, theirs)
    assert bits(ours) == bits(theirs)


@pytest.mark.parametrize(("dtype", "shape"), [(np.float64, (3300, 1003)), (np.float32, (6500, 1003))])
@pytest.mark.parametrize("offset", [0, 3])
def test_results_written_past_the_cache_have_the_same_bits(dtype: type, shape: tuple[int, int], offset: int) -> None:
    rng = np.random.default_rng(1)
    m, n = shape
    assert m * n * np.dtype(dtype).itemsize > 24 * 2**20
    g, z, x = draw(rng, m, dtype), draw(rng, m, dtype), draw(rng, n, dtype)
    theirs: Array = np.empty(shape, dtype)
    ours = at(offset, theirs)
    compiled.outer(g, x, ours, False)
    plain.outer(g, x, theirs, False)
    assert bits(ours) == bits(theirs)
    compiled.masked_outer(g, z, x, ours)
    plain.masked_outer(g, z, x, theirs)
    assert bits(ours) == bits(theirs)


@TWINS
def test_the_mask_is_that_of_the_textbook(twin: ModuleType) -> None:
    g = np.array([2.0, 2.0, 2.0, np.inf, -2.0])
    z = np.array([1.0, 0.0, np.nan, -1.0, -1.0])
    out = np.empty((5, 1))
    twin.masked_outer(g, z, np.ones(1), out)
    np.testing.assert_array_equal(out[:, 0], [2.0, 0.0, 0.0, np.nan, 0.0])
    assert np.signbit(out[4, 0])


@TWINS
@pytest.mark.parametrize(
    ("change", "value"),
    [
        ("g", np.ones(3)),
        ("g", np.ones(2, np.float32)),
        ("g", np.ones((2, 1))),
        ("g", np.ones(4)[::2]),
        ("x", np.ones(4)),
        ("x", np.ones(3, np.int64)),
        ("x", np.frombuffer(bytearray(25), np.uint8)[1:].view(np.float64)),
        ("out", np.ones((3, 2))),
        ("out", np.ones((3, 2)).T),
        ("out", np.ones((2, 3), np.float32)),
        ("out", np.ones((2, 3), np.complex128)),
        ("out", np.ones(6)),
        ("out", np.broadcast_to(np.ones(3), (2, 3))),
    ],
)
def test_arrays_that_do_not_fit_are_refused_and_nothing_is_written(twin: ModuleType, change: str, value: Array) -> None:
    arrays = {"g": np.ones(2), "x": np.ones(3), "out": np.full((2, 3), 7.0)}
    arrays[change] = value
    before = arrays["out"].copy()
    with pytest.raises(ValueError, match=r".+"):
        twin.outer(arrays["g"], arrays["x"], arrays["out"], False)
    with pytest.raises(ValueError, match=r".+"):
        twin.masked_outer(arrays["g"], arrays["g"], arrays["x"], arrays["out"])
    np.testing.assert_array_equal(arrays["out"], before)


@TWINS
def test_a_result_over_its_own_arguments_is_refused(twin: ModuleType) -> None:
    memory = np.arange(12.0)
    out = memory[3:9].reshape(2, 3)
    for g, x in ((memory[8:10], np.ones(3)), (memory[2:4], np.ones(3)), (np.ones(2), memory[6:9])):
        with pytest.raises(ValueError, match="out overlaps an input"):
            twin.outer(g, x, out, False)
    with pytest.raises(ValueError, match="out overlaps an input"):
        twin.masked_outer(np.ones(2), memory[8:10], np.ones(3), out)
    twin.outer(memory[1:3], memory[9:12], out, False)  # neighbours do not overlap
    np.testing.assert_array_equal(out, np.outer([1, 2], [9, 10, 11]))


@pytest.mark.parametrize("name", ["outer", "masked_outer"])
def test_the_signatures_are_the_same(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(twin, name)).parameters for twin in (compiled, plain))
    assert list(ours) == list(theirs)
