"""Whether a claim holds the right values in the wrong places: transposed, shifted, reversed, swapped, summed."""

from collections.abc import Callable, Iterator
from itertools import permutations
from math import isqrt, prod

import numpy as np

from fastgrad._diagnosis.evidence import CHANCE, LARGEST, LOOSE, Evidence, Supposition
from fastgrad._tree import Leaf
from fastgrad._typing import Float64Array, IndexArray

#: A value found by chance in a claim without such values.
RARE = 1e-4
#: Claims are searched for a value in so many entries.
SEARCHED = 4096
#: Arrays of more axes than this are not permuted.
MOST_AXES = 5

#: From indices into a leaf to those at which the claim should hold what was measured there; −1: it does not say.
Source = Callable[[IndexArray], IndexArray]


def rearrangements(e: Evidence, leaf: Leaf) -> Iterator[Supposition]:
    """Yield the orders that the claim of a leaf may be in, its wrong entries all lying in it."""
    chance = _chance(e, leaf)
    for tried, (source, relation, cause) in enumerate(_orders(leaf), 1):
        if tried * chance > CHANCE:
            return
        yield Supposition(_reading(e, leaf, source), relation, cause, 2, leaf)


def swaps(e: Evidence, leaf: Leaf) -> Iterator[Supposition]:
    """Yield the other leaves of the same size whose gradient the claim of this one may be."""
    chance = _chance(e, leaf)
    for other in e.leaves:
        if other is leaf or prod(other.shape) != prod(leaf.shape) or chance * len(e.leaves) > CHANCE:
            continue
        shift = other.start - leaf.start

        def expected(i: IndexArray, shift: int = shift) -> Float64Array:
            return e.claimed[i + shift].astype(np.float64)

        relation = f"what was measured at {leaf.path} claimed at {other.path}"
        yield Supposition(expected, relation, "the gradients of two leaves are swapped", 2, leaf)


def _reading(e: Evidence, leaf: Leaf, source: Source) -> Callable[[IndexArray], Float64Array]:
    def expected(i: IndexArray) -> Float64Array:
        k = source(i - leaf.start)
        return np.where(k < 0, np.nan, e.claimed[leaf.start + np.maximum(k, 0)].astype(np.float64))

    return expected


def _chance(e: Evidence, leaf: Leaf) -> float:
    """Return how probable it is that another order of the claim fits the wrong entries by chance."""
    stride = -(-prod(leaf.shape) // SEARCHED)
    m, slack = e.m[e.is_clear], LOOSE * e.slack[e.is_clear]
    probabilities = np.zeros(m.size)
    for line in (e.claimed, e.measured):
        values = np.sort(line[leaf.start : leaf.stop : stride].astype(np.float64))
        found = np.searchsorted(values, m + slack, "right") - np.searchsorted(values, m - slack, "left")
        probabilities = np.maximum(probabilities, (found - 1) / values.size)
    return float(np.exp(np.sum(np.log(np.minimum(probabilities + RARE, 1.0)))))


def _orders(leaf: Leaf) -> Iterator[tuple[Source, str, str]]:
    yield from _transposed(leaf)
    yield from _shifted(leaf)
    yield from _reversed(leaf)
    if len(leaf.shape) == 1:
        yield from _flattened(leaf)


def _transposed(leaf: Leaf) -> Iterator[tuple[Source, str, str]]:
    """Yield the orders of axes that a claim may have had before it was laid into the shape of x."""
    shape = leaf.shape
    if not 2 <= len(shape) <= MOST_AXES:
        return
    plain = tuple(range(len(shape)))
    for axes in sorted(permutations(plain), key=lambda axes: sum(a != b for a, b in zip(axes, plain, strict=True))):
        if axes != plain:
            if len(shape) == 2:
                relation, cause = "measured[i, j] = claimed[j, i]", "the claim is transposed"
                if shape[0] != shape[1]:
                    relation = f"measured = claimed, read as {shape[::-1]} and transposed"
            else:
                relation, cause = f"measured = claimed with axes in the order {axes}", "axes are mixed up"
            yield _source(shape, axes), relation, cause


def _source(shape: tuple[int, ...], axes: tuple[int, ...]) -> Source:
    """Return where an entry of this shape lies in an array whose axes, in this order, are those of the shape."""
    before = [0] * len(shape)
    for place, axis in enumerate(axes):
        before[axis] = shape[place]

    def source(i: IndexArray) -> IndexArray:
        at = np.unravel_index(i, shape)
        return np.asarray(np.ravel_multi_index(tuple(at[axes.index(k)] for k in range(len(shape))), tuple(before)))

    return source


def _shifted(leaf: Leaf) -> Iterator[tuple[Source, str, str]]:
    shape, size = leaf.shape, prod(leaf.shape)
    if len(shape) > 1:
        for step in (1, -1):

            def flat(i: IndexArray, step: int = step) -> IndexArray:
                k = i + step
                return np.where((k >= 0) & (k < size), k, -1)

            yield flat, "the value that its neighbour in the line is claimed to have", "shifted by one when flat"
    for axis in range(len(shape)):
        for step in (1, -1):

            def along(i: IndexArray, axis: int = axis, step: int = step) -> IndexArray:
                at = [np.asarray(k) for k in np.unravel_index(i, shape)]
                at[axis] = at[axis] + step
                is_inside = (at[axis] >= 0) & (at[axis] < shape[axis])
                at[axis] = np.clip(at[axis], 0, shape[axis] - 1)
                return np.where(is_inside, np.ravel_multi_index(tuple(at), shape), -1)

            places = [f"i{'+' if step > 0 else '−'}1" if k == axis else ":" for k in range(len(shape))]
            here = ["i" if k == axis else ":" for k in range(len(shape))]
            relation = f"measured[{', '.join(here)}] = claimed[{', '.join(places)}]"
            where = "" if len(shape) == 1 else f" along axis {axis}"
            yield along, relation, f"the claim is shifted by one{where}"


def _reversed(leaf: Leaf) -> Iterator[tuple[Source, str, str]]:
    shape, size = leaf.shape, prod(leaf.shape)
    cause = "a convolution for a correlation, or the other way round"
    for axis in range(len(shape)):

        def along(i: IndexArray, axis: int = axis) -> IndexArray:
            at = [np.asarray(k) for k in np.unravel_index(i, shape)]
            at[axis] = shape[axis] - 1 - at[axis]
            return np.asarray(np.ravel_multi_index(tuple(at), shape))

        where = "" if len(shape) == 1 else f" along axis {axis}"
        yield along, f"measured = claimed reversed{where}", cause
    if len(shape) > 1:
        yield (lambda i: size - 1 - i), "measured = claimed reversed along all axes", cause


def _flattened(leaf: Leaf) -> Iterator[tuple[Source, str, str]]:
    """Yield the matrices that a line may be made of, transposed."""
    size = prod(leaf.shape)
    if size > LARGEST:
        return
    smaller = [k for k in range(2, isqrt(size) + 1) if size % k == 0]
    for rows in sorted({*smaller, *(size // k for k in smaller)}):
        shape = (rows, size // rows)
        relation = f"measured = claimed, read as {shape[::-1]} and transposed"
        yield _source(shape, (1, 0)), relation, "a matrix is transposed, or flattened in the other order"
