"""The systems and fits: Jacobians against the complex step, values and minima against what was published."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import least_squares, minimize

from fastgrad import problems
from fastgrad._errors import ShapeError
from fastgrad.problems import VectorProblem

MORE = problems.more_garbow_hillstrom()
SPARSE = (*problems.sparse_problems(), *problems.sparse_problems(30))
SIZED = (
    problems.penalty_1(4),
    problems.penalty_2(4),
    problems.watson(2),
    problems.watson(12),
    problems.chebyquad(9),
    problems.chebyquad(1, 8),
    problems.linear_full_rank(5, 50),
    problems.linear_rank_1(5, 50),
    problems.linear_rank_1_zero_borders(5, 50),
    problems.jennrich_sampson(4),
    problems.brown_dennis(7),
    problems.gulf(100),
    problems.box(3),
    problems.biggs_exp6(30),
)
ALL = (*MORE, *SPARSE, *SIZED)


def name(problem: VectorProblem) -> str:
    return f"{problem.name}-{problem.n}x{problem.m}"


each = pytest.mark.parametrize("problem", ALL, ids=name)


def by_complex_step(problem: VectorProblem, x: NDArray[Any]) -> NDArray[Any]:
    """The Jacobian column by column, with no subtraction (Squire and Trapp 1998)."""
    columns = []
    for j in range(x.size):
        moved = x.astype(complex)
        moved[j] += 1e-50j
        columns.append(problem.residual(moved).imag / 1e-50)
    return np.column_stack(columns)


def points(problem: VectorProblem) -> list[NDArray[Any]]:
    """The standard start, and a point beside it with no symmetry."""
    rng = np.random.default_rng(problem.n)
    return [problem.x0, problem.x0 * (1 + 0.05 * rng.random(problem.n)) + 0.01 * rng.random(problem.n)]


def test_the_collection_is_whole() -> None:
    assert [p.number for p in MORE] == list(range(1, 36))
    assert len({p.name for p in MORE}) == 35


@each
def test_jacobian_is_the_complex_step(problem: VectorProblem) -> None:
    for x in points(problem):
        measured = by_complex_step(problem, x)
        J = problem.jacobian(x)
        assert J.shape == (problem.m, problem.n)
        assert J.dtype == np.float64
        np.testing.assert_allclose(J, measured, rtol=1e-12, atol=1e-14 * np.abs(measured).max())


@each
def test_gradient_is_the_complex_step_of_the_objective(problem: VectorProblem) -> None:
    for x in points(problem):
        r = problem.residual(x)
        assert problem.objective(x) == pytest.approx(float(np.sum(r * r)), rel=1e-14)
        scale = 2 * np.abs(problem.jacobian(x)).T @ np.abs(r)
        np.testing.assert_array_less(
            np.abs(problem.gradient(x) - 2 * by_complex_step(problem, x).T @ r), 1e-12 * scale + 1e-300
        )


@each
def test_points_are_read_only_and_functions_leave_x_alone(problem: VectorProblem) -> None:
    assert not problem.x0.flags.writeable
    x = points(problem)[1]
    kept = x.copy()
    values = (problem.residual(x), problem.jacobian(x), problem.gradient(x))
    assert np.array_equal(x, kept)
    assert not any(np.shares_memory(value, x) for value in values)
    again = (problem.residual(x), problem.jacobian(x), problem.gradient(x))
    assert all(np.array_equal(a, b) for a, b in zip(values, again, strict=True))


#: Norms of the residuals at the standard starts, as MINPACK-1's own test drivers print them (lmder, hybrj; 8 digits).
STARTS = {
    "rosenbrock-2x2": 4.9193496,
    "freudenstein_roth-2x2": 20.012496,
    "powell_badly_scaled-2x2": 1.0654866,
    "jennrich_sampson-2x10": 64.585650,
    "helical_valley-3x3": 50.0,
    "bard-3x15": 6.4561363,
    "meyer-3x16": 41153.467,
    "box-3x10": 32.111584,
    "powell_singular-4x4": 14.662878,
    "kowalik_osborne-4x11": 0.072891510,
    "brown_dennis-4x20": 2815.4384,
    "osborne_1-5x33": 0.93756402,
    "osborne_2-11x65": 1.4468654,
    "watson-6x31": 5.4772256,
    "watson-12x31": 5.4772256,
    "trigonometric-10x10": 0.084117534,
    "brown_almost_linear-10x10": 16.530216,
    "discrete_boundary_value-10x10": 0.028080582,
    "discrete_integral_equation-10x10": 0.25182701,
    "broyden_tridiagonal-10x10": 4.5825757,
    "broyden_banded-10x10": 18.973666,
    "linear_full_rank-5x50": 8.0622577,
    "linear_rank_1-5x50": 3101.6004,
    "linear_rank_1_zero_borders-5x50": 1748.9500,
    "chebyquad-8x8": 0.19651386,
    "chebyquad-9x9": 0.16994993,
    "chebyquad-1x8": 1.8862380,
}


@pytest.mark.parametrize("label", STARTS)
def test_residuals_at_the_start_have_their_published_norm(label: str) -> None:
    problem = next(p for p in ALL if name(p) == label)
    assert np.linalg.norm(problem.residual(problem.x0)) == pytest.approx(STARTS[label], rel=5e-8)


@pytest.mark.parametrize("problem", [p for p in ALL if p.minimizer is not None], ids=name)
def test_minimum_is_taken_at_the_published_minimizer(problem: VectorProblem) -> None:
    assert problem.minimizer is not None
    assert problem.objective(problem.minimizer) == pytest.approx(problem.minimum, abs=1e-20)
    scale = np.abs(problem.jacobian(problem.minimizer)).max()
    np.testing.assert_allclose(problem.gradient(problem.minimizer), 0, atol=1e-9 * scale)


#: Where the method of Levenberg and Marquardt ends in a local minimum that the paper gives too.
LOCAL = {"freudenstein_roth": 48.9842, "trigonometric": 2.79506e-5}


@pytest.mark.parametrize(
    "problem", [p for p in ALL if p.minimum is not None and name(p) != "biggs_exp6-6x13"], ids=name
)
def test_descent_from_the_start_ends_at_the_published_minimum(problem: VectorProblem) -> None:
    found = least_squares(
        problem.residual, problem.x0, problem.jacobian, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=4000
    )
    minimum = LOCAL.get(problem.name, problem.minimum)
    assert problem.objective(found.x) == pytest.approx(minimum, rel=4e-6, abs=1e-11 if minimum == 0 else 0)


def test_the_local_minimum_of_biggs_is_found_by_a_quasi_newton_method() -> None:
    biggs = problems.biggs_exp6()
    found = minimize(biggs.objective, biggs.x0, jac=biggs.gradient, method="BFGS", options={"gtol": 1e-9})
    assert found.fun == pytest.approx(5.65565e-3, rel=1e-6)


@pytest.mark.parametrize("problem", SPARSE, ids=name)
def test_pattern_holds_each_entry_once_and_no_other_is_ever_nonzero(problem: VectorProblem) -> None:
    assert problem.pattern is not None
    rows, cols = problem.pattern.rows, problem.pattern.cols
    assert len(set(zip(rows.tolist(), cols.tolist(), strict=True))) == rows.size
    J = by_complex_step(problem, points(problem)[1])
    assert set(zip(*np.nonzero(J), strict=True)) == set(zip(rows, cols, strict=True))
    np.testing.assert_allclose(problem.pattern.values(points(problem)[1]), J[rows, cols], rtol=1e-12)


def test_sparse_problems_of_a_hundred_thousand_variables_form_no_dense_matrix() -> None:
    for problem in problems.sparse_problems(100_000):
        assert abs(problem.n - 100_000) < 200
        assert problem.gradient(problem.x0).shape == (problem.n,)


def test_wrong_shapes_and_sizes_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"rosenbrock takes x of shape \(2,\); got \(3,\)"):
        problems.rosenbrock().residual(np.ones(3))
    with pytest.raises(ShapeError, match=r"wood takes x of shape \(4,\); got \(4, 1\)"):
        problems.wood().jacobian(np.ones((4, 1)))
    with pytest.raises(ValueError, match="extended_rosenbrock has a positive multiple of 2 variables; got n = 7"):
        problems.extended_rosenbrock(7)
    with pytest.raises(ValueError, match="extended_powell_singular has a positive multiple of 4 variables; got n = 0"):
        problems.extended_powell_singular(0)
    with pytest.raises(ValueError, match="four variables or more; got n = 3"):
        problems.sparse_problems(3)


def test_integers_and_lists_are_read_as_floats() -> None:
    valley: Any = problems.rosenbrock()
    assert valley.residual([1, 2]).tolist() == [10.0, 0.0]
    assert valley.jacobian([1, 2]).dtype == np.float64
    assert problems.broyden_tridiagonal(3).residual(np.array([1, 1, 1])).dtype == np.float64
