"""Patterns: what they are made of, what they say, and what they refuse."""

import pickle
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import ShapeError, sparsity
from fastgrad._typing import Array
from fastgrad.sparsity import Pattern

sparse = pytest.importorskip("scipy.sparse")

DENSE = np.array([[1, 0, 2, 0], [0, 0, 0, 0], [0, 3, 4, 0]])


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


def test_a_symmetric_pattern_is_kept_once() -> None:
    symmetric, other = sparsity.banded(50, 2), sparsity.banded(50, 2, 1)
    assert symmetric.csc is symmetric.csr
    assert symmetric.is_symmetric
    assert other.csc is not other.csr
    assert not other.is_symmetric
    for p in (symmetric, other):
        by_columns = sparse.csc_array(p.to_scipy())
        np.testing.assert_array_equal(p.csc[0], by_columns.indptr)
        np.testing.assert_array_equal(p.csc[1], by_columns.indices)
        read = sparsity.as_pattern(by_columns)
        np.testing.assert_array_equal(read.row_counts, p.row_counts)
        assert read == p


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
        (lambda: sparsity.banded(4, 1.0), TypeError, r"lower must be an integer; got 1\.0"),  # type: ignore[arg-type]
        (lambda: sparsity.block_diagonal(["x"]), TypeError, "got str"),
    ],
)
def test_what_is_no_pattern_is_refused_in_a_sentence(make: Any, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        make()


def test_sparsity_is_a_namespace_that_is_loaded_when_asked_for(fresh_python: Any) -> None:
    code = "import sys, fastgrad as fg; early = 'fastgrad.sparsity' in sys.modules; fg.sparsity.banded(3)\n"
    assert fresh_python(code + "print(early, 'scipy' in sys.modules)") == "False False"
    assert fg.sparsity is sparsity
