"""Right layers of many kinds pass; sabotaged ones fail, and the gradient that is wrong is named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

RNG = np.random.default_rng(20)


def draw(*shape: int) -> Any:
    return RNG.standard_normal(shape)


class Layer:
    """Parameters as attributes; backward returns a dictionary."""

    def __init__(self, **params: Any) -> None:
        self.__dict__.update(params)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


class Affine(Layer):
    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": g @ self.W, "W": g.T @ self.x, "b": g.sum(0)}


class Conv1d(Layer):
    """Channels last: x (B, T, c), K (k, c, d)."""

    def windows(self, x: Any) -> Any:
        return np.lib.stride_tricks.sliding_window_view(x, len(self.K), axis=1)

    def forward(self, x: Any) -> Any:
        self.x = x
        return np.einsum("btck,kcd->btd", self.windows(x), self.K) + self.b

    def backward(self, g: Any) -> dict[str, Any]:
        gx, k = np.zeros_like(self.x), len(self.K)
        for j in range(k):
            gx[:, j : self.x.shape[1] - k + 1 + j] += g @ self.K[j].T
        return {"x": gx, "K": np.einsum("btck,btd->kcd", self.windows(self.x), g), "b": g.sum((0, 1))}


class LayerNorm(Layer):
    def forward(self, x: Any) -> Any:
        self.s = np.sqrt(x.var(-1, keepdims=True) + 1e-5)
        self.n = (x - x.mean(-1, keepdims=True)) / self.s
        return self.gamma * self.n + self.beta

    def backward(self, g: Any) -> dict[str, Any]:
        h = g * self.gamma
        gx = (h - h.mean(-1, keepdims=True) - self.n * (h * self.n).mean(-1, keepdims=True)) / self.s
        return {"x": gx, "gamma": (g * self.n).sum(0), "beta": g.sum(0)}


class BatchNorm(Layer):
    """Training, with running statistics that are written in place."""

    mean: Any
    steps: int

    def forward(self, x: Any) -> Any:
        self.mean *= 0.9
        self.mean += 0.1 * x.mean(0)
        self.steps += 1
        self.s = np.sqrt(x.var(0) + 1e-5)
        self.n = (x - x.mean(0)) / self.s
        return self.gamma * self.n + self.beta + 0 * self.mean

    def backward(self, g: Any) -> dict[str, Any]:
        h = g * self.gamma
        gx = (h - h.mean(0) - self.n * (h * self.n).mean(0)) / self.s
        return {"x": gx, "gamma": (g * self.n).sum(0), "beta": g.sum(0)}


class Embedding(Layer):
    def forward(self, x: Any) -> Any:
        self.x = x
        return self.E[x]

    def backward(self, g: Any) -> dict[str, Any]:
        gE = np.zeros_like(self.E)
        np.add.at(gE, self.x, g)
        return {"x": None, "E": gE}


def softmax(s: Any) -> Any:
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


class Attention(Layer):
    def forward(self, x: Any) -> Any:
        self.x, self.q, self.k, self.v = x, x @ self.Q, x @ self.K, x @ self.V
        self.a = softmax(self.q @ self.k.T / np.sqrt(self.q.shape[1]))
        return self.a @ self.v

    def backward(self, g: Any) -> dict[str, Any]:
        ga = g @ self.v.T
        gs = self.a * (ga - (ga * self.a).sum(-1, keepdims=True)) / np.sqrt(self.q.shape[1])
        gq, gk, gv = gs @ self.k, gs.T @ self.q, self.a.T @ g
        gx = gq @ self.Q.T + gk @ self.K.T + gv @ self.V.T
        return {"x": gx, "Q": self.x.T @ gq, "K": self.x.T @ gk, "V": self.x.T @ gv}


class Recurrent(Layer):
    """One cell that carries its hidden state from call to call."""

    h: Any

    def forward(self, x: Any) -> Any:
        self.x, self.before = x, self.h
        self.h = np.tanh(x @ self.W + self.h @ self.U + self.b)
        return self.h

    def backward(self, g: Any) -> dict[str, Any]:
        z = g * (1 - self.h**2)
        return {"x": z @ self.W.T, "W": self.x.T @ z, "U": self.before.T @ z, "b": z.sum(0)}


class Unrolled(Layer):
    """A recurrence over the first axis of x."""

    def forward(self, x: Any) -> Any:
        self.x, self.h = x, [np.zeros(len(self.U))]
        for row in x:
            self.h.append(np.tanh(row @ self.W + self.h[-1] @ self.U))
        return np.array(self.h[1:])

    def backward(self, g: Any) -> dict[str, Any]:
        gW, gU, gx, carry = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.x), 0.0
        for t in reversed(range(len(self.x))):
            z = (g[t] + carry) * (1 - self.h[t + 1] ** 2)
            gW += np.outer(self.x[t], z)
            gU += np.outer(self.h[t], z)
            gx[t], carry = z @ self.W.T, z @ self.U.T
        return {"x": gx, "W": gW, "U": gU}


class Relu(Layer):
    def forward(self, x: Any) -> Any:
        self.mask = x > 0
        return x * self.mask

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": g * self.mask}


class Prelu(Layer):
    def forward(self, x: Any) -> Any:
        self.x = x
        return np.where(x > 0, x, self.slope * x)

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": g * np.where(self.x > 0, 1, self.slope), "slope": (g * np.minimum(self.x, 0)).sum()}


class Softmax(Layer):
    def forward(self, x: Any) -> Any:
        self.a = softmax(x)
        return self.a

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": self.a * (g - (g * self.a).sum(-1, keepdims=True))}


class MaxPool(Layer):
    def forward(self, x: Any) -> Any:
        self.pairs = x.reshape(-1, 2)
        return self.pairs.max(1)

    def backward(self, g: Any) -> dict[str, Any]:
        gx = np.zeros_like(self.pairs)
        gx[np.arange(len(gx)), self.pairs.argmax(1)] = g
        return {"x": gx.reshape(-1)}


class MeanSquares(Layer):
    """A loss: its output is a number."""

    def forward(self, x: Any) -> Any:
        self.d = x - self.target
        return np.mean(self.d**2)

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": 2 * g * self.d / self.d.size}


class DropoutEval(Layer):
    def forward(self, x: Any) -> Any:
        return x if not self.training else x * (RNG.random(x.shape) < self.keep) / self.keep

    def backward(self, g: Any) -> dict[str, Any]:
        return {"x": g}


class Gated(Layer):
    def forward(self, x: Any) -> Any:
        self.x, self.u, self.s = x, x @ self.W, 1 / (1 + np.exp(-(x @ self.V)))
        return self.u * self.s

    def backward(self, g: Any) -> dict[str, Any]:
        gu, gz = g * self.s, g * self.u * self.s * (1 - self.s)
        return {"x": gu @ self.W.T + gz @ self.V.T, "W": self.x.T @ gu, "V": self.x.T @ gz}


class TwoHeads(Layer):
    """A tuple of outputs."""

    def forward(self, x: Any) -> Any:
        self.x = x
        return x @ self.W, np.sin(x @ self.V)

    def backward(self, g: Any) -> dict[str, Any]:
        z = g[1] * np.cos(self.x @ self.V)
        return {"x": g[0] @ self.W.T + z @ self.V.T, "W": self.x.T @ g[0], "V": self.x.T @ z}


class Tied(Layer):
    """An autoencoder whose decoder is a view of its encoder: one parameter, used twice."""

    def __init__(self) -> None:
        self.W = draw(4, 3)
        self.decoder = self.W.T

    def forward(self, x: Any) -> Any:
        self.x, self.h = x, np.tanh(x @ self.W)
        return self.h @ self.decoder

    def backward(self, g: Any) -> dict[str, Any]:
        z = (g @ self.W) * (1 - self.h**2)
        return {"x": z @ self.W.T, "W": self.x.T @ z + g.T @ self.h}


class Block(Layer):
    """Layers within a layer, in a list; gradients by dotted names."""

    def __init__(self) -> None:
        self.parts = [Affine(W=draw(4, 4), b=draw(4)), Relu(), Affine(W=draw(4, 4), b=draw(4))]

    def forward(self, x: Any) -> Any:
        y = x
        for part in self.parts:
            y = part.forward(y)
        return x + y

    def backward(self, g: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        h = g
        for k, part in reversed(list(enumerate(self.parts))):
            inner = part.backward(h)
            h = inner.pop("x")
            found |= {f"parts.{k}.{name}": value for name, value in inner.items()}
        return {"x": g + h, **found}


def single(layer: Layer) -> Layer:
    for name, value in vars(layer).items():
        setattr(layer, name, np.asarray(value, np.float32))
    return layer


X = draw(5, 4)
#: A constructor, and x.
ZOO: dict[str, tuple[Callable[[], Any], Any]] = {
    "affine": (lambda: Affine(W=draw(3, 4), b=draw(3)), X),
    "affine, Fortran order": (lambda: Affine(W=np.asfortranarray(draw(3, 4)), b=draw(6)[::2]), X[::-1]),
    "affine, single": (lambda: single(Affine(W=draw(3, 4), b=draw(3))), X.astype(np.float32)),
    "affine, mixed": (lambda: Affine(W=draw(3, 4).astype(np.float32), b=draw(3)), X),
    "own linear layer": (lambda: fg.LinearLayer(4, 3, rng=1), X),
    "own net": (lambda: fg.TwoLayerNet(4, 6, 3, rng=1), X),
    "own net, single": (lambda: fg.TwoLayerNet(4, 6, 3, rng=1, dtype=np.float32), X.astype(np.float32)),
    "convolution": (lambda: Conv1d(K=draw(3, 2, 4), b=draw(4)), draw(2, 7, 2)),
    "layer norm": (lambda: LayerNorm(gamma=draw(4), beta=draw(4)), X),
    "layer norm, single": (lambda: single(LayerNorm(gamma=draw(4), beta=draw(4))), X.astype(np.float32)),
    "batch norm": (lambda: BatchNorm(gamma=draw(4), beta=draw(4), mean=np.zeros(4), steps=0), X),
    "embedding": (lambda: Embedding(E=draw(6, 3)), np.array([[1, 5], [0, 1]])),
    "attention": (lambda: Attention(Q=draw(4, 3), K=draw(4, 3), V=draw(4, 3)), X),
    "recurrent cell": (lambda: Recurrent(W=draw(4, 3), U=draw(3, 3), b=draw(3), h=draw(5, 3)), X),
    "unrolled recurrence": (lambda: Unrolled(W=draw(4, 3), U=draw(3, 3)), X),
    "relu": (lambda: Relu(), np.where(X > 1, 0.0, X)),
    "prelu": (lambda: Prelu(slope=0.25), X),
    "softmax": (lambda: Softmax(), X),
    "max pool": (lambda: MaxPool(), draw(8)),
    "mean of squares": (lambda: MeanSquares(target=draw(5, 4)), X),
    "dropout, not training": (lambda: DropoutEval(training=False, keep=0.5), X),
    "gated": (lambda: Gated(W=draw(4, 3), V=draw(4, 3)), X),
    "two heads": (lambda: TwoHeads(W=draw(4, 3), V=draw(4, 2)), X),
    "tied": (Tied, X),
    "block": (Block, X),
}


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.parametrize("seed", range(3))
def test_a_right_layer_passes(name: str, seed: int) -> None:
    make, x = ZOO[name]
    check = fg.layer_check(make(), x, rng=seed)
    assert check.verdict == "passed", check
    assert check.seed == seed


def test_a_right_layer_passes_with_the_cotangent_of_a_sum() -> None:
    for make, x in ZOO.values():
        layer = make()
        y = layer.forward(x)
        ones = tuple(np.ones_like(part) for part in y) if isinstance(y, tuple) else np.ones_like(y)
        assert fg.layer_check(make(), x, ones, rng=5).passed


Change = Callable[[Any, Any, dict[str, Any]], Any]


def to(name: str, change: Callable[[Any], Any]) -> Change:
    """Return the sabotage that changes one gradient, whatever layer it is of."""
    return lambda layer, g, claims: {**claims, name: change(claims[name])}


def by(name: str, value: Callable[[Any, Any], Any]) -> Change:
    """Return the sabotage that makes one gradient from the layer and the cotangent."""
    return lambda layer, g, claims: {**claims, name: value(layer, g)}


def entry(index: Any, factor: float) -> Callable[[Any], Any]:
    def change(value: Any) -> Any:
        value = np.array(value)
        value[index] *= factor
        return value

    return change


#: The layer, what goes wrong, and the names of the gradients that are then wrong.
WRONG: dict[str, tuple[str, Change, set[str]]] = {
    "one entry off by a thousandth": ("affine", to("W", entry((1, 2), 1.001)), {"W"}),
    "sign of a row": ("affine", to("W", entry(1, -1)), {"W"}),
    "bias averaged": ("affine", to("b", lambda b: b / 5), {"b"}),
    "bias of the first sample": ("affine", by("b", lambda layer, g: g[0]), {"b"}),
    "weights of the first sample": ("affine", by("W", lambda layer, g: np.outer(g[0], layer.x[0])), {"W"}),
    "cotangent ignored": ("affine", by("W", lambda layer, g: np.ones_like(g).T @ layer.x), {"W"}),
    "two forgotten, single": ("affine, single", to("W", lambda W: W / 2), {"W"}),
    "W twice, x zero": ("affine", lambda layer, g, c: {**c, "W": 2 * c["W"], "x": 0 * c["x"]}, {"W", "x"}),
    "NaN": ("affine", to("b", entry(1, np.nan)), {"b"}),
    "kernel not flipped": ("convolution", to("K", lambda K: K[::-1]), {"K"}),
    "channels swapped": ("convolution", to("x", lambda x: x[..., ::-1]), {"x"}),
    "shift by one": ("convolution", to("x", lambda x: np.roll(x, 1, axis=1)), {"x"}),
    "bias of one time": ("convolution", by("b", lambda layer, g: g[:, 0].sum(0)), {"b"}),
    "mean forgotten": ("layer norm", by("x", lambda layer, g: g * layer.gamma / layer.s), {"x"}),
    "variance forgotten": (
        "layer norm",
        by("x", lambda layer, g: (g * layer.gamma - (g * layer.gamma).mean(-1, keepdims=True)) / layer.s),
        {"x"},
    ),
    "gamma by the output": (
        "layer norm",
        by("gamma", lambda layer, g: (g * (layer.gamma * layer.n + layer.beta)).sum(0)),
        {"gamma"},
    ),
    "batch norm as if not training": ("batch norm", by("x", lambda layer, g: g * layer.gamma / layer.s), {"x"}),
    "gamma and beta exchanged": (
        "batch norm",
        lambda layer, g, c: {**c, "gamma": c["beta"], "beta": c["gamma"]},
        {"gamma", "beta"},
    ),
    "rows overwritten, not added": (
        "embedding",
        by("E", lambda layer, g: [g[layer.x == k][-1] if (layer.x == k).any() else np.zeros(3) for k in range(6)]),
        {"E"},
    ),
    "scale of scores forgotten": ("attention", to("Q", lambda Q: Q * np.sqrt(3)), {"Q"}),
    "queries for keys": ("attention", lambda layer, g, c: {**c, "Q": c["K"], "K": c["Q"]}, {"Q", "K"}),
    "softmax without its sum": (
        "attention",
        by("Q", lambda layer, g: layer.x.T @ ((layer.a * (g @ layer.v.T) / np.sqrt(3)) @ layer.k)),
        {"Q"},
    ),
    "path by the values lost": ("attention", lambda layer, g, c: {**c, "x": c["x"] - layer.a.T @ g @ layer.V.T}, {"x"}),
    "state after for state before": (
        "recurrent cell",
        by("U", lambda layer, g: layer.h.T @ (g * (1 - layer.h**2))),
        {"U"},
    ),
    "through one step only": (
        "unrolled recurrence",
        by("U", lambda layer, g: np.array(layer.h[:-1]).T @ (g * (1 - np.array(layer.h[1:]) ** 2))),
        {"U"},
    ),
    "mask forgotten": ("relu", by("x", lambda layer, g: g), {"x"}),
    "leaky mask": ("relu", by("x", lambda layer, g: g * np.where(layer.mask, 1, 0.01)), {"x"}),
    "slope of the wrong side": ("prelu", by("slope", lambda layer, g: (g * np.maximum(layer.x, 0)).sum()), {"slope"}),
    "diagonal of the softmax": ("softmax", by("x", lambda layer, g: g * layer.a * (1 - layer.a)), {"x"}),
    "all of a pool": ("max pool", by("x", lambda layer, g: np.repeat(g, 2)), {"x"}),
    "sum for mean": ("mean of squares", to("x", lambda x: x * 20), {"x"}),
    "dropout's factor": ("dropout, not training", to("x", lambda x: 2 * x), {"x"}),
    "gate's slope forgotten": ("gated", by("V", lambda layer, g: layer.x.T @ (g * layer.u * layer.s)), {"V"}),
    "second head forgotten": ("two heads", by("x", lambda layer, g: g[0] @ layer.W.T), {"x"}),
    "decoder forgotten": ("tied", by("W", lambda layer, g: layer.x.T @ ((g @ layer.W) * (1 - layer.h**2))), {"W"}),
    "skip forgotten": ("block", lambda layer, g, c: {**c, "x": c["x"] - g}, {"x"}),
    "one layer of a block": ("block", to("parts.0.W", lambda W: W.T), {"parts.0.W"}),
}


class Sabotaged:
    """A layer whose backward was tampered with."""

    def __init__(self, layer: Any, change: Change) -> None:
        self._layer, self._change = layer, change

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._layer, name)

    def forward(self, x: Any) -> Any:
        return self._layer.forward(x)

    def backward(self, g: Any) -> Any:
        return self._change(self._layer, g, self._layer.backward(g))


@pytest.mark.parametrize("bug", WRONG)
def test_a_sabotaged_layer_fails_and_the_gradient_is_named(bug: str) -> None:
    name, change, wrong = WRONG[bug]
    make, x = ZOO[name]
    check = fg.layer_check(Sabotaged(make(), change), x, rng=7)
    assert check.verdict == "failed", check
    assert set(check.failed) == wrong
    assert all(result.passed for name, result in check.checks.items() if name not in wrong)
    with pytest.raises(fg.GradientMismatch, match=min(wrong)):
        check.raise_if_failed()


@pytest.mark.parametrize("bug", ["cotangent ignored", "softmax without its sum"])
def test_a_cotangent_that_hides_a_bug_does_not_hide_it(bug: str) -> None:
    name, change, wrong = WRONG[bug]
    make, x = ZOO[name]
    layer = make()
    ones = np.ones_like(layer.forward(x))
    check = fg.layer_check(Sabotaged(layer, change), x, ones, rng=7)
    assert set(check.failed) == wrong


def test_there_are_enough_of_both() -> None:
    assert len(ZOO) >= 20
    assert len(WRONG) >= 20
