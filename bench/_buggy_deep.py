"""More models with gradients by hand: convolution, layer normalisation, attention, an embedding, a recurrent cell."""

import numpy as np

from bench._buggy import Model, Tree, softmax
from fastgrad._typing import Array

B, L, C, M, D = 3, 9, 2, 4, 5


def convolution(rng: np.random.Generator) -> Model:
    """Return a convolution over time, as nets have it: a correlation with a bias for each output channel."""
    X, V = rng.standard_normal((B, C, L)), rng.standard_normal((B, M, L - 2))
    p = {"w": rng.standard_normal((M, C, 3)), "b": rng.standard_normal(M)}
    windows = np.lib.stride_tricks.sliding_window_view(X, 3, axis=2)  # (B, C, L - 2, 3)

    def f(p: Tree) -> float:
        return float(np.sum(V * np.tanh(np.einsum("bclk,ock->bol", windows, p["w"]) + p["b"][:, None])))

    def backward(bugs: frozenset[str]) -> Tree:
        y = np.tanh(np.einsum("bclk,ock->bol", windows, p["w"]) + p["b"][:, None])
        d = V * (1 - y**2)
        d = np.concatenate([d[:1], np.zeros_like(d[1:])]) if "first sample alone" in bugs else d
        d = d * (np.arange(L - 2) > 0) if "first position forgotten" in bugs else d
        w = np.einsum("bol,bclk->ock", d, windows)
        w = w[:, :, ::-1] if "kernel flipped" in bugs else w
        w = w.transpose(2, 1, 0).reshape(w.shape) if "axes mixed up" in bugs else w
        w = np.roll(w, 1, axis=2) if "kernel shifted" in bugs else w
        w = np.where(np.arange(C)[:, None] == 1, 0, w) if "a channel forgotten" in bugs else w
        w = w / (L - 2) if "averaged over positions" in bugs else w
        b = d.sum((0, 2))
        b = d.sum(0)[:, 0] if "bias of one position" in bugs else b * (L - 2) if "bias counted too often" in bugs else b
        return {"w": w, "b": b}

    return f, p, backward


def layer_norm(rng: np.random.Generator) -> Model:
    """Return layer normalisation with its gain and offset, by x as well."""
    V = rng.standard_normal((B, D))
    p = {"x": rng.standard_normal((B, D)), "gain": rng.standard_normal(D), "offset": rng.standard_normal(D)}

    def normal(x: Array) -> tuple[Array, Array]:
        deviation = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        return (x - x.mean(axis=1, keepdims=True)) / deviation, deviation

    def f(p: Tree) -> float:
        return float(np.sum(V * np.tanh(normal(p["x"])[0] * p["gain"] + p["offset"])))

    def backward(bugs: frozenset[str]) -> Tree:
        n, deviation = normal(p["x"])
        d = V * (1 - np.tanh(n * p["gain"] + p["offset"]) ** 2)
        dn = d if "gain forgotten" in bugs else d * p["gain"]
        mean = 0.0 if "mean not differentiated" in bugs else dn.mean(1, keepdims=True)
        spread = 0.0 if "variance not differentiated" in bugs else n * (dn * n).mean(1, keepdims=True)
        x = (dn - mean - spread) / (1.0 if "deviation forgotten" in bugs else deviation)
        x = x * (1 / deviation) if "divided twice" in bugs else x
        gain = (d * p["x"] if "x not normalised" in bugs else d * n).sum(0)
        gain = gain / B if "gain averaged" in bugs else gain
        offset = np.full(D, d.sum(0).mean()) if "offset averaged over features" in bugs else d.sum(0)
        return {"x": x, "gain": gain, "offset": offset}

    return f, p, backward


def attention(rng: np.random.Generator) -> Model:
    """Return one head of attention, by its three weight matrices."""
    X, V = rng.standard_normal((L, D)), rng.standard_normal((L, D))
    p = {name: rng.standard_normal((D, D)) / 2 for name in ("Q", "K", "V")}

    def f(p: Tree) -> float:
        return float(np.sum(V * (softmax(X @ p["Q"] @ (X @ p["K"]).T / np.sqrt(D)) @ (X @ p["V"]))))

    def backward(bugs: frozenset[str]) -> Tree:
        q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
        P = softmax(q @ k.T / np.sqrt(D))
        dP = V @ v.T
        inner = 0.0 if "softmax's inner sum forgotten" in bugs else np.sum(dP * P, 1, keepdims=True)
        inner = np.sum(dP * P, 0, keepdims=True) if "softmax's sum over the wrong axis" in bugs else inner
        dS = P * (dP - inner) / (1.0 if "scale forgotten" in bugs else np.sqrt(D))
        dS = dS / np.sqrt(D) if "scale twice" in bugs else dS
        dS = np.tril(dS) if "mask that f has not" in bugs else dS
        g = {"Q": X.T @ dS @ k, "K": X.T @ dS.T @ q, "V": X.T @ P.T @ V}
        g["K"] = X.T @ dS @ q if "scores not transposed" in bugs else g["K"]
        g["V"] = X.T @ P @ V if "P not transposed" in bugs else g["V"]
        g["Q"] = g["Q"].T if "Q transposed" in bugs else g["Q"]
        if "Q and K swapped" in bugs:
            g["Q"], g["K"] = g["K"], g["Q"]
        return g

    return f, p, backward


def embedding(rng: np.random.Generator) -> Model:
    """Return a table of vectors looked up by words, some of them several times, and a linear layer on each."""
    words = np.array([1, 4, 4, 0, 7, 1, 1])
    p = {"E": rng.standard_normal((9, D)), "W": rng.standard_normal((M, D))}
    t = rng.standard_normal((len(words), M))

    def f(p: Tree) -> float:
        return float(np.sum((np.tanh(p["E"][words]) @ p["W"].T - t) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        a = np.tanh(p["E"][words])
        d = 2 * (a @ p["W"].T - t)
        rows = d @ p["W"] * (1 - a**2)
        E = np.zeros_like(p["E"])
        if "repeated words overwritten" in bugs:
            E[words] += rows
        else:
            np.add.at(E, words + 1 if "words off by one" in bugs else words, rows)
        if "averaged over words" in bugs:
            E /= np.maximum(np.bincount(words, minlength=9), 1)[:, None]
        E = E * (np.arange(9) != 0)[:, None] if "padding masked" in bugs else E
        E = E + (np.arange(9) == 3)[:, None] * rows[:1] if "a word that is not there" in bugs else E
        return {"E": E, "W": d.T @ a}

    return f, p, backward


def recurrent(rng: np.random.Generator) -> Model:
    """Return a recurrent tanh cell over a few steps, under a squared loss of its last state."""
    X, t = rng.standard_normal((4, D)), rng.standard_normal(D)
    p = {"U": rng.standard_normal((D, D)) / 2, "W": rng.standard_normal((D, D)) / 2, "b": rng.standard_normal(D)}

    def states(p: Tree) -> list[Array]:
        h = [np.zeros(D)]
        for x in X:
            h.append(np.tanh(p["U"] @ h[-1] + p["W"] @ x + p["b"]))
        return h

    def f(p: Tree) -> float:
        return float(np.sum((states(p)[-1] - t) ** 2))

    def backward(bugs: frozenset[str]) -> Tree:
        h = states(p)
        d = 2 * (h[-1] - t)
        g = {name: np.zeros_like(value) for name, value in p.items()}
        for k in reversed(range(len(X))):
            dz = d * (1 - h[k + 1] ** 2)
            g["U"] += np.outer(dz, h[k + 1] if "state of the step after" in bugs else h[k])
            g["W"] += np.outer(dz, X[k])
            g["b"] = dz if "bias of the first step alone" in bugs else g["b"] + dz
            if "one step back only" in bugs:
                break
            d = (p["U"] if "U for its transpose" in bugs else p["U"].T) @ dz
        return g

    return f, p, backward
