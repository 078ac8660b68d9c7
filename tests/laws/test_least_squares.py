"""What must hold for every descent on least squares with a rate below 1/L."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad.reference.least_squares import least_squares_gd as textbook


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


def exact_losses(A: Any, b: Any, rate: float, steps: int) -> Any:
    """Return the losses of the plain loop in extended precision, each rounded to double."""
    wide, target = A.astype(np.longdouble), b.astype(np.longdouble)
    x, losses = np.zeros(A.shape[1], np.longdouble), []
    for _ in range(steps):
        residual = wide @ x - target
        losses.append(float(residual @ residual))
        x = x - np.longdouble(rate) * 2 * (wide.T @ residual)
    return np.array(losses)


@pytest.mark.skipif(bool(np.finfo(np.longdouble).eps >= np.finfo(np.float64).eps), reason="no wider precision here")
@pytest.mark.parametrize("p", [3, 20])
@pytest.mark.parametrize(
    ("noise", "speed"), [(1.0, 0.9), (0.0, 0.9), (1.0, 2.2), (0.0, 2.5)], ids=["noisy", "falling", "rising", "steep"]
)
def test_losses_are_as_exact_as_the_plain_loop_has_them(p: int, noise: float, speed: float) -> None:
    rng = np.random.default_rng(p)
    A = rng.standard_normal((40 * p, p))
    b = A @ rng.standard_normal(p) + noise * rng.standard_normal(40 * p)
    rate, steps = speed / (2 * float(np.linalg.norm(A, 2)) ** 2), 160
    exact = exact_losses(A, b, rate, steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fg.DivergenceWarning)
        ours = fg.least_squares_gd(A, b, rate, steps).losses
        plain = textbook(A, b, rate, steps)[1]
    # Within a digit of the plain loop's error; far beneath the scale of b no loop sees anything.
    noise_floor = 1e-30 * float(b @ b)
    error, theirs = (np.max(np.abs(losses - exact) / (exact + noise_floor)) for losses in (ours, plain))
    assert error <= max(1e-14, 10 * theirs)
