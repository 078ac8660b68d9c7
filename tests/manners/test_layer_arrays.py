"""What the layers do to the caller's arrays, and which arrays they take."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fastgrad._errors import ShapeError
from fastgrad.layers import LinearLayer, TwoLayerNet, relu, relu_derivative, softmax_cross_entropy, weight_gradient

Array = NDArray[Any]


def unaligned(a: Array) -> Array:
    place = np.frombuffer(bytearray(a.nbytes + 1), np.uint8)[1:].view(a.dtype).reshape(a.shape)
    place[...] = a
    assert not place.flags.aligned
    return place


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "every second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[..., ::-1].copy()[..., ::-1],
    "column order": np.asfortranarray,
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": unaligned,
    "matrix subclass": lambda a: a.view(type("Sub", (np.ndarray,), {})),
}
EVERY_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
BATCHES = pytest.mark.parametrize("batch", [(), (3,)], ids=["one sample", "batch"])


@EVERY_LAYOUT
@BATCHES
def test_any_layout_gives_the_same_and_stays_as_it_was(
    layout: Callable[[Array], Array], batch: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(0)
    g, x = rng.standard_normal((*batch, 4)), rng.standard_normal((*batch, 5))
    expected = np.atleast_2d(g).T @ np.atleast_2d(x)
    odd_g, odd_x = layout(g), layout(x)
    odd_g.flags.writeable = odd_x.flags.writeable = False
    result = weight_gradient(odd_g, odd_x)
    assert type(result) is np.ndarray
    np.testing.assert_allclose(result, expected, rtol=1e-14)
    np.testing.assert_allclose(weight_gradient(odd_g, odd_x, np.ones((4, 5)), True), expected + 1, rtol=1e-14)
    layer, net = LinearLayer(5, 4, rng=0), TwoLayerNet(5, 3, 4, rng=0)
    np.testing.assert_allclose(layer.forward(odd_x), x @ layer.W.T, rtol=1e-14)
    np.testing.assert_allclose(layer.backward(odd_g)[1], expected, rtol=1e-14)
    np.testing.assert_allclose(net.forward(odd_x), relu(x @ net.W1.T) @ net.W2.T, rtol=1e-13)
    np.testing.assert_allclose(
        net.backward(odd_g)[0], np.atleast_2d(g @ net.W2 * (x @ net.W1.T > 0)).T @ np.atleast_2d(x), rtol=1e-13
    )
    np.testing.assert_array_equal(odd_g, g)
    np.testing.assert_array_equal(odd_x, x)


def test_no_function_writes_into_its_arguments() -> None:
    x = np.array([[-1.0, 2.0], [3.0, -4.0]])
    kept = x.copy()
    for call in (
        relu,
        relu_derivative,
        lambda a: softmax_cross_entropy(a, a),
        lambda a: softmax_cross_entropy(a, [0, 1]),
    ):
        results = call(x)
        for result in results if isinstance(results, tuple) else (results,):
            assert not np.shares_memory(x, np.asarray(result))
    np.testing.assert_array_equal(x, kept)


@BATCHES
@pytest.mark.parametrize("accumulate", [False, True])
@pytest.mark.parametrize("shape", [(4, 5), (300, 200)])
@pytest.mark.parametrize("order", ["rows apart", "columns apart", "turned", "column order", "unaligned"])
def test_out_of_any_strides(batch: tuple[int, ...], accumulate: bool, shape: tuple[int, int], order: str) -> None:
    rng = np.random.default_rng(0)
    m, n = shape
    g, x = rng.standard_normal((*batch, m)), rng.standard_normal((*batch, n))
    whole = rng.standard_normal((2 * m, 2 * n))
    out = {
        "rows apart": whole[:m, :n],
        "columns apart": whole[::2, ::2],
        "turned": whole[m - 1 :: -1, n - 1 :: -1],
        "column order": np.asfortranarray(whole[:m, :n]),
        "unaligned": unaligned(whole[:m, :n]),
    }[order]
    outside = whole.copy()
    expected = np.atleast_2d(g).T @ np.atleast_2d(x) + (out if accumulate else 0)
    assert weight_gradient(g, x, out, accumulate) is out
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)
    out[...] = 0
    touched = outside != whole
    if np.shares_memory(out, whole):
        assert touched.sum() == out.size
    else:
        assert not touched.any()


@pytest.mark.parametrize("accumulate", [False, True])
def test_an_out_that_overlaps_an_input_is_refused(accumulate: bool) -> None:
    memory = np.arange(64.0)
    square = memory[:16].reshape(4, 4)
    pairs: list[tuple[Any, Any, Array]] = [
        (memory[:4], np.ones(4), square),
        (np.ones(4), memory[15:19], square),
        (memory[6::-2], np.ones(4), square),
        (memory[10:22].reshape(3, 4), np.ones((3, 4)), square),
        (np.ones((3, 4)), square[1:], square),
        (np.ones(4), memory[1:5], square.T),
        (np.ones(4), square[0], memory.reshape(8, 8)[:4, :4]),
        (memory[:4].view(np.int64), np.ones(4), square),
    ]
    for g, x, out in pairs:
        with pytest.raises(ValueError, match="out overlaps grad_output or x"):
            weight_gradient(g, x, out, accumulate)
    np.testing.assert_array_equal(memory, np.arange(64.0))


def test_an_out_beside_its_input_in_one_array_is_taken() -> None:
    memory = np.ones((5, 6))
    out = memory[:4, :5]
    weight_gradient(memory[:4, 5], memory[4, :5], out, accumulate=True)
    np.testing.assert_array_equal(out, np.full((4, 5), 2.0))
    np.testing.assert_array_equal(memory[:, 5], np.ones(5))


@BATCHES
@pytest.mark.parametrize(
    ("out", "error", "sentence"),
    [
        (np.broadcast_to(np.ones(3), (2, 3)), ValueError, "read-only"),
        (
            np.ones((2, 3), np.float32),
            TypeError,
            "out has dtype float32; the result of these arguments has dtype float64",
        ),
        (np.ones((2, 3), ">f8"), TypeError, "out has dtype >f8"),
        (np.ones((3, 2)), ShapeError, r"out has shape \(3, 2\); the result has shape \(2, 3\)"),
        (np.ones(6), ShapeError, r"out has shape \(6,\)"),
        (np.ma.ones((2, 3)), TypeError, "NumPy array, got MaskedArray"),
        ([[0.0] * 3] * 2, TypeError, "NumPy array, got list"),
    ],
)
def test_an_out_that_cannot_take_the_result(batch: tuple[int, ...], out: Any, error: type, sentence: str) -> None:
    before = np.array(out)
    with pytest.raises(error, match=sentence):
        weight_gradient(np.ones((*batch, 2)), np.ones((*batch, 3)), out)
    np.testing.assert_array_equal(np.array(out), before)


def test_infinite_and_undefined_values_arrive_without_a_warning() -> None:
    g, x = np.array([0.0, np.nan]), np.array([np.inf, 1.0])
    np.testing.assert_array_equal(weight_gradient(g, x), [[np.nan, 0.0], [np.nan, np.nan]])
    np.testing.assert_array_equal(weight_gradient([[1e300], [1.0]], [[1e300], [np.inf]]), [[np.inf]])
    net = TwoLayerNet(1, 1, 1, rng=0)
    net.W1[:], net.W2[:] = -1.0, np.inf
    for x in (np.ones(1), np.ones((1, 1))):
        net.z1, net.a1, net.x = -x, 0 * x, x
        assert np.isnan(net.backward(np.ones(x.shape))[0]).all()


@pytest.mark.parametrize("batch", [0, 2, 8, 40])
def test_a_batch_of_any_strides_has_the_product_of_its_copy(batch: int) -> None:
    rng = np.random.default_rng(batch)
    G, X = rng.standard_normal((2 * batch, 14)), rng.standard_normal((batch, 33, 3))
    for g, x in ((G[::2, ::-1], X[..., 1]), (G[:batch].T.copy().T, X[:, 1]), (G[::2], X[:, ::-1, 2])):
        expected = np.ascontiguousarray(g).T @ np.ascontiguousarray(x)
        np.testing.assert_allclose(weight_gradient(g, x), expected, rtol=0, atol=1e-13)
        added = weight_gradient(g, x, out=np.ones(expected.shape), accumulate=True)
        np.testing.assert_allclose(added, 1 + expected, rtol=0, atol=1e-13)
