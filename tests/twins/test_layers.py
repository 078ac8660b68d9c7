"""The layers against the textbook's code."""

import inspect
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import fastgrad.layers as fast
import fastgrad.reference.layers as plain

Array = NDArray[Any]
SIZES = st.integers(1, 9)
BATCH = st.one_of(st.none(), st.integers(0, 6))
DTYPE = st.sampled_from([np.float32, np.float64])


def close(ours: Any, theirs: Any, *dtypes: type) -> None:
    """Compare to the rounding of the coarsest dtype that took part; sums may run in another order."""
    assert ours.dtype == theirs.dtype
    rtol = 1e-4 if np.float32 in (ours.dtype, *dtypes) else 1e-12
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)


def normal(rng: np.random.Generator, batch: int | None, n: int, dtype: type) -> Array:
    return rng.standard_normal((n,) if batch is None else (batch, n)).astype(dtype)


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, BATCH, DTYPE, DTYPE, st.integers(0, 2**32 - 1))
def test_linear_layers_agree(n: int, m: int, batch: int | None, dtype: type, x_dtype: type, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (twin.LinearLayer(n, m, rng=seed, dtype=dtype) for twin in (fast, plain))
    np.testing.assert_array_equal(ours.W, theirs.W)
    ours.b = theirs.b = normal(rng, None, m, dtype)
    x, g = normal(rng, batch, n, x_dtype), normal(rng, batch, m, dtype)
    close(ours.forward(x), theirs.forward(x), dtype, x_dtype)
    for a, b in zip(ours.backward(g), theirs.backward(g), strict=True):
        close(a, b, dtype, x_dtype)


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, SIZES, BATCH, DTYPE, DTYPE, st.integers(0, 2**32 - 1))
def test_two_layer_nets_agree(
    n: int, hidden: int, m: int, batch: int | None, dtype: type, x_dtype: type, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (twin.TwoLayerNet(n, hidden, m, rng=seed, dtype=dtype) for twin in (fast, plain))
    x, g = normal(rng, batch, n, x_dtype), normal(rng, batch, m, dtype)
    close(ours.forward(x), theirs.forward(x), dtype, x_dtype)
    for name in ("W1", "W2", "x", "z1", "a1", "y"):
        close(getattr(ours, name), getattr(theirs, name), dtype, x_dtype)
    for a, b in zip(ours.backward(g), theirs.backward(g), strict=True):
        close(a, b, dtype, x_dtype)


@settings(max_examples=40, deadline=None)
@given(SIZES, SIZES, BATCH, DTYPE, DTYPE, st.sampled_from(["new", "C", "F", "strided", "add"]), st.integers(0, 999))
def test_weight_gradients_agree(
    n: int, m: int, batch: int | None, g_dtype: type, x_dtype: type, out: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    g, x = normal(rng, batch, m, g_dtype), normal(rng, batch, n, x_dtype)
    start = rng.standard_normal((m, n)).astype(np.result_type(g, x))
    spread = np.repeat(np.repeat(start, 2, axis=0), 3, axis=1)[::2, ::3]
    place = {"new": None, "C": start.copy(), "F": start.copy("F"), "strided": spread, "add": spread}[out]
    theirs = plain.weight_gradient(g, x, None if place is None else start, out == "add")
    ours = fast.weight_gradient(g, x, place, out == "add")
    close(ours, theirs, g_dtype, x_dtype)
    assert place is None or ours is place


@settings(max_examples=40, deadline=None)
@given(SIZES, BATCH, DTYPE, st.sampled_from([1.0, 1e4]), st.booleans(), st.integers(0, 999))
def test_cross_entropies_agree(k: int, batch: int | None, dtype: type, scale: float, labels: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = scale * normal(rng, batch, k, dtype)
    y = rng.integers(0, k, scores.shape[:-1]) if labels else rng.random(scores.shape)
    ours, theirs = fast.softmax_cross_entropy(scores, y), plain.softmax_cross_entropy(scores, y)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12, abs=1e-12)
    close(ours[1], theirs[1])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(width=32), max_size=8), DTYPE)
def test_relus_are_the_same(values: list[float], dtype: type) -> None:
    x: Array = np.array(values, dtype)
    for name in ("relu", "relu_derivative"):
        ours, theirs = (getattr(twin, name)(x) for twin in (fast, plain))
        assert ours.dtype == theirs.dtype == x.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_both_draw_from_the_global_generator_alike() -> None:
    drawn = []
    for twin in (fast, plain):
        np.random.seed(42)
        layer, net = twin.LinearLayer(3, 2), twin.TwoLayerNet(4, 3, 2)
        drawn.append((layer.W, layer.b, net.W1, net.W2))
    for ours, theirs in zip(*drawn, strict=True):
        np.testing.assert_array_equal(ours, theirs)


CALLS: dict[str, Any] = {
    "shapes": lambda twin: twin.weight_gradient(np.ones(2), np.ones((2, 3))),
    "batches": lambda twin: twin.weight_gradient(np.ones((2, 2)), np.ones((3, 2))),
    "complex": lambda twin: twin.weight_gradient(np.ones(2, complex), np.ones(2)),
    "ragged": lambda twin: twin.weight_gradient([[1.0], [1.0, 2.0]], [1.0]),
    "no out": lambda twin: twin.weight_gradient([1.0], [1.0], accumulate=True),
    "out list": lambda twin: twin.weight_gradient([1.0], [1.0], out=[[1.0]]),
    "out dtype": lambda twin: twin.weight_gradient([1.0], [1.0], out=np.ones((1, 1), np.float32)),
    "out shape": lambda twin: twin.weight_gradient([1.0], [1.0], out=np.ones((1, 2))),
    "relu": lambda twin: twin.relu(["a"]),
    "derivative": lambda twin: twin.relu_derivative(np.ones(2, np.float16)),
    "scores": lambda twin: twin.softmax_cross_entropy(np.ones((2, 0)), [0, 0]),
    "targets": lambda twin: twin.softmax_cross_entropy(np.ones(3), np.ones(2)),
    "label": lambda twin: twin.softmax_cross_entropy(np.ones(3), 3),
    "label dtype": lambda twin: twin.softmax_cross_entropy(np.ones(3), 1.0),
    "size": lambda twin: twin.LinearLayer(3, -1),
    "sizes": lambda twin: twin.TwoLayerNet(3, 1.5, 2),
    "dtype": lambda twin: twin.TwoLayerNet(3, 2, 2, dtype=np.float16),
    "early": lambda twin: twin.LinearLayer(3, 2).backward(np.ones(2)),
    "early net": lambda twin: twin.TwoLayerNet(3, 2, 2).backward(np.ones(2)),
    "x": lambda twin: twin.LinearLayer(3, 2).forward(np.ones(2)),
    "x net": lambda twin: twin.TwoLayerNet(3, 2, 2).forward(np.ones((1, 1, 3))),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_both_refuse_with_one_sentence(call: Any) -> None:
    errors = []
    for twin in (fast, plain):
        with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
            call(twin)
        errors.append((caught.type, str(caught.value)))
    assert errors[0] == errors[1]


@pytest.mark.parametrize("name", fast.__all__)
def test_the_signatures_are_the_same(name: str) -> None:
    ours, theirs = getattr(fast, name), getattr(plain, name)
    assert inspect.signature(ours) == inspect.signature(theirs)
    for method in ("forward", "backward"):
        if hasattr(ours, method):
            assert inspect.signature(getattr(ours, method)) == inspect.signature(getattr(theirs, method))
    assert set(fast.__all__) == set(plain.__all__)
