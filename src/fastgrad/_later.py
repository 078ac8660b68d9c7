"""Names of a package that are loaded when they are first asked for."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def later(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__``, as PEP 562 has them.

    Parameters
    ----------
    package : str
        Its name.
    homes : mapping
        The module of the package in which each of the names lives; a module's own name stands for the module itself.
    """
    door = sys.modules[package]

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name, obj=door)
        module = import_module(f"{package}.{homes[name]}")
        value = module if name == homes[name] else getattr(module, name)
        setattr(door, name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(door), *homes})

    return load, names
