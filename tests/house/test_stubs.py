"""Beside each Cython module lies a stub that says the same names and arguments."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

KERNELS = Path(__file__).parents[2] / "src" / "fastgrad" / "_kernels"
MODULES = sorted(path.stem for path in KERNELS.glob("*.pyx"))


def stubbed(name: str) -> dict[str, list[str]]:
    functions: dict[str, list[str]] = {}
    for node in ast.parse((KERNELS / f"{name}.pyi").read_text()).body:
        if isinstance(node, ast.FunctionDef):
            assert not node.args.defaults, f"{name}.{node.name}: a kernel has no defaults"
            assert node.returns is not None
            assert all(argument.annotation is not None for argument in node.args.args)
            functions[node.name] = [argument.arg for argument in node.args.args]
    return functions


def test_there_is_a_stub_for_each_module_and_no_other() -> None:
    assert "differences" in MODULES
    assert sorted(path.stem for path in KERNELS.glob("*.pyi")) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_stub_has_the_functions_of_the_source(name: str) -> None:
    source = re.findall(r"^(?:cp)?def (?!.*\binline\b)(\w+)\(", (KERNELS / f"{name}.pyx").read_text(), re.MULTILINE)
    assert sorted(stubbed(name)) == sorted(function for function in source if not function.startswith("_"))


@pytest.mark.parametrize("name", MODULES)
def test_a_stub_has_the_arguments_of_the_installed_functions(name: str) -> None:
    module = import_module(f"fastgrad._kernels.{name}")
    for function, arguments in stubbed(name).items():
        installed = inspect.signature(getattr(module, function)).parameters.values()
        assert [p.name for p in installed] == arguments
        assert all(p.default is inspect.Parameter.empty for p in installed), f"{name}.{function} has a default"


@pytest.mark.parametrize("name", MODULES)
def test_every_kernel_says_what_it_does(name: str) -> None:
    module = import_module(f"fastgrad._kernels.{name}")
    for function in stubbed(name):
        assert (getattr(module, function).__doc__ or "").strip().endswith(".")
