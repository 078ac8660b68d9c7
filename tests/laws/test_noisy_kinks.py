"""Kinks beside x that noise keeps every telling step from resolving: the slope of either side is no error."""

import zlib
from typing import Any

import numpy as np
import pytest

import fastgrad as fg


def hashed(x: Any) -> float:
    """Return noise that depends on x alone."""
    return zlib.crc32(np.ascontiguousarray(x).tobytes()) / 2**32 - 0.5


@pytest.mark.parametrize("away", [1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("noise", [1e-9, 1e-6, 1e-4, 1e-3])
@pytest.mark.parametrize("is_random", [False, True])
def test_no_right_slope_beside_a_kink_is_accused(away: float, noise: float, is_random: bool) -> None:
    rng = np.random.default_rng(5)
    for seed in range(15):
        x = np.random.default_rng(seed).standard_normal(3) * away

        def jitter(x: Any) -> float:
            return noise * (float(rng.standard_normal()) if is_random else hashed(x))

        assert fg.gradient_check(lambda x: float(np.abs(x).sum()) + jitter(x), np.sign(x), x).verdict != "failed"
        assert fg.gradient_check(lambda x: float(np.maximum(x, 0).sum()) + jitter(x), x > 0, x).verdict != "failed"


@pytest.mark.parametrize("noise", [1e-9, 1e-6])
def test_a_claim_beyond_both_slopes_does_not_pass(noise: float) -> None:
    x = np.array([1e-8, -1e-8, 2e-8])
    f = lambda x: float(np.abs(x).sum()) + noise * hashed(x)  # noqa: E731
    for wrong in (2 * np.sign(x), [-1.5, 1.0, 1.0]):
        assert fg.gradient_check(f, wrong, x).verdict != "passed"


@pytest.mark.parametrize("large", [0.0, 1e3, 1e6])
def test_the_slopes_of_a_kink_that_bend_away_are_not_taken_for_better_than_they_are(large: float) -> None:
    """Where f is large, only steps tell on which the slopes beside the kink have changed."""
    for seed in range(20):
        x = np.random.default_rng(seed).standard_normal(3) * 1e-8

        def f(x: Any) -> float:
            return 1e-6 * float(np.sum(np.log(np.abs(x) + 1e-3))) + large

        assert fg.gradient_check(f, 1e-6 * np.sign(x) / (np.abs(x) + 1e-3), x).verdict != "failed"


@pytest.mark.parametrize("mode", ["full", "search"])
@pytest.mark.parametrize("seed", [3, 7, 31, 51, 94, 109, 117, 121, 195, 235, 240, 264, 322, 331, 335, 454, 484, 579])
def test_a_kink_smaller_than_the_bend_is_not_held_against_a_claim(seed: int, mode: Any) -> None:
    """Larger steps, which noise leaves alone, have all crossed it: they agree, each off by half of what it is."""
    r = np.random.default_rng(seed)
    A, v = r.standard_normal((6, 4)), r.standard_normal(6)
    noise, near = float(10.0 ** r.uniform(-8, -6)), 10.0 ** r.uniform(-8, -4)
    x = r.standard_normal(4)
    b = r.standard_normal(6) - A @ x
    b[0] = near - A[0] @ x

    def f(x: Any) -> float:
        smooth = float(v @ np.maximum(A @ x + b, 0) + np.sum(x**2))
        return smooth + noise * hashed(x)

    claim = A.T @ (v * (A @ x + b > 0)) + 2 * x
    assert fg.gradient_check(f, claim, x, mode=mode, rng=seed if mode == "search" else None).verdict != "failed"
    claim[2] += 0.5 + abs(claim[2])
    if mode == "full":
        assert fg.gradient_check(f, claim, x).wrong.indices.tolist() == [2]
