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
        assert module.gradient(*fixed, SCALAR(line), fresh, grad)(1, 6, 1.0) == 6
        fixed = (VECTOR.address, 0, VECTOR.form, x, h, scheme)
        assert module.jacobian(*fixed, columns, fresh, J)(0, 5, 1.0) == 5
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
    run = native.gradient(SCALAR.address, 0, SCALAR.form, x, np.array([1e-5]), scheme, 0.0, False, out)
    assert run(10, 1000, 0.0) == 11


def test_arrays_that_do_not_fit_are_refused() -> None:
    scheme = differences.Scheme(OFFSETS, WEIGHTS, WIDTHS, np.zeros(1, np.uint8))
    x = np.ones(4)
    for given, out, h in (
        (np.ones(3), np.ones(4), np.ones(1)),
        (np.ones(0), np.ones(0), np.ones(1)),
        (x, np.ones(3), np.ones(1)),
        (x, np.ones(4), np.ones(3)),
    ):
        with pytest.raises(ValueError, match="do not fit"):
            native.gradient(SCALAR.address, 0, SCALAR.form, given, h, scheme, 0.0, False, out)
        with pytest.raises(ValueError, match="do not fit"):
            native.jacobian(VECTOR.address, 0, VECTOR.form, given, h, scheme, np.ones(6), False, np.ones((6, out.size)))
    with pytest.raises(ValueError, match="do not fit"):
        native.jacobian(VECTOR.address, 0, VECTOR.form, x, np.ones(1), scheme, np.ones(5), False, np.ones((6, 4)))
    wrong: list[Any] = [np.ones(4, np.float32), np.ones(4, np.int64), np.ones((4, 2))[:, 0], np.broadcast_to(1.0, 4)]
    for place in wrong:
        with pytest.raises(ValueError, match=r".*"):
            native.gradient(SCALAR.address, 0, SCALAR.form, x, np.ones(1), scheme, 0.0, False, place)


@pytest.mark.parametrize(("start", "stop"), [(-1, 4), (0, 5), (3, 2)])
def test_entries_that_there_are_not_are_refused(start: int, stop: int) -> None:
    scheme = differences.Scheme(OFFSETS, WEIGHTS, WIDTHS, np.zeros(1, np.uint8))
    x, h = np.ones(4), np.ones(1)
    runs = (
        native.gradient(SCALAR.address, 0, SCALAR.form, x, h, scheme, 0.0, False, np.ones(4)),
        native.jacobian(VECTOR.address, 0, VECTOR.form, x, h, scheme, np.ones(6), False, np.ones((6, 4))),
    )
    for run in runs:
        with pytest.raises(ValueError, match="no such entries"):
            run(start, stop, 1.0)


def test_a_run_keeps_what_it_was_given() -> None:
    """It points into arrays that nobody else may hold any more."""

    def new_run(out: Any) -> Any:
        scheme = differences.Scheme(OFFSETS, WEIGHTS, WIDTHS, np.zeros(1, np.uint8))
        given = (np.ones(1000), np.full(1000, 1e-5), scheme, 0.0, False, out)
        return native.gradient(SCALAR.address, 0, SCALAR.form, *given)

    found, expected = np.zeros(1000), np.zeros(1000)
    new_run(expected)(0, 1000, 1.0)
    run = new_run(found)
    junk = [np.full(1000, np.nan) for _ in range(50)]
    assert run(0, 1000, 1.0) == 1000
    assert found.tobytes() == expected.tobytes()
    assert len(junk) == 50
