"""The tutorial from its seed to its last cell, as one sequence: its draws come in its own order."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import fastgrad as fg

Array = NDArray[Any]
EPS = 1e-5


@pytest.fixture(autouse=True)
def global_generator() -> Iterator[None]:
    state = np.random.get_state()
    np.random.seed(42)
    yield
    np.random.set_state(state)


@pytest.mark.parametrize("lib", [fg, fg.reference], ids=["fastgrad", "reference"])
def test_the_tutorial_in_its_own_order(lib: Any) -> None:
    draws = np.random.RandomState(42)  # the same stream, drawn beside the tutorial's
    identities(lib, draws)
    jacobian(lib)
    linear_layer(lib, draws)
    two_layer_net(lib, draws)
    assert np.random.randn() == draws.randn(), "all draws of the tutorial were made, and no others"


def identities(lib: Any, draws: Any) -> None:
    a, x = np.array([1.0, 2.0, 3.0]), np.array([0.5, 1.5, 2.5])
    matches(a, lib.numerical_gradient(lambda x: np.dot(a, x), x))
    matches(2 * x, lib.numerical_gradient(lambda x: np.dot(x, x), x))
    A = np.random.randn(3, 3)
    np.testing.assert_array_equal(A, draws.randn(3, 3))
    matches((A + A.T) @ x, lib.numerical_gradient(lambda x: x @ A @ x, x))
    matches(2 * (x - a), lib.numerical_gradient(lambda x: np.sum((x - a) ** 2), x))
    assert str(lib.numerical_gradient(lambda x: np.sum((x - a) ** 2), x)) == "[-1. -1. -1.]"


def jacobian(lib: Any) -> None:
    A, x = np.array([[1, 2, 3], [4, 5, 6]]), np.array([1.0, 2.0, 3.0])
    J = lib.numerical_jacobian(lambda x: A @ x, x)
    matches(A, J)
    assert str(J) == "[[1. 2. 3.]\n [4. 5. 6.]]"


def linear_layer(lib: Any, draws: Any) -> None:
    layer = lib.LinearLayer(3, 2)
    W = draws.randn(2, 3) * 0.1
    np.testing.assert_array_equal(layer.W, W)
    np.testing.assert_array_equal(layer.b, [0.0, 0.0])
    x, grad_y = np.array([1.0, 2.0, 3.0]), np.array([0.5, -0.3])
    np.testing.assert_allclose(layer.forward(x), W @ x, rtol=1e-15)
    grad_x, grad_W, grad_b = layer.backward(grad_y)
    np.testing.assert_allclose(grad_x, W.T @ grad_y, rtol=1e-15)
    np.testing.assert_array_equal(grad_W, np.outer(grad_y, x))
    np.testing.assert_array_equal(grad_b, grad_y)

    def loss(W: Array) -> Any:
        return np.sum(W @ x + layer.b)

    _, claimed, _ = layer.backward(np.ones(2))
    by_hand = double_loop(loss, layer.W)
    matches(claimed, by_hand)
    matches(claimed, lib.numerical_gradient(loss, layer.W))
    np.testing.assert_allclose(lib.numerical_gradient(loss, layer.W), by_hand, atol=1e-9)
    assert fg.gradient_check(loss, claimed, layer.W)
    assert fg.gradient_check(fg.losses.LinearLoss(layer, x, loss="sum"), claimed, layer.W)
    matches(layer.backward(np.ones(2))[0], lib.numerical_gradient(lambda x: np.sum(layer.W @ x + layer.b), x))
    matches(layer.backward(np.ones(2))[2], lib.numerical_gradient(lambda b: np.sum(layer.W @ x + b), layer.b))


def two_layer_net(lib: Any, draws: Any) -> None:
    net = lib.TwoLayerNet(4, 3, 2)
    x = np.random.randn(4)
    W1, W2 = draws.randn(3, 4) * 0.1, draws.randn(2, 3) * 0.1
    np.testing.assert_array_equal(net.W1, W1)
    np.testing.assert_array_equal(net.W2, W2)
    np.testing.assert_array_equal(x, draws.randn(4))
    y = net.forward(x)
    np.testing.assert_array_equal(net.x, x)
    np.testing.assert_allclose(net.z1, W1 @ x, rtol=1e-15)
    np.testing.assert_array_equal(net.a1, lib.relu(net.z1))
    np.testing.assert_array_equal(net.y, y)
    grad_W1, grad_W2 = net.backward(np.ones(2))
    assert grad_W1.shape == (3, 4)
    assert grad_W2.shape == (2, 3)
    np.testing.assert_allclose(grad_W1, np.outer((W2.T @ np.ones(2)) * lib.relu_derivative(net.z1), x), rtol=1e-15)

    def loss_W1(W: Array) -> Any:
        return np.sum(net.W2 @ lib.relu(W @ x))

    def loss_W2(W: Array) -> Any:
        return np.sum(W @ lib.relu(net.W1 @ x))

    by_hand = double_loop(loss_W1, net.W1)
    assert np.max(np.abs(grad_W1 - by_hand)) < 1e-9
    assert np.max(np.abs(lib.numerical_gradient(loss_W1, net.W1) - by_hand)) < 1e-9
    matches(grad_W1, lib.numerical_gradient(loss_W1, net.W1))
    matches(grad_W2, lib.numerical_gradient(loss_W2, net.W2))
    for name, claimed in (("W1", grad_W1), ("W2", grad_W2)):
        f = fg.losses.TwoLayerLoss(net, x, loss="sum", wrt=name)  # type: ignore[arg-type]
        assert fg.gradient_check(f, claimed, getattr(net, name))


def matches(analytical: Any, numerical: Any) -> None:
    assert np.allclose(analytical, numerical)
    np.testing.assert_allclose(numerical, analytical, rtol=1e-8, atol=1e-9)  # closer than the tutorial asks


def double_loop(loss: Any, W: Array) -> Array:
    """The tutorial's verification: each weight moved in place, up, down and back."""
    result = np.zeros_like(W)
    for i in range(W.shape[0]):
        for j in range(W.shape[1]):
            W[i, j] += EPS
            plus = loss(W)
            W[i, j] -= 2 * EPS
            minus = loss(W)
            W[i, j] += EPS
            result[i, j] = (plus - minus) / (2 * EPS)
    return result
