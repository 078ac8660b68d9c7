"""The compiled random directions against the plain ones."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad._kernels import projection as compiled
from fastgrad.reference import projection as plain

KEYS = st.integers(0, 2**32 - 1)
SIZES = st.integers(0, 100) | st.integers(1000, 1100)
STEPS = st.sampled_from([1e-5, 2.0**-17, -(2.0**-8), 0.1, 1e3])


@given(n=SIZES, start=st.integers(0, 2000), key=KEYS, h=STEPS, seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_points_are_bit_for_bit_the_same(n: int, start: int, key: int, h: float, seed: int, dtype: Any) -> None:
    x = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    found, expected = np.empty_like(x), np.empty_like(x)
    compiled.move(x, start, key, h, found)
    plain.move(x, start, key, h, expected)
    np.testing.assert_array_equal(found, expected)


@given(n=SIZES, key=KEYS, h=STEPS.map(abs), seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_projections_agree(n: int, key: int, h: float, seed: int, dtype: Any) -> None:
    v, x = np.random.default_rng(seed).standard_normal((2, n)).astype(dtype)
    expected = plain.project(v, x, key, h)
    assert compiled.project(v, x, key, h) == pytest.approx(expected, rel=1e-12, abs=1e-11 * max(n, 1))


@given(n=SIZES, start=st.integers(0, 2000), key=KEYS, other=KEYS, seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_inner_products_agree(n: int, start: int, key: int, other: int, seed: int, dtype: Any) -> None:
    v = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    found, expected = compiled.inner(v, start, key, other), plain.inner(v, start, key, other)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * max(n, 1))


@given(n=SIZES, cut=st.integers(0, 1100), key=KEYS, seed=st.integers(0, 10))
def test_points_are_the_same_in_parts(n: int, cut: int, key: int, seed: int) -> None:
    x = np.random.default_rng(seed).standard_normal(n)
    whole, parts = np.empty_like(x), np.empty_like(x)
    compiled.move(x, 0, key, 0.1, whole)
    for part, start in ((slice(0, cut), 0), (slice(cut, n), cut)):
        compiled.move(x[part], start, key, 0.1, parts[part])
    assert parts.tobytes() == whole.tobytes()


@given(n=SIZES, cut=st.integers(0, 1100), key=KEYS, seed=st.integers(0, 10))
def test_inner_products_are_those_of_the_points_and_add_up(n: int, cut: int, key: int, seed: int) -> None:
    v, zero = np.random.default_rng(seed).standard_normal(n), np.zeros(n)
    whole = compiled.inner(v, 0, key, key ^ 1)
    of_points = plain.project(v, zero, key, 1.0), plain.project(v, zero, key ^ 1, 1.0)
    assert whole == pytest.approx(of_points, abs=1e-10)
    parts = np.add(compiled.inner(v[:cut], 0, key, key ^ 1), compiled.inner(v[cut:], cut, key, key ^ 1))
    assert parts == pytest.approx(whole, abs=1e-10)


@pytest.mark.parametrize("key", [0, 1, 7, 2**32 - 1])
def test_a_direction_has_the_magnitudes_and_signs_that_are_documented(key: int) -> None:
    x = np.zeros(100_000)
    a = np.empty_like(x)
    compiled.move(x, 0, key, 1.0, a)
    assert set(np.unique(np.abs(a) * 512)) <= set(range(256, 512))
    assert len(np.unique(np.abs(a))) > 240
    assert abs(np.mean(np.sign(a))) < 0.02
    assert abs(np.mean(np.abs(a)) - 0.75) < 0.02
    assert np.abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 0.1


@pytest.mark.parametrize("period", [1, 2, 64, 512, 1000, 1024])
def test_errors_that_repeat_do_not_cancel(period: int) -> None:
    """Runs have signs and places of their own: what is wrong alike in every row of any width shows."""
    v = np.zeros((2000, period))
    v[:, 0] = 1.0
    for found in compiled.inner(v.reshape(-1), 0, 0x5BD1E994, 0x5BD1E995):
        assert abs(found) > 1.0


@pytest.mark.parametrize("keys", [(1, 2), (2, 3), (0, 1), (2**32 - 2, 2**32 - 1)])
def test_another_key_is_another_direction(keys: tuple[int, int]) -> None:
    x = np.zeros(10_000)
    a, b = np.empty_like(x), np.empty_like(x)
    compiled.move(x, 0, keys[0], 1.0, a)
    compiled.move(x, 0, keys[1], 1.0, b)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05
    assert abs(np.corrcoef(np.abs(a), np.abs(b))[0, 1]) < 0.05
    assert abs(np.corrcoef(np.sign(a), np.sign(b))[0, 1]) < 0.05


def test_a_projection_takes_the_steps_as_rounded() -> None:
    x, v = np.array([1e10, 1.0]), np.array([1.0, 0.0])
    plus, minus = np.empty_like(x), np.empty_like(x)
    compiled.move(x, 0, 5, 1e-5, plus)
    compiled.move(x, 0, 5, -1e-5, minus)
    assert compiled.project(v, x, 5, 1e-5) == (plus[0] - minus[0]) / 2e-5


@given(
    m=st.integers(0, 5), n=st.integers(0, 40) | st.sampled_from([511, 512, 1100]), start=st.integers(0, 2000), key=KEYS
)
@pytest.mark.parametrize("onward", [True, False])
def test_products_are_those_of_the_moved_points(m: int, n: int, start: int, key: int, onward: bool) -> None:
    x, v = np.random.default_rng(n).standard_normal((m, n)), np.random.default_rng(m).standard_normal(n)
    found, expected = np.empty((2, 3 if onward else 5, m))
    compiled.products(x, start, v, key, key ^ 1, 0.1, onward, found)
    plain.products(x, start, v, key, key ^ 1, 0.1, onward, expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * n)
    moved = np.empty_like(x)
    compiled.move(x.reshape(-1), start, key, 0.1, moved.reshape(-1))
    np.testing.assert_allclose(found[1], moved @ v, rtol=1e-12, atol=1e-12 * n)
    with pytest.raises(ValueError, match="do not fit"):
        compiled.products(x, start, v, key, key ^ 1, 0.1, not onward, found)
