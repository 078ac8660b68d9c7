"""What the theory of colourings says of every pattern."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fastgrad import sparsity
from fastgrad._typing import Array

ORDERS = ["auto", "natural", "largest_first", "smallest_last", "incidence_degree", "random"]
sizes = {
    "m": st.integers(0, 16),
    "n": st.integers(0, 16),
    "density": st.floats(0, 1),
    "seed": st.integers(0, 2**32 - 1),
}


def drawn(m: int, n: int, density: float, seed: int) -> Array:
    return np.asarray(np.random.default_rng(seed).random((m, n)) < density)


@settings(max_examples=40, deadline=None)
@given(order=st.sampled_from(ORDERS), **sizes)
def test_a_row_sees_each_colour_once(order: str, m: int, n: int, density: float, seed: int) -> None:
    dense = drawn(m, n, density, seed)
    c = sparsity.color(dense, order=order)
    for row in dense:
        colors = c.column_colors[row]
        assert np.all(colors >= 0)
        assert len(set(colors)) == len(colors)
    fullest = int(dense.sum(axis=1).max(initial=0))
    assert fullest <= c.n_colors <= n
    if order == "auto":
        assert c.n_colors <= sparsity.color(dense, order="natural").n_colors


@settings(max_examples=40, deadline=None)
@given(**sizes)
def test_a_matrix_is_found_again_from_its_products_with_the_colours(m: int, n: int, density: float, seed: int) -> None:
    """By the definition of what colours are for, with rows and columns together."""
    dense = drawn(m, n, density, seed)
    J = np.where(dense, np.random.default_rng(seed).standard_normal((m, n)), 0.0)
    c = sparsity.color(dense, "both")
    by_column = J @ (c.column_colors[:, np.newaxis] == np.arange(c.n_column_colors))
    by_row = (c.row_colors == np.arange(c.n_row_colors)[:, np.newaxis]) @ J
    found = np.zeros((m, n))
    p = c.pattern
    for i, j, from_column, from_row in zip(p.rows, p.cols, c.alone_by_column, c.alone_by_row, strict=True):
        assert from_column or from_row
        found[i, j] = by_column[i, c.column_colors[j]] if from_column else by_row[c.row_colors[i], j]
    np.testing.assert_array_equal(found, J)
    alone = min(sparsity.color(dense, "columns").n_colors, sparsity.color(dense, "rows").n_colors)
    assert c.n_colors <= alone


@settings(max_examples=40, deadline=None)
@given(order=st.sampled_from(ORDERS), n=st.integers(0, 16), density=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
def test_a_symmetric_matrix_is_found_again(order: str, n: int, density: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    dense = rng.random((n, n)) < density / 2
    dense |= dense.T
    H = np.where(dense, rng.standard_normal((n, n)), 0.0)
    H = np.triu(H) + np.triu(H, 1).T
    c = sparsity.color(dense, "symmetric", order=order)
    products = H @ (c.column_colors[:, np.newaxis] == np.arange(c.n_column_colors))
    found = np.zeros((n, n))
    p = c.pattern
    for i, j, from_column, from_row in zip(p.rows, p.cols, c.alone_by_column, c.alone_by_row, strict=True):
        assert from_column or from_row
        found[i, j] = products[i, c.column_colors[j]] if from_column else products[j, c.column_colors[i]]
    np.testing.assert_array_equal(found, H)


def test_paths_take_three_colours_of_a_star() -> None:
    assert sparsity.color(sparsity.banded(500, 1), "symmetric").n_colors == 3
    assert sparsity.color(sparsity.banded(3, 1), "symmetric").n_colors == 2
    assert sparsity.color(sparsity.banded(10, 0), "symmetric").n_colors == 1


def test_the_order_smallest_last_never_takes_more_than_the_degeneracy_and_one() -> None:
    """A forest in the intersection graph has degeneracy 1, and two colours are enough."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        parents = [int(rng.integers(0, j)) for j in range(1, 40)]
        rows = np.repeat(np.arange(39), 2)
        cols = np.array([[j, parent] for j, parent in enumerate(parents, start=1)]).reshape(-1)
        tree = sparsity.Pattern(rows, cols, (39, 40))
        assert sparsity.color(tree, order="smallest_last").n_colors == 2
        assert sparsity.color(tree, order="incidence_degree").n_colors == 2
