"""Trees of arrays: dictionaries, lists, tuples, named tuples and dataclasses, flattened into one buffer and back.

A leaf is an array or a number. A list or tuple whose leaves are all numbers is an array, not a tree; as soon as one
leaf is an array with an axis, it is a tree. Entries are named by the path that leads to them, as ``x["W1"][3, 17]``.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from fastgrad._arrays import real_array
from fastgrad._reading import entry_name
from fastgrad._typing import Array


def is_tree(x: Any) -> bool:
    """Tell whether x is a tree, rather than an array, a number or a list of numbers."""
    return _has_names(x) or (isinstance(x, list | tuple) and any(_holds_arrays(item) for item in x))


def _has_names(x: Any) -> bool:
    is_record = dataclasses.is_dataclass(x) and not isinstance(x, type)
    return isinstance(x, Mapping) or is_record or (isinstance(x, tuple) and hasattr(x, "_fields"))


def _holds_arrays(item: Any) -> bool:
    return is_tree(item) or getattr(item, "ndim", 0) > 0


@dataclasses.dataclass(frozen=True)
class Leaf:
    """Where one leaf stands in the buffer: its path, its shape, and whether it was a bare number."""

    path: str
    shape: tuple[int, ...]
    start: int
    stop: int
    is_number: bool


class Tree:
    """The structure of a tree: from the tree to one flat array, and back.

    Attributes
    ----------
    leaves : tuple of Leaf
        In the order of the buffer: that of the containers.
    size : int
        Of the buffer.
    """

    def __init__(self, x: Any, label: str = "x") -> None:
        self._pattern = x
        leaves: list[Leaf] = []
        start = 0
        for path, value in _walk(x, label):
            array = real_array(value, path)
            is_number = not isinstance(value, np.ndarray) and array.ndim == 0
            leaves.append(Leaf(path, array.shape, start, start + array.size, is_number))
            start += array.size
        self.leaves = tuple(leaves)
        self.size = start

    def flatten(self, x: Any, label: str = "x") -> Array:
        """Return the entries of a tree of this structure as one new array, in the widest dtype of its leaves."""
        arrays = [real_array(value, path) for path, value in _walk(x, label)]
        if [a.shape for a in arrays] != [leaf.shape for leaf in self.leaves]:
            raise ValueError(f"{label} must be a tree of the same structure, with leaves of the same shapes.")
        dtype = np.result_type(np.float32, *(a.dtype for a in arrays)) if arrays else np.dtype(np.float64)
        return np.concatenate([np.empty(0, dtype), *(a.reshape(-1) for a in arrays)], dtype=dtype)

    def unflatten(self, flat: Array) -> Any:
        """Return the tree whose leaves are views of the last axis of a flat array; numbers become NumPy scalars."""
        leaves = iter(self.leaves)

        def leaf() -> Any:
            spec = next(leaves)
            view = flat[..., spec.start : spec.stop].reshape(flat.shape[:-1] + spec.shape)
            return view[()] if spec.is_number else view

        return _rebuild(self._pattern, leaf)

    def name(self, i: int) -> str:
        """Return the name of the entry with index i of the buffer, as ``x["W1"][3, 17]``."""
        leaf = next(leaf for leaf in self.leaves if leaf.start <= i < leaf.stop)
        return entry_name(i - leaf.start, leaf.shape, leaf.path)


def _walk(x: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the leaves of x with their paths, in order."""
    if not is_tree(x):
        yield path, x
        return
    for step, value in _children(x):
        yield from _walk(value, path + step)


def _children(x: Any) -> list[tuple[str, Any]]:
    """Return what a tree holds, each with the step of the path that leads to it."""
    if isinstance(x, Mapping):
        return [(f'["{key}"]' if isinstance(key, str) else f"[{key!r}]", value) for key, value in x.items()]
    if dataclasses.is_dataclass(x):
        return [(f".{field.name}", getattr(x, field.name)) for field in dataclasses.fields(x)]
    if hasattr(x, "_fields"):
        return [(f".{name}", getattr(x, name)) for name in x._fields]
    return [(f"[{k}]", value) for k, value in enumerate(x)]


def _rebuild(x: Any, leaf: Callable[[], Any]) -> Any:
    """Return a tree like x, its leaves taken from leaf() one by one."""
    if not is_tree(x):
        return leaf()
    children = [_rebuild(value, leaf) for _, value in _children(x)]
    if isinstance(x, Mapping):
        return dict(zip(x, children, strict=True))
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = [field.name for field in dataclasses.fields(x)]
        return dataclasses.replace(x, **dict(zip(names, children, strict=True)))
    return type(x)(*children) if hasattr(x, "_fields") else type(x)(children)
