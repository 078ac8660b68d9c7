"""Structured losses do what they say: values, gradients, privacy, errors."""

import dataclasses
import doctest
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fastgrad as fg
from fastgrad._losses import linear as _linear
from fastgrad._losses import named as _named
from fastgrad._losses import two_layer as _two_layer
from fastgrad._typing import KinkedFunction, RowwiseFunction, StructuredFunction
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

Array = NDArray[Any]
RNG = np.random.default_rng(7)
W, B, X = RNG.standard_normal((3, 4)), RNG.standard_normal(3), RNG.standard_normal((5, 4))
W1, W2 = RNG.standard_normal((6, 4)), RNG.standard_normal((3, 6))
T, LABELS = RNG.standard_normal((5, 3)), np.array([0, 2, 1, 1, 0])
WEIGHTS = RNG.random((5, 3))
Y = X @ W.T + B
Y2 = np.maximum(X @ W1.T, 0) @ W2.T


def log_softmax(y: Array) -> Array:
    return np.asarray(y - np.log(np.exp(y).sum(axis=1, keepdims=True)))


VALUES = [
    ("sum", lambda y: y.sum()),
    (T, lambda y: (T * y).sum()),
    (SquaredError(T), lambda y: ((y - T) ** 2).sum()),
    (CrossEntropy(WEIGHTS), lambda y: -(WEIGHTS * log_softmax(y)).sum()),
    (CrossEntropy(LABELS), lambda y: -log_softmax(y)[np.arange(5), LABELS].sum()),
]


def gradient(f: Any, x: Array, h: float = 2.0**-17) -> Array:
    out = np.empty_like(x, order="C")
    f.__fastgrad_gradient__(x, np.array([h]), out)
    return out


@pytest.mark.parametrize(("loss", "expected"), VALUES)
def test_values_are_those_of_the_formulas(loss: Any, expected: Any) -> None:
    for wrt, at in (("W", W), ("b", B), ("x", X)):
        value = LinearLoss(W, X, B, loss=loss, wrt=wrt)(at)  # type: ignore[arg-type]
        assert type(value) is float
        assert value == pytest.approx(expected(Y), rel=1e-13)
    for wrt, at in (("W1", W1), ("W2", W2), ("x", X)):
        value = TwoLayerLoss((W1, W2), X, loss=loss, wrt=wrt)(at)  # type: ignore[arg-type]
        assert value == pytest.approx(expected(Y2), rel=1e-13)


def test_the_argument_takes_the_place_of_what_wrt_names() -> None:
    assert LinearLoss(W, X, B, loss="sum")(W + 1) == pytest.approx((X @ (W + 1).T + B).sum())
    assert LinearLoss(W, X, B, loss="sum", wrt="b")(B + 1) == pytest.approx(Y.sum() + 15)
    assert LinearLoss(W, X, B, loss="sum", wrt="x")(X + 1) == pytest.approx(((X + 1) @ W.T + B).sum())
    moved = TwoLayerLoss((W1, W2), X, loss="sum", wrt="W2")(W2 + 1)
    assert moved == pytest.approx((np.maximum(X @ W1.T, 0) @ (W2 + 1).T).sum())


def test_layers_and_nets_are_taken_as_they_are() -> None:
    layer, net = (
        fg.LinearLayer(4, 3, rng=np.random.default_rng(0)),
        fg.TwoLayerNet(4, 6, 3, rng=np.random.default_rng(0)),
    )
    assert LinearLoss(layer, X, loss="sum")(layer.W) == pytest.approx(layer.forward(X).sum())
    assert LinearLoss(layer, X, loss="sum", wrt="b")(layer.b) == pytest.approx(layer.forward(X).sum())
    assert TwoLayerLoss(net, X, loss="sum", wrt="W1")(net.W1) == pytest.approx(net.forward(X).sum())


def test_columns_are_the_text_s_frobenius_norm() -> None:
    f = LinearLoss(W, X.T, loss=SquaredError(T.T), columns=True)
    residual = W @ X.T - T.T
    assert f(W) == pytest.approx(np.linalg.norm(residual) ** 2)
    np.testing.assert_allclose(gradient(f, W), 2 * residual @ X, rtol=1e-8)
    by_x = LinearLoss(W, X.T, loss=SquaredError(T.T), wrt="x", columns=True)
    np.testing.assert_allclose(gradient(by_x, X.T), 2 * W.T @ residual, rtol=1e-8)
    labelled = LinearLoss(W, X.T, loss=CrossEntropy(LABELS), columns=True)
    assert labelled(W) == pytest.approx(LinearLoss(W, X, loss=CrossEntropy(LABELS))(W))
    weighted = TwoLayerLoss((W1, W2), X.T, loss=CrossEntropy(WEIGHTS.T), wrt="W1", columns=True)
    assert weighted(W1) == pytest.approx(TwoLayerLoss((W1, W2), X, loss=CrossEntropy(WEIGHTS), wrt="W1")(W1))


def test_integer_weights_shaped_like_the_outputs_are_no_labels() -> None:
    ones = np.array([1, 1, 1])
    f = LinearLoss(W, X[0], loss=CrossEntropy(ones))
    assert f(W) == pytest.approx(-log_softmax(X[:1] @ W.T).sum())


def test_cross_entropy_is_stable_at_huge_scores() -> None:
    f = LinearLoss(np.eye(2), [1e4, -1e4], loss=CrossEntropy(1))
    assert f(np.eye(2)) == 2e4
    np.testing.assert_allclose(gradient(f, np.eye(2)), [[1e4, -1e4], [-1e4, 1e4]], rtol=1e-6)


@pytest.mark.parametrize("wrt", ["W", "b", "x"])
def test_numerical_gradient_and_check_use_the_structure(wrt: Any) -> None:
    layer = fg.LinearLayer(4, 3, rng=np.random.default_rng(0))
    f = LinearLoss(layer, X, loss=SquaredError(T), wrt=wrt)
    at = {"W": layer.W, "b": layer.b, "x": X}[wrt]
    g = 2 * (layer.forward(X) - T)
    claim = {"W": g.T @ X, "b": g.sum(axis=0), "x": g @ layer.W}[wrt]
    np.testing.assert_allclose(fg.numerical_gradient(f, at), claim, rtol=1e-8, atol=1e-9)
    assert fg.gradient_check(f, claim, at).passed
    wrong = claim.copy()
    wrong.flat[2] += 1e-3
    assert not fg.gradient_check(f, wrong, at).passed


def test_a_claim_at_a_kink_is_right_between_the_slopes() -> None:
    first, second = np.array([[1.0, -1.0]]), np.array([[3.0]])
    f = TwoLayerLoss((first, second), [1.0, 1.0], loss="sum", wrt="W1")
    for factor in (0.0, 0.5, 1.0):
        assert fg.gradient_check(f, np.full((1, 2), 3.0 * factor), first).passed
    assert not fg.gradient_check(f, np.full((1, 2), 3.5), first).passed


@pytest.mark.parametrize("x", [X, X[0]])
def test_second_weights_have_no_kinks(x: Array) -> None:
    f = TwoLayerLoss((W1, W2), x, loss="sum", wrt="W2")
    left, right = np.empty_like(W2), np.empty_like(W2)
    assert f.__fastgrad_slopes__(W2, np.array([2.0**-17]), left, right) == 2 * W2.size + 1
    np.testing.assert_array_equal(left, gradient(f, W2))
    np.testing.assert_array_equal(right, left)


def test_all_is_copied() -> None:
    w, x, target = W.copy(), X.copy(), T.copy()
    loss = SquaredError(target)
    f = LinearLoss(w, x, B, loss=loss, wrt="b")
    before = f(B)
    for a in (w, x, target):
        a += 1
    assert f(B) == before


def test_the_argument_is_not_written_and_may_be_read_only() -> None:
    at = W.copy()
    at.setflags(write=False)
    gradient(LinearLoss(W, X, B, loss="sum"), at)
    np.testing.assert_array_equal(at, W)


@pytest.mark.parametrize("f", [LinearLoss(W, X, loss="sum"), SquaredError(T), CrossEntropy(LABELS)])
def test_objects_are_immutable(f: Any) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        f.wrt = "x"
    with pytest.raises(dataclasses.FrozenInstanceError):
        f.target = 1


@pytest.mark.parametrize("loss", [pair[0] for pair in VALUES])
def test_pickles_measure_the_same_bits(loss: Any) -> None:
    for f, at in (
        (LinearLoss(W, X, B, loss=loss, wrt="x"), X),
        (TwoLayerLoss((W1, W2), X, loss=loss, wrt="W1"), W1),
    ):
        again = pickle.loads(pickle.dumps(f))
        assert again(at) == f(at)
        np.testing.assert_array_equal(gradient(again, at), gradient(f, at))


def test_threads_share_one_object() -> None:
    f = TwoLayerLoss((W1, W2), X, loss=CrossEntropy(LABELS), wrt="W1")
    points = [W1 * (1 + k / 10) for k in range(8)]
    alone = [gradient(f, p) for p in points]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda p: gradient(f, p), points))
    np.testing.assert_array_equal(together, alone)


def test_protocols() -> None:
    assert isinstance(LinearLoss(W, X, loss="sum"), StructuredFunction)
    assert not isinstance(LinearLoss(W, X, loss="sum"), KinkedFunction)
    assert isinstance(TwoLayerLoss((W1, W2), X, loss="sum", wrt="W2"), KinkedFunction)
    assert isinstance(LinearLoss(W, X, loss="sum"), RowwiseFunction)
    assert isinstance(TwoLayerLoss((W1, W2), X, loss="sum", wrt="W2"), RowwiseFunction)


@pytest.mark.parametrize("module", [_linear, _two_layer, _named])
def test_examples_run(module: Any) -> None:
    failed, attempted = doctest.testmod(module)
    assert attempted
    assert not failed


def test_repr_tells_sizes_and_loss() -> None:
    assert repr(LinearLoss(W, X, loss="sum")) == "LinearLoss(4 -> 3, 5 samples, Weighted, wrt='W')"
    net = TwoLayerLoss((W1, W2), X[0], loss=SquaredError(T[0]), wrt="x")
    assert repr(net) == "TwoLayerLoss(4 -> 6 -> 3, 1 samples, Squared, wrt='x')"


def test_no_samples_and_no_features() -> None:
    empty = LinearLoss(W, X[:0], loss="sum")
    assert empty(W) == 0.0
    np.testing.assert_array_equal(gradient(empty, W), np.zeros_like(W))
    none = np.zeros((3, 0))
    assert gradient(LinearLoss(none, np.zeros(0), B, loss="sum"), none).shape == (3, 0)


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: LinearLoss(W, X, loss="mean"), ValueError, "'mean'"),
        (lambda: LinearLoss(W, X, loss="sum", wrt="W1"), ValueError, "'W1'"),  # type: ignore[arg-type]
        (lambda: LinearLoss(W, X, loss="sum", wrt="b"), ValueError, "no bias"),
        (lambda: LinearLoss(W[0], X, loss="sum"), fg.ShapeError, r"\(4,\)"),
        (lambda: LinearLoss(W, X[:, :3], loss="sum"), fg.ShapeError, r"\(5, 3\).*\(B, 4\)"),
        (lambda: LinearLoss(W, X, loss="sum", columns=True), fg.ShapeError, r"\(4, p\)"),
        (lambda: LinearLoss(W, X, B[:2], loss="sum"), fg.ShapeError, r"\(2,\).*\(3,\)"),
        (lambda: LinearLoss(W, X, loss=T[:4]), fg.ShapeError, r"\(4, 3\).*\(5, 3\)"),
        (lambda: LinearLoss(W, X, loss=SquaredError(T[0])), fg.ShapeError, r"\(3,\).*\(5, 3\)"),
        (lambda: LinearLoss(W, X, loss=CrossEntropy(LABELS + 1)), ValueError, "label 3"),
        (lambda: LinearLoss(W, X, loss=CrossEntropy(LABELS[:4])), fg.ShapeError, r"\(4,\)"),
        (lambda: LinearLoss(W.astype(complex), X, loss="sum"), TypeError, "complex128"),
        (lambda: LinearLoss(W, X.astype(np.float16), loss="sum"), TypeError, "float16"),
        (lambda: LinearLoss(fg.LinearLayer(4, 3), X, B, loss="sum"), TypeError, "layer.W"),
        (lambda: TwoLayerLoss((W1, W), X, loss="sum", wrt="W1"), fg.ShapeError, r"\(3, 4\).*\(m, 6\)"),
        (lambda: TwoLayerLoss(W1, X, loss="sum", wrt="W1"), TypeError, "pair"),
        (lambda: TwoLayerLoss((W1, W2), X, loss="sum", wrt="W"), ValueError, "'W'"),  # type: ignore[arg-type]
        (lambda: LinearLoss(W, X, loss="sum")(W.T), fg.ShapeError, r"\(4, 3\).*\(3, 4\)"),
        (lambda: fg.numerical_gradient(LinearLoss(W, X, loss="sum"), W[0]), fg.ShapeError, r"\(4,\).*\(3, 4\)"),
        (lambda: fg.numerical_gradient(LinearLoss(W, X, loss="sum"), W.T, workers=2), fg.ShapeError, r"\(4, 3\)"),
    ],
)
def test_errors_name_what_was_given(make: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()
