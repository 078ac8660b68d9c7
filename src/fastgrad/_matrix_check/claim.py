"""A claimed Jacobian or Hessian, in whatever form it arrives: dense, sparse, flat, or a tree."""

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._arrays import is_masked_array
from fastgrad._errors import ShapeError, no_claim, shape_hint
from fastgrad._judge.claim import Claim
from fastgrad._point import Point
from fastgrad._tree import Tree, flatten
from fastgrad._typing import Array


def is_sparse(given: Any) -> bool:
    """Tell whether something is one of SciPy's sparse arrays or matrices."""
    return hasattr(given, "tocoo") and hasattr(given, "toarray")


@dataclass(frozen=True)
class MatrixClaim:
    """The claim as a dense array (rows, n), and which entries a sparse one stores; None where it came dense."""

    claim: Claim
    stored: NDArray[np.bool_] | None

    def is_left_out(self, flat: Array) -> NDArray[np.bool_]:
        """Tell which of these flat entries a sparse claim does not store."""
        if self.stored is None:
            return np.zeros(flat.size, np.bool_)
        return ~self.stored.reshape(-1)[flat]


def matrix_claim(given: Any, rows: tuple[int, ...], point: Point, what: str) -> MatrixClaim:
    """Return what is claimed for the derivatives of values of shape `rows` by a point.

    Raises
    ------
    ShapeError
        If the claim has neither the shape rows + x.shape nor that of the matrix; for a tree x, if its leaves have not.
    TypeError
        If it holds no real numbers.
    """
    shape = (prod(rows), point.array.size)
    stored = None
    if is_sparse(given):
        if tuple(given.shape) != shape:
            raise ShapeError(f"{what} has shape {tuple(given.shape)}; expected {shape}.")
        entries = given.tocoo()
        stored = np.zeros(shape, np.bool_)
        stored[entries.row, entries.col] = True
        given = given.toarray()
    values = _dense(given, rows, point, what)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{what} must hold real numbers; got dtype {values.dtype}.")
    is_float32 = values.dtype == np.float32 and point.array.dtype == np.float32
    is_single = point.array.dtype == np.float32 or (values.dtype.kind == "f" and values.dtype.itemsize <= 4)
    dense = np.array(values, dtype=np.float32 if is_float32 else np.float64, order="C").reshape(shape)
    return MatrixClaim(Claim(dense, "f" if is_single else "d"), stored)


def _dense(given: Any, rows: tuple[int, ...], point: Point, what: str) -> Array:
    shape, columns = point.array.shape, point.array.size
    if given is None:
        raise no_claim(what)
    if is_masked_array(given):
        raise TypeError(f"{what} is a masked array: fill it first.")
    if point.tree is not None and not isinstance(given, np.ndarray):
        return _of_tree(given, rows, point.tree, point.label, what)
    try:
        values = np.asarray(given)
    except ValueError as error:
        raise ShapeError(f"{what} must be an array of shape {rows + shape}: {error}") from error
    known = dict.fromkeys((rows + shape, (prod(rows), columns)))
    if values.shape not in known:
        raise ShapeError(
            f"{what} has shape {values.shape}; expected {' or '.join(map(str, known))}."
            f"{shape_hint(values.shape, (prod(rows), columns))}"
        )
    return values


def _of_tree(given: Any, rows: tuple[int, ...], x: Tree, label: str, what: str) -> Array:
    """Return a tree whose leaves are the derivatives by x's leaves as one matrix."""
    _, tree = flatten(given, what)
    expected = {leaf.path.removeprefix(label): leaf for leaf in x.leaves}
    found = {leaf.path.removeprefix(what): leaf for leaf in tree.leaves}
    if expected.keys() != found.keys():
        missing = sorted(expected.keys() ^ found.keys())[0]
        raise ShapeError(f"{what} must be a tree of x's structure; they differ at {missing}.")
    parts = tree.arrays(given, what)
    by_path = dict(zip(found, parts, strict=True))
    for path, leaf in expected.items():
        if by_path[path].shape != rows + leaf.shape:
            raise ShapeError(f"{what} has shape {by_path[path].shape} at {path}; expected {rows + leaf.shape}.")
    columns = [by_path[path].reshape(prod(rows), -1) for path in expected]
    return np.concatenate([np.empty((prod(rows), 0), columns[0].dtype if columns else np.float64), *columns], axis=1)
