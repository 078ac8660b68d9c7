"""The layers: values, shapes, dtypes, and backward passes against differences taken here."""

import doctest
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fastgrad import _weight_gradient, layers
from fastgrad._errors import ShapeError
from fastgrad.layers import LinearLayer, TwoLayerNet, relu, relu_derivative, softmax_cross_entropy, weight_gradient
from fastgrad.reference import layers as reference_layers

Array = NDArray[Any]
BATCHES = pytest.mark.parametrize("batch", [(), (1,), (5,)], ids=["one sample", "batch of 1", "batch of 5"])


def differences(f: Callable[[], float], at: Array) -> Array:
    """Central differences of f by each entry of the array `at`, which f reads."""
    result = np.empty_like(at)
    for i in np.ndindex(at.shape):
        kept, values = at[i], []
        for step in (1e-6, -1e-6):
            at[i] = kept + step
            values.append(f())
        at[i] = kept
        result[i] = (values[0] - values[1]) / 2e-6
    return result


@BATCHES
def test_linear_backward_agrees_with_differences(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    layer = LinearLayer(4, 3, rng=rng)
    layer.b[:] = rng.standard_normal(3)
    x, weights = rng.standard_normal((*batch, 4)), rng.standard_normal((*batch, 3))

    def loss() -> float:
        return float(np.sum(weights * layer.forward(x) ** 2))

    grads = layer.backward(2 * weights * layer.forward(x))
    assert layer.gradient_names == ("x", "W", "b")
    for grad, parameter in zip(grads, (x, layer.W, layer.b), strict=True):
        np.testing.assert_allclose(grad, differences(loss, parameter), rtol=1e-7, atol=1e-8)


@BATCHES
def test_two_layer_backward_agrees_with_differences(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    net = TwoLayerNet(4, 6, 3, rng=rng)
    x, weights = rng.standard_normal((*batch, 4)), rng.standard_normal((*batch, 3))

    def loss() -> float:
        return float(np.sum(weights * net.forward(x) ** 2))

    grads = net.backward(2 * weights * net.forward(x))
    assert net.z1 is not None
    assert (net.z1 > 0).any()
    assert (net.z1 < 0).any()
    assert net.gradient_names == ("W1", "W2")
    for grad, parameter in zip(grads, (net.W1, net.W2), strict=True):
        np.testing.assert_allclose(grad, differences(loss, parameter), rtol=1e-6, atol=1e-8)


@BATCHES
def test_cross_entropy_gradient_agrees_with_differences(batch: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    scores, weights = rng.standard_normal((*batch, 4)), 3 * rng.random((*batch, 4))
    labels = rng.integers(0, 4, batch)
    for y in (weights, labels):
        grad = softmax_cross_entropy(scores, y)[1]
        measured = differences(lambda y=y: softmax_cross_entropy(scores, y)[0], scores)  # type: ignore[misc]
        np.testing.assert_allclose(grad, measured, rtol=1e-7, atol=1e-8)


def test_the_tutorials_numbers_after_its_own_seed() -> None:
    np.random.seed(42)
    W = np.random.randn(2, 3) * 0.1
    W1, W2 = np.random.randn(3, 4) * 0.1, np.random.randn(2, 3) * 0.1
    np.random.seed(42)
    layer, net = LinearLayer(3, 2), TwoLayerNet(4, 3, 2)
    np.testing.assert_array_equal(layer.W, W)
    np.testing.assert_array_equal(layer.b, [0, 0])
    np.testing.assert_array_equal(net.W1, W1)
    np.testing.assert_array_equal(net.W2, W2)
    x, grad_y = np.array([1.0, 2.0, 3.0]), np.array([0.5, -0.3])
    np.testing.assert_array_equal(layer.forward(x), W @ x)
    grad_x, grad_W, grad_b = layer.backward(grad_y)
    np.testing.assert_array_equal(grad_x, W.T @ grad_y)
    np.testing.assert_array_equal(grad_W, np.outer(grad_y, x))
    np.testing.assert_array_equal(grad_b, grad_y)


def test_rng_draws_apart_from_the_global_generator() -> None:
    np.random.seed(3)
    before = np.random.get_state(legacy=False)["state"]["pos"]
    first, second = LinearLayer(3, 2, rng=7), LinearLayer(3, 2, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(first.W, second.W)
    np.testing.assert_array_equal(first.W, np.random.default_rng(7).standard_normal((2, 3)) * 0.1)
    assert np.random.get_state(legacy=False)["state"]["pos"] == before
    shared = np.random.default_rng(7)
    assert not np.array_equal(LinearLayer(3, 2, rng=shared).W, LinearLayer(3, 2, rng=shared).W)


def test_single_precision_stays_single() -> None:
    double, single = TwoLayerNet(4, 3, 2, rng=5), TwoLayerNet(4, 3, 2, rng=5, dtype=np.float32)
    np.testing.assert_array_equal(single.W1, double.W1.astype(np.float32))
    x = np.ones((6, 4), np.float32)
    arrays = [single.forward(x), *single.backward(np.ones((6, 2), np.float32))]
    layer = LinearLayer(4, 2, dtype="float32")
    arrays += [layer.forward(x[0]), *layer.backward(np.ones(2, np.float32))]
    assert {a.dtype for a in arrays} == {np.dtype(np.float32)}
    assert layer.forward(np.ones(4)).dtype == np.float64
    assert layer.forward([1, 2, 3, 4]).dtype == np.float64


def test_layers_keep_copies() -> None:
    layer, x, g = LinearLayer(3, 2, rng=0), np.ones(3), np.ones(2)
    layer.forward(x)
    x[:] = 5
    _, grad_W, grad_b = layer.backward(g)
    np.testing.assert_array_equal(grad_W, np.ones((2, 3)))
    grad_b[:] = 9
    np.testing.assert_array_equal(g, [1, 1])
    net = TwoLayerNet(3, 4, 2, rng=0)
    net.forward(x)
    x[:] = 0
    assert net.backward(g)[0].any()


def test_an_empty_batch_gives_empty_results_and_zero_gradients() -> None:
    net, layer = TwoLayerNet(3, 4, 2, rng=0), LinearLayer(3, 2, rng=0)
    assert net.forward(np.ones((0, 3))).shape == layer.forward(np.ones((0, 3))).shape == (0, 2)
    grads = [*net.backward(np.ones((0, 2))), *layer.backward(np.ones((0, 2)))]
    assert [g.shape for g in grads] == [(4, 3), (2, 4), (0, 3), (2, 3), (2,)]
    assert not any(g.any() for g in grads)
    assert softmax_cross_entropy(np.ones((0, 3)), np.ones((0, 3)))[0] == 0.0


def test_layers_survive_pickling_and_sizes_of_zero() -> None:
    net = pickle.loads(pickle.dumps(TwoLayerNet(3, 4, 2, rng=0)))
    assert net.forward(np.ones(3)).shape == (2,)
    empty = LinearLayer(0, 2)
    np.testing.assert_array_equal(empty.forward([]), [0, 0])
    assert empty.backward([1.0, 1.0])[1].shape == (2, 0)


@pytest.mark.parametrize("module", [layers, reference_layers])
def test_sizes_and_seeds_that_make_no_sense_are_refused_in_a_sentence(module: Any) -> None:
    with pytest.raises(TypeError, match=r"the size of a layer must be an integer; got 2\.0"):
        module.LinearLayer(2.0, 2)
    with pytest.raises(ValueError, match="must not be negative"):
        module.TwoLayerNet(3, -1, 2)
    for rng in ("a", -1, 1.5):
        with pytest.raises(TypeError, match="rng must be None, a seed"):
            module.TwoLayerNet(3, 4, 2, rng=rng)


def test_relu_and_its_derivative() -> None:
    x = np.array([[-1.0, 0.0], [2.0, np.nan]], np.float32)
    np.testing.assert_array_equal(relu(x), np.array([[0, 0], [2, np.nan]], np.float32), strict=True)
    np.testing.assert_array_equal(relu_derivative(x), np.array([[0, 0], [1, 0]], np.float32), strict=True)
    np.testing.assert_array_equal(relu([-1, 3]), np.array([0.0, 3.0]), strict=True)
    assert relu(-2.0) == 0.0
    assert relu_derivative(2.0) == 1.0
    for number, kind in ((2.0, np.float64), (np.array(2.0), np.float64), (-1, np.float64), (np.float32(1), np.float32)):
        assert isinstance(relu(number), kind)
        assert isinstance(relu_derivative(number), kind)


@pytest.mark.parametrize("scale", [1.0, -1.0])
def test_cross_entropy_is_stable_at_large_scores(scale: float) -> None:
    scores = scale * np.array([1e4, -1e4, 0.0])
    loss, grad = softmax_cross_entropy(scores, [0.0, 0.5, 0.5])
    assert loss == (15000.0 if scale > 0 else 5000.0)
    np.testing.assert_array_equal(grad, [1.0, -0.5, -0.5] if scale > 0 else [0.0, 0.5, -0.5])


def test_cross_entropy_by_the_formula() -> None:
    scores, y = np.array([[0.5, -1.0, 2.0], [1.0, 1.0, 1.0]]), np.array([[0.2, 0.3, 0.5], [2.0, 0.0, 0.0]])
    softmax = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    loss, grad = softmax_cross_entropy(scores, y)
    assert loss == pytest.approx(-np.sum(y * np.log(softmax)), rel=1e-14)
    np.testing.assert_allclose(grad, softmax * y.sum(axis=1, keepdims=True) - y, rtol=1e-14, atol=1e-15)
    by_label, by_weight = softmax_cross_entropy(scores, [2, 0]), softmax_cross_entropy(scores, [[0, 0, 1], [1, 0, 0]])
    assert by_label[0] == by_weight[0]
    np.testing.assert_array_equal(by_label[1], by_weight[1])
    assert softmax_cross_entropy(np.array([1, 2], np.float32), 0)[1].dtype == np.float32


def test_cross_entropy_of_scores_that_are_not_finite() -> None:
    loss, grad = softmax_cross_entropy([0.0, 0.0, -np.inf], 0)
    assert loss == pytest.approx(np.log(2))
    np.testing.assert_allclose(grad, [-0.5, 0.5, 0.0], atol=1e-15)
    assert softmax_cross_entropy([0.0, -np.inf], 1)[0] == np.inf
    assert np.isnan(softmax_cross_entropy([0.0, np.nan], 0)[0])
    assert np.isnan(softmax_cross_entropy([0.0, np.inf], 0)[0])


@BATCHES
@pytest.mark.parametrize("shape", [(3, 4), (200, 300)])
def test_weight_gradient_sums_over_rows(batch: tuple[int, ...], shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    g, x = rng.standard_normal((*batch, shape[0])), rng.standard_normal((*batch, shape[1]))
    expected = np.einsum("bi,bj->ij", np.atleast_2d(g), np.atleast_2d(x))
    start = rng.standard_normal(shape)
    np.testing.assert_allclose(weight_gradient(g, x), expected, rtol=1e-12, atol=1e-13)
    out = start.copy()
    assert weight_gradient(g, x, out, True) is out
    np.testing.assert_allclose(out, start + expected, rtol=1e-12, atol=1e-13)
    assert weight_gradient(g, x, out=out) is out
    np.testing.assert_allclose(out, expected, rtol=1e-12, atol=1e-13)


def test_a_large_new_weight_gradient_is_whole() -> None:
    g, x = np.arange(1.0, 1102.0), np.arange(1.0, 2002.0)
    np.testing.assert_array_equal(weight_gradient(g, x), np.outer(g, x))
    wide = weight_gradient(np.array([2.0, 3.0]), np.ones(2**21 + 1))
    np.testing.assert_array_equal(wide, np.broadcast_to([[2.0], [3.0]], wide.shape))


def test_weight_gradient_of_mixed_arguments() -> None:
    assert weight_gradient(np.array([1, 2], np.float32), np.array([3], np.float32)).dtype == np.float32
    assert weight_gradient(np.array([1, 2], np.float32), np.array([3.0])).dtype == np.float64
    result = weight_gradient(np.array([1, 2]), [True, False])
    np.testing.assert_array_equal(result, np.array([[1.0, 0.0], [2.0, 0.0]]), strict=True)
    assert weight_gradient([], [1.0]).shape == (0, 1)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: weight_gradient([1.0], [1.0], accumulate=True), ValueError, "accumulate=True adds to out"),
        (lambda: weight_gradient(1.0, [1.0]), ShapeError, r"shape \(\) and x has shape \(1,\)"),
        (lambda: weight_gradient(np.ones((2, 1, 1)), np.ones((2, 1, 1))), ShapeError, "Reshape further axes"),
        (lambda: weight_gradient(np.ma.ones(2), np.ones(2)), TypeError, "grad_output is a masked array"),
        (lambda: weight_gradient(np.ones(2), np.ones(2, np.float16)), TypeError, "x has dtype float16: half precision"),
        (lambda: weight_gradient(np.ones(2), np.ones(2, np.longdouble)), TypeError, "extended precision"),
        (lambda: weight_gradient([1j], [1.0]), TypeError, "derivatives here are real"),
        (lambda: weight_gradient(np.array([None]), [1.0]), TypeError, "Python objects"),
        (lambda: weight_gradient(["1"], [1.0]), TypeError, "no real numbers"),
        (lambda: relu([[1.0], [1.0, 2.0]]), ShapeError, "rows differ in length"),
        (lambda: softmax_cross_entropy(np.ones((1, 1, 2)), 0), ShapeError, r"scores have shape \(1, 1, 2\)"),
        (lambda: softmax_cross_entropy(np.ones((2, 3)), [0, -1]), ValueError, "label -1; expected 0 to 2"),
        (lambda: softmax_cross_entropy(np.ones((2, 3)), [0.0, 1.0]), TypeError, "labels must be integers"),
        (lambda: softmax_cross_entropy(np.ones((2, 3)), [0, 1, 2]), ShapeError, r"y has shape \(3,\)"),
        (lambda: LinearLayer(3, 2).backward([1.0, 2.0]), RuntimeError, r"LinearLayer.backward .* call forward"),
        (lambda: TwoLayerNet(3, 2, 2).backward([1.0, 2.0]), RuntimeError, r"TwoLayerNet.backward .* call forward"),
        (lambda: LinearLayer(3, 2).forward(np.ones(4)), ShapeError, r"x has shape \(4,\); expected \(3,\)"),
        (lambda: LinearLayer(3, 2, dtype=int), TypeError, "float64 or float32, got int64"),
        (lambda: LinearLayer(-3, 2), ValueError, "must not be negative"),
    ],
)
def test_errors_are_sentences(call: Callable[[], object], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        call()


def test_backward_wants_the_shape_that_forward_returned() -> None:
    layer, net = LinearLayer(3, 2, rng=0), TwoLayerNet(3, 4, 2, rng=0)
    layer.forward(np.ones((5, 3)))
    net.forward(np.ones(3))
    with pytest.raises(ShapeError, match=r"grad_output has shape \(2,\); expected \(5, 2\)"):
        layer.backward(np.ones(2))
    with pytest.raises(ShapeError, match=r"grad_y has shape \(1, 2\); expected \(2,\)"):
        net.backward(np.ones((1, 2)))


def test_a_net_of_two_precisions_masks_in_the_finer_one() -> None:
    net = TwoLayerNet(1, 2, 1, rng=0)
    net.W1[:, 0], net.W2[0] = [1e-60, -1.0], 1.0
    for x in (np.ones(1, np.float32), np.ones((1, 1), np.float32)):
        net.forward(x)
        grad_W1 = net.backward(np.ones(x.shape, np.float32))[0]
        np.testing.assert_array_equal(grad_W1, np.array([[1.0], [0.0]]), strict=True)


@pytest.mark.parametrize("module", [layers, _weight_gradient, reference_layers])
def test_the_examples_in_the_docstrings_run(module: Any) -> None:
    failed, attempted = doctest.testmod(module)
    assert failed == 0
    assert attempted > 0
