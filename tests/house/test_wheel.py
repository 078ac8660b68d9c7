"""The wheel holds what the source tree holds, and asks for NumPy alone."""

import re
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import fastgrad

SOURCE = Path(__file__).parents[2] / "src"

if SOURCE in Path(fastgrad.__file__).resolve().parents:
    pytest.skip("an editable install has no files of its own", allow_module_level=True)


def installed() -> dict[str, Path]:
    """Return the installed files by name, an extension module under the name of its source."""
    found = {}
    for file in metadata.files("fastgrad") or []:
        name = str(file)
        if ".dist-info/" in name or "__pycache__" in name or name.startswith(".."):
            continue
        for suffix in EXTENSION_SUFFIXES:
            if name.endswith(suffix):
                name = name.removesuffix(suffix) + ".pyx"
                break
        found[name] = Path(str(file.locate()))
    return found


def source_tree() -> dict[str, Path]:
    paths = (path for path in SOURCE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(SOURCE).as_posix(): path for path in paths}


def test_nothing_is_missing_and_nothing_extra() -> None:
    expected = {name for name in source_tree() if Path(name).name != "meson.build"}
    assert set(installed()) == expected


def test_what_is_tested_is_this_tree() -> None:
    """A forgotten reinstall would test yesterday's package."""
    sources = source_tree()
    for name, path in installed().items():
        if not name.endswith(".pyx"):
            assert path.read_bytes() == sources[name].read_bytes(), f"{name} differs from the source: install again"


def test_types_are_shipped() -> None:
    assert "fastgrad/py.typed" in installed()


def test_numpy_is_all_that_is_required() -> None:
    requirements = [line for line in metadata.requires("fastgrad") or [] if "extra ==" not in line]
    assert [re.match(r"[\w.-]+", line)[0] for line in requirements] == ["numpy"]  # type: ignore[index]


def test_the_licence_is_shipped() -> None:
    meta = metadata.metadata("fastgrad")
    assert meta["License-Expression"] == "BSD-3-Clause"
    names = [str(file) for file in metadata.files("fastgrad") or []]
    assert any(name.endswith("licenses/LICENSE") for name in names)
