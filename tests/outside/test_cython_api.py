"""An extension of somebody else's, built with setuptools, cimports from the installed fastgrad."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import cython_api

pytest.importorskip("Cython")


@pytest.fixture(scope="module")
def cimporter(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("cimporter")
    for file in (Path(__file__).parent / "cimporter").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    site = folder / "site"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(site), str(folder)], check=True, cwd=folder)
    spec = importlib.util.spec_from_file_location("cimporter", next(site.glob("cimporter*.so"), site / "cimporter.pyd"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n", [1, 2, 9, 100])
def test_gradients_are_the_verb_s(cimporter: Any, rng: np.random.Generator, n: int) -> None:
    x, weights, out = rng.standard_normal(n), rng.standard_normal(n), np.empty((3, n))
    before = x.copy()
    assert cimporter.gradients(x, 1e-5, weights, out, np.empty(n)) == (2 * n, 2 * n, 4 * n)
    f = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
    expected = fg.numerical_gradient(f, x)
    assert out[0].tobytes() == expected.tobytes()
    assert out[2].tobytes() == expected.tobytes()
    g = fg.numerical_gradient(lambda x: cimporter.value_of_weighted(x, weights), x)
    assert out[1].tobytes() == g.tobytes()
    assert x.tobytes() == before.tobytes()


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 9), (17, 17)])
def test_a_jacobian_is_the_verb_s(cimporter: Any, rng: np.random.Generator, m: int, n: int) -> None:
    x, out = rng.standard_normal(n), np.empty((m, n))
    cimporter.system(x, 1e-5, out, np.empty(n + 10 * m))
    f = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], m)
    assert out.tobytes() == fg.numerical_jacobian(f, x).tobytes()


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 5), (64, 33), (2000, 2000)])
def test_weight_gradients_are_the_verb_s(cimporter: Any, rng: np.random.Generator, m: int, n: int) -> None:
    g, x, out = rng.standard_normal(m), rng.standard_normal(n), np.full((m, n), np.nan)
    cimporter.outer(g, x, out, False)
    assert out.tobytes() == fg.weight_gradient(g, x).tobytes()
    cimporter.outer(g, x, out, True)
    np.testing.assert_array_equal(out, 2 * np.outer(g, x))


@pytest.mark.parametrize(("n", "p"), [(10, 3), (70, 8), (33, 19), (4, 1)])
def test_steps_of_descent_are_those_of_the_textbook(cimporter: Any, rng: np.random.Generator, n: int, p: int) -> None:
    A, b = rng.standard_normal((n, p)), rng.standard_normal(n)
    x, losses, gradient = np.zeros(p), np.empty(5), np.empty(p)
    cimporter.descend(A, b, 1e-3, 0.1, x, losses, gradient, np.empty(p))
    found = fg.least_squares_gd(A, b, 1e-3, 5, ridge=0.1)
    assert losses.tobytes() == found.losses.tobytes()
    assert x.tobytes() == found.x.tobytes()


def test_the_functions_have_capsules_that_say_their_types() -> None:
    capsules = cython_api.__pyx_capi__
    assert {"gradient", "jacobian", "weight_gradient", "least_squares_step"} <= set(capsules)
    assert "Py_ssize_t" in repr(capsules["gradient"])
