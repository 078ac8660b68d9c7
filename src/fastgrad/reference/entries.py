"""The entries of a sparse Jacobian in plain NumPy: where they lie in another order, and what they make of a move."""

import numpy as np

from fastgrad._typing import Array, Float64Array

__all__ = ["places", "product"]


def places(starts: Array, indices: Array, cursor: Array, targets: Array) -> None:
    """Write where in the order of rows each entry lies, in the order of columns.

    starts (m + 1,), indices (nnz,): the pattern by rows; cursor (n,): where each column starts, overwritten.
    """
    for p, j in enumerate(indices.tolist()):
        targets[cursor[j]] = p
        cursor[j] += 1


def product(
    starts: Array,
    rows: Array,
    targets: Array,
    data: Array,
    moves: Float64Array,
    change: Float64Array,
    size: Float64Array,
) -> None:
    """Write the product of a sparse Jacobian with moves into change, and that of their absolute values into size.

    starts (n + 1,), rows (nnz,): the pattern by columns; targets (nnz,) or (0,): where in data each entry lies.
    """
    change[:] = size[:] = 0.0
    with np.errstate(all="ignore"):
        for j in range(len(moves)):
            for p in range(starts[j], starts[j + 1]):
                term = moves[j] * float(data[targets[p] if targets.size else p])
                change[rows[p]] += term
                size[rows[p]] += abs(term)
