"""The noise of functions whose noise is known."""

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastgrad._noise.measurement import from_values, noise

STEP = np.array([1e-5])


def hashed(x: Any) -> float:
    """Return noise of standard deviation 1 that depends on x alone."""
    return (zlib.crc32(x.tobytes()) / 2**32 - 0.5) * 12**0.5


def points(n: int = 5, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(n)


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize(
    "smooth", [lambda x: np.sum(np.sin(x)), lambda x: np.sum(x**2), lambda x: np.exp(x[0]), np.sum]
)
def test_noise_on_a_smooth_function_is_found_within_a_factor(size: float, smooth: Callable[[Any], float]) -> None:
    for seed in range(10):
        found = noise(lambda x: float(smooth(x)) + size * hashed(x), points(seed=seed), STEP)
        assert size / 6 < found < size * 6


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_a_smooth_function_has_its_rounding_and_no_more(scale: float) -> None:
    for seed in range(10):
        x = points(seed=seed)
        assert noise(lambda x: scale * float(np.sum(np.exp(x))), x, STEP) < 20 * 2.0**-53 * scale * np.sum(np.exp(x))


@pytest.mark.parametrize("scale", [1e6, 1e7, 4e7])
def test_growth_on_a_scale_finer_than_the_steps_is_no_noise(scale: float) -> None:
    assert 0 < noise(lambda x: float(np.sum(np.exp(scale * x))), np.array([1.0, 2.0]) / scale, STEP) < 1e-12


@pytest.mark.parametrize("distance", [0.0, 1e-12, 1e-9, 1e-7, 1e-6, 3e-6, 1e-5, -1e-7, -1e-6, -1e-5])
def test_a_kink_is_no_noise(distance: float) -> None:
    x = np.array([distance, 1.0, -2.0])
    assert noise(lambda x: float(np.sum(np.abs(x))), x, STEP) < 1e-14


@pytest.mark.parametrize(
    "f",
    [
        lambda x: float(np.float32(np.sum(np.sin(x)))),
        lambda x: float(np.sum(np.sin(x.astype(np.float32)).astype(float))),
        lambda x: float(np.sum(np.sin(x.astype(np.float32).astype(float)))),
        lambda x: float(np.sum(x**2) + np.float32(np.sum(np.sin(x)))),
    ],
    ids=["value", "inside", "argument", "mixed"],
)
def test_single_precision_in_disguise_is_seen(f: Callable[[Any], float]) -> None:
    for seed in range(10):
        assert 5e-10 < noise(f, points(seed=seed), STEP) < 3e-6


@pytest.mark.parametrize("quantum", [1e-9, 1e-7, 1e-6])
def test_a_value_that_moves_in_jumps_is_seen(quantum: float) -> None:
    found = [noise(lambda x: quantum * round(float(np.sum(x)) / quantum), points(1, seed), STEP) for seed in range(10)]
    assert min(found) > quantum / 10
    assert max(found) < quantum * 2


def test_single_precision_points() -> None:
    x = points().astype(np.float32)
    found = noise(lambda x: float(np.sum(np.sin(x))), x, np.array([2.0**-8]))
    assert 1e-9 < found < 1e-6


def test_steps_of_each_entry_are_taken_and_x_is_left_alone() -> None:
    x = points()
    before = x.copy()
    seen = []

    def f(point: Any) -> float:
        seen.append(point.copy())
        point[:] = 0
        return float(np.sum(point))

    noise(f, x, np.array([1.0, 1e-3, 1e-3, 1e-3, 1e-3]))
    np.testing.assert_array_equal(x, before)
    spread = np.ptp(seen, axis=0)
    assert spread[0] > 100 * spread[1]


def test_what_is_not_finite_is_left_out() -> None:
    def half(x: Any) -> float:
        return float(x[0] ** 2) if x[0] > 0 else float("nan")

    assert noise(half, np.array([1e-9]), STEP) < 1e-15
    assert np.isnan(noise(lambda x: float("inf"), points(), STEP))


def test_a_difference_table() -> None:
    assert from_values(np.arange(8.0)) == 0.0
    assert from_values(np.arange(8.0) ** 2) == 0.0
    assert np.isnan(from_values(np.array([0.0, np.inf] * 4)))
    rng = np.random.default_rng(1)
    found = [from_values(rng.standard_normal(8)) for _ in range(200)]
    assert np.median(found) == pytest.approx(1.0, rel=0.3)


def test_rounded_values_that_lie_evenly_by_chance_are_seen() -> None:
    """At this point the values on all lines are whole multiples of their rounding apart."""
    x = np.random.default_rng([300, 3]).standard_normal(300)
    assert noise(lambda x: float(np.round(np.sum(np.sin(x)) / 1e-8) * 1e-8), x, STEP) > 1e-9
