"""The loops over addresses, compiled and in plain NumPy, write the same bits."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import cython_api, reference
from fastgrad._kernels import differences, native
from fastgrad.reference import native as plain

SCALAR = fg.native.function(cython_api.__pyx_capi__["rosenbrock"])
VECTOR = fg.native.vector_function(cython_api.__pyx_capi__["broyden"], 6)
#: Central, a forward stencil of second order with x itself, and each of them at some entries.
OFFSETS = np.array([[1, -1, 0], [1, 2, 0]])
WEIGHTS = np.array([[1.0, -1.0, 0.0], [4.0, -1.0, -3.0]])
WIDTHS = np.array([2.0, 2.0])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("which", [[0], [1], [0, 1, 1, 0, 1, 0]])
@pytest.mark.parametrize("fresh", [False, True])
def test_twins_agree(rng: np.random.Generator, dtype: Any, which: list[int], fresh: bool) -> None:
    x = rng.standard_normal(6).astype(dtype)
    h = np.array([2.0**-8]) if len(which) == 1 else rng.uniform(0.001, 0.01, 6)
    line = x.astype(np.float64)
    columns = VECTOR(line)
    found = []
    for module, kind in ((native, differences.Scheme), (plain, reference.differences.Scheme)):
        scheme = kind(OFFSETS, WEIGHTS, WIDTHS, np.array(which, np.uint8))
        grad, J = np.zeros(6, dtype), np.zeros((6, 6), dtype)
        fixed = (SCALAR.address, 0, SCALAR.form, x, h, scheme)
        assert module.gradient(*fixed, SCALAR(line), line.copy(), fresh, grad, 1, 6, 1.0) == 6
        fixed = (VECTOR.address, 0, VECTOR.form, x, h, scheme)
        work = np.full((10, 6), np.nan)
        assert module.jacobian(*fixed, columns, line.copy(), work, fresh, J, 0, 5, 1.0) == 5
        y = np.empty(6)
        module.vector(VECTOR.address, 0, VECTOR.form, line, y)
        found.append((grad.tobytes(), J.tobytes(), y.tobytes(), module.scalar(SCALAR.address, 0, SCALAR.form, line)))
        assert grad[0] == 0
        assert (J[:, 5] == 0).all()
        assert J[0, 0] != 0
    assert found[0] == found[1]


def test_a_span_ends_in_time_and_says_where() -> None:
    scheme = differences.Scheme(OFFSETS, WEIGHTS, WIDTHS, np.zeros(1, np.uint8))
    x = np.ones(1000)
    out = np.zeros(1000)
    fixed = (SCALAR.address, 0, SCALAR.form, x, np.array([1e-5]), scheme, 0.0, x.copy(), False, out)
    assert native.gradient(*fixed, 10, 1000, 0.0) == 11


def test_arrays_that_do_not_fit_are_refused() -> None:
    scheme = differences.Scheme(OFFSETS, WEIGHTS, WIDTHS, np.zeros(1, np.uint8))
    x = np.ones(4)
    for point, out, h, start, stop in (
        (np.ones(3), np.ones(4), np.ones(1), 0, 4),
        (np.ones(4), np.ones(3), np.ones(1), 0, 4),
        (np.ones(4), np.ones(4), np.ones(3), 0, 4),
        (np.ones(4), np.ones(4), np.ones(1), -1, 4),
        (np.ones(4), np.ones(4), np.ones(1), 0, 5),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            native.gradient(SCALAR.address, 0, SCALAR.form, x, h, scheme, 0.0, point, False, out, start, stop, 1.0)
        with pytest.raises(ValueError, match="do not fit"):
            native.jacobian(VECTOR.address, 0, VECTOR.form, x, h, scheme, np.ones(6), point, np.ones((10, 6)), False,
                            np.ones((6, out.size)), start, stop, 1.0)  # fmt: skip
