"""Losses of models with gradients written by hand, at any size: what a check of quality is made on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Model:
    """A scalar function, its gradient, and the point at which they are compared, one line of numbers."""

    f: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    x: Array


def _split(w: Array, *shapes: tuple[int, ...]) -> list[Array]:
    parts, start = [], 0
    for shape in shapes:
        size = int(np.prod(shape))
        parts.append(w[start : start + size].reshape(shape))
        start += size
    return parts


def _line(*parts: Array) -> Array:
    return np.concatenate([p.reshape(-1) for p in parts])


def quadratic(n: int, r: np.random.Generator) -> Model:
    """Return half the squared distance to a point."""
    t, x = r.standard_normal((2, n))

    def f(x: Array) -> float:
        d = x - t
        return 0.5 * float(d @ d)

    return Model(f, lambda x: x - t, x)


def tanh_net(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of one tanh layer, one sample."""
    d = max(1, int(n**0.5))
    m = n // d
    z, y = r.standard_normal(d), r.standard_normal(m)
    w = r.standard_normal(m * d) / np.sqrt(d)

    def f(w: Array) -> float:
        e = np.tanh(w.reshape(m, d) @ z) - y
        return 0.5 * float(e @ e)

    def gradient(w: Array) -> Array:
        a = np.tanh(w.reshape(m, d) @ z)
        return _line(np.outer((a - y) * (1 - a * a), z))

    return Model(f, gradient, w)


def relu_net(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of a net with a hidden ReLU layer and biases, four samples."""
    d = max(1, int((n / 2) ** 0.5))
    shapes = ((d, d), (d,), (d, d), (d,))
    z, y = r.standard_normal((2, 4, d))
    w = _line(r.standard_normal((d, d)) / d**0.5, 0.1 * r.standard_normal(d), r.standard_normal((d, d)) / d**0.5, y[0])

    def f(w: Array) -> float:
        w1, b1, w2, b2 = _split(w, *shapes)
        e = np.maximum(z @ w1.T + b1, 0.0) @ w2.T + b2 - y
        return 0.5 * float(np.sum(e * e))

    def gradient(w: Array) -> Array:
        w1, b1, w2, b2 = _split(w, *shapes)
        s = z @ w1.T + b1
        a = np.maximum(s, 0.0)
        e = a @ w2.T + b2 - y
        back = (e @ w2) * (s > 0)
        return _line(back.T @ z, back.sum(0), e.T @ a, e.sum(0))

    return Model(f, gradient, w)


def softmax_net(n: int, r: np.random.Generator) -> Model:
    """Return the cross-entropy of a linear layer with biases, eight samples."""
    k = max(2, int(n**0.5))
    d = max(1, n // k - 1)
    z, labels = r.standard_normal((8, d)), r.integers(0, k, 8)
    w = _line(r.standard_normal((k, d)) / d**0.5, r.standard_normal(k))

    def scores(w: Array) -> Array:
        m, b = _split(w, (k, d), (k,))
        s: Array = z @ m.T + b
        s -= s.max(1, keepdims=True)
        return s

    def f(w: Array) -> float:
        s = scores(w)
        return float(np.sum(np.log(np.exp(s).sum(1)) - s[np.arange(8), labels]))

    def gradient(w: Array) -> Array:
        p = np.exp(scores(w))
        p /= p.sum(1, keepdims=True)
        p[np.arange(8), labels] -= 1.0
        return _line(p.T @ z, p.sum(0))

    return Model(f, gradient, w)


def logistic(n: int, r: np.random.Generator) -> Model:
    """Return a steep logistic loss of sixteen samples with n features each."""
    z, sign = r.standard_normal((16, n)), r.choice([-1.0, 1.0], 16)
    w = r.standard_normal(n) / 4

    def f(w: Array) -> float:
        return float(np.sum(np.logaddexp(0.0, -sign * (z @ w))))

    def gradient(w: Array) -> Array:
        m = sign * (z @ w)
        slope = -sign * np.exp(-np.logaddexp(0.0, m))
        total: Array = slope @ z
        return total

    return Model(f, gradient, w)


def convolution(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of a convolution with ReLU: kernels of width three, one signal."""
    c = max(1, int((n / 3) ** 0.5))
    length = 16
    signal, y = r.standard_normal((length + 2, c)), r.standard_normal((length, c))
    columns = np.concatenate([signal[k : k + length] for k in range(3)], axis=1)
    w = r.standard_normal(c * 3 * c) / (3 * c) ** 0.5

    def f(w: Array) -> float:
        e = np.maximum(columns @ w.reshape(c, 3 * c).T, 0.0) - y
        return 0.5 * float(np.sum(e * e))

    def gradient(w: Array) -> Array:
        s = columns @ w.reshape(c, 3 * c).T
        return _line(((np.maximum(s, 0.0) - y) * (s > 0)).T @ columns)

    return Model(f, gradient, w)


def attention(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of self-attention with four square matrices, twelve tokens."""
    d = max(1, int((n / 4) ** 0.5))
    tokens, y = r.standard_normal((2, 12, d))
    w = r.standard_normal(4 * d * d) / d**0.5

    def forward(w: Array) -> tuple[Array, ...]:
        q, k, v, o = _split(w, *[(d, d)] * 4)
        a, b, c = tokens @ q, tokens @ k, tokens @ v
        s = a @ b.T / d**0.5
        p = np.exp(s - s.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        return a, b, c, p, p @ c @ o - y

    def f(w: Array) -> float:
        e = forward(w)[-1]
        return 0.5 * float(np.sum(e * e))

    def gradient(w: Array) -> Array:
        o = _split(w, *[(d, d)] * 4)[3]
        a, b, c, p, e = forward(w)
        above = e @ o.T
        dp = above @ c.T
        ds = p * (dp - np.sum(dp * p, axis=1, keepdims=True)) / d**0.5
        return _line(tokens.T @ (ds @ b), tokens.T @ (ds.T @ a), tokens.T @ (p.T @ above), (p @ c).T @ e)

    return Model(f, gradient, w)


def layer_norm(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of a linear layer, normalised and scaled, six samples."""
    d = max(2, int(n**0.5) - 1)
    z, y = r.standard_normal((2, 6, d))
    w = _line(r.standard_normal((d, d)) / d**0.5, r.uniform(0.5, 1.5, d), 0.1 * r.standard_normal(d))
    shapes = ((d, d), (d,), (d,))

    def forward(w: Array) -> tuple[Array, Array, Array]:
        m, scale, shift = _split(w, *shapes)
        s = z @ m.T
        s = s - s.mean(1, keepdims=True)
        size = np.sqrt(np.mean(s * s, axis=1, keepdims=True) + 1e-5)
        return s / size, size, s / size * scale + shift - y

    def f(w: Array) -> float:
        e = forward(w)[-1]
        return 0.5 * float(np.sum(e * e))

    def gradient(w: Array) -> Array:
        scale = _split(w, *shapes)[1]
        u, size, e = forward(w)
        du = e * scale
        ds = (du - du.mean(1, keepdims=True) - u * np.mean(du * u, axis=1, keepdims=True)) / size
        return _line(ds.T @ z, np.sum(e * u, axis=0), e.sum(0))

    return Model(f, gradient, w)


def embedding(n: int, r: np.random.Generator) -> Model:
    """Return the squared error of tanh of summed rows of a table: most rows are used by no token, some by several."""
    d = min(50, n)
    rows = max(1, n // d)
    tokens = r.integers(0, rows, (max(1, rows // 20), 5))
    y = r.standard_normal((len(tokens), d))
    w = r.standard_normal(rows * d) / 2

    def f(w: Array) -> float:
        e = np.tanh(w.reshape(rows, d)[tokens].sum(1)) - y
        return 0.5 * float(np.sum(e * e))

    def gradient(w: Array) -> Array:
        a = np.tanh(w.reshape(rows, d)[tokens].sum(1))
        g = np.zeros((rows, d))
        np.add.at(g, tokens, ((a - y) * (1 - a * a))[:, None, :])
        return g.reshape(-1)

    return Model(f, gradient, w)


def single(n: int, r: np.random.Generator) -> Model:
    """Return the tanh net with all arithmetic, and x, in single precision."""
    d = max(1, int(n**0.5))
    m = n // d
    z, y = r.standard_normal(d).astype(np.float32), r.standard_normal(m).astype(np.float32)
    w = (r.standard_normal(m * d) / np.sqrt(d)).astype(np.float32)

    def f(w: Array) -> float:
        e = np.tanh(w.reshape(m, d) @ z) - y
        return float(np.float32(0.5) * (e @ e))

    def gradient(w: Array) -> Array:
        a = np.tanh(w.reshape(m, d) @ z)
        return np.outer((a - y) * (1 - a * a), z).reshape(-1)

    return Model(f, gradient, w)


def scaled(factor: float, model: Callable[[int, np.random.Generator], Model]) -> Callable[..., Model]:
    """Return a model whose value and gradient are a factor times as large."""

    def make(n: int, r: np.random.Generator) -> Model:
        m = model(n, r)
        return Model(lambda x: factor * m.f(x), lambda x: factor * m.gradient(x), m.x)

    return make


def near_kinks(n: int, r: np.random.Generator) -> Model:
    """Return a sum of magnitudes and squares: a thousandth of the entries lie within a thousandth of their kinks."""
    x = r.standard_normal(n)
    x[r.random(n) < 1e-3] *= 1e-3
    x[x == 0] = 1.0
    return Model(lambda x: float(np.abs(x).sum() + 0.5 * (x @ x)), lambda x: np.sign(x) + x, x)


MODELS: Mapping[str, Callable[[int, np.random.Generator], Model]] = {
    "quadratic": quadratic,
    "tanh net": tanh_net,
    "ReLU net": relu_net,
    "softmax": softmax_net,
    "logistic": logistic,
    "convolution": convolution,
    "attention": attention,
    "layer norm": layer_norm,
    "embedding": embedding,
    "float32 tanh net": single,
    "huge (1e12)": scaled(1e12, tanh_net),
    "tiny (1e-9)": scaled(1e-9, tanh_net),
    "near kinks": near_kinks,
}
