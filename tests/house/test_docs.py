"""Every public name explains itself in numpydoc form, and every example in the package runs."""

import doctest
import inspect
import pkgutil
import re
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import fastgrad as fg

#: Loading these needs an extra, or runs a program.
NOT_LOADED = {"fastgrad.__main__", "fastgrad.plot", "fastgrad._drawing", "fastgrad._pattern_picture", "fastgrad._demo"}


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(fg.__path__, "fastgrad.")
    return [fg, *(import_module(module.name) for module in found if module.name not in NOT_LOADED)]


def public_things() -> dict[str, Any]:
    """Return what the door offers: functions and classes of fastgrad and of its public modules."""
    things = {}
    for module in [fg, *(thing for name in fg.__all__ if inspect.ismodule(thing := getattr(fg, name)))]:
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or callable(thing):
                things[f"{module.__name__}.{name}"] = thing
    return things


THINGS = public_things()
VERBS = {
    name: thing
    for name, thing in THINGS.items()
    if inspect.isfunction(thing) and (name.count(".") == 1 or name.startswith("fastgrad.reference."))
}


def sections(thing: Any) -> dict[str, str]:
    doc = inspect.getdoc(thing) or ""
    parts = re.split(r"^(\w[\w ]*)\n-+\n", doc, flags=re.MULTILINE)
    return {"summary": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


@pytest.mark.parametrize("name", sorted(THINGS))
def test_the_first_line_is_a_sentence(name: str) -> None:
    first = (inspect.getdoc(THINGS[name]) or "").split("\n\n")[0]
    assert first.endswith(".")
    assert first[0].isupper() or " = " in first  # a sentence, or a formula


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_public_function_documents_each_argument_its_result_and_an_example(name: str) -> None:
    found = sections(VERBS[name])
    assert {"Parameters", "Returns", "Examples"} <= set(found)
    assert ">>>" in found["Examples"]
    documented = [
        argument
        for line in re.findall(r"^(\w[\w, ]*) :", found["Parameters"], re.MULTILINE)
        for argument in line.split(", ")
    ]
    assert documented == list(inspect.signature(VERBS[name]).parameters)


@pytest.mark.parametrize("name", ["fastgrad.numerical_gradient", "fastgrad.numerical_jacobian"])
def test_a_verb_says_what_it_raises(name: str) -> None:
    assert "StepError" in sections(VERBS[name])["Raises"]


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.__name__)
def test_a_module_says_what_it_is_for(module: ModuleType) -> None:
    first = (module.__doc__ or "").strip().split("\n\n")[0]
    assert first.endswith((".", ":"))


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.__name__)
def test_the_examples_run(module: ModuleType) -> None:
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


def test_examples_are_found() -> None:
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for module in modules() for test in finder.find(module)) >= len(VERBS)
