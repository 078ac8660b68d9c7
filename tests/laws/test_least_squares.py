"""What must hold for every descent on least squares with a rate below 1/L."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg


@st.composite
def problems(draw: st.DrawFn) -> tuple[Any, Any, float, Any, float]:
    p = draw(st.integers(1, 12))
    n = p + draw(st.integers(0, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    left, _ = np.linalg.qr(rng.standard_normal((n, p)))
    A = left * rng.uniform(1.0, 3.0, p)
    reduction = draw(st.sampled_from(["sum", "mean"]))
    ridge = draw(st.sampled_from([0.0, 0.2, 2.0]))
    curvature = 2 * np.linalg.norm(A, 2) ** 2 / (n if reduction == "mean" else 1) + 2 * ridge
    return A, rng.standard_normal(n), ridge, reduction, 0.99 / float(curvature)


@settings(max_examples=40, deadline=None)
@given(problems())
def test_descent_ends_at_the_closed_form(problem: Any) -> None:
    A, b, ridge, reduction, rate = problem
    n, p = A.shape
    result = fg.least_squares_gd(A, b, rate, 600, ridge=ridge, reduction=reduction)
    rows = n if reduction == "mean" else 1
    closed = np.linalg.solve(A.T @ A + rows * ridge * np.eye(p), A.T @ b)
    np.testing.assert_allclose(result.x, closed, rtol=0, atol=1e-12 * (1 + np.max(np.abs(closed))))


@settings(max_examples=40, deadline=None)
@given(problems())
def test_loss_never_rises(problem: Any) -> None:
    A, b, ridge, reduction, rate = problem
    losses = fg.least_squares_gd(A, b, rate, 40, ridge=ridge, reduction=reduction).losses
    assert np.all(np.diff(losses) <= 1e-14 * losses[0])


@settings(max_examples=20, deadline=None)
@given(problems(), st.sampled_from([2.0**-8, 2.0**9]))
def test_a_power_of_two_scales_exactly(problem: Any, scale: float) -> None:
    A, b, ridge, reduction, rate = problem
    one = fg.least_squares_gd(A, b, rate, 30, ridge=ridge, reduction=reduction)
    other = fg.least_squares_gd(A, b * scale, rate, 30, ridge=ridge, reduction=reduction)
    np.testing.assert_array_equal(other.x, one.x * scale)
    np.testing.assert_array_equal(other.losses, one.losses * scale**2)
