"""Trees of arrays: dictionaries, lists, tuples, named tuples and dataclasses, flattened into one buffer and back.

A leaf is an array or a number. A list or tuple whose leaves are all numbers is an array, not a tree; as soon as one leaf
is an array with an axis, it is a tree. Entries are named by the path that leads to them, as ``x["W1"][3, 17]``.
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastgrad._arrays import real_array
from fastgrad._reading import entry_name
from fastgrad._typing import Array


def is_tree(x: Any) -> bool:
    """Tell whether x is a tree, rather than an array, a number or a list of numbers."""
    if isinstance(x, Mapping) or (dataclasses.is_dataclass(x) and not isinstance(x, type)):
        return True
    return isinstance(x, list | tuple) and any(_holds_arrays(item) for item in x)


def _holds_arrays(item: Any) -> bool:
    if isinstance(item, list | tuple):
        return any(_holds_arrays(inner) for inner in item)
    if isinstance(item, Mapping) or (dataclasses.is_dataclass(item) and not isinstance(item, type)):
        return True
    return getattr(item, "ndim", 0) > 0


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
    if isinstance(x, Mapping):
        for key, value in x.items():
            yield from _walk(value, f"{path}[{_key(key)}]")
    elif dataclasses.is_dataclass(x) and not isinstance(x, type):
        for field in dataclasses.fields(x):
            yield from _walk(getattr(x, field.name), f"{path}.{field.name}")
    elif isinstance(x, tuple) and hasattr(x, "_fields"):
        for name in x._fields:
            yield from _walk(getattr(x, name), f"{path}.{name}")
    elif isinstance(x, list | tuple):
        for k, value in enumerate(x):
            yield from _walk(value, f"{path}[{k}]")
    else:
        yield path, x


def _key(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) else repr(key)


def _rebuild(x: Any, leaf: Any) -> Any:
    """Return a tree like x, its leaves taken from leaf() one by one."""
    if isinstance(x, Mapping):
        return {key: _rebuild(value, leaf) for key, value in x.items()}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        return dataclasses.replace(x, **{f.name: _rebuild(getattr(x, f.name), leaf) for f in dataclasses.fields(x)})
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*(_rebuild(getattr(x, name), leaf) for name in x._fields))
    if isinstance(x, list | tuple):
        return type(x)(_rebuild(value, leaf) for value in x)
    return leaf()
