"""Right gradients pass and sabotaged ones fail, at default settings, and the entry named is one of those sabotaged.

Each row is a function, its right gradient, a point, and ways to get the gradient wrong: a bug as people make it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

R = np.random.default_rng(11)
B, N, M, K = 5, 4, 3, 6
X, T, V = R.standard_normal((B, N)), R.standard_normal((B, M)), R.standard_normal((B, M))
Y = np.abs(R.standard_normal((B, M))) * 2
LABELS = np.array([0, 2, 1, 2, 0])
LAYER = fg.LinearLayer(N, M, rng=1)
LAYER.W[:] = R.standard_normal((M, N))
LAYER.b[:] = R.standard_normal(M)
SQUARE = R.standard_normal((4, 4))
NET = fg.TwoLayerNet(N, K, M, rng=2)
NET.W1[:], NET.W2[:] = R.standard_normal((K, N)), R.standard_normal((M, K))
A, C, P = R.standard_normal((7, N)), R.standard_normal(7), R.standard_normal(N)


def at(owner: Any, name: str, value: Any, act: Callable[[], Any]) -> Any:
    """Return what act gives while the owner's attribute is another one."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        return act()
    finally:
        setattr(owner, name, before)


def linear(loss: Callable[[Any], Any], name: str) -> Callable[[Any], float]:
    return lambda p: float(at(LAYER, name, p, lambda: loss(LAYER.forward(X))))


def net(loss: Callable[[Any], Any], name: str) -> Callable[[Any], float]:
    return lambda p: float(at(NET, name, p, lambda: loss(NET.forward(X))))


def by_cotangent(y: Any) -> Any:
    return np.sum(V * y)


def squared(y: Any) -> Any:
    return np.sum((y - T) ** 2)


def mean_squared(y: Any) -> Any:
    return np.mean((y - T) ** 2)


def cross_entropy(y: Any) -> Any:
    return fg.softmax_cross_entropy(y, Y)[0]


def backward(which: int, cotangent: Any) -> Any:
    LAYER.forward(X)
    return LAYER.backward(cotangent)[which]


RESIDUAL = LAYER.forward(X) - T
SOFT = np.exp(LAYER.forward(X)) / np.exp(LAYER.forward(X)).sum(axis=1, keepdims=True)
NET.forward(X)
Z, ACTIVE = np.array(NET.z1), np.array(NET.a1)
W1_RIGHT, W2_RIGHT = NET.backward(V)
RESIDUAL_NET = NET.forward(X) - T

RIGHT: dict[str, tuple[Any, Any, Any]] = {
    "linear layer, cotangent, W": (linear(by_cotangent, "W"), backward(1, V), LAYER.W),
    "linear layer, cotangent, b": (linear(by_cotangent, "b"), backward(2, V), LAYER.b),
    "linear layer, cotangent, x": (lambda x: float(np.sum(V * LAYER.forward(x))), backward(0, V), X),
    "linear layer, squared, W": (linear(squared, "W"), backward(1, 2 * RESIDUAL), LAYER.W),
    "linear layer, squared, b": (linear(squared, "b"), backward(2, 2 * RESIDUAL), LAYER.b),
    "linear layer, mean, W": (linear(mean_squared, "W"), backward(1, 2 * RESIDUAL / RESIDUAL.size), LAYER.W),
    "linear layer, entropy, W": (
        linear(cross_entropy, "W"),
        backward(1, fg.softmax_cross_entropy(LAYER.forward(X), Y)[1]),
        LAYER.W,
    ),
    "linear layer, one sample, W": (
        lambda W: float(at(LAYER, "W", W, lambda: V[0] @ LAYER.forward(X[0]))),
        np.outer(V[0], X[0]),
        LAYER.W,
    ),
    "square layer, x": (lambda x: float(P @ SQUARE @ x), SQUARE.T @ P, X[0]),
    "net, cotangent, W1": (net(by_cotangent, "W1"), W1_RIGHT, NET.W1),
    "net, cotangent, W2": (net(by_cotangent, "W2"), W2_RIGHT, NET.W2),
    "net, squared, W1": (net(squared, "W1"), NET.backward(2 * RESIDUAL_NET)[0], NET.W1),
    "net, squared, W2": (net(squared, "W2"), NET.backward(2 * RESIDUAL_NET)[1], NET.W2),
    "net, entropy, W1": (
        net(cross_entropy, "W1"),
        NET.backward(fg.softmax_cross_entropy(NET.forward(X), Y)[1])[0],
        NET.W1,
    ),
    "entropy of scores": (lambda s: fg.softmax_cross_entropy(s, Y)[0], fg.softmax_cross_entropy(T, Y)[1], T),
    "entropy by labels": (lambda s: fg.softmax_cross_entropy(s, LABELS)[0], fg.softmax_cross_entropy(T, LABELS)[1], T),
    "least squares": (lambda w: float(np.sum((A @ w - C) ** 2)), 2 * A.T @ (A @ P - C), P),
    "ridge": (lambda w: float(np.sum((A @ w - C) ** 2) + 0.3 * w @ w), 2 * A.T @ (A @ P - C) + 0.6 * P, P),
    "mean with ridge": (
        lambda w: float(np.mean((A @ w - C) ** 2) + 0.3 * w @ w),
        2 * A.T @ (A @ P - C) / 7 + 0.6 * P,
        P,
    ),
    "quadratic form": (lambda x: float(x @ SQUARE @ x), (SQUARE + SQUARE.T) @ P, P),
    "squared norm": (lambda x: float(x @ x), 2 * P, P),
    "Frobenius": (lambda W: float(np.sum((W @ X.T - T.T) ** 2)), 2 * (LAYER.W @ X.T - T.T) @ X, LAYER.W),
    "product": (lambda x: float(np.prod(x)), np.prod(P) / P, P),
    "softmax": (lambda x: float(np.log(np.sum(np.exp(x)))), np.exp(P) / np.sum(np.exp(P)), P),
    "determinant": (lambda S: float(np.linalg.slogdet(S)[1]), np.linalg.inv(SQUARE).T, SQUARE),
    "convolution": (
        lambda w: float(C[:4] @ np.convolve(A[:, 0], w, "valid")),
        np.correlate(A[:, 0], C[:4], "valid")[::-1],
        P,
    ),
    "relu at zero": (lambda x: float(np.sum(np.maximum(x, 0))), [0.0, 1.0, 0.0], np.array([0.0, 2.0, -1.0])),
    "sigmoid": (lambda x: float(np.sum(1 / (1 + np.exp(-x)))), np.exp(-P) / (1 + np.exp(-P)) ** 2, P),
    "structured W": (LinearLoss(LAYER, X, loss=V), backward(1, V), LAYER.W),
    "structured b": (LinearLoss(LAYER, X, loss=V, wrt="b"), backward(2, V), LAYER.b),
    "structured x": (LinearLoss(LAYER, X, loss=V, wrt="x"), backward(0, V), X),
    "structured squared": (LinearLoss(LAYER, X, loss=SquaredError(T)), backward(1, 2 * RESIDUAL), LAYER.W),
    "structured entropy": (
        LinearLoss(LAYER, X, loss=CrossEntropy(Y)),
        backward(1, fg.softmax_cross_entropy(LAYER.forward(X), Y)[1]),
        LAYER.W,
    ),
    "structured W1": (TwoLayerLoss(NET, X, loss=V, wrt="W1"), W1_RIGHT, NET.W1),
    "structured W2": (TwoLayerLoss(NET, X, loss=V, wrt="W2"), W2_RIGHT, NET.W2),
    "structured squared W1": (
        TwoLayerLoss(NET, X, loss=SquaredError(T), wrt="W1"),
        NET.backward(2 * RESIDUAL_NET)[0],
        NET.W1,
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_gradient_passes(name: str) -> None:
    f, gradient, x = RIGHT[name]
    check = fg.gradient_check(f, gradient, x)
    assert check.verdict == "passed", check
    assert check.compared == np.size(x)


def test_there_are_enough_right_ones() -> None:
    assert len(RIGHT) >= 25


def with_entry(g: Any, index: Any, value: Any) -> Any:
    g = np.array(g, dtype=float)
    g[index] = value
    return g


def accumulated(times: int) -> Any:
    total = np.zeros_like(LAYER.W)
    for _ in range(times):
        fg.weight_gradient(V, X, out=total, accumulate=True)
    return total


def stale(name: str) -> Any:
    LAYER.forward(X)
    if name == "x":
        LAYER.forward(X[::-1])
    return LAYER.backward(V)[1]


def grads(name: str) -> Any:
    return RIGHT[name][1]


#: What went wrong, the right row that it belongs to, and the claim.
SABOTAGED: dict[str, tuple[str, Any]] = {
    "transposed outer product": ("quadratic form", (SQUARE + SQUARE.T).T[::-1] @ P),
    "outer product the wrong way round": ("linear layer, one sample, W", np.outer(X[0], V[0]).reshape(3, 4)),
    "two forgotten": ("linear layer, squared, W", grads("linear layer, squared, W") / 2),
    "two forgotten in least squares": ("least squares", grads("least squares") / 2),
    "sign flipped": ("linear layer, cotangent, W", -grads("linear layer, cotangent, W")),
    "sign of one row flipped": ("linear layer, cotangent, W", grads("linear layer, cotangent, W") * [[1], [-1], [1]]),
    "cached input is stale": ("linear layer, cotangent, W", stale("x")),
    "mask of the input, not of z": ("net, cotangent, W1", ((V @ NET.W2) * (ACTIVE[:, ::-1] > 0)).T @ X),
    "mask too generous": ("net, cotangent, W1", ((V @ NET.W2) * (Z > -1)).T @ X),
    "mask forgotten": ("net, cotangent, W1", (V @ NET.W2).T @ X),
    "mask inverted": ("net, cotangent, W1", ((V @ NET.W2) * (Z <= 0)).T @ X),
    "leaky mask": ("net, squared, W1", (2 * RESIDUAL_NET @ NET.W2 * np.where(Z > 0, 1, 0.01)).T @ X),
    "mean for sum": ("linear layer, squared, W", grads("linear layer, squared, W") / B),
    "sum for mean": ("linear layer, mean, W", grads("linear layer, mean, W") * RESIDUAL.size),
    "mean over samples, not entries": ("linear layer, mean, W", grads("linear layer, mean, W") * M),
    "one entry off": ("linear layer, entropy, W", with_entry(grads("linear layer, entropy, W"), (2, 1), 0.123)),
    "one entry off by a thousandth": (
        "linear layer, squared, W",
        with_entry(grads("linear layer, squared, W"), (1, 3), grads("linear layer, squared, W")[1, 3] * 1.001),
    ),
    "bias has no gradient": ("linear layer, cotangent, b", np.zeros(M)),
    "bias summed over the wrong axis": ("linear layer, cotangent, b", V.sum(axis=1)[:M]),
    "bias averaged": ("linear layer, squared, b", grads("linear layer, squared, b") / B),
    "shifted by one": ("linear layer, cotangent, W", np.roll(grads("linear layer, cotangent, W"), 1, axis=1)),
    "shifted by one row": ("net, cotangent, W2", np.roll(grads("net, cotangent, W2"), 1, axis=0)),
    "one row is zero": ("net, squared, W1", grads("net, squared, W1") * (np.arange(K) != 2)[:, None]),
    "one entry is NaN": ("net, squared, W2", with_entry(grads("net, squared, W2"), (0, 3), np.nan)),
    "one entry is infinite": ("net, squared, W2", with_entry(grads("net, squared, W2"), (1, 0), np.inf)),
    "softmax without the sum of y": ("entropy of scores", np.exp(T) / np.exp(T).sum(1, keepdims=True) - Y),
    "softmax over the wrong axis": ("entropy of scores", np.exp(T) / np.exp(T).sum(0) * Y.sum(1, keepdims=True) - Y),
    "labels off by one": ("entropy by labels", fg.softmax_cross_entropy(T, (LABELS + 1) % M)[1]),
    "first sample alone": ("linear layer, entropy, W", np.outer(Y[0].sum() * SOFT[0] - Y[0], X[0])),
    "W for its transpose": ("square layer, x", SQUARE @ P),
    "W for its transpose, batch": ("linear layer, cotangent, x", np.resize(V @ LAYER.W[:, ::-1], X.shape)),
    "ridge forgotten": ("ridge", grads("ridge") - 0.6 * P),
    "ridge without its two": ("ridge", grads("ridge") - 0.3 * P),
    "ridge divided by n": ("mean with ridge", grads("mean with ridge") - 0.6 * P * (1 - 1 / 7)),
    "samples averaged": ("net, entropy, W1", grads("net, entropy, W1") / B),
    "accumulated over calls": ("linear layer, cotangent, W", accumulated(2)),
    "the other layer's activations": ("net, cotangent, W2", V.T @ np.resize(X, (B, K))),
    "before the relu": ("net, cotangent, W2", V.T @ Z),
    "path through the hidden layer cut": ("net, squared, W1", np.zeros((K, N))),
    "half of a quadratic form": ("quadratic form", SQUARE @ P),
    "inverse not transposed": ("determinant", np.linalg.inv(SQUARE)),
    "convolution for correlation": ("convolution", grads("convolution")[::-1]),
    "derivative of the wrong branch": ("relu at zero", [0.0, 1.0, 1.0]),
    "outside the slopes of a kink": ("relu at zero", [1.5, 1.0, 0.0]),
    "sigmoid taken for its derivative": ("sigmoid", 1 / (1 + np.exp(-P))),
    "structured: sign of one row": ("structured W", grads("structured W") * [[1], [1], [-1]]),
    "structured: one entry off": ("structured squared", with_entry(grads("structured squared"), (0, 2), 1.0)),
    "structured: two forgotten": ("structured squared W1", grads("structured squared W1") / 2),
    "structured: samples averaged": ("structured entropy", grads("structured entropy") / B),
    "structured: bias averaged": ("structured b", grads("structured b") / B),
    "structured: W for its transpose": ("structured x", np.resize(V @ LAYER.W[:, ::-1], X.shape)),
    "structured: mask forgotten": ("structured W1", (V @ NET.W2).T @ X),
    "structured: NaN": ("structured W2", with_entry(grads("structured W2"), (2, 5), np.nan)),
    "structured: infinite": ("structured W2", with_entry(grads("structured W2"), (2, 5), -np.inf)),
}


@pytest.mark.parametrize("bug", SABOTAGED)
def test_a_sabotaged_gradient_fails_and_the_entry_is_named(bug: str) -> None:
    name, claim = SABOTAGED[bug]
    f, right, x = RIGHT[name]
    check = fg.gradient_check(f, claim, x)
    assert check.verdict == "failed", check
    claim, right = np.asarray(claim, dtype=float), np.asarray(right, dtype=float)
    sabotaged = ~np.isclose(claim, right, atol=1e-6, rtol=1e-5)
    at_kink = np.isin(np.arange(claim.size), check.kinks.indices) & (claim.reshape(-1) >= 0) & (claim.reshape(-1) <= 1)
    assert check.worst is not None
    assert sabotaged[check.worst.index]
    assert set(check.wrong.indices) == set(np.flatnonzero(sabotaged.reshape(-1) & ~at_kink))
    with pytest.raises(fg.GradientMismatch):
        check.raise_if_failed()


def test_there_are_enough_sabotaged_ones() -> None:
    assert len(SABOTAGED) >= 25
