"""What an object holds, down to the values of its arrays and its random generators, and how to put that back."""

import random
import sys
from collections import deque
from collections.abc import Callable, Iterator, MutableMapping
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from fastgrad._typing import Array, IndexArray

_GONE = object()
_NOT_HELD = (type, ModuleType, FunctionType, BuiltinFunctionType, str, bytes, int, float, complex, type(None))
#: Objects of these packages are looked into only where this file knows how.
_FOREIGN = frozenset(sys.stdlib_module_names) | {"numpy"}


class Place(NamedTuple):
    """Where a value is held: a dictionary or list and the key in it, or an object and the name of its attribute."""

    holder: Any
    key: Any

    @property
    def identity(self) -> tuple[int, Any]:
        """What tells places apart."""
        return id(self.holder), self.key

    def put(self, value: Any) -> None:
        """Put a value there, past any __setattr__ that freezes or registers."""
        if isinstance(self.holder, MutableMapping | list):
            self.holder[self.key] = value
        else:
            object.__setattr__(self.holder, self.key, value)


class ObjectState:
    """All that can be reached from an object through attributes, dictionaries, lists and tuples, as it is now.

    Arrays and random generators are remembered by value, all else by identity. Functions, classes, modules and the
    insides of objects of the standard library are not looked into.

    Parameters
    ----------
    root : object
        A bound method stands for the object that it is bound to.
    """

    def __init__(self, root: Any) -> None:
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._bags: list[tuple[Any, tuple[Any, ...]]] = []
        self._slots: list[tuple[Any, str, Any]] = []
        self._arrays: list[tuple[Array, Array]] = []
        self._generators: list[tuple[Callable[[Any], None], Any]] = []
        self._volatile: set[int] = set()
        self._walk(root)

    def _walk(self, root: Any) -> None:
        seen: dict[int, Any] = {}
        waiting = [root]
        while waiting:
            value = waiting.pop()
            if id(value) not in seen and not isinstance(value, _NOT_HELD):
                seen[id(value)] = value
                waiting += self._remember(value, value is root)

    def _remember(self, value: Any, is_root: bool) -> list[Any]:
        """Remember one object; return what it holds."""
        if isinstance(value, np.ndarray):
            self._arrays.append((value, value.copy()))
            return list(value.reshape(-1)) if value.dtype.hasobject else []
        if isinstance(value, dict):
            self._dicts.append((value, dict(value)))
            return list(value.values())
        if isinstance(value, list):
            self._lists.append((value, list(value)))
            return list(value)
        if isinstance(value, tuple):
            return list(value)
        if isinstance(value, set | deque):
            self._bags.append((value, tuple(value)))
            return list(value)
        if isinstance(value, MethodType):
            return [value.__self__]
        if (found := _random_state(value)) is not None:
            self._generators.append(found)
            return []
        is_foreign = type(value).__module__.partition(".")[0] in _FOREIGN and not isinstance(value, SimpleNamespace)
        return [] if is_foreign and not is_root else self._attributes(value)

    def _attributes(self, value: Any) -> list[Any]:
        held: list[Any] = []
        attributes = getattr(value, "__dict__", None)
        if isinstance(attributes, dict):
            self._dicts.append((attributes, dict(attributes)))
            held += attributes.values()
        for name in _slot_names(type(value)):
            held.append(_slot(value, name))
            self._slots.append((value, name, held[-1]))
        return held

    def put_back(self) -> None:
        """Put all back as it was. Arrays that were found changed are put back by `rewind`, too, from now on."""
        for k, (array, values) in enumerate(self._arrays):
            if not _same_bits(array, values):
                self._volatile.add(k)
        self.rewind()

    def rewind(self) -> None:
        """Put back what is held where, the generators, and of the arrays those that were seen to change."""
        self._rewire()
        for k in self._volatile:
            _write(*self._arrays[k])
        for put, state in self._generators:
            put(state)

    def _rewire(self) -> None:
        for now, then in self._dicts:
            if len(now) != len(then) or any(now.get(key, _GONE) is not value for key, value in then.items()):
                now.clear()
                now.update(then)
        for line, items in self._lists:
            if len(line) != len(items) or any(a is not b for a, b in zip(line, items, strict=True)):
                line[:] = items
        for bag, members in self._bags:
            if len(bag) != len(members) or any(a is not b for a, b in zip(bag, members, strict=True)):
                bag.clear()
                (bag.update if isinstance(bag, set) else bag.extend)(members)
        for owner, name, value in self._slots:
            if _slot(owner, name) is not value:
                if value is _GONE:
                    object.__delattr__(owner, name)
                else:
                    object.__setattr__(owner, name, value)

    def places(self) -> Iterator[tuple[Place, Any]]:
        """Return every place at which an array is held, as things were, with that array; tuples are no places."""
        for now, then in self._dicts:
            yield from ((Place(now, key), value) for key, value in then.items() if isinstance(value, np.ndarray))
        for line, items in self._lists:
            yield from ((Place(line, k), value) for k, value in enumerate(items) if isinstance(value, np.ndarray))
        for owner, name, value in self._slots:
            if isinstance(value, np.ndarray):
                yield Place(owner, name), value


def common_entries(a: Array, b: Array) -> tuple[IndexArray, IndexArray]:
    """Return the flat indices, in C order, of the entries of a that lie in memory where entries of b do, and of those.

    Arrays of different dtypes have no entry in common.
    """
    none = np.empty(0, np.intp), np.empty(0, np.intp)
    if a.dtype != b.dtype or not np.may_share_memory(a, b):
        return none
    here, there = _addresses(a), _addresses(b)
    order = np.argsort(there, kind="stable")
    at = np.minimum(np.searchsorted(there, here, sorter=order), there.size - 1)
    shared = there[order[at]] == here
    return np.flatnonzero(shared), order[at][shared]


def _addresses(a: Array) -> IndexArray:
    address = np.full(a.shape, a.__array_interface__["data"][0], np.intp)
    for axis, (size, stride) in enumerate(zip(a.shape, a.strides, strict=True)):
        address += (np.arange(size) * stride).reshape([-1 if k == axis else 1 for k in range(a.ndim)])
    return address.reshape(-1)


def _random_state(value: Any) -> tuple[Callable[[Any], None], Any] | None:
    """Return how to write the state of a random generator, and the state it has; None for anything else."""
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return value.setstate, value.getstate()
    if "numpy.random" not in sys.modules:
        return None
    if isinstance(value, np.random.RandomState):
        return value.set_state, value.get_state(legacy=False)
    bits = value.bit_generator if isinstance(value, np.random.Generator) else value
    if not isinstance(bits, np.random.BitGenerator):
        return None
    return (lambda state: setattr(bits, "state", state)), bits.state


def _slot_names(kind: type) -> Iterator[str]:
    for cls in kind.__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__"):
                is_private = name.startswith("__") and not name.endswith("__")
                yield f"_{cls.__name__.lstrip('_')}{name}" if is_private else name


def _slot(owner: Any, name: str) -> Any:
    try:
        return object.__getattribute__(owner, name)
    except AttributeError:
        return _GONE


def _same_bits(array: Array, values: Array) -> bool:
    if array.dtype.hasobject:
        return all(a is b for a, b in zip(array.reshape(-1), values.reshape(-1), strict=True))
    now, then = (np.ascontiguousarray(a).reshape(-1).view(np.uint8) for a in (array, values))
    return bool(np.array_equal(now, then))


def _write(array: Array, values: Array) -> None:
    """Write into an array, also into one that was made read-only after it was changed."""
    was_writeable = array.flags.writeable
    if not was_writeable:
        array.flags.writeable = True
    np.copyto(array, values)
    array.flags.writeable = was_writeable
