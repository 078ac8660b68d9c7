"""The compiled comparison against the plain one, bit for bit."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastgrad._kernels import compare as compiled
from fastgrad.reference import compare as plain

DTYPES = st.sampled_from([np.float64, np.float32])


@st.composite
def pairs(draw: Any, *, finite: bool = False) -> tuple[Any, Any, float, float]:
    dtype = draw(DTYPES)
    n = draw(st.integers(0, 40) | st.integers(1000, 1100))
    width = 8 * np.dtype(dtype).itemsize
    values = st.floats(width=width, allow_nan=not finite, allow_infinity=not finite)
    claimed = draw(hnp.arrays(dtype, n, elements=values, fill=values))
    measured = claimed.copy()
    for i in draw(st.lists(st.integers(0, n - 1), max_size=5)) if n else ():
        measured[i] = draw(values)
    tolerance = st.floats(0, 10)
    return claimed, measured, draw(tolerance), draw(tolerance)


def same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(np.array(a, dtype=float), np.array(b, dtype=float), equal_nan=True))


@given(pairs())
def test_the_summary_is_the_same(pair: Any) -> None:
    found, expected = compiled.compare(*pair), plain.compare(*pair)
    assert found[2:5] == expected[2:5]
    assert same(found[0], expected[0])
    assert np.isfinite(found[5]) == np.isfinite(expected[5])
    if np.isfinite(expected[5]):
        np.testing.assert_allclose(found[5], expected[5], rtol=1e-13)
    if np.isfinite(expected[1]):
        np.testing.assert_allclose(found[1], expected[1], rtol=1e-15)


@given(pairs())
def test_the_offenders_are_the_same_and_as_many_as_counted(pair: Any) -> None:
    count = compiled.compare(*pair)[3]
    found, expected = np.full(count, -1), np.full(count, -1)
    claimed, measured, atol, rtol = pair
    assert compiled.offenders(claimed, measured, atol, rtol, found) == count
    assert plain.offenders(claimed, measured, atol, rtol, expected) == count
    np.testing.assert_array_equal(found, expected)
    short = np.full(count // 2, -1)
    assert compiled.offenders(claimed, measured, atol, rtol, short) == count
    np.testing.assert_array_equal(short, expected[: count // 2])


@given(pairs(finite=True))
def test_the_rule_is_the_one_that_is_documented(pair: Any) -> None:
    claimed, measured, atol, rtol = pair
    c, m = claimed.astype(float), measured.astype(float)
    with np.errstate(over="ignore"):
        error = np.abs(c - m)
        wrong = ~(error <= atol + rtol * np.maximum(np.abs(c), np.abs(m))) | np.isinf(error)
    max_error, _, at, beyond, largest, squares = compiled.compare(*pair)
    assert beyond == np.count_nonzero(wrong)
    assert max_error == np.max(error, initial=0.0)
    assert at == (int(np.argmax(error)) if error.size else -1)
    assert largest == np.max(np.abs(c), initial=0.0)
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(squares, c @ c, rtol=1e-13)


@pytest.mark.parametrize("module", [compiled, plain])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 31, 32, 33, 1024, 1025, 5000])
def test_what_is_not_finite_is_beyond_any_tolerance(module: Any, bad: float, n: int) -> None:
    for i in {0, n // 2, n - 1}:
        claimed, measured = np.ones(n), np.ones(n)
        claimed[i] = bad
        error, _, at, beyond, largest, squares = module.compare(claimed, measured, 1.0, 0.5)
        assert (at, beyond) == (i, 1)
        assert not np.isfinite(error)
        assert not np.isfinite(squares)
        assert largest == (0.0 if n == 1 else 1.0) if np.isnan(bad) else largest == np.inf
        assert module.compare(measured, claimed, 1.0, 0.5)[2:] == (i, 1, 1.0, n)


def test_the_first_of_equal_errors_is_named() -> None:
    claimed = np.zeros(3000)
    measured = claimed.copy()
    measured[[700, 1500, 2999]] = 1.0, -1.0, 1.0
    assert compiled.compare(claimed, measured, 0.5, 0.0) == (1.0, 1.0, 700, 3, 0.0, 0.0)
    assert compiled.compare(claimed, measured, 2.0, 0.0) == (1.0, 1.0, 700, 0, 0.0, 0.0)


@pytest.mark.parametrize("module", [compiled, plain])
def test_arrays_of_two_lengths_are_refused(module: Any) -> None:
    claimed, measured = np.zeros(5), np.zeros(4)
    with pytest.raises(ValueError, match=r".+"):
        module.compare(claimed, measured, 1.0, 0.0)
    with pytest.raises(ValueError, match=r".+"):
        module.offenders(claimed, measured, 1.0, 0.0, np.empty(1, np.intp))
