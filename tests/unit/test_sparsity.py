"""Patterns and colourings: what they are made of, what they say, and what they refuse."""

import pickle
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import ShapeError, sparsity
from fastgrad._typing import Array
from fastgrad.sparsity import Coloring, Pattern

sparse = pytest.importorskip("scipy.sparse")

DENSE = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 3, 4, 0]])


def grid(side: int, stencil: str) -> Any:
    """Return the 5-, 7- or 9-point stencil of a grid as a SciPy array."""
    line = sparse.diags_array([np.ones(side - 1), np.ones(side), np.ones(side - 1)], offsets=[-1, 0, 1])
    eye = sparse.eye_array(side)
    if stencil == "9-point":
        return sparse.kron(line, line)
    plane = sparse.kron(line, eye) + sparse.kron(eye, line)
    if stencil == "5-point":
        return plane
    return sparse.kron(plane, eye) + sparse.kron(sparse.eye_array(side**2), line)


def arrowhead(n: int) -> Pattern:
    return sparsity.as_pattern(lambda i, j: (i == j) | (i == 0) | (j == 0), (n, n))


def power_law(n: int) -> Pattern:
    rng = np.random.default_rng(5)
    counts = np.minimum((rng.pareto(1.5, n) + 1).astype(int), n // 4)
    return Pattern(np.repeat(np.arange(n), counts), rng.integers(0, n, counts.sum()), (n, n))


# --- Pattern


def test_a_pattern_knows_its_entries_both_ways() -> None:
    p = Pattern([2, 0, 0, 2, 2], [1, 0, 2, 2, 1], (3, 4))
    assert (p.shape, p.nnz, p.density) == ((3, 4), 4, 4 / 12)
    np.testing.assert_array_equal(p.toarray(), DENSE != 0)
    np.testing.assert_array_equal(p.rows, [0, 0, 2, 2])
    np.testing.assert_array_equal(p.cols, [0, 2, 1, 2])
    np.testing.assert_array_equal(p.row_counts, [2, 0, 2])
    for ours, theirs in zip(p.csr, ([0, 2, 2, 4], [0, 2, 1, 2]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(p.csc, ([0, 1, 2, 4, 4], [0, 2, 0, 2]), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert p.csr[0].dtype == np.int32
    np.testing.assert_array_equal(p.T.toarray(), DENSE.T != 0)
    assert p == p.T.T
    assert p != p.T
    assert repr(p) == "Pattern(3 x 4, 4 entries)"


def test_a_pattern_is_never_changed() -> None:
    p = sparsity.as_pattern(DENSE)
    with pytest.raises(AttributeError, match="never changed"):
        p.shape = (1, 1)
    for array in (*p.csr, *p.csc):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_patterns_compare_unite_and_travel() -> None:
    p, q = sparsity.as_pattern(DENSE), sparsity.as_pattern(np.eye(3, 4))
    assert p == sparsity.as_pattern(DENSE.astype(bool))
    assert hash(p) == hash(sparsity.as_pattern(2 * DENSE))
    assert p != q
    assert p != "pattern"
    np.testing.assert_array_equal((p | q).toarray(), (DENSE != 0) | np.eye(3, 4, dtype=bool))
    assert pickle.loads(pickle.dumps(p)) == p
    assert [(i, j) in p for i, j in ((0, 2), (0, 1), (1, 1), (2, 2), (3, 0), (-1, 0))] == [True, False, False, True] + [
        False
    ] * 2
    with pytest.raises(ShapeError, match="one shape"):
        p | p.T


@pytest.mark.parametrize("format", ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_scipy_of_any_format_is_read(format: str, kind: str) -> None:
    given = getattr(sparse, f"csr_{kind}")(DENSE.astype(float)).asformat(format)
    before = given.toarray()
    assert sparsity.as_pattern(given) == sparsity.as_pattern(DENSE)
    np.testing.assert_array_equal(given.toarray(), before)
    back = sparsity.as_pattern(given).to_scipy(format)
    assert back.format == format
    np.testing.assert_array_equal(back.toarray(), DENSE != 0)


def test_what_scipy_stores_counts_whatever_its_value() -> None:
    stored = sparse.csr_array(([0.0, np.nan], [1, 0], [0, 1, 2]), shape=(2, 2))
    np.testing.assert_array_equal(sparsity.as_pattern(stored).toarray(), [[False, True], [True, False]])


@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_array])
def test_unsorted_indices_and_duplicates_are_put_in_order_in_a_copy(make: Any) -> None:
    given = make((np.ones(5), [2, 0, 2, 1, 1], [0, 3, 3, 5]), shape=(3, 3))
    indices = given.indices.copy()
    assert sparsity.as_pattern(given).nnz == 3
    np.testing.assert_array_equal(given.indices, indices)


def test_a_pattern_shares_no_memory_with_what_it_was_read_from() -> None:
    given = sparse.csr_array(DENSE)
    p = sparsity.as_pattern(given)
    given.indices[:] = 3
    assert p == sparsity.as_pattern(DENSE)


def test_a_callable_is_asked_in_blocks_of_rows() -> None:
    shapes = []

    def upper(i: Array, j: Array) -> Array:
        shapes.append((i.shape, j.shape))
        return j >= i

    p = sparsity.as_pattern(upper, (2000, 1500))
    assert p == sparsity.as_pattern(np.triu(np.ones((2000, 1500))))
    assert len(shapes) > 1
    assert all(a[0] * b[1] <= 2**20 for a, b in shapes)
    assert sparsity.as_pattern(lambda i, j: True if i.size else None, (0, 3)).nnz == 0
    assert sparsity.as_pattern(lambda i, j: np.True_, (2, 3)).nnz == 6


@pytest.mark.parametrize(("m", "n", "lower", "upper"), [(5, 5, 1, 1), (4, 7, 0, 2), (7, 4, 2, -1), (3, 3, 9, 9)])
def test_bands(m: int, n: int, lower: int, upper: int) -> None:
    i, j = np.indices((m, n))
    np.testing.assert_array_equal(sparsity.banded(n, lower, upper, m=m).toarray(), (j - i >= -lower) & (j - i <= upper))
    assert sparsity.banded(6, 2) == sparsity.banded(6, 2, 2, m=6)


def test_blocks() -> None:
    blocks = [2, (1, 3), DENSE, sparse.eye_array(2), sparsity.banded(2, 0), (0, 1), np.int64(1)]
    dense = [np.ones((2, 2)), np.ones((1, 3)), DENSE, np.eye(2), np.eye(2), np.ones((0, 1)), np.ones((1, 1))]
    expected = sparse.block_diag([sparse.coo_array(d) for d in dense]).toarray() != 0
    np.testing.assert_array_equal(sparsity.block_diagonal(blocks).toarray(), expected)
    assert sparsity.block_diagonal([]).shape == (0, 0)


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: Pattern([0], [0, 1], (2, 2)), ShapeError, "one length; got 1 and 2"),
        (lambda: Pattern([0], [2], (2, 2)), ValueError, r"cols\[0\] is 2; expected 0 to 1"),
        (lambda: Pattern([0, -1], [0, 0], (2, 2)), ValueError, r"rows\[1\] is -1"),
        (lambda: Pattern([0.5], [0], (2, 2)), TypeError, "rows must be integers"),
        (lambda: Pattern([0], [0], (2,)), ShapeError, "pair"),
        (lambda: Pattern([0], [0], (2, -2)), ShapeError, "negative"),
        (lambda: sparsity.as_pattern(np.ones(3)), ShapeError, "two dimensions"),
        (lambda: sparsity.as_pattern(np.ma.ones((2, 2))), TypeError, "masked"),
        (lambda: sparsity.as_pattern("csr"), TypeError, "got str"),
        (lambda: sparsity.as_pattern([[1, 0], [0]]), ShapeError, "read from a regular array"),
        (lambda: sparsity.as_pattern(DENSE, (4, 3)), ShapeError, r"\(3, 4\); expected \(4, 3\)"),
        (lambda: sparsity.as_pattern(lambda i, j: i == j), ShapeError, "give a shape"),
        (lambda: sparsity.as_pattern(lambda i, j: i - j, (2, 2)), TypeError, "dtype int"),
        (lambda: sparsity.as_pattern(lambda i, j: np.ones(3, bool), (2, 2)), ShapeError, "asked about"),
        (lambda: sparsity.banded(4, -2, 1), ValueError, "holds no diagonal"),
        (lambda: sparsity.block_diagonal(["x"]), TypeError, "got str"),
    ],
)
def test_what_is_no_pattern_is_refused_in_a_sentence(make: Any, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        make()


# --- Coloring


@pytest.mark.parametrize("order", ["auto", "natural", "largest_first", "smallest_last", "incidence_degree", "random"])
def test_bands_take_as_many_colours_as_they_are_wide(order: str) -> None:
    c = sparsity.color(sparsity.banded(60, 2, 1), order=order)
    assert c.is_valid
    assert c.n_colors == 4 if order in ("auto", "natural") else c.n_colors >= 4


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda: grid(100, "5-point"), 5),
        (lambda: grid(37, "5-point"), 5),
        (lambda: grid(99, "5-point"), 6),
        (lambda: grid(50, "9-point"), 9),
        (lambda: grid(20, "7-point"), 8),
        (lambda: arrowhead(100).to_scipy(), 100),
        (lambda: power_law(2000).to_scipy(), 500),
    ],
)
def test_published_structures_take_no_more_colours_than_scipy_finds(make: Any, most: int) -> None:
    from scipy.optimize._numdiff import group_columns

    matrix = make()
    theirs = [1 + group_columns(matrix, order).max() for order in (0, np.arange(matrix.shape[1]))]
    c = sparsity.color(matrix)
    assert c.is_valid
    assert c.n_colors <= min(*theirs, most)


@pytest.mark.parametrize("n", [3, 50, 1000])
def test_an_arrow_takes_three_colours_of_both(n: int) -> None:
    c = sparsity.color(arrowhead(n), "both")
    assert c.is_valid
    assert c.n_colors <= 3
    assert c.calls <= 5
    assert sparsity.color(arrowhead(n), "symmetric").n_colors == 2


def test_a_coloring_says_what_it_costs() -> None:
    c = sparsity.color(sparsity.banded(12, 1))
    assert (c.partition, c.order, c.n_colors, c.n_row_colors, c.calls, c.compression) == ("columns", "auto", 3, 0, 6, 4)
    assert repr(c) == "Coloring(12 x 12, 34 entries: 3 colours of columns, 6 calls, 4 times fewer)"
    assert [group.tolist() for group in c.groups] == [[0, 3, 6, 9], [1, 4, 7, 10], [2, 5, 8, 11]]
    starts, members = c.grouped_columns
    np.testing.assert_array_equal(starts, [0, 4, 8, 12])
    np.testing.assert_array_equal(c.column_colors[members], np.repeat([0, 1, 2], 4))
    with pytest.raises(ValueError, match="read-only"):
        c.column_colors[0] = 5


def test_columns_without_entries_have_no_colour() -> None:
    c = sparsity.color(DENSE)
    assert c.column_colors[3] == -1
    assert sum(len(group) for group in c.groups) == 3
    empty = sparsity.color(np.zeros((3, 2)))
    assert (empty.n_colors, empty.calls, empty.groups, empty.is_valid) == (0, 0, [], True)
    assert sparsity.color(np.zeros((0, 0)), "both").is_valid


def test_rows_are_the_columns_of_the_transpose() -> None:
    c, t = sparsity.color(DENSE, "rows"), sparsity.color(DENSE.T)
    np.testing.assert_array_equal(c.row_colors, t.column_colors)
    assert (c.n_column_colors, c.calls, c.is_valid) == (0, t.n_colors, True)
    assert [group.tolist() for group in c.groups] == [group.tolist() for group in t.groups]


def test_an_order_can_be_given_and_a_random_one_repeated() -> None:
    p = power_law(300)
    assert sparsity.color(p, order=np.arange(300)).n_colors == sparsity.color(p, order="natural").n_colors
    first, again = (sparsity.color(p, order="random", rng=7) for _ in range(2))
    np.testing.assert_array_equal(first.column_colors, again.column_colors)
    assert first.order == "random, rng=7"
    drawn = sparsity.color(p, order="random", rng=None)
    repeated = sparsity.color(p, order="random", rng=int(drawn.order.split("=")[1]))
    np.testing.assert_array_equal(drawn.column_colors, repeated.column_colors)


def test_colours_made_elsewhere_are_brought_in_if_they_tell_all_entries() -> None:
    p = sparsity.banded(6, 1)
    c = Coloring.from_colors(p, [0, 1, 2] * 2)
    assert (c.n_colors, c.order) == (3, "given")
    assert Coloring.from_colors(p, [0, 1, 0, 2, 0, 1], "symmetric").n_colors == 3
    assert Coloring.from_colors(p, [0, 1, 2] * 2, "rows").n_row_colors == 3
    with pytest.raises(ValueError, match=r"entry \(0, 0\) cannot be told"):
        Coloring.from_colors(p, [0, 0, 1, 2, 0, 1])
    with pytest.raises(ValueError, match="cannot be told"):
        Coloring.from_colors(p, [0, 1, 2, 0, 1, -1])
    with pytest.raises(ValueError, match="cannot be told"):
        Coloring.from_colors(p, [0, 1] * 3, "symmetric")
    with pytest.raises(ShapeError, match="a colour for each"):
        Coloring.from_colors(p, [0])
    with pytest.raises(TypeError, match="integers"):
        Coloring.from_colors(p, np.zeros(6))
    with pytest.raises(ValueError, match="from 0"):
        Coloring.from_colors(p, [0, 1, 2, 0, 1, -2])
    with pytest.raises(ValueError, match="not symmetric"):
        Coloring.from_colors(sparsity.banded(6, 1, 0), [0, 1, 2] * 2, "symmetric")
    partition: Any = "both"
    with pytest.raises(ValueError, match="'columns', 'rows'"):
        Coloring.from_colors(p, [0, 1, 2] * 2, partition)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"partition": "columns and rows"}, "partition must be one of"),
        ({"order": "best"}, "order must be 'auto'"),
        ({"order": [0, 0, 1, 2]}, "permutation"),
        ({"partition": "both", "order": "natural"}, "'auto' only"),
        ({"partition": "symmetric"}, "not symmetric"),
    ],
)
def test_colourings_that_there_are_not(options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        sparsity.color(DENSE, **options)


def test_sparsity_is_a_namespace_that_is_loaded_when_asked_for(fresh_python: Any) -> None:
    code = "import sys, fastgrad as fg; early = 'fastgrad.sparsity' in sys.modules; fg.sparsity.banded(3)\n"
    assert fresh_python(code + "print(early, 'scipy' in sys.modules)") == "False False"
    assert fg.sparsity is sparsity


def test_the_reference_gives_the_same_colours(fresh_python: Any) -> None:
    code = """
import numpy as np
from fastgrad import sparsity
rng = np.random.default_rng(0)
dense = rng.random((15, 12)) < 0.2
ways = [{"order": o} for o in ("auto", "smallest_last", "incidence_degree")] + [{"partition": "both"}]
colors = [sparsity.color(dense, **way) for way in ways] + [sparsity.color(dense.T @ dense, "symmetric")]
print([[*c.column_colors.tolist(), *c.row_colors.tolist()] for c in colors])
print(sparsity.detect(lambda x: x * np.roll(x, 2), np.ones(9)).pattern.cols)
"""
    assert fresh_python(code, FASTGRAD_BACKEND="reference") == fresh_python(code, FASTGRAD_BACKEND="compiled")
