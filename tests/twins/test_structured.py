"""The compiled loop along lines against the plain one: to the bit without a logarithm, to rounding with one."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastgrad._kernels import structured as compiled
from fastgrad.reference import structured as plain

Array = NDArray[Any]
NONE = np.zeros((1, 0))


def run(twin: Any, arguments: dict[str, Any], m: int, n: int, dtype: type, sided: bool) -> tuple[int, Array, Array]:
    left: Array = np.full((m, n), np.nan, dtype)
    right: Array = left.copy()
    count = twin.unit_differences(**arguments, first=0, left=left, right=right if sided else left)
    return count, left, right


def lines(rng: np.random.Generator, n_samples: int, m: int, n: int, h: Array, rectified: bool) -> dict[str, Any]:
    """Lines without a logarithm; near kinks, at them and away from them."""
    x = rng.standard_normal((n_samples, n)) * (rng.random((n_samples, n)) < 0.8)
    z = rng.standard_normal((n_samples, m))
    scale = rng.choice([0.0, 1e-9, h.max(), 8 * h.max(), 1.0], (n_samples, m), p=[0.1, 0.1, 0.1, 0.1, 0.6])
    z = z * scale if rectified else z
    return {
        "z": z,
        "origin": np.maximum(z, 0.0) if rectified else np.zeros((n_samples, m)),
        "c": rng.standard_normal((n_samples, m)),
        "q": rng.random(m) * rng.integers(0, 2, m),
        "tau": np.zeros(n_samples),
        "logp": np.zeros((n_samples, 0)),
        "p": np.zeros((n_samples, 0)),
        "w": NONE,
        "wmax": np.ones(m),
        "x": x,
        "reach": h.max() * np.abs(x).max(axis=1, initial=0.0),
        "h": h,
        "rectified": rectified,
    }


def logarithm(rng: np.random.Generator, arguments: dict[str, Any], n_out: int, each: bool, spread: float) -> None:
    """Add a logarithm: one distribution a sample and a direction a unit, or a distribution a line and one direction."""
    n_samples, m = arguments["z"].shape
    scores = rng.standard_normal((n_samples * m if each else n_samples, n_out))
    logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    w = spread * rng.standard_normal((1 if each else m, n_out))
    arguments.update(logp=logp, p=np.exp(logp), w=w, tau=rng.random(n_samples), origin=np.maximum(arguments["z"], 0.0))
    if not arguments["rectified"]:
        arguments["origin"] = arguments["z"]
    arguments["wmax"] = np.broadcast_to(np.abs(w).max(axis=1, initial=0.0), m).copy()


def steps_of(rng: np.random.Generator, kind: str, size: int) -> Array:
    if kind == "each" and size:
        return np.asarray(rng.uniform(1e-4, 1e-2, size))
    return np.array([2.0**-10 if kind == "exact" else 1e-3])


CASES = {
    "n_samples": st.sampled_from([0, 1, 1, 2, 5]),
    "m": st.integers(0, 6),
    "n": st.one_of(st.integers(0, 20), st.integers(1022, 1026), st.integers(4095, 4097)),  # around blocks, and rooms
    "kind": st.sampled_from(["exact", "rounded", "each"]),
    "dtype": st.sampled_from([np.float32, np.float64]),
    "rectified": st.booleans(),
    "sided": st.booleans(),
    "seed": st.integers(0, 2**32 - 1),
}


@settings(max_examples=100, deadline=None)
@given(**CASES)
def test_polynomials_have_the_same_bits(
    n_samples: int, m: int, n: int, kind: str, dtype: type, rectified: bool, sided: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    arguments = lines(rng, n_samples, m, n, steps_of(rng, kind, m * n), rectified)
    ours, theirs = run(compiled, arguments, m, n, dtype, sided), run(plain, arguments, m, n, dtype, sided)
    assert ours[0] == theirs[0]
    np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_array_equal(ours[2], theirs[2])


@settings(max_examples=60, deadline=None)
@given(n_out=st.integers(1, 20), each=st.booleans(), spread=st.sampled_from([0.01, 1.0, 30.0, 3000.0]), **CASES)
def test_logarithms_agree_to_rounding(
    n_samples: int,
    m: int,
    n: int,
    kind: str,
    dtype: type,
    rectified: bool,
    sided: bool,
    seed: int,
    n_out: int,
    each: bool,
    spread: float,
) -> None:
    rng = np.random.default_rng(seed)
    arguments = lines(rng, n_samples, m, n, steps_of(rng, kind, m * n), rectified)
    logarithm(rng, arguments, n_out, each, spread)
    ours, theirs = run(compiled, arguments, m, n, dtype, sided), run(plain, arguments, m, n, dtype, sided)
    assert ours[0] == theirs[0]
    unit = 2.0**-52 if dtype is np.float64 else 2.0**-23
    atol = 2.0**-46 * (1 + spread) / arguments["h"].min() * 2.0**-8 + unit
    np.testing.assert_allclose(ours[1], theirs[1], rtol=4 * unit, atol=atol)
    np.testing.assert_allclose(ours[2], theirs[2], rtol=4 * unit, atol=atol)


@pytest.mark.parametrize(
    "move", [1e-8, 0.99 * 2.0**-9, 1.01 * 2.0**-9, 0.99 * 2.0**-5, 1.01 * 2.0**-5, 1.0, 30.0, 900.0]
)
@pytest.mark.parametrize("n_out", [1, 7, 8, 50])
def test_moments_and_definition_meet(move: float, n_out: int) -> None:
    """Around each radius the loop changes its form of the logarithm, and no more than rounding shows."""
    rng = np.random.default_rng(n_out)
    h = np.array([move])
    arguments = lines(rng, 1, 4, 1, h, False)
    logarithm(rng, arguments, n_out, False, 1.0)
    arguments["w"] /= np.abs(arguments["w"]).max(axis=1, keepdims=True)
    arguments.update(x=np.ones((1, 1)), reach=h.copy(), wmax=np.ones(4), z=np.zeros((1, 4)), origin=np.zeros((1, 4)))
    ours, theirs = run(compiled, arguments, 4, 1, np.float64, False), run(plain, arguments, 4, 1, np.float64, False)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=0, atol=2e-14)


def test_long_rows_are_taken_in_blocks() -> None:
    rng = np.random.default_rng(3)
    arguments = lines(rng, 2, 3, 2500, np.array([2.0**-10]), True)
    ours, theirs = run(compiled, arguments, 3, 2500, np.float64, True), run(plain, arguments, 3, 2500, np.float64, True)
    assert ours[0] == theirs[0] > 0
    np.testing.assert_array_equal(ours[1], theirs[1])
    np.testing.assert_array_equal(ours[2], theirs[2])


@settings(max_examples=40, deadline=None)
@given(n_out=st.integers(0, 3), each=st.booleans(), cut=st.integers(0, 6), **CASES)
@pytest.mark.parametrize("twin", [compiled, plain], ids=["compiled", "plain"])
def test_rows_are_those_of_the_whole(
    twin: Any,
    n_samples: int,
    m: int,
    n: int,
    kind: str,
    dtype: type,
    rectified: bool,
    sided: bool,
    seed: int,
    n_out: int,
    each: bool,
    cut: int,
) -> None:
    rng = np.random.default_rng(seed)
    arguments = lines(rng, n_samples, m, n, steps_of(rng, kind, m * n), rectified)
    if n_out:
        logarithm(rng, arguments, n_out, each, 1.0)
    redone, left, right = run(twin, arguments, m, n, dtype, sided)
    found: tuple[Array, Array] = np.full_like(left, np.nan), np.full_like(left, np.nan)
    for first, last in ((0, min(cut, m)), (min(cut, m), m)):
        below = found[0][first:last]
        above = found[1][first:last] if sided else below
        redone -= twin.unit_differences(**arguments, first=first, left=below, right=above)
    assert redone == 0
    np.testing.assert_array_equal(found[0], left)
    if sided:
        np.testing.assert_array_equal(found[1], right)


@pytest.mark.parametrize("first", [-1, 1, 3])
def test_rows_beyond_the_units_are_refused(first: int) -> None:
    arguments, out = lines(np.random.default_rng(0), 1, 3, 4, np.array([0.1]), False), np.empty((3, 4))
    with pytest.raises(ValueError, match="do not fit"):
        compiled.unit_differences(**arguments, first=first, left=out, right=out)


@pytest.mark.parametrize("twin", [compiled, plain], ids=["compiled", "plain"])
@pytest.mark.parametrize("rectified", [False, True])
def test_undefined_numbers_show(twin: Any, rectified: bool) -> None:
    rng = np.random.default_rng(5)
    arguments = lines(rng, 1, 3, 4, np.array([2.0**-10]), False)
    arguments["rectified"] = rectified
    arguments["z"][0] = [np.nan, 1.0, 2.0]
    _, left, _ = run(twin, arguments, 3, 4, np.float64, False)
    assert np.isnan(left[0]).all()
    assert np.isfinite(left[1:]).all()


@pytest.mark.parametrize("name", ["origin", "c", "q", "tau", "logp", "p", "w", "wmax", "x", "reach", "h"])
def test_shapes_that_do_not_fit_are_refused_before_memory_is_touched(name: str) -> None:
    rng = np.random.default_rng(1)
    arguments = lines(rng, 2, 3, 4, np.full(12, 0.1), True)
    logarithm(rng, arguments, 5, False, 1.0)
    arguments[name] = np.ascontiguousarray(np.concatenate([arguments[name]] * 7))
    with pytest.raises(ValueError, match="do not fit"):
        run(compiled, arguments, 3, 4, np.float64, True)


@pytest.mark.parametrize("name", plain.__all__)
def test_signatures_are_the_same(name: str) -> None:
    ours, theirs = (inspect.signature(getattr(twin, name)) for twin in (compiled, plain))
    assert list(ours.parameters) == list(theirs.parameters)
