"""What trees are made of: dictionaries, lists, tuples, named tuples and dataclasses.

A leaf is an array or a number; None holds nothing, and stays. A list or tuple whose leaves are all numbers is an array
and no tree; as soon as one of them is an array with an axis, it is a tree.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError

_PLAIN = (np.ndarray, np.generic, float, int)


def is_tree(x: Any) -> bool:
    """Tell whether x is a tree, rather than an array, a number or a list of numbers."""
    if isinstance(x, _PLAIN):
        return False
    return bool(to_the_end(_has_leaves, x))


def to_the_end(walk: Callable[..., Any], *given: Any) -> Any:
    """Return what a function makes of a tree by going through it; raise the error for one that has no end."""
    try:
        return walk(*given)
    except RecursionError:
        raise ShapeError("a tree of arrays holds itself, or is nested too deeply to be read.") from None


def _has_leaves(x: Any) -> bool:
    if isinstance(x, _PLAIN):
        return False
    if not isinstance(x, list | tuple) or hasattr(type(x), "_fields"):
        return is_container(x)
    if not any(issubclass(kind, np.ndarray) or not issubclass(kind, _PLAIN) for kind in set(map(type, x))):
        return False
    return any(_has_leaves(item) or getattr(item, "ndim", 0) > 0 for item in x)


def refuse_tree(x: Any, why: str) -> None:
    """Raise the error for a tree where one array is expected."""
    if is_tree(x):
        raise TypeError(f"x is a tree of arrays ({type(x).__name__}), and {why}.")


def is_container(x: Any) -> bool:
    """Tell whether x holds others, be they numbers or arrays; a dataclass that can turn into an array is one itself."""
    if isinstance(x, list | tuple | Mapping):
        return True
    return hasattr(type(x), "__dataclass_fields__") and not hasattr(type(x), "__array__")


def children(x: Any) -> list[tuple[str, Any]]:
    """Return what a container holds, each with the step of the path that leads to it."""
    if isinstance(x, Mapping):
        return [(f"[{_quoted(key)}]", value) for key, value in x.items()]
    if isinstance(x, list | tuple) and not hasattr(type(x), "_fields"):
        return [(f"[{k}]", value) for k, value in enumerate(x)]
    return [(f".{name}", getattr(x, name)) for name in _field_names(x)]


def _quoted(key: Any) -> str:
    return f'"{key}"' if isinstance(key, str) and key.isprintable() and '"' not in key else repr(key)


def _field_names(x: Any, init: bool = True) -> Sequence[str]:
    """Return the names of what a record is made from: what a dataclass derives by itself is no part of it."""
    if isinstance(x, tuple):
        names: Sequence[str] = x._fields  # type: ignore[attr-defined]  # a named tuple, as the caller has made sure
        return names
    from dataclasses import fields  # whoever has a dataclass has loaded it: `import fastgrad` need not

    return [field.name for field in fields(x) if field.init is init]


def maker(x: Any) -> Callable[[list[Any]], Any]:
    """Return the function that makes a container like x from what it is to hold."""
    if isinstance(x, Mapping):
        return _mapping_maker(x)
    if isinstance(x, list | tuple):
        return getattr(type(x), "_make", type(x))
    cls, names = type(x), _field_names(x)
    return lambda values: cls(**dict(zip(names, values, strict=True)))


def bare_maker(x: Any) -> Callable[[list[Any]], Any]:
    """Return the same, but a dataclass is filled without its ``__init__``."""
    if isinstance(x, list | tuple | Mapping):
        return maker(x)
    cls, names = type(x), _field_names(x)
    derived = {name: getattr(x, name) for name in _field_names(x, init=False) if hasattr(x, name)}

    def make(values: list[Any]) -> Any:
        new = object.__new__(cls)
        for name, value in [*derived.items(), *zip(names, values, strict=True)]:
            object.__setattr__(new, name, value)
        return new

    return make


def _mapping_maker(x: Mapping[Any, Any]) -> Callable[[list[Any]], Any]:
    """Return the same for a dictionary; one of another class is copied for what it knows besides its items."""
    keys = list(x)
    if type(x) is dict or not isinstance(x, dict):
        return lambda values: dict(zip(keys, values, strict=True))
    from copy import copy  # loaded when needed: an array and a plain dictionary do without

    model = copy(x)

    def make(values: list[Any]) -> Any:
        new = copy(model)
        for key, value in zip(keys, values, strict=True):
            new[key] = value
        return new

    return make
