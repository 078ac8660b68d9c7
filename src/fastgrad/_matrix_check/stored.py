"""A claimed Jacobian or Hessian by the entries of a pattern: nothing of the matrix's size is made."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from fastgrad._diagnosis.evidence import Evidence
from fastgrad._errors import ShapeError
from fastgrad._judge.claim import Claim
from fastgrad._judge.verdict import Case, Rows
from fastgrad._point import Point
from fastgrad._tree import Leaf
from fastgrad._typing import Array, IndexArray
from fastgrad.sparsity._pattern import Pattern, from_csr

#: Of a matrix with no more entries the diagnosis sees all, of a larger one those of the pattern, in a row.
SEEN_WHOLE = 1 << 16

#: So many entries of a larger one are named in a diagnosis.
NAMED = 4


@dataclass(frozen=True)
class StoredClaim:
    """What a claim stores: its pattern, and the values in the order of the pattern's rows.

    Attributes
    ----------
    pattern : Pattern
    values : ndarray, shape (nnz,)
        float32, where the claim and x are, and float64 otherwise.
    precision : {"d", "f"}
        By which the claim is judged.
    """

    pattern: Pattern
    values: Array
    precision: str

    def at(self, flat: IndexArray) -> Array:
        """Return what is claimed at these flat indices: zero, where nothing is stored."""
        mine = flat_indices(self.pattern)
        place = np.minimum(np.searchsorted(mine, flat), max(mine.size - 1, 0))
        found = np.zeros(flat.size, self.values.dtype)
        if mine.size:
            is_stored = mine[place] == flat
            found[is_stored] = self.values[place[is_stored]]
        return found

    def is_left_out(self, flat: IndexArray) -> Array:
        """Tell which of these flat indices the claim does not store."""
        return ~np.isin(flat, flat_indices(self.pattern))


def stored_claim(given: Any, point: Point, what: str) -> StoredClaim:
    """Return what a SciPy sparse array claims; entries that it stores twice are added up, as SciPy does.

    Raises
    ------
    TypeError
        If it holds no real numbers.
    """
    lines = given.tocsr(copy=True)
    if lines.dtype.kind not in "biuf":
        raise TypeError(f"{what} must hold real numbers; got dtype {lines.dtype}.")
    is_single = point.array.dtype == np.float32
    is_float32 = lines.dtype == np.float32 and is_single
    is_single |= lines.dtype.kind == "f" and lines.dtype.itemsize <= 4
    lines.sum_duplicates()
    pattern = from_csr(lines.indptr, lines.indices, lines.shape[1])
    values = lines.data.astype(np.float32 if is_float32 else np.float64)
    return StoredClaim(pattern, values, "f" if is_single else "d")


def claim_of_dense(claim: Claim, shape: tuple[int, int]) -> StoredClaim:
    """Return a dense claim by its entries that are not zero."""
    dense = claim.values.reshape(shape)
    rows, cols = np.nonzero(dense)
    return StoredClaim(Pattern(rows, cols, shape), dense[rows, cols], claim.precision)


def flat_indices(pattern: Pattern) -> IndexArray:
    """Return where the entries of a pattern lie in the whole matrix, row by row."""
    return np.asarray(pattern.rows.astype(np.intp) * pattern.shape[1] + pattern.cols, dtype=np.intp)


@dataclass(frozen=True)
class StoredCase(Case):
    """A case of a matrix whose claim holds the entries that are compared and no others."""

    @property
    def claimed(self) -> Array:
        """The claimed entries that are compared."""
        return self.claim.values

    def evidence(self, measured: Array, wrong: Rows, rest_is_right: bool) -> Evidence:
        """Return the whole matrix, if it is small, and else the line of what is compared."""
        assert self.where is not None
        size = prod(self.point.array.shape)
        if size > SEEN_WHOLE:
            x, precision = np.zeros(self.count), self.claim.precision
            return Evidence(x, self.claimed, measured, wrong.k, wrong.bound, self._in_a_row(wrong), precision)
        claimed, known = np.zeros((2, size))
        claimed[self.where], known[self.where] = self.claimed, measured
        return Evidence(
            np.zeros(size),
            claimed,
            known,
            self.indices(wrong.k),
            wrong.bound,
            self.point.leaves,
            self.claim.precision,
        )

    def _in_a_row(self, wrong: Rows) -> tuple[Leaf, ...]:
        """Return names for the line of what is compared: few wrong entries keep their own, and no place has one."""
        label = f"the pattern of {self.point.label}"
        if wrong.k.size == self.count:
            return (Leaf(label, (self.count,), 0),)
        if wrong.k.size > NAMED:
            middle = int(wrong.k[wrong.k.size // 2])
            return Leaf(label, (middle,), 0), Leaf(label, (self.count - middle,), middle)
        leaves, start = [], 0
        for k, i in zip(wrong.k.tolist(), self.indices(wrong.k).tolist(), strict=True):
            leaves += [Leaf(label, (k - start,), start), Leaf(self.point.name(i), (), k)]
            start = k + 1
        return (*leaves, Leaf(label, (self.count - start,), start))


def refuse_misfit(shape: tuple[int, int], expected: tuple[int, int], what: str) -> None:
    """Raise a sentence, if a claim has not the shape of the matrix.

    Raises
    ------
    ShapeError
    """
    if shape != expected:
        raise ShapeError(f"{what} has shape {shape}; expected {expected}.")
