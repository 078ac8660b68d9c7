"""What several tests share: a generator, a fresh interpreter, and both twins run side by side."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

import fastgrad as fg

# What is started in the background may ignore SIGINT, and hands that on: the tests of Ctrl-C need Python's own handler.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("fastgrad", max_examples=60, deadline=None, derandomize=True)
settings.load_profile("fastgrad")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20260607)


@pytest.fixture(params=["compiled", "reference"])
def verbs(request: pytest.FixtureRequest) -> Any:
    """The module whose numerical_gradient and numerical_jacobian a rule of manners must hold for."""
    return fg if request.param == "compiled" else fg.reference


@pytest.fixture(scope="session")
def native_library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Return tests/native.c, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("CI"):
            pytest.fail("there is no C compiler, which CI has")
        pytest.skip("there is no C compiler")
    library = tmp_path_factory.mktemp("native") / "native.so"
    source = Path(__file__).with_name("native.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return ctypes.CDLL(str(library))


@pytest.fixture(scope="session")
def native(native_library: ctypes.CDLL) -> Callable[..., Any]:
    """Return a ctypes function of that library, by its name and the letters of its arguments."""
    kinds: dict[str, Any] = {
        "p": ctypes.POINTER(ctypes.c_double),
        "n": ctypes.c_ssize_t,
        "i": ctypes.c_int,
        "d": ctypes.c_void_p,
    }

    def typed(name: str, letters: str = "pnd", *, is_void: bool = False) -> Any:
        f = native_library[name]  # a new object each time, unlike an attribute
        f.argtypes = tuple(kinds[letter] for letter in letters)
        f.restype = None if is_void else ctypes.c_double
        return f

    return typed


@pytest.fixture(scope="session")
def fresh_python() -> Callable[..., str]:
    """Run code in an interpreter of its own and return what it prints."""

    def run(code: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", code],
            capture_output=True,
            text=True,
            env={**os.environ, **environment},
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


def _outcome(verb: Callable[..., Any], make_f: Callable[[], Any], x: Any, eps: Any) -> tuple[Any, ...]:
    """Return all that a caller can see of one call: the points f saw, and the value or the error."""
    f, seen = make_f(), []

    def watched(point: Any) -> Any:
        seen.append((type(point), point.dtype, point.shape, point.tobytes()))
        return f(point)

    try:
        value = verb(watched if callable(f) else f, x, eps)
    except Exception as error:
        return seen, type(error), str(error), getattr(error, "__notes__", None)
    array = np.asarray(value)
    return seen, type(value), array.dtype, array.shape, array.tobytes()


@pytest.fixture(scope="session")
def assert_twins_agree() -> Callable[..., tuple[Any, ...]]:
    """Call a verb of both twins, each with an f of its own, and compare points, bits, types and errors."""

    def check(verb: str, make_f: Callable[[], Any], x: Any, eps: Any = None) -> tuple[Any, ...]:
        compiled = _outcome(getattr(fg, verb), make_f, x, eps)
        assert compiled == _outcome(getattr(fg.reference, verb), make_f, x, eps)
        return compiled

    return check
