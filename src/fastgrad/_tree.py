"""Trees of arrays, flattened into one line of numbers and back; entries named by path, as ``x["W1"][3, 17]``."""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np

from fastgrad._arrays import is_masked_array, real_array
from fastgrad._containers import bare_maker, children, is_container, is_tree, maker, to_the_end
from fastgrad._errors import ShapeError, shape_hint
from fastgrad._reading import entry_name
from fastgrad._typing import Array


class Leaf(NamedTuple):
    """One array of a tree, or an array that is no part of any: its path, its shape, and where it starts when flat."""

    path: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        """Where it ends."""
        return self.start + prod(self.shape)


def located(i: int, leaves: Sequence[Leaf]) -> tuple[Leaf, tuple[int, ...]]:
    """Return the leaf that holds the entry with flat index i, and the entry's index into that leaf."""
    leaf = _holder(i, leaves)
    return leaf, tuple(int(k) for k in np.unravel_index(i - leaf.start, leaf.shape)) if leaf.shape else ()


def named(i: int, leaves: Sequence[Leaf]) -> str:
    """Return the name of the entry with flat index i, as ``x["W1"][3, 17]``."""
    leaf = _holder(i, leaves)
    return entry_name(i - leaf.start, leaf.shape, leaf.path)


def _holder(i: int, leaves: Sequence[Leaf]) -> Leaf:
    if len(leaves) == 1:
        return leaves[0]
    from bisect import bisect_right  # loaded when needed: most x are one array

    return leaves[bisect_right(leaves, i, key=lambda leaf: leaf.start) - 1]


class Tree:
    """The structure of a tree as it was when it was flattened: from one line to such a tree, and from like trees back.

    Attributes
    ----------
    leaves : tuple of Leaf
        In the order of the containers, which is that of the flat array.
    size : int
        How many entries there are.
    """

    __slots__ = ("_label", "_result", "_stacked", "_view", "leaves", "size")

    def __init__(self, x: Any, leaves: Sequence[Leaf], label: str) -> None:
        self._label = label
        self.leaves = tuple(leaves)
        self.size = leaves[-1].stop if leaves else 0
        self._view = _builder(x, iter(leaves), _view_of, maker)
        self._result = _builder(x, iter(leaves), _part_of, bare_maker)
        self._stacked = _builder(x, iter(leaves), _part_of, maker)

    def unflatten(self, flat: Array) -> Any:
        """Return a tree whose leaves are views of a line of `size` entries; where a number was, a NumPy scalar is."""
        return self._view(flat)

    def stacked(self, lines: Array) -> Any:
        """Return a tree whose leaves are views of the last axis of a stack of lines, which is their first axis."""
        return self._stacked(lines)

    def restore(self, out: Array) -> Any:
        """Return a tree whose leaves are views of the last axis of an array, the axes before it being before theirs.

        What a derivative is put into need not be fit for what x is fit for: no ``__init__`` of a dataclass is run.
        """
        return self._result(out)

    def arrays(self, given: Any, what: str, *, fill: bool = False) -> list[Array]:
        """Return the leaves of a tree of this structure, or of a line of all entries, as arrays in this tree's order.

        Dictionaries are matched by key, in whatever order they are.

        Parameters
        ----------
        given : tree or array_like
            What is to be taken apart.
        what : str
            What it is called in an error.
        fill : bool
            Whether a number may stand for all entries of a leaf.
        """
        if is_masked_array(given):
            raise TypeError(f"{what} is a masked array: fill it first.")
        if self._is_line(given):
            line = np.asarray(given)
            return [line[leaf.start : leaf.stop].reshape(leaf.shape) for leaf in self.leaves]
        if not is_container(given):
            raise ShapeError(
                f"{what} must be a tree of x's structure or a line of {self.size} numbers; "
                f"got {type(given).__name__} of shape {np.shape(given)}."
            )
        ends = {leaf.path for leaf in self.leaves}
        walk = _ends(
            given,
            self._label,
            lambda value, path: not is_container(value) or (path in ends and isinstance(value, list | tuple)),
        )
        found = {path: value for path, value in walk if value is not None}
        if missing := ends - found.keys():
            raise ShapeError(f"{what} must be a tree of x's structure; there is nothing for {min(missing)} in it.")
        if more := found.keys() - ends:
            raise ShapeError(f"{what} must be a tree of x's structure; it holds {min(more)}, and x has no such leaf.")
        return [_fitted(found[leaf.path], leaf, what, fill) for leaf in self.leaves]

    def spread(self, given: Any, what: str) -> Any:
        """Return steps, bounds or the like as one line if they are a tree, and as they are if not."""
        if not (isinstance(given, list | tuple) or is_tree(given)):
            return given
        return np.concatenate([np.empty(0), *(a.reshape(-1) for a in self.arrays(given, what, fill=True))])

    def _is_line(self, given: Any) -> bool:
        if is_tree(given):
            return False
        if isinstance(given, list | tuple):
            return len(given) == self.size and not any(isinstance(item, list | tuple) for item in given)
        return bool(np.shape(given) == (self.size,))


def flatten(x: Any, label: str = "x", read: Callable[[Any, str], Array] = real_array) -> tuple[Array, Tree]:
    """Return all entries of a tree as one new array, and the tree's structure.

    The array has the widest dtype of the leaves, in which integers, booleans and Python's numbers count as float64.
    What a leaf may be, `read` knows: it returns the leaf as an array or refuses it by its name.

    Raises
    ------
    TypeError, ShapeError
        If a leaf is no real array; the sentence names it by its path.
    """
    arrays = [(path, read(value, path)) for path, value in _ends(x, label, _is_leaf) if value is not None]
    dtype = np.result_type(*(array.dtype for _, array in arrays)) if arrays else np.dtype(np.float64)
    leaves: list[Leaf] = []
    for path, array in arrays:
        leaves.append(Leaf(path, array.shape, leaves[-1].stop if leaves else 0))
    flat = np.empty(leaves[-1].stop if leaves else 0, dtype)
    for leaf, (_, array) in zip(leaves, arrays, strict=True):
        flat[leaf.start : leaf.stop].reshape(leaf.shape)[...] = array
    return flat, Tree(x, leaves, label)


def _is_leaf(x: Any, path: str) -> bool:
    return not is_tree(x)


def _ends(x: Any, path: str, is_end: Callable[[Any, str], bool]) -> list[tuple[str, Any]]:
    """Return what lies at the ends of x, with the paths that lead there, in order."""
    found: list[tuple[str, Any]] = to_the_end(lambda: list(_walk(x, path, is_end)))
    return found


def _walk(x: Any, path: str, is_end: Callable[[Any, str], bool]) -> Iterator[tuple[str, Any]]:
    if is_end(x, path):
        yield path, x
        return
    for step, value in children(x):
        yield from _walk(value, path + step, is_end)


def _fitted(value: Any, leaf: Leaf, what: str, fill: bool) -> Array:
    """Return the value for one leaf as an array of its shape."""
    if is_masked_array(value):
        raise TypeError(f"{what} is a masked array at {leaf.path}: fill it first.")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{what} is no regular array at {leaf.path}: {error}") from error
    if fill and array.ndim == 0:
        array = np.broadcast_to(array, leaf.shape)
    if array.shape != leaf.shape:
        raise ShapeError(
            f"{what} has shape {array.shape} at {leaf.path}, which has {leaf.shape}: they must be equal."
            f"{shape_hint(array.shape, leaf.shape)}"
        )
    return array


def _builder(
    x: Any,
    leaves: Iterator[Leaf],
    leaf_of: Callable[[Leaf, bool], Callable[[Array], Any]],
    maker_of: Callable[[Any], Callable[[list[Any]], Any]],
) -> Callable[[Array], Any]:
    """Return the function that makes a tree like x from an array; it looks at x no more."""
    if x is None:
        return lambda flat: None
    if not is_tree(x):
        return leaf_of(next(leaves), not isinstance(x, np.ndarray))
    builders = [_builder(value, leaves, leaf_of, maker_of) for _, value in children(x)]
    if type(x) is dict:  # the two that are met most, as fast as they can be
        pairs = list(zip(x, builders, strict=True))
        return lambda flat: {key: build(flat) for key, build in pairs}
    if type(x) is list:
        return lambda flat: [build(flat) for build in builders]
    make = maker_of(x)
    return lambda flat: make([build(flat) for build in builders])


def _view_of(leaf: Leaf, is_scalar: bool) -> Callable[[Array], Any]:
    """Return the function that cuts a leaf out of a line, as fast as that can be."""
    start, stop, shape = leaf.start, leaf.stop, leaf.shape
    if is_scalar and not shape:
        return lambda flat: flat[start]
    if len(shape) == 1:
        return lambda flat: flat[start:stop]
    return lambda flat: flat[start:stop].reshape(shape)


def _part_of(leaf: Leaf, is_scalar: bool) -> Callable[[Array], Any]:
    """Return the function that cuts a leaf out of the last axis of an array."""

    def part(out: Array) -> Any:
        values = out[..., leaf.start : leaf.stop].reshape(out.shape[:-1] + leaf.shape)
        return values[()] if is_scalar and not leaf.shape else values

    return part
