"""The compiled loop over pairs against the plain NumPy one: the same points, the same bits, the same errors."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad import _pairings
from fastgrad._kernels import pairs as compiled
from fastgrad._point import as_point
from fastgrad._reading import PairReader
from fastgrad.reference import pairs as plain


def plain_pairing(which: Any) -> plain.Pairing:
    return plain.Pairing(*_pairings._tables(), which)


def compiled_pairing(which: Any) -> compiled.Pairing:
    return compiled.Pairing(*_pairings._tables(), which)


def smooth(x: Any) -> float:
    flat = np.asarray(x, dtype=np.float64).reshape(-1)
    return float(np.sum(np.sin(flat) * np.exp(flat[::-1])) + flat[0] ** 3 * flat[-1])


def keeper() -> Callable[[Any], float]:
    kept: list[Any] = []

    def f(x: Any) -> float:
        kept.append(x[..., :1])
        return smooth(x)

    return f


def writer() -> Callable[[Any], float]:
    def f(x: Any) -> float:
        value = smooth(x)
        x.reshape(-1)[-1] = 7.0
        return value

    return f


def late_writer() -> Callable[[Any], float]:
    calls = 0

    def f(x: Any) -> float:
        nonlocal calls
        calls += 1
        value = smooth(x)
        if calls == 20:
            x.reshape(-1)[0] += 1.0
        return value

    return f


def outcome(twin: Any, pairing: Any, f: Any, x: Any, h: Any) -> tuple[Any, ...]:
    point = as_point(x)
    n = point.array.size
    values, H = np.full((n + 1, _pairings.points_along()), 5.0), np.empty((n, n), point.array.dtype)
    seen: list[bytes] = []

    def watched(p: Any) -> Any:
        seen.append(p.tobytes())
        return f(p)

    try:
        calls = twin.hessian(watched, point.array, h, pairing, values, H, PairReader(point.name, n))
    except Exception as error:
        return seen, type(error), str(error), getattr(error, "__notes__", None)
    used = values[:n].tobytes(), values[n, 0]
    return seen, calls, H.tobytes(), H.dtype, used


@given(
    shape=st.sampled_from([(1,), (2,), (3,), (5,), (2, 3), (), (1, 1, 4)]),
    dtype=st.sampled_from([np.float64, np.float32]),
    seed=st.integers(0, 1000),
    one_step=st.booleans(),
)
def test_the_bits_are_the_same(shape: Any, dtype: Any, seed: int, one_step: bool) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype(dtype)
    n = x.size
    h = np.exp2(rng.integers(-8, -3, 1 if one_step else n)).astype(np.float64) * 1.1
    which = rng.integers(0, len(_pairings._kinds()), n).astype(np.uint8)
    ours = outcome(compiled, compiled_pairing(which), smooth, x, h)
    theirs = outcome(plain, plain_pairing(which), smooth, x, h)
    assert ours == theirs
    H = np.frombuffer(ours[2], dtype).reshape(n, n)
    assert H.tobytes() == H.T.tobytes()


@pytest.mark.parametrize("make", [keeper, writer, late_writer], ids=lambda make: make.__name__)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_values_are_the_same_for_an_f_that_keeps_or_writes(make: Any, dtype: Any) -> None:
    x, h, which = np.linspace(0.5, 1.5, 5).astype(dtype), np.array([2.0**-6]), np.zeros(1, np.uint8)
    ours = outcome(compiled, compiled_pairing(which), make(), x, h)
    theirs = outcome(plain, plain_pairing(which), make(), x, h)
    assert ours[2:] == theirs[2:]


@pytest.mark.parametrize("bad", [None, "1.0", np.ones(2), 1j])
@pytest.mark.parametrize("at", [1, 2, 30, 31, 40])
def test_the_errors_are_the_same(bad: Any, at: int) -> None:
    def make() -> Callable[[Any], Any]:
        calls = 0

        def f(x: Any) -> Any:
            nonlocal calls
            calls += 1
            return bad if calls == at else smooth(x)

        return f

    x, h, which = np.linspace(0.5, 1.5, 5), np.array([2.0**-6]), np.zeros(1, np.uint8)
    ours = outcome(compiled, compiled_pairing(which), make(), x, h)
    theirs = outcome(plain, plain_pairing(which), make(), x, h)
    assert ours == theirs
    assert issubclass(ours[1], TypeError | ValueError)


@pytest.mark.parametrize("x", [[np.nan, 1.0, 2.0], [np.inf, 1.0, -np.inf], [1e308, 1.0, 1e308]])
def test_what_is_not_finite_propagates_alike(x: Any) -> None:
    h, which = np.array([2.0**-6]), np.zeros(1, np.uint8)
    with np.errstate(all="ignore"):
        ours = outcome(compiled, compiled_pairing(which), smooth, np.array(x), h)
        theirs = outcome(plain, plain_pairing(which), smooth, np.array(x), h)
    assert ours[:2] == theirs[:2]
    for a, b in zip(ours[2:], theirs[2:], strict=True):
        if isinstance(a, bytes):
            np.testing.assert_array_equal(np.frombuffer(a), np.frombuffer(b))


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 33, 64, 97])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_symmetric_part(n: int, dtype: Any, rng: np.random.Generator) -> None:
    J = rng.normal(size=(n, n)).astype(dtype)
    ours, theirs = J.copy(), J.copy()
    apart = compiled.symmetrize(ours)
    assert apart == plain.symmetrize(theirs) == np.abs(J.astype(np.float64) - J.T).max(initial=0.0)
    assert ours.tobytes() == theirs.tobytes() == ours.T.tobytes()
    assert np.diag(ours).tobytes() == np.diag(J).tobytes()
    np.testing.assert_allclose(ours, (J + J.T) / 2, rtol=1e-6 if dtype == np.float32 else 1e-15, atol=1e-15)


def test_the_symmetric_part_of_what_is_not_finite_or_large() -> None:
    J = np.array([[1.0, np.nan, 0.0], [2.0, 1.0, 1.7e308], [0.0, 1.7e308, 1.0]])
    ours, theirs = J.copy(), J.copy()
    assert np.isnan(compiled.symmetrize(ours))
    assert np.isnan(plain.symmetrize(theirs))
    np.testing.assert_array_equal(ours, theirs)
    assert ours[1, 2] == 1.7e308
