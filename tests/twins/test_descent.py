"""The compiled descent against its plain twin, and the verb against the textbook loop."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad._kernels import descent as compiled
from fastgrad.reference import descent as plain
from fastgrad.reference import least_squares


def test_signatures_are_one() -> None:
    assert list(inspect.signature(compiled.descend).parameters) == list(inspect.signature(plain.descend).parameters)
    verbs = [inspect.signature(verb) for verb in (fg.least_squares_gd, least_squares.least_squares_gd)]
    assert verbs[0].parameters == verbs[1].parameters


def problem(n: int, p: int, dtype: Any, seed: int) -> tuple[Any, Any, Any, float]:
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((n, p)).astype(dtype)
    b, x = rng.standard_normal(n), rng.standard_normal(p)
    return A, b, x, 0.7 / max(1.0, float(np.sum(A.astype(np.float64) ** 2)))


@settings(max_examples=60, deadline=None)
@given(
    n=st.integers(0, 140),
    p=st.integers(0, 40),
    dtype=st.sampled_from([np.float32, np.float64]),
    steps=st.integers(0, 12),
    weight=st.sampled_from([1.0, 0.125]),
    ridge=st.sampled_from([0.0, 0.5]),
    seed=st.integers(0, 1000),
)
def test_descend(n: int, p: int, dtype: Any, steps: int, weight: float, ridge: float, seed: int) -> None:
    A, b, x, rate = problem(n, p, dtype, seed)
    results = []
    for twin in (compiled, plain):
        at, gradient, work, losses = x.copy(), np.full(p, np.nan), np.full(p, np.nan), np.full(steps + 1, np.nan)
        taken, broken, squares = twin.descend(A, b, at, gradient, work, losses, rate, weight, ridge, -1.0)
        assert (taken, broken) == (steps, -1)
        results.append((at, gradient, losses, squares))
    # Iterates are right to the rounding of where they were; losses, gradient and squares to that of their parts.
    few = 100 * np.finfo(np.float64).eps
    norm = float(np.sum(A.astype(np.float64) ** 2))
    (x_one, g_one, losses_one, squares_one), (x_end, gradient, losses, squares) = results
    size = weight * float(b @ b + norm * max(x @ x, x_end @ x_end)) + ridge * float(max(x @ x, x_end @ x_end))
    np.testing.assert_allclose(x_one, x_end, rtol=0, atol=few * float(np.max(np.abs([x, x_end]), initial=0.0)))
    np.testing.assert_allclose(g_one, gradient, rtol=0, atol=few * np.sqrt((weight * norm + ridge) * size))
    assert np.all(np.abs(losses_one - losses) <= few * (losses + np.sqrt(losses * size)) + few**2 * size)
    size /= weight
    assert abs(squares_one - squares) <= few * (squares + np.sqrt(squares * size)) + few**2 * size


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 150),
    p=st.integers(1, 30),
    ridge=st.sampled_from([0.0, 0.3]),
    reduction=st.sampled_from(["sum", "mean"]),
    seed=st.integers(0, 1000),
)
def test_losses_of_the_textbook_loop(n: int, p: int, ridge: float, reduction: Any, seed: int) -> None:
    A, b, x, rate = problem(n, p, np.float64, seed)
    ours = fg.least_squares_gd(A, b, rate, 20, x0=x, ridge=ridge, reduction=reduction)
    x_text, losses = least_squares.least_squares_gd(A, b, rate, 20, x0=x, ridge=ridge, reduction=reduction)
    # A residual is right to the rounding of Ax and b, a loss therefore to this much: where it is small, to few digits.
    few = 32 * np.finfo(np.float64).eps
    size = float(b @ b + x @ x * np.sum(A * A)) / (n if reduction == "mean" else 1)
    bound = few * (losses + np.sqrt(losses * size)) + few**2 * size
    assert np.all(np.abs(ours.losses - losses) <= bound)
    np.testing.assert_allclose(ours.x, x_text, rtol=0, atol=2 * few * float(np.max(np.abs([x, x_text]))))


@pytest.mark.parametrize("p", [3, 8, 13])
@pytest.mark.parametrize("where", ["A", "b", "x"])
@pytest.mark.parametrize("value", [np.inf, np.nan])
def test_what_is_not_finite_is_reported_alike(p: int, where: str, value: float) -> None:
    A, b, x, rate = problem(9, p, np.float64, 3)
    {"A": A, "b": b, "x": x}[where].flat[-1] = value
    for twin in (compiled, plain):
        losses = np.empty(4)
        _, broken, _ = twin.descend(A, b, x.copy(), np.empty(p), np.empty(p), losses, rate, 1.0, 0.0, -1.0)
        assert broken == 0
        assert not np.isfinite(losses).any()


@pytest.mark.parametrize("p", [1, 3, 8, 13])
def test_a_short_gradient_ends_it(p: int) -> None:
    A, b, x, rate = problem(40, p, np.float64, 6)
    rate *= min(p, 6)
    for gtol in (0.0, 1e-4, 1.0, 1e300):
        ends = []
        for twin in (compiled, plain):
            at, gradient, losses = x.copy(), np.empty(p), np.full(401, np.nan)
            taken, _, _ = twin.descend(A, b, at, gradient, np.empty(p), losses, rate, 1.0, 0.0, gtol)
            assert np.isfinite(losses[: taken + 1]).all()
            assert np.isnan(losses[taken + 1 :]).all()
            assert taken == 400 or np.linalg.norm(gradient) <= gtol
            ends.append((taken, at))
        assert ends[0][0] == ends[1][0]
        np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=0, atol=1e-12)
    assert ends[0][0] == 0


def test_results_do_not_depend_on_the_spans() -> None:
    A, b, x, rate = problem(3000, 90, np.float64, 4)
    whole, cut, by_one = np.empty(91), np.empty(1), []
    state = x.copy()
    compiled.descend(A, b, state, np.empty(90), np.empty(90), whole, rate, 1.0, 0.0, -1.0)
    assert whole.size * A.size > 1 << 24
    at = x.copy()
    for _ in range(91):
        gradient = np.empty(90)
        compiled.descend(A, b, at, gradient, np.empty(90), cut, rate, 1.0, 0.0, -1.0)
        by_one.append(cut.item())
        at -= rate * gradient
    np.testing.assert_array_equal(whole, by_one)


def test_kernel_refuses_what_it_could_not_read() -> None:
    A, b, x, rate = problem(5, 2, np.float64, 0)
    with pytest.raises(ValueError, match="do not fit"):
        compiled.descend(A, b[:-1], x, np.empty(2), np.empty(2), np.empty(3), rate, 1.0, 0.0, -1.0)
