"""The door: every public name is behind it, and what is not asked for is not loaded."""

import subprocess
import sys

import pytest

import fastgrad as fg


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


def test_import_alone_loads_little() -> None:
    late = {"_check", "_least_squares", "layers", "losses", "reference"}
    heavy = {"dataclasses", "inspect", "numpy.ma", "scipy", *(f"fastgrad.{name}" for name in late)}
    code = (
        f"import sys, numpy; before = {{*sys.modules}}; import fastgrad; print(({{*sys.modules}} - before) & {heavy})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded.strip() == "set()"
