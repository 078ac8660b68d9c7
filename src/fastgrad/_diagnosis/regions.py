"""In which rows, columns, blocks or leaves entries lie, in words."""

from collections.abc import Callable, Iterator

import numpy as np

from fastgrad._diagnosis.evidence import BLOCK, LARGEST, Truths
from fastgrad._tree import Leaf, named
from fastgrad._typing import IndexArray

#: So many rows or columns are named; more are a range, or nothing.
NAMED = 4

Box = tuple[IndexArray, ...]


def region(i: IndexArray, leaves: tuple[Leaf, ...], holds: Callable[[IndexArray], Truths]) -> str:
    """Return the largest plain region around these entries in all of which something holds, as "row 2 of x".

    Parameters
    ----------
    i : ndarray of intp
        Flat indices, at least one.
    leaves : tuple of Leaf
        What x is made of.
    holds : callable
        Tells of flat indices whether it holds there.

    Returns
    -------
    str
        "all of x", a leaf, rows or columns, a slice or a block; a single entry by its name; "" where the entries make
        no such region.
    """
    touched = [leaf for leaf in leaves if np.any((i >= leaf.start) & (i < leaf.stop))]
    is_everywhere = len(touched) == sum(leaf.stop > leaf.start for leaf in leaves)
    if is_everywhere and _is_all(holds, 0, leaves[-1].stop):
        return f"all of {leaves[0].path}" if len(leaves) == 1 else "all of x"
    if i.size == 1 and touched[0].stop - touched[0].start == 1:
        return named(int(i[0]), leaves)
    if all(_is_all(holds, leaf.start, leaf.stop) for leaf in touched) and len(touched) <= NAMED:
        return f"all of {_listed([leaf.path for leaf in touched])}"
    if len(touched) > 1:
        return ""
    if i.size == 1:
        return named(int(i[0]), leaves)
    leaf = touched[0]
    for words, box in _boxes(i, leaf):
        inside = leaf.start + np.ravel_multi_index(np.ix_(*box), leaf.shape).reshape(-1)
        if bool(np.all(holds(inside))):
            return words
    return ""


def _is_all(holds: Callable[[IndexArray], Truths], start: int, stop: int) -> bool:
    return all(bool(np.all(holds(np.arange(k, min(k + BLOCK, stop))))) for k in range(start, stop, BLOCK))


def _boxes(i: IndexArray, leaf: Leaf) -> Iterator[tuple[str, Box]]:
    """Yield regions of a leaf that hold all these entries, the larger ones first: along one axis, then along all."""
    if not leaf.shape:
        return
    used = [np.unique(along) for along in np.unravel_index(i - leaf.start, leaf.shape)]
    for axis, indices in enumerate(used):
        box = tuple(indices if k == axis else np.arange(n) for k, n in enumerate(leaf.shape))
        if indices.size < leaf.shape[axis] and (words := _along(axis, indices, leaf)) and _size(box) <= LARGEST:
            yield words, box
    if leaf.shape and all(_is_range(indices) for indices in used) and _size(tuple(used)) <= LARGEST:
        parts = [
            ":" if u.size == n else f"{u[0]}:{u[-1] + 1}" if u.size > 1 else str(u[0])
            for u, n in zip(used, leaf.shape, strict=True)
        ]
        yield f"{leaf.path}[{', '.join(parts)}]", tuple(used)


def _along(axis: int, indices: IndexArray, leaf: Leaf) -> str:
    """Return the words for some indices along an axis, all else being whole; "" where there are too many to tell."""
    if indices.size > NAMED and not _is_range(indices):
        return ""
    if len(leaf.shape) == 2:
        one, many = ("row", "rows") if axis == 0 else ("column", "columns")
        if indices.size > NAMED:
            return f"{many} {indices[0]} to {indices[-1]} of {leaf.path}"
        return f"{one if indices.size == 1 else many} {_listed([str(k) for k in indices])} of {leaf.path}"
    if indices.size == 1:
        part = str(indices[0])
    elif _is_range(indices):
        part = f"{indices[0]}:{indices[-1] + 1}"
    else:
        part = f"[{', '.join(str(k) for k in indices)}]"
    return f"{leaf.path}[{', '.join([':'] * axis + [part])}]"


def _is_range(indices: IndexArray) -> bool:
    return bool(indices[-1] - indices[0] == indices.size - 1)


def _size(box: Box) -> int:
    return int(np.prod([indices.size for indices in box]))


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
