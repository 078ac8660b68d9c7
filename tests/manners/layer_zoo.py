"""Right layers of many kinds: each with a constructor, and an x."""

from collections.abc import Callable
from typing import Any

import numpy as np

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
