"""Small models with losses and gradients by hand, and the places where people get these wrong.

Each model is a function of the set of its bugs: with none it returns the right gradient. Rows of a batch are samples.
"""

from collections.abc import Callable

import numpy as np

from fastgrad._typing import Array

Tree = dict[str, Array]
Backward = Callable[[frozenset[str]], Tree]
Model = tuple[Callable[[Tree], float], Tree, Backward]

B, N, M, K, P = 6, 5, 4, 7, 12
BLOCK = np.where(np.add.outer(np.arange(M) // 2, np.arange(K) // 4) == 0, 0.0, 1.0)


def softmax(z: Array, axis: int = -1) -> Array:
    powers = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(powers / powers.sum(axis=axis, keepdims=True))


def entropy(scores: Array, labels: Array) -> float:
    top = scores.max(axis=1)
    logs = top + np.log(np.sum(np.exp(scores - top[:, None]), axis=1))
    return float(np.mean(logs - scores[np.arange(len(labels)), labels]))


def linear(rng: np.random.Generator) -> Model:
    """Return one linear layer under a squared loss, summed."""
    X, T = rng.standard_normal((B, N)), rng.standard_normal((B, M))
    p = {"W": rng.standard_normal((M, N)), "b": rng.standard_normal(M)}

    def f(p: Tree) -> float:
        return float(np.sum((X @ p["W"].T + p["b"] - T) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        d = 2 * (X @ p["W"].T + p["b"] - T)
        d = d / 2 if "two forgotten" in bugs else d / B if "mean for sum" in bugs else d
        d = -d if "sign" in bugs else d
        inputs = np.roll(X, 1, axis=0) if "samples out of step" in bugs else X
        gW = d.T @ inputs
        gW = (inputs.T @ d).reshape(gW.shape) if "outer product the wrong way round" in bugs else gW
        gW = np.outer(d.sum(0), inputs.sum(0)) if "summed before the product" in bugs else gW
        gb = np.zeros(M) if "no bias" in bugs else d.mean(0) if "bias averaged" in bugs else d.sum(0)
        gb = d[0] if "bias of the first sample" in bugs else gb
        gb = np.full(M, d.sum()) if "bias summed over all" in bugs else gb
        return {"W": gW, "b": gb}

    return f, p, backward


def square_linear(rng: np.random.Generator) -> Model:
    """Return a square linear layer, by its input and its weights, with as many samples as outputs."""
    T = rng.standard_normal((M, M))
    p = {"x": rng.standard_normal((M, M)), "W": rng.standard_normal((M, M)), "b": rng.standard_normal(M)}

    def f(p: Tree) -> float:
        return float(np.sum((p["x"] @ p["W"].T + p["b"] - T) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        d = 2 * (p["x"] @ p["W"].T + p["b"] - T)
        g = {"x": d @ (p["W"].T if "W for its transpose" in bugs else p["W"]), "W": d.T @ p["x"], "b": d.sum(0)}
        g["W"] = g["W"].T if "transposed" in bugs else g["W"]
        g["b"] = d.sum(1) if "bias over the wrong axis" in bugs else g["b"]
        if "gradients swapped" in bugs:
            g["x"], g["W"] = g["W"], g["x"]
        return g

    return f, p, backward


def relu_net(rng: np.random.Generator) -> Model:
    """Return two layers with a ReLU between, under the mean cross-entropy."""
    X, labels = rng.standard_normal((B, N)), rng.integers(0, M, B)
    p = {
        "W1": rng.standard_normal((K, N)),
        "b1": rng.standard_normal(K),
        "W2": rng.standard_normal((M, K)),
        "b2": rng.standard_normal(M),
    }
    p["W1"][3], p["b1"][3] = 0.1 * p["W1"][3], -5.0  # a unit that is off for all samples

    def f(p: Tree) -> float:
        return entropy(np.maximum(X @ p["W1"].T + p["b1"], 0) @ p["W2"].T + p["b2"], labels)

    def backward(bugs: frozenset[str]) -> Tree:
        z = X @ p["W1"].T + p["b1"]
        a = np.maximum(z, 0)
        d = softmax(a @ p["W2"].T + p["b2"])
        d[np.arange(B), (labels + 1) % M if "labels off by one" in bugs else labels] -= 1
        d = d if "sum for mean" in bugs else d / B
        back = d @ p["W2"]
        mask = np.where(z > 0, 1.0, 0.01) if "leaky mask" in bugs else (z > 0).astype(float)
        mask = np.ones_like(z) if "mask forgotten" in bugs else (z <= 0) * 1.0 if "mask inverted" in bugs else mask
        mask = (z > -1) * 1.0 if "mask too wide" in bugs else mask
        dz = back * mask
        hidden = z if "before the relu" in bugs else a
        g = {"W1": dz.T @ X, "b1": dz.sum(0), "W2": d.T @ hidden, "b2": d.sum(0)}
        g["W1"] = 2 * g["W1"] if "W1 accumulated twice" in bugs else g["W1"]
        g["W2"] = np.zeros_like(g["W2"]) if "W2 cut off" in bugs else g["W2"]
        g["b1"] = -g["b1"] if "sign of b1" in bugs else g["b1"]
        if "different in each" in bugs:
            g["W1"], g["b2"] = g["W1"] / 3, -g["b2"]
        return g

    return f, p, backward


def tanh_net(rng: np.random.Generator) -> Model:
    """Return one sample through a tanh layer and a linear one, under a squared loss."""
    x, t = rng.standard_normal(N), rng.standard_normal(M)
    p = {"W1": rng.standard_normal((K, N)), "b1": rng.standard_normal(K), "W2": rng.standard_normal((M, K))}

    def f(p: Tree) -> float:
        return float(np.sum((p["W2"] @ np.tanh(p["W1"] @ x + p["b1"]) - t) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        a = np.tanh(p["W1"] @ x + p["b1"])
        d = 2 * (p["W2"] @ a - t)
        slope = 1 - a if "square forgotten" in bugs else np.ones(K) if "no derivative" in bugs else 1 - a**2
        slope = a * (1 - a) if "derivative of the sigmoid" in bugs else slope
        dz = (p["W2"].T @ d) * slope
        g = {"W1": np.outer(dz, x), "b1": dz, "W2": np.outer(d, a)}
        g["W2"] = np.outer(d, p["W1"] @ x + p["b1"]) if "before the tanh" in bugs else g["W2"]
        g["W1"] = g["W1"] * (np.arange(K) != 2)[:, None] if "one row zero" in bugs else g["W1"]
        g["W1"] = g["W1"] * np.where(np.arange(N) == 1, -1, 1) if "sign of one column" in bugs else g["W1"]
        g["W1"] = np.roll(g["W1"], 1, axis=0) if "shifted by one row" in bugs else g["W1"]
        g["W1"] = np.roll(g["W1"], -1, axis=1) if "shifted by one column" in bugs else g["W1"]
        g["W2"] = g["W2"] * BLOCK if "block zero" in bugs else g["W2"]
        g["W2"] = g["W2"].astype(np.float16).astype(float) if "half precision" in bugs else g["W2"]
        return g

    return f, p, backward


def softmax_regression(rng: np.random.Generator) -> Model:
    """Return softmax regression by its scores and weights, under the mean cross-entropy with a penalty."""
    X, labels = rng.standard_normal((B, N)), rng.integers(0, M, B)
    p = {"W": rng.standard_normal((M, N))}

    def f(p: Tree) -> float:
        return entropy(X @ p["W"].T, labels) + 0.05 * float(np.sum(p["W"] ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        d = softmax(X @ p["W"].T, 0 if "softmax over samples" in bugs else -1)
        if "label forgotten" not in bugs:
            d[np.arange(B), labels] -= 1
        g = d.T @ X / (1 if "sum for mean" in bugs else B)
        g = np.roll(g, 1, axis=0) if "classes shifted" in bugs else g
        rate = 0.0 if "decay forgotten" in bugs else 0.05 if "decay without its two" in bugs else 0.1
        rate = 0.2 if "decay twice" in bugs else rate
        return {"W": (2 * g if "data term twice" in bugs else g) + rate * p["W"]}

    return f, p, backward


def ridge(rng: np.random.Generator) -> Model:
    """Return least squares with weight decay and an absolute penalty."""
    A, t = rng.standard_normal((16, P)), rng.standard_normal(16)
    p = {"w": rng.standard_normal(P)}

    def f(p: Tree) -> float:
        w = p["w"]
        return float(np.sum((A @ w - t) ** 2) + 0.3 * w @ w + 0.2 * np.sum(np.abs(w)))

    def backward(bugs: frozenset[str]) -> Tree:
        w = p["w"]
        data = 2 * A.T @ (A @ w - t)
        data = data / 16 if "data averaged" in bugs else data / 2 if "data halved" in bugs else data
        decay = 0.0 if "decay forgotten" in bugs else 0.3 if "decay halved" in bugs else 0.6
        g = data + decay * w + (0.0 if "lasso forgotten" in bugs else 0.2) * np.sign(w)
        g = 2 * A.T @ A @ w + 0.6 * w + 0.2 * np.sign(w) if "target forgotten" in bugs else g
        g = np.clip(g, -3, 3) if "clipped" in bugs else g + 0.25 if "constant added" in bugs else g
        g = g / max(1.0, float(np.linalg.norm(g))) if "norm clipped" in bugs else g
        g = g * np.where(np.arange(P) == 4, np.nan, 1) if "NaN" in bugs else g
        g = g + np.where(np.arange(P) == 2, np.inf, 0) if "infinite" in bugs else g
        g = g * 1e-3 if "wrong unit" in bugs else np.sign(g) if "sign alone" in bugs else g
        g = (
            g[[3, 0, 6, 1, 5, 2, 4, 8, 10, 7, 11, 9]]
            if "indices mixed up" in bugs
            else np.abs(g)
            if "absolute value" in bugs
            else g
        )
        return {"w": g}

    return f, p, backward


def near_the_optimum(rng: np.random.Generator) -> Model:
    """Return least squares near its solution: the terms of its gradient cancel."""
    A = 100 * rng.standard_normal((200, 40))
    t = A @ rng.standard_normal(40) + rng.standard_normal(200)
    p = {"w": np.linalg.lstsq(A, t)[0] + 0.01 * rng.standard_normal(40)}

    def f(p: Tree) -> float:
        return float(np.sum((A @ p["w"] - t) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        dtype = "float32" if "computed in single precision" in bugs else "float64"
        a, w, b = (np.asarray(value, dtype=dtype) for value in (A, p["w"], t))
        return {"w": np.asarray(2 * a.T @ (a @ w - b), dtype="float64")}

    return f, p, backward
