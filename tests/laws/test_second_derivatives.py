"""Hessians and products obey mathematics: exact where they must be, of the order they have, and alike by all ways."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad import problems
from fastgrad._pairings import _kinds, amplification, calls_of

MORE = problems.more_garbow_hillstrom()


def exact(problem: Any) -> Any:
    """The Hessian by the complex step in the exact gradient, with no subtraction; by differences of it elsewhere."""
    x, n = problem.x0, problem.n
    if problem.pattern is not None or problem.name == "watson":
        return fg.numerical_hessian(None, x, grad=problem.gradient)
    H = np.empty((n, n))
    for j in range(n):
        z = x.astype(complex)
        z[j] += 1e-30j
        H[:, j] = problem.gradient(z).imag / 1e-30
    return (H + H.T) / 2


def error(found: Any, H: Any) -> float:
    return float(np.max(np.abs(found - H)) / np.max(np.abs(H)))


#: Whose values are far larger than what their entries make of them: 1e12 against second derivatives of 4.
HOPELESS = {"brown_badly_scaled": (2.0, 1e-2)}
#: Whose scale is far below that of their arguments: exponents of a fit over long times, polynomials of degree eight.
FINE = {"osborne_1": (1e-4, 1e-10), "chebyquad": (1e-5, 1e-10)}
ALLOWED = {**HOPELESS, **FINE}


@pytest.mark.parametrize("problem", MORE, ids=lambda p: p.name)
def test_more_garbow_and_hillstrom(problem: Any) -> None:
    H = exact(problem)

    def f(x: Any) -> float:
        return float(problem.objective(x))

    values, adaptive = ALLOWED.get(problem.name, (2e-6, 2e-9))
    measured = fg.numerical_hessian(f, problem.x0, details=True)
    assert error(measured.value, H) < values
    assert np.mean(np.abs(measured.value - H) <= measured.error + 1e-11 * np.abs(H).max()) >= 0.99
    found = fg.numerical_hessian(f, problem.x0, method="adaptive", details=True)
    if problem.pattern is None and problem.name != "watson":
        assert error(found.value, H) < adaptive
    assert np.mean(np.abs(found.value - H) <= found.error + 1e-10 * np.abs(H).max()) >= 0.99
    if problem.name not in ALLOWED:
        assert error(fg.numerical_hessian(None, problem.x0, grad=problem.gradient), H) < 2e-8


def test_most_of_them_to_eight_digits() -> None:
    digits = []
    for problem in MORE:
        H = exact(problem)
        found = fg.numerical_hessian(lambda x, p=problem: float(p.objective(x)), problem.x0)
        digits.append(-np.log10(max(error(found, H), 1e-16)))
    assert np.median(digits) > 7.5


@given(
    n=st.integers(1, 6),
    seed=st.integers(0, 10**6),
    grid=st.sampled_from([2.0**-3, 2.0**-6]),
)
@settings(max_examples=30)
def test_quadratics_on_a_grid_are_exact(n: int, seed: int, grid: float) -> None:
    """Integers and a step that is a power of two leave rounding no part, and a quadratic leaves truncation none."""
    rng = np.random.default_rng(seed)
    A = rng.integers(-9, 10, (n, n)).astype(float)
    A = A + A.T
    b = rng.integers(-9, 10, n).astype(float)
    x = rng.integers(-9, 10, n).astype(float)

    def f(y: Any) -> float:
        return float(0.5 * y @ A @ y + b @ y)

    assert fg.numerical_hessian(f, x, grid).tolist() == A.tolist()
    assert fg.numerical_hessian(None, x, grid, grad=lambda y: A @ y + b).tolist() == A.tolist()
    low = np.where(rng.random(n) < 0.5, x, -np.inf)
    assert fg.numerical_hessian(f, x, grid, bounds=(low, np.inf)).tolist() == A.tolist()
    v = rng.integers(-9, 10, n).astype(float)
    assert fg.hessian_vector_product(None, x, v, grid, grad=lambda y: A @ y + b).tolist() == (A @ v).tolist()
    assert fg.directional_derivative(f, x, v, grid) == (A @ x + b) @ v
    assert fg.numerical_vjp(lambda y: A @ y, x, v, grid).tolist() == (v @ A).tolist()


@pytest.mark.parametrize("bounds", [None, (np.array([0.3, 0.5]), np.inf), (-np.inf, np.array([0.3, 0.5]))])
def test_the_error_falls_with_the_square_of_the_step(bounds: Any) -> None:
    x = np.array([0.3, 0.5])
    e = np.exp(0.15)
    H = np.array([[0.25 * e, 1.15 * e], [1.15 * e, 0.09 * e]])

    def at(h: float) -> Any:
        return np.abs(fg.numerical_hessian(lambda y: float(np.exp(y[0] * y[1])), x, h, bounds=bounds) - H)

    with np.errstate(all="ignore"):
        order = np.log2(at(2.0**-6) / at(2.0**-7))
    assert order[0, 1] == pytest.approx(2.0, abs=0.3)
    if bounds is not None:
        assert np.diag(order) == pytest.approx([2.0, 2.0], abs=0.4)


def test_the_diagonal_is_of_fourth_order_away_from_bounds() -> None:
    at = [abs(float(fg.numerical_hessian(np.exp, 0.5, h)[0, 0]) - np.exp(0.5)) for h in (2.0**-5, 2.0**-6)]
    assert np.log2(at[0] / at[1]) == pytest.approx(4.0, abs=0.1)


def test_a_product_is_that_with_the_matrix(rng: np.random.Generator) -> None:
    for problem in MORE[:20]:
        x, v = problem.x0, rng.normal(size=problem.n) * np.maximum(np.abs(problem.x0), 0.1)
        H, J = exact(problem), problem.jacobian(x)
        size = np.abs(H) @ np.abs(v)
        found = fg.hessian_vector_product(None, x, v, grad=problem.gradient)
        rounding = 1e-10 * np.max(np.abs(problem.gradient(x)))  # over a step of 1e-5
        assert np.max(np.abs(found - H @ v)) <= 1e-7 * np.max(size) + rounding, problem.name
        along = fg.directional_derivative(problem.residual, x, v)
        rounding = 1e-10 * np.max(np.abs(problem.residual(x)))
        atol = 1e-7 * np.max(np.abs(J) @ np.abs(v)) + rounding
        np.testing.assert_allclose(along, J @ v, atol=atol, err_msg=problem.name)
        u = rng.normal(size=problem.m)
        back = fg.numerical_vjp(problem.residual, x, u, "auto")
        atol = 1e-7 * np.max(np.abs(u) @ np.abs(J)) + rounding
        np.testing.assert_allclose(back, u @ J, atol=atol, err_msg=problem.name)


def test_the_weights_of_each_pair_of_kinds_take_a_constant_for_nothing_and_xy_for_one() -> None:
    """What is measured of 1, x, y, x², y² is 0, and of xy 1, for each of the ways in which two entries may be moved."""
    kinds = np.arange(len(_kinds()))
    assert np.all(amplification(kinds) >= 1.0)
    boxes = {0: (-np.inf, np.inf), 1: (-1.5, 1.5), 2: (0.0, np.inf), 3: (-np.inf, 0.0)}
    for s in kinds.tolist():
        for t in kinds.tolist():
            box = tuple(np.array([boxes[s][side], boxes[t][side]]) for side in (0, 1))
            found = fg.numerical_hessian(lambda x: x[0] * x[1] + 3 * x[0] - 2 * x[1] + 5, np.zeros(2), 1.0, bounds=box)
            assert found.tolist() == [[0.0, 1.0], [1.0, 0.0]], (s, t)
    assert calls_of(np.zeros(4, np.intp)).sum() == 4 * 3 + 6 * 4
