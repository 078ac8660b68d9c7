"""Every kernel has a twin of the same name and arguments in the reference, and the verbs have theirs."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

import fastgrad as fg
from fastgrad import _kernels, reference

KERNELS = sorted(module.name for module in pkgutil.iter_modules(_kernels.__path__))


def public_functions(module: Any) -> dict[str, Any]:
    here = {name: thing for name, thing in vars(module).items() if callable(thing) and not name.startswith("_")}
    return {
        name: thing
        for name, thing in here.items()
        if getattr(thing, "__module__", None) == module.__name__ and not inspect.isclass(thing)
    }


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


#: Modules that other kernels are built of; Python calls nothing in them.
PARTS = {"sinks", "stack_points"}


def test_the_kernels_are_found() -> None:
    assert "differences" in KERNELS
    assert set(public_functions(import_module("fastgrad._kernels.differences"))) == {
        "first_lost_step",
        "gradient",
        "jacobian",
    }


@pytest.mark.parametrize("name", KERNELS)
def test_every_kernel_has_a_twin_with_the_same_arguments(name: str) -> None:
    kernels = public_functions(import_module(f"fastgrad._kernels.{name}"))
    if name in PARTS:
        assert not kernels
        return
    twins = import_module(f"fastgrad.reference.{name}")
    assert kernels
    for kernel in kernels:
        theirs = inspect.signature(getattr(twins, kernel)).parameters
        ours = inspect.signature(kernels[kernel]).parameters
        assert list(ours) == list(theirs), f"{name}.{kernel}"


VERBS = [name for name in reference.__all__ if inspect.isfunction(getattr(fg, name, None))]


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_reference_is_called_like_the_compiled_one(name: str) -> None:
    """The reference may lack keyword-only extras; what it has is the same, by name, order and default."""
    compiled, plain = parameters(getattr(fg, name)), parameters(getattr(reference, name))
    leading = [p for p in compiled if p[1] is not inspect.Parameter.KEYWORD_ONLY]
    assert [p for p in plain if p[1] is not inspect.Parameter.KEYWORD_ONLY] == leading
    assert {p for p in plain if p[1] is inspect.Parameter.KEYWORD_ONLY} <= set(compiled)


def test_the_verbs_are_among_those_compared() -> None:
    assert {"numerical_gradient", "numerical_jacobian"} <= set(reference.__all__)
