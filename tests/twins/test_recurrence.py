"""The compiled recurrence in A^T A against its plain twin, and both against the descent that reads A."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad._kernels import recurrence as compiled
from fastgrad.reference import descent, least_squares
from fastgrad.reference import recurrence as plain

EPS = np.finfo(np.float64).eps
TWINS = [compiled, plain]


def problem(n: int, p: int, dtype: Any, seed: int) -> tuple[Any, Any, Any, float]:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, p)).astype(dtype)
    return A, rng.standard_normal(n), rng.standard_normal(p), 0.9 / max(1.0, float(np.linalg.norm(A, 2)) ** 2)


def run(
    twin: Any,
    A: Any,
    b: Any,
    x: Any,
    rate: float,
    steps: int,
    weight: float = 1.0,
    ridge: float = 0.0,
    H: Any = None,
    gtol: float = -1.0,
) -> tuple[bool, Any, Any, Any, float]:
    p = x.size
    at, gradient, losses = x.copy(), np.full(p, np.nan), np.full(steps + 1, np.nan)
    if H is None:
        H = A.T.astype(np.float64) @ A.astype(np.float64)
    work = np.full((p + 3, -(-p // 8) * 8), np.nan)
    accepted, taken, squares = twin.recur(A, b, H, at, gradient, work, losses, rate, weight, ridge, gtol)
    return accepted, at, gradient, losses[: taken + 1], squares


def test_signatures_are_one() -> None:
    ours, theirs = (inspect.signature(twin.recur).parameters for twin in TWINS)
    assert list(ours) == list(theirs)


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("p", [1, 3, 20])
def test_a_product_that_is_not_given_is_formed(twin: Any, dtype: Any, p: int) -> None:
    A, b, x, rate = problem(60, p, dtype, 9)
    wide = A.astype(np.float64)
    work = [np.full((p + 3, -(-p // 8) * 8), np.nan) for _ in range(2)]
    ends = [x.copy() for _ in range(2)]
    for H, end, room in zip((None, wide.T @ wide), ends, work, strict=True):
        accepted, _, _ = twin.recur(A, b, H, end, np.empty(p), room, np.empty(31), rate, 1.0, 0.0, -1.0)
        assert accepted
    np.testing.assert_allclose(ends[0], ends[1], rtol=0, atol=1e-13)


@settings(max_examples=60, deadline=None)
@given(
    p=st.integers(1, 30),
    more=st.integers(0, 80),
    dtype=st.sampled_from([np.float32, np.float64]),
    steps=st.integers(0, 40),
    weight=st.sampled_from([1.0, 0.125]),
    ridge=st.sampled_from([0.0, 0.05]),
    seed=st.integers(0, 1000),
)
def test_recur(p: int, more: int, dtype: Any, steps: int, weight: float, ridge: float, seed: int) -> None:
    A, b, x, rate = problem(p + more, p, dtype, seed)
    one, other = (run(twin, A, b, x, rate, steps, weight, ridge) for twin in TWINS)
    at, gradient, losses = x.copy(), np.empty(p), np.empty(steps + 1)
    descent.descend(A, b, at, gradient, np.empty(p), losses, rate, weight, ridge, -1.0)
    # Iterates are right to rounding; a loss then to this much, and the gradient to its parts.
    few = 1e3 * EPS
    A = A.astype(np.float64)
    size = float(b @ b + np.sum(A * A) * (x @ x + at @ at))
    for accepted, x_end, g_end, history, squares in (one, other):
        assert accepted
        np.testing.assert_allclose(x_end, at, rtol=0, atol=few * float(np.max(np.abs([x, at]))))
        assert np.all(np.abs(history - losses) <= few * (losses + np.sqrt(losses * size)) + few**2 * size)
        np.testing.assert_allclose(g_end, gradient, rtol=0, atol=few * np.sqrt(np.sum(A * A) * size))
        residual = A @ x_end - b
        assert abs(squares - residual @ residual) <= few * (squares + np.sqrt(squares * size)) + few**2 * size


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("p", [3, 20])
def test_a_wrong_product_is_noticed(twin: Any, p: int) -> None:
    A, b, x, rate = problem(60, p, np.float64, 1)
    H = A.T @ A
    assert run(twin, A, b, x, rate, 30, H=H)[0]
    for i, j in ((0, 0), (p - 1, p - 1), (p - 1, 0)):
        wrong = H.copy()
        wrong[i, j] *= 1 - 1e-6
        assert not run(twin, A, b, x, rate, 30, H=wrong)[0]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("p", [3, 20])
def test_what_is_not_finite_or_nothing_is_declined(twin: Any, p: int) -> None:
    A, b, x, rate = problem(60, p, np.float64, 2)
    assert not run(twin, A, b, x, 9 * rate, 2000)[0]
    assert not run(twin, A, b, A[0] * 0, rate, 5, H=np.full((p, p), np.nan))[0]
    assert not run(twin, A, b * np.inf, x, rate, 5)[0]
    assert not run(twin, A, A @ (x * 0), x * 0, rate, 5)[0]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("p", [3, 20])
def test_a_loss_that_rises_is_summed_forward(twin: Any, p: int) -> None:
    A, b, x, rate = problem(60, p, np.float64, 2)
    accepted, at, _, losses, _ = run(twin, A, b, x, 3 * rate, 60)
    expected, x_end = np.empty(61), x.copy()
    descent.descend(A, b, x_end, np.empty(p), np.empty(p), expected, 3 * rate, 1.0, 0.0, -1.0)
    assert accepted
    assert losses[-1] > 1e6 * losses[0]
    np.testing.assert_allclose(losses, expected, rtol=1e-12)
    np.testing.assert_allclose(at, x_end, rtol=0, atol=1e-12 * np.max(np.abs(x_end)))


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("p", [3, 20])
def test_a_loss_that_falls_far_and_then_rises_is_declined(twin: Any, p: int) -> None:
    rng = np.random.default_rng(6)
    left, _ = np.linalg.qr(rng.standard_normal((60, p)))
    A, x = left * np.r_[2.0, np.ones(p - 1)], np.r_[1e-9, np.ones(p - 1)]
    losses = np.empty(61)
    descent.descend(A, np.zeros(60), x.copy(), np.empty(p), np.empty(p), losses, 0.4, 1.0, 0.0, -1.0)
    assert losses.min() < 1e-10 * losses[0] < losses[-1]
    assert not run(twin, A, np.zeros(60), x, 0.4, 60)[0]


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("p", [1, 3, 5, 8, 20])
def test_a_short_gradient_ends_it(twin: Any, p: int) -> None:
    A, b, x, rate = problem(60, p, np.float64, 7)
    for gtol in (1e300, 1.0, 1e-3, 1e-6):
        expected, x_end = np.empty(3001), x.copy()
        taken, _, _ = descent.descend(A, b, x_end, np.empty(p), np.empty(p), expected, rate, 1.0, 0.0, gtol)
        accepted, at, gradient, losses, _ = run(twin, A, b, x, rate, 3000, gtol=gtol)
        assert accepted
        assert losses.size == taken + 1 <= 3000
        assert np.linalg.norm(gradient) <= gtol
        np.testing.assert_allclose(losses, expected[: taken + 1], rtol=1e-12)
        np.testing.assert_allclose(at, x_end, rtol=0, atol=1e-12)


@pytest.mark.parametrize("twin", TWINS)
def test_a_gradient_that_rounding_keeps_longer_is_left_to_the_residual(twin: Any) -> None:
    A, b, x, rate = problem(60, 3, np.float64, 8)
    assert not run(twin, A, b, x, rate, 3000, gtol=1e-25)[0]


@pytest.mark.parametrize("twin", TWINS)
def test_far_behind_convergence(twin: Any) -> None:
    A, b, x, _ = problem(60, 3, np.float64, 3)
    accepted, x_end, _, losses, _ = run(twin, A, b, x, 0.4 / float(np.linalg.norm(A, 2)) ** 2, 5000)
    best = np.linalg.lstsq(A, b, rcond=None)[0]
    assert accepted
    np.testing.assert_allclose(x_end, best, rtol=1e-13)
    np.testing.assert_array_equal(losses[2000:], losses[-1])
    assert losses[-1] == pytest.approx((A @ best - b) @ (A @ best - b), rel=1e-14)


def test_kernel_refuses_what_it_could_not_read() -> None:
    A, b, x, rate = problem(9, 2, np.float64, 0)
    for H, work in ((np.eye(3), np.empty((5, 8))), (np.eye(2), np.empty((5, 2)))):
        with pytest.raises(ValueError, match="do not fit"):
            compiled.recur(A, b, H, x, np.empty(2), work, np.empty(3), rate, 1.0, 0.0, -1.0)


@settings(max_examples=30, deadline=None)
@given(
    p=st.integers(1, 12),
    fall=st.floats(0.0, 3.0),
    ridge=st.sampled_from([0.0, 0.3]),
    reduction=st.sampled_from(["sum", "mean"]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
def test_losses_of_the_textbook_loop(p: int, fall: float, ridge: float, reduction: Any, dtype: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 20 * p
    A = (rng.standard_normal((n, p)) * np.geomspace(1, 10**-fall, p)).astype(dtype)
    b = (A @ rng.standard_normal(p) + 10**-fall * rng.standard_normal(n)).astype(dtype)
    rate = 0.9 / (float(np.linalg.norm(A, 2)) ** 2 / (n if reduction == "mean" else 1) + ridge)
    ours = fg.least_squares_gd(A, b, rate, 150, ridge=ridge, reduction=reduction)
    x, losses = least_squares.least_squares_gd(A, b, rate, 150, ridge=ridge, reduction=reduction)
    assert not ours.diverged
    np.testing.assert_allclose(ours.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(ours.x, x, rtol=0, atol=(1e-12 if dtype == np.float64 else 1e-7) * np.max(np.abs(x)))
