"""The compiled moves of blocks against the plain ones."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad._kernels import masks as compiled
from fastgrad.reference import masks as plain

KEYS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from([np.float64, np.float32])


@st.composite
def moves(draw: Any) -> tuple[Any, ...]:
    n = draw(st.integers(1, 100) | st.integers(1000, 1100))
    r = np.random.default_rng(draw(st.integers(0, 10)))
    x = (r.standard_normal(n) * 10.0 ** r.integers(-3, 6, n)).astype(draw(DTYPES))
    lo = draw(st.integers(0, n))
    hi = draw(st.integers(lo, n))
    h = np.array([1e-5]) if draw(st.booleans()) else r.uniform(1e-6, 1e-4, n)
    origin, slope = (1.0, 0.0) if draw(st.booleans()) else (-1.0 + 1.0 / max(hi - lo, 1), 2.0 / max(hi - lo, 1))
    least = draw(st.sampled_from([0.0, 2.0**-40, 2.0**-14]))
    return x, h, least, draw(KEYS), lo, hi, origin, slope, draw(st.sampled_from([1.0, -1.0, 3.0]))


@given(moves())
def test_the_points_are_bit_for_bit_the_same(move: tuple[Any, ...]) -> None:
    found, expected = np.full_like(move[0], np.nan), np.full_like(move[0], np.nan)
    compiled.move(*(*move, found))
    plain.move(*(*move, expected))
    np.testing.assert_array_equal(found, expected)
    lo, hi = move[4], move[5]
    np.testing.assert_array_equal(found[:lo], move[0][:lo])
    np.testing.assert_array_equal(found[hi:], move[0][hi:])


@given(moves())
def test_the_differences_of_the_points_are_bit_for_bit_the_same(move: tuple[Any, ...]) -> None:
    *block, step = move
    x, lo, hi = move[0], move[4], move[5]
    sides = np.full_like(x, np.nan), np.full_like(x, np.nan)
    for side, sign in zip(sides, (1, -1), strict=True):
        compiled.move(*(*block, sign * step, side))
    expected = sides[0].astype(np.float64) - sides[1]
    assert not expected[:lo].any()
    assert not expected[hi:].any()
    for module in (compiled, plain):
        found = np.full(x.size, np.nan)
        module.apart(*(*move, found))
        np.testing.assert_array_equal(found, expected)


@given(moves(), DTYPES)
def test_the_projections_agree(move: tuple[Any, ...], dtype: Any) -> None:
    x = move[0]
    dtype = np.float64 if x.dtype == np.float64 else dtype
    v = np.random.default_rng(1).standard_normal(x.size).astype(dtype)
    found, expected = compiled.project(v, *(*move, None)), plain.project(v, *(*move, None))
    ours, theirs, moved = (np.full_like(x, np.nan) for _ in range(3))
    assert compiled.project(v, *(*move, ours)) == found
    assert plain.project(v, *(*move, theirs)) == expected
    plain.move(*(*move, moved))
    np.testing.assert_array_equal(ours, moved)
    np.testing.assert_array_equal(theirs, moved)
    size = float(np.sum(np.abs(x, dtype=np.float64))) * np.finfo(x.dtype).eps + 1e-4 * x.size
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * float(size))


@given(n=st.integers(0, 100) | st.integers(1000, 1100), dtype=DTYPES, seed=st.integers(0, 5))
def test_the_sizes_agree(n: int, dtype: Any, seed: int) -> None:
    v = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    found, expected = compiled.sizes(v), plain.sizes(v)
    assert found[0] == expected[0] == np.max(np.abs(v), initial=0.0)
    assert found[1] == pytest.approx(expected[1], rel=1e-12)


@pytest.mark.parametrize("module", [compiled, plain])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_shows_in_the_squares(module: Any, bad: float) -> None:
    for n in (1, 40):
        v = np.ones(n)
        v[n // 2] = bad
        assert not np.isfinite(module.sizes(v)[1])


def test_no_step_is_lost_beside_a_large_entry() -> None:
    x = np.array([1e12, 1.0])
    moved = np.empty(2)
    compiled.move(x, np.array([1e-9]), 2.0**-43, 7, 0, 2, 1.0, 0.0, 1.0, moved)
    assert 2.0**-45 < abs(moved[0] - x[0]) / 1e12 < 2.0**-42
    assert 4e-10 < abs(moved[1] - x[1]) < 1.1e-9


def test_a_position_is_written_into_the_step() -> None:
    x = np.zeros(50)
    flat, weighted = np.empty(50), np.empty(50)
    compiled.move(x, np.ones(1), 0.0, 3, 10, 30, 1.0, 0.0, 1.0, flat)
    compiled.move(x, np.ones(1), 0.0, 3, 10, 30, -0.95, 0.1, 1.0, weighted)
    np.testing.assert_allclose(weighted[10:30] / flat[10:30], np.linspace(-0.95, 0.95, 20))
