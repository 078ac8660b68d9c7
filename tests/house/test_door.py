"""The door: what `import fastgrad` offers, and what it loads."""

import inspect
from collections.abc import Callable

import pytest

import fastgrad as fg

HEAVY = {"scipy", "matplotlib", "tqdm", "sklearn", "pandas", "torch", "jax", "pytest", "hypothesis", "cython", "Cython"}


def test_all_is_sorted_and_real() -> None:
    assert fg.__all__ == sorted(set(fg.__all__))
    for name in fg.__all__:
        assert not name.startswith("_")
        assert getattr(fg, name) is not None


def test_all_is_complete(fresh_python: Callable[..., str]) -> None:
    """Whatever is public after a fresh import is in __all__, submodules that came with it included."""
    names = fresh_python("import fastgrad; print(*[n for n in vars(fastgrad) if not n.startswith('_')])").split()
    unlisted = {name for name in names if name not in fg.__all__}
    ours = {name for name in unlisted if getattr(getattr(fg, name), "__module__", "").startswith("fastgrad")}
    assert ours == set()


def test_star_import_brings_what_all_says(fresh_python: Callable[..., str]) -> None:
    names = fresh_python("from fastgrad import *; print(*[n for n in dir() if not n.startswith('_')])").split()
    assert names == fg.__all__


def test_importing_loads_nothing_but_numpy(fresh_python: Callable[..., str]) -> None:
    loaded = fresh_python("import sys, fastgrad; print(*{m.split('.')[0] for m in sys.modules})").split()
    assert "numpy" in loaded
    assert not HEAVY & set(loaded)


def test_every_public_module_can_be_imported_by_itself(fresh_python: Callable[..., str]) -> None:
    for name in fg.__all__:
        if inspect.ismodule(getattr(fg, name)):
            assert fresh_python(f"import fastgrad.{name} as m; print(m.__name__)") == f"fastgrad.{name}"


@pytest.mark.parametrize("error", ["ShapeError", "StepError"])
def test_errors_are_value_errors(error: str) -> None:
    assert issubclass(getattr(fg, error), ValueError)


def test_a_failed_check_is_an_assertion_error() -> None:
    assert issubclass(fg.GradientMismatch, AssertionError)
    assert issubclass(fg.InconclusiveError, AssertionError)
    assert issubclass(fg.DivergenceWarning, RuntimeWarning)
