"""What a descent finds by itself: its rate, with learning_rate="auto", and with gtol= where it ends."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.reference.least_squares import least_squares_gd as textbook

THREE = np.ones(3)


@pytest.mark.parametrize("shape", [(10, 3), (40, 12), (3000, 20), (30, 200)])
@pytest.mark.parametrize(("ridge", "reduction"), [(0.0, "sum"), (0.5, "mean")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("steps", [3, 2000])
def test_automatic_rate(shape: tuple[int, int], ridge: float, reduction: Any, dtype: Any, steps: int) -> None:
    rng = np.random.default_rng(3)
    A, b = rng.standard_normal(shape).astype(dtype), rng.standard_normal(shape[0]).astype(dtype)
    result = fg.least_squares_gd(A, b, "auto", steps, ridge=ridge, reduction=reduction)
    weight = 1 / shape[0] if reduction == "mean" else 1.0
    best = 0.5 / (weight * np.linalg.norm(A.astype(np.float64), 2) ** 2 + ridge)
    assert best * (1 - 1e-12) <= result.learning_rate <= 1.02 * best
    assert np.all(np.diff(result.losses) <= 1e-14 * result.losses[0])
    again = fg.least_squares_gd(A, b, "auto", steps, ridge=ridge, reduction=reduction)
    assert again.learning_rate == result.learning_rate
    np.testing.assert_array_equal(again.losses, result.losses)
    given = fg.least_squares_gd(A, b, result.learning_rate, steps, ridge=ridge, reduction=reduction)
    np.testing.assert_array_equal(given.losses, result.losses)
    x, losses = textbook(A, b, "auto", steps, ridge=ridge, reduction=reduction)
    np.testing.assert_allclose(result.losses, losses, rtol=1e-9, atol=1e-20)
    np.testing.assert_allclose(result.x, x, rtol=0, atol=1e-7 if dtype == np.float32 else 1e-9)


@pytest.mark.parametrize("spike", [1.5, 3.0, 10.0, 1e3])
@pytest.mark.parametrize("verb", [fg.least_squares_gd, textbook])
def test_automatic_rate_where_one_column_is_longer_than_all_others(verb: Any, spike: float) -> None:
    """The start has hardly any of some columns, 0.0005 of number 242, and the others alone look settled at once."""
    start = np.abs(np.cos(np.arange(1.0, 401.0) ** 2))
    for column in [*np.argsort(start)[:10], 0, 399]:
        A = np.eye(400)
        A[column, column] = spike
        _, losses = verb(A, A @ np.ones(400), "auto", 5)
        assert np.all(np.diff(losses) < 0)


def test_automatic_rate_where_there_is_no_curvature() -> None:
    for verb in (fg.least_squares_gd, textbook):
        for A, ridge in ((np.zeros((3, 2)), 0.0), (np.zeros((3, 0)), 1.0)):
            _, losses = verb(A, THREE, "auto", 2, ridge=ridge)
            assert list(losses) == [3.0, 3.0]
        x, _ = verb(np.zeros((3, 2)), THREE, "auto", 1, x0=[1.0, 2.0], ridge=0.25)
        np.testing.assert_array_equal(x, [0.0, 0.0])


@pytest.mark.parametrize("shape", [(10, 3), (12, 11), (500, 6), (900, 20)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("ridge", "reduction"), [(0.0, "sum"), (0.5, "mean")])
def test_steps_end_where_the_gradient_is_short(shape: Any, dtype: Any, ridge: float, reduction: Any) -> None:
    rng = np.random.default_rng(4)
    A = (rng.standard_normal(shape) + 3 * np.eye(*shape)).astype(dtype)
    b = rng.standard_normal(shape[0]).astype(dtype)
    every = fg.least_squares_gd(A, b, "auto", 4000, ridge=ridge, reduction=reduction)
    assert not every.converged
    assert every.n_steps == 4000
    result = fg.least_squares_gd(A, b, "auto", 4000, ridge=ridge, reduction=reduction, gtol=1e-5)
    assert result.converged
    assert result.gradient_norm <= 1e-5
    assert 0 < result.n_steps == result.losses.size < 4000
    np.testing.assert_allclose(result.losses, every.losses[: result.n_steps], rtol=1e-12)
    x, losses = textbook(A, b, result.learning_rate, 4000, ridge=ridge, reduction=reduction, gtol=1e-5)
    assert len(losses) == result.n_steps
    np.testing.assert_allclose(result.x, x, rtol=0, atol=1e-7 if dtype == np.float32 else 1e-11)
    shorter = fg.least_squares_gd(A, b, "auto", result.n_steps - 1, ridge=ridge, reduction=reduction, gtol=1e-5)
    assert not shorter.converged


def test_a_gradient_that_is_short_at_first_ends_it_at_once() -> None:
    for shape, steps in (((10, 3), 5), ((500, 3), 1000)):
        A = np.ones(shape)
        for gtol in (0.0, 1.0):
            result = fg.least_squares_gd(A, A @ THREE, 1e-3, steps, x0=THREE, gtol=gtol)
            assert result.converged
            assert result.n_steps == result.losses.size == 0
            assert result.loss == 0.0
            np.testing.assert_array_equal(result.x, THREE)
