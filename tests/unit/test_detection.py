"""Patterns found by asking f, and entries that a claimed pattern forgot."""

from typing import Any

import numpy as np
import pytest

from fastgrad import ShapeError, problems, sparsity
from fastgrad._typing import Array
from fastgrad.sparsity import Pattern
from tests.unit.neighbours import Counted

SPARSE = problems.sparse_problems(64)


def exact(problem: problems.VectorProblem) -> Pattern:
    assert problem.pattern is not None
    return Pattern(problem.pattern.rows, problem.pattern.cols, (problem.m, problem.n))


# --- detect


@pytest.mark.parametrize("problem", SPARSE, ids=lambda p: p.name)
@pytest.mark.parametrize("options", [{}, {"nan": False}, {"points": 1}, {"rng": 5}])
def test_patterns_of_the_sparse_problems_are_found_exactly(problem: problems.VectorProblem, options: Any) -> None:
    f = Counted(problem.residual)
    found = sparsity.detect(f, problem.x0, **options)
    assert found.pattern == exact(problem)
    assert found.calls == f.calls
    assert found.sure == ("sampled" if options.get("nan") is False else "structural")
    assert found.notes == ()


def test_a_grid_of_ten_thousand_takes_far_fewer_calls_than_entries() -> None:
    problem = problems.bratu(100)
    found = sparsity.detect(problem.residual, problem.x0)
    assert found.pattern == exact(problem)
    assert found.calls <= problem.n // 20


@pytest.mark.parametrize("seed", range(15))
def test_random_patterns_are_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 30, 2)
    there = rng.random((m, n)) < rng.random()
    weights = [(np.flatnonzero(row), rng.standard_normal(row.sum())) for row in there]
    found = sparsity.detect(lambda x: np.array([np.sum(w * np.sin(x[k])) for k, w in weights]), rng.standard_normal(n))
    np.testing.assert_array_equal(found.pattern.toarray(), there)


@pytest.mark.parametrize(
    ("f", "row"),
    [
        (lambda x: np.nansum(x[:2], keepdims=True), [1, 1, 0, 0]),
        (lambda x: np.where(x[2] > 0, x[1] ** 2, 0.0)[np.newaxis], [0, 1, 0, 0]),
        (lambda x: np.fmax(x[:1], x[1]), [1, 1, 0, 0]),
        (lambda x: np.array([max(x[0], x[3])]), [1, 0, 0, 1]),
        (lambda x: np.maximum(x[:1], x[3]), [1, 0, 0, 1]),
        (lambda x: x[:1] if x[0] > 0 else x[1:2], [1, 0, 0, 0]),
    ],
)
def test_what_swallows_nan_is_shown_by_moves_nearby(f: Any, row: list[int]) -> None:
    found = sparsity.detect(f, np.array([1.0, 1.01, 2.0, 1.02]))
    assert np.all(found.pattern.toarray()[0] >= np.array(row, bool))


def test_swallowed_nan_is_told() -> None:
    found = sparsity.detect(lambda x: np.where(x > 0, x**2, 0.0), np.ones(5))
    assert (found.sure, found.values_only, found.nan_only) == ("sampled", 5, 0)
    assert "swallowed at 5 entries" in str(found)
    assert found.pattern == sparsity.banded(5, 0)


def test_entries_that_only_nan_shows_are_told() -> None:
    found = sparsity.detect(lambda x: x + 1e-30 * np.roll(x, 1), np.ones(5))
    assert (found.sure, found.nan_only, found.values_only, found.pattern.nnz) == ("structural", 5, 0, 10)


def test_an_f_that_raises_on_nan_is_asked_by_moves() -> None:
    def f(x: Array) -> Any:
        if np.isnan(x).any():
            raise ZeroDivisionError
        return x * np.roll(x, 1)

    found = sparsity.detect(f, np.ones(6))
    assert found.pattern.nnz == 12
    assert found.sure == "sampled"
    assert "f raised ZeroDivisionError when called with NaN" in found.notes[0]


def test_a_random_point_at_which_f_raises_is_left_out() -> None:
    def f(x: Array) -> Any:
        if np.any(np.abs(x - 1) > 1e-2):
            raise ArithmeticError
        return x

    found = sparsity.detect(f, np.ones(4))
    assert (found.points, found.pattern, found.sure) == (1, sparsity.banded(4, 0), "structural")
    assert sum("ArithmeticError at a random point" in note for note in found.notes) == 2


def test_points_can_be_given() -> None:
    def f(x: Array) -> Any:
        return np.where(x < 0, np.roll(x, 1), 0.0)

    assert sparsity.detect(f, np.ones(4)).pattern.nnz == 0
    assert sparsity.detect(f, np.ones(4), points=[-np.ones(4)]).pattern.nnz == 4
    with pytest.raises(ValueError, match="3 entries; x has 4"):
        sparsity.detect(f, np.ones(4), points=[np.ones(3)])
    with pytest.raises(ValueError, match="one point at least"):
        sparsity.detect(f, np.ones(4), points=0)


def test_an_f_that_is_not_deterministic_is_asked_with_nan_only() -> None:
    rng = np.random.default_rng(0)

    def f(x: Array) -> Any:
        return x + rng.standard_normal(x.size)

    found = sparsity.detect(f, np.ones(7))
    assert found.pattern == sparsity.banded(7, 0)
    assert found.points == 0
    assert "not deterministic" in found.notes[0]
    with pytest.raises(ValueError, match="not deterministic"):
        sparsity.detect(f, np.ones(7), nan=False)


def test_trees_matrices_and_numbers_are_lines_of_entries() -> None:
    found = sparsity.detect(lambda t: t["W"] @ t["x"], {"W": np.ones((2, 3), np.float32), "x": np.ones(3)})
    blocks = [[1, 1, 1, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1, 1]]
    np.testing.assert_array_equal(found.pattern.toarray(), blocks)
    assert sparsity.detect(lambda W: W.T, np.ones((2, 3))).pattern.nnz == 6
    assert sparsity.detect(lambda t: t**2, 3.0).pattern.shape == (1, 1)
    assert sparsity.detect(lambda x: 5.0, np.ones(3)).pattern.nnz == 0
    assert sparsity.detect(lambda x: np.ones(2), np.ones(0)).pattern.shape == (2, 0)


def test_f_gets_an_array_of_its_own_each_time() -> None:
    kept = []

    def f(x: Array) -> Any:
        kept.append(x)
        y = x * np.roll(x, 1)
        x[:] = 7
        return y

    x = np.ones(5)
    assert sparsity.detect(f, x).pattern.nnz == 10
    np.testing.assert_array_equal(x, 1)
    assert len({id(array) for array in kept}) == len(kept)


def test_a_buffer_that_f_fills_again_and_again_is_read_each_time() -> None:
    out = np.empty(6)

    def f(x: Array) -> Any:
        np.multiply(x, np.roll(x, 2), out=out)
        return out

    assert sparsity.detect(f, np.ones(6)).pattern.nnz == 12


def test_an_f_without_values_at_x_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN at x in value 1"):
        sparsity.detect(lambda x: np.sqrt(x), np.array([1.0, -1.0]))
    with pytest.raises(ZeroDivisionError) as raised:
        sparsity.detect(lambda x: 1 // 0, np.ones(2))
    assert "x itself" in raised.value.__notes__[0]
    with pytest.raises(ShapeError, match="one shape"):
        sparsity.detect(lambda x: x[x > 1], np.ones(3))


def test_a_fresh_seed_is_told_and_gives_the_same_again() -> None:
    first = sparsity.detect(np.sin, np.ones(5), rng=None)
    assert sparsity.detect(np.sin, np.ones(5), rng=first.seed).calls == first.calls
    drawn = [sparsity.detect(np.sin, np.ones(5), rng=np.random.default_rng(1)).seed for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert sparsity.detect(np.sin, np.ones(5)).seed == 0
    fresh = sparsity.verify(np.sin, np.ones(5), np.eye(5), rng=None)
    assert isinstance(fresh.seed, int)


# --- verify


@pytest.mark.parametrize("problem", SPARSE, ids=lambda p: p.name)
def test_right_patterns_pass_and_each_forgotten_entry_is_named(problem: problems.VectorProblem) -> None:
    p = exact(problem)
    rng = np.random.default_rng(0)
    right = sparsity.verify(problem.residual, problem.x0, p)
    assert right
    assert right.suspects.size == 0
    assert right.calls == 1 + sparsity.color(p).calls + 4 * 3
    x = problem.x0 + 0.1 * rng.uniform(0.5, 1, problem.n)  # where no entry is zero
    for k in rng.choice(p.nnz, 6, replace=False):
        left = np.arange(p.nnz) != k
        found = sparsity.verify(problem.residual, x, Pattern(p.rows[left], p.cols[left], p.shape))
        assert not found
        assert (found.rows.tolist(), found.cols.tolist()) == ([p.rows[k]], [p.cols[k]])
        assert found.corrected == p
        assert f"value {p.rows[k]} depends on x[{p.cols[k]}]" in str(found)
        assert found.calls < 100


def test_several_entries_of_a_row_and_of_a_column_are_named() -> None:
    rng = np.random.default_rng(3)
    A = rng.standard_normal((12, 9))
    claimed = np.ones((12, 9), bool)
    claimed[4, [1, 5, 8]] = claimed[[0, 7], 5] = False
    found = sparsity.verify(lambda x: A @ np.sin(x), rng.standard_normal(9), claimed)
    np.testing.assert_array_equal(found.corrected.toarray(), True)
    assert found.rows.tolist() == [0, 4, 4, 4, 7]
    assert found.cols.tolist() == [5, 1, 5, 8, 5]


def test_a_superset_passes() -> None:
    assert sparsity.verify(lambda x: x**2, np.arange(5.0), np.ones((5, 5)))


def test_a_whole_forgotten_diagonal_is_told_without_asking_for_each_entry() -> None:
    problem = problems.broyden_tridiagonal(400)
    found = sparsity.verify(problem.residual, problem.x0, sparsity.banded(400, 1, 0))
    assert len(set(found.cols)) == 20
    assert found.suspects.size == 399 - 20
    assert found.calls < 400
    assert np.all(found.cols == found.rows + 1)


def test_a_coloring_is_verified_as_it_is_and_names_are_those_of_a_tree() -> None:
    def f(t: Any) -> Any:
        return t["a"] * t["b"]

    x = {"a": np.arange(1.0, 4.0), "b": np.arange(2.0, 5.0)}
    claimed = sparsity.color(np.hstack([np.eye(3), np.diag([1, 0, 1])]))
    found = sparsity.verify(f, x, claimed)
    assert found.names == ('x["b"][1]',)
    assert found.pattern is claimed.pattern
    assert sparsity.verify(f, x, lambda i, j: j % 3 == i)


@pytest.mark.parametrize(
    ("pattern", "error", "match"),
    [
        (np.eye(4), ShapeError, "f has 3 values and x has 3 entries"),
        (sparsity.color(np.eye(3), "rows"), ValueError, "colouring of columns; got one of 'rows'"),
    ],
)
def test_claims_that_do_not_fit_are_refused(pattern: Any, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        sparsity.verify(lambda x: x, np.ones(3), pattern)


def test_kinks_and_noise_accuse_nobody() -> None:
    rng = np.random.default_rng(1)
    for f in (np.abs, lambda x: np.maximum(x, 1e-9), lambda x: x + 1e-9 * np.sin(1e12 * x), np.floor):
        assert sparsity.verify(f, np.concatenate([[0.0, 1.0], rng.standard_normal(8)]), sparsity.banded(10, 0))
