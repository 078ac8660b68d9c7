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


@given(n=SIZES, key=KEYS, h=STEPS, seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_points_are_bit_for_bit_the_same(n: int, key: int, h: float, seed: int, dtype: Any) -> None:
    x = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    found, expected = np.empty_like(x), np.empty_like(x)
    compiled.move(x, key, h, found)
    plain.move(x, key, h, expected)
    np.testing.assert_array_equal(found, expected)


@given(n=SIZES, key=KEYS, h=STEPS.map(abs), seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_projections_agree(n: int, key: int, h: float, seed: int, dtype: Any) -> None:
    v, x = np.random.default_rng(seed).standard_normal((2, n)).astype(dtype)
    expected = plain.project(v, x, key, h)
    assert compiled.project(v, x, key, h) == pytest.approx(expected, rel=1e-12, abs=1e-11 * max(n, 1))


@given(n=SIZES, key=KEYS.map(lambda key: key & ~1), seed=st.integers(0, 10))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_inner_products_agree(n: int, key: int, seed: int, dtype: Any) -> None:
    v = np.random.default_rng(seed).standard_normal(n).astype(dtype)
    found, expected = compiled.inner(v, key), plain.inner(v, key)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-12 * max(n, 1))
    zero = np.zeros_like(v)
    assert found == pytest.approx((plain.project(v, zero, key, 1.0), plain.project(v, zero, key + 1, 1.0)), abs=1e-10)


@pytest.mark.parametrize("key", [0, 1, 7, 2**32 - 1])
def test_a_direction_has_the_magnitudes_and_signs_that_are_documented(key: int) -> None:
    x = np.zeros(100_000)
    a = np.empty_like(x)
    compiled.move(x, key, 1.0, a)
    assert set(np.unique(np.abs(a) * 512)) == set(range(256, 512))
    assert abs(np.mean(np.sign(a))) < 0.02
    assert abs(np.mean(np.abs(a)) - 0.75) < 0.002
    assert np.abs(np.corrcoef(a[:-1], a[1:])[0, 1]) < 0.02


@pytest.mark.parametrize("keys", [(1, 2), (2, 3), (0, 1), (2**32 - 2, 2**32 - 1)])
def test_another_key_is_another_direction(keys: tuple[int, int]) -> None:
    x = np.zeros(10_000)
    a, b = np.empty_like(x), np.empty_like(x)
    compiled.move(x, keys[0], 1.0, a)
    compiled.move(x, keys[1], 1.0, b)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.05
    assert abs(np.corrcoef(np.abs(a), np.abs(b))[0, 1]) < 0.05
    assert abs(np.corrcoef(np.sign(a), np.sign(b))[0, 1]) < 0.05


def test_a_projection_takes_the_steps_as_rounded() -> None:
    x, v = np.array([1e10, 1.0]), np.array([1.0, 0.0])
    plus, minus = np.empty_like(x), np.empty_like(x)
    compiled.move(x, 5, 1e-5, plus)
    compiled.move(x, 5, -1e-5, minus)
    assert compiled.project(v, x, 5, 1e-5) == (plus[0] - minus[0]) / 2e-5
