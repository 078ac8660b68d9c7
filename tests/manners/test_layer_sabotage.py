"""Right layers of many kinds pass; sabotaged ones fail, and the gradient that is wrong is named."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from tests.manners.layer_zoo import ZOO


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
