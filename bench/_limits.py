"""Builds the physical limits, `bare.pyx`, for this machine; they are never installed."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, cast

from Cython.Build import cythonize
from setuptools import Distribution, Extension

from fastgrad._typing import Array

_SOURCE = Path(__file__).with_name("bare.pyx")
_FOLDER = Path(__file__).parents[1] / "build" / "bench"


class Limits(Protocol):
    """What `bare.pyx` offers."""

    def call(self, f: Callable[[Array], object], x: Array, count: int, /) -> float:
        """Call f on x this often and return the sum of its values."""

    def clear(self, out: Array, /) -> None:
        """Write zeros."""

    def mark(self, out: Array, /) -> None:
        """Write bytes of one, which some processors do slower than zeros."""

    def write_back(self, out: Array, /) -> None:
        """Read every entry and write it back with the other sign."""

    def read(self, A: Array, count: int, /) -> float:
        """Read every entry this often and return the sum of all that was read."""

    def addresses(self) -> dict[str, int]:
        """Return where the functions in machine code are, by name."""

    def perturb(self, address: int, x: Array, h: float, out: Array, count: int, /) -> None:
        """Write the central differences of a function into out, this often, as a plain loop in C does."""

    def through_the_door(self, address: int, x: Array, h: float, out: Array, work: Array, count: int, /) -> None:
        """Write the same by fastgrad's function for other Cython modules, this often."""


def build() -> Limits:
    """Return the compiled limits, built anew where the source or the Python has changed."""
    extension = Extension("bare", [str(_SOURCE)], extra_compile_args=["-O3", "-march=native"])
    modules = cythonize([extension], build_dir=str(_FOLDER / "c"), quiet=True)
    command = Distribution({"name": "bare", "ext_modules": modules}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(_FOLDER), str(_FOLDER / "objects")
    command.ensure_finalized()
    command.run()
    return cast("Limits", _load(_FOLDER / command.get_ext_filename("bare")))


def _load(path: Path) -> object:
    spec = importlib.util.spec_from_file_location("bare", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module.")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bare"] = module
    spec.loader.exec_module(module)
    return module
