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
