"""Colouring the columns of sparse patterns, from a SciPy array to colours, beside SciPy's `group_columns`."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize._numdiff import group_columns

from bench._harness import Effort, Ratio, interleave
from bench._limits import Limits
from bench._report import Figure, Floor, Row, at_least, at_most
from fastgrad import sparsity

TITLE = "sparsity.color against SciPy's group_columns, columns in random (its default) and in natural order"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the three that were promised, and the structures of published matrices."""
    yield _row("tridiagonal, n = 10⁶", _band(10**6), 5.0, 1.3, effort)
    yield _row("5-point, n = 1000²", _grid(1000, 2), 5.0, 1.3, effort)
    yield _row("random, n = 10⁵, 10 a row", _random(10**5, 10), 1.0, 1.0, effort)
    yield _row("5-point, n = 999²", _grid(999, 2), None, None, effort)
    line = _band(500)
    yield _row("9-point, n = 500²", sparse.kron(line, line), None, None, effort)
    yield _row("7-point, n = 60³", _grid(60, 3), None, None, effort)
    yield _row("7-point, n = 63³", _grid(63, 3), None, None, effort)
    yield _row("power law, n = 10⁵", _power_law(10**5), None, None, effort)
    yield _row("arrowhead, n = 3000", _arrowhead(3000), None, None, effort)


def _row(name: str, matrix: Any, default: float | None, natural: float | None, effort: Effort) -> Row:
    A = sparse.csc_array(matrix)
    A.sum_duplicates()
    order = np.arange(A.shape[1])
    times = interleave(
        {
            "default": lambda: group_columns(A),
            "natural": lambda: group_columns(A, order),
            "fastgrad": lambda: sparsity.color(A),
            "both": lambda: sparsity.color(A, "both"),
        },
        effort,
    )
    ours = sparsity.color(A)
    if not ours.is_valid:
        raise AssertionError(f"{name}: the colouring is not valid.")
    theirs = [int(group_columns(A, way).max()) + 1 for way in (0, order)]
    both = sparsity.color(A, "both")
    return Row(
        name,
        times.best("fastgrad"),
        [
            Figure("SciPy / fastgrad", times.ratio("default", "fastgrad"), _floor(default)),
            Figure("SciPy natural / fastgrad", times.ratio("natural", "fastgrad"), _floor(natural)),
            Figure("fastgrad, rows and columns / columns", times.ratio("both", "fastgrad")),
            Figure("colours", Ratio(ours.n_colors, ours.n_colors), at_most(min(theirs))),
            Figure("colours of both", Ratio(both.n_colors, both.n_colors), at_most(3) if "arrow" in name else None),
        ],
        [f"SciPy's colours: {theirs[0]}, natural {theirs[1]}; fullest row: {int(ours.pattern.row_counts.max())}"],
    )


def _floor(bound: float | None) -> Floor | None:
    return None if bound is None else at_least(bound)


def _band(n: int) -> Any:
    return sparse.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1])


def _grid(side: int, dimensions: int) -> Any:
    """Return the stencil of a cell and its nearest neighbours."""
    line = grid = _band(side)
    for _ in range(dimensions - 1):
        grid = sparse.kron(grid, sparse.eye_array(side)) + sparse.kron(sparse.eye_array(grid.shape[0]), line)
    return grid


def _random(n: int, a_row: int) -> Any:
    rng = np.random.default_rng(0)
    entries = np.repeat(np.arange(n), a_row), rng.integers(0, n, n * a_row)
    return sparse.coo_array((np.ones(n * a_row), entries), shape=(n, n))


def _power_law(n: int) -> Any:
    rng = np.random.default_rng(0)
    counts = np.minimum((rng.pareto(1.5, n) + 1).astype(int), n // 4)
    entries = np.repeat(np.arange(n), counts), rng.integers(0, n, counts.sum())
    return sparse.coo_array((np.ones(counts.sum()), entries), shape=(n, n))


def _arrowhead(n: int) -> Any:
    i = np.arange(n)
    entries = np.concatenate([i, 0 * i[1:], i[1:]]), np.concatenate([i, i[1:], 0 * i[1:]])
    return sparse.coo_array((np.ones(3 * n - 2), entries), shape=(n, n))
