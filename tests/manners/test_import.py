"""The door: every public name is behind it, and what is not asked for is not loaded."""

import pickle
import subprocess
import sys

import pytest

import fastgrad as fg

#: What takes long to load, and what a gradient needs nothing of.
HEAVY = {"dataclasses", "decimal", "fractions", "inspect", "logging", "numpy.ma", "scipy"}


@pytest.mark.parametrize("name", fg.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(fg, name).__name__.rpartition(".")[2] == name
    assert name in dir(fg)


def test_a_name_asked_for_twice_is_the_same_thing() -> None:
    assert fg.gradient_check is fg.gradient_check
    assert fg.LinearLayer is fg.layers.LinearLayer


def test_names_that_do_not_exist_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match=r"module 'fastgrad' has no attribute 'gradient_chek'"):
        _ = fg.gradient_chek  # type: ignore[attr-defined]


def test_a_star_import_brings_all_public_names() -> None:
    names: dict[str, object] = {}
    exec("from fastgrad import *", names)
    assert set(fg.__all__) <= set(names)


def test_what_is_loaded_late_can_be_pickled() -> None:
    assert pickle.loads(pickle.dumps(fg.numerical_gradient)) is fg.numerical_gradient


def _loaded_by(code: str) -> set[str]:
    """Return the modules that a piece of code loads where NumPy is there already."""
    whole = f"import sys, numpy; before = {{*sys.modules}}; {code}; print(*({{*sys.modules}} - before))"
    return set(subprocess.run([sys.executable, "-c", whole], check=True, capture_output=True, text=True).stdout.split())


def test_import_alone_loads_little() -> None:
    loaded = _loaded_by("import fastgrad")
    own = {name for name in loaded if name.startswith("fastgrad")}
    assert own == {"fastgrad", *(f"fastgrad.{name}" for name in ("_backend", "_errors", "_later"))}
    assert not loaded & HEAVY


def test_a_first_gradient_loads_little() -> None:
    late = {"_check", "_jacobian", "_least_squares", "layers", "losses", "reference"}
    loaded = _loaded_by("import fastgrad; fastgrad.numerical_gradient(sum, [1.0, 2.0])")
    assert not loaded & {*HEAVY, *(f"fastgrad.{name}" for name in late)}
