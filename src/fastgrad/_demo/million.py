"""Chapter 3: a million weights, each measured, beside the time that the NumPy double loop would take."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fastgrad import _backend, losses
from fastgrad._check import gradient_check
from fastgrad._demo.page import Page, count, duration, two_digits
from fastgrad._gradient import numerical_gradient
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray
from fastgrad.layers import LinearLayer, TwoLayerNet

T = TypeVar("T")

SAMPLED, ROUNDS, EPS = 64, 5, 1e-5


class Weights(NamedTuple):
    """Weights whose gradient is claimed by a backward, and the loss in two forms: for us and for the NumPy loop."""

    name: str
    structured: Any
    plain: Callable[[Array], Any]
    claimed: Array
    at: Array


class Seen(NamedTuple):
    """What was seen of one claim: times in seconds, the loop's for all entries, its difference on those it ran on."""

    name: str
    measured: float
    checked: float
    check: GradientCheck
    loop: float
    difference: float


def tell(page: Page) -> bool:
    """Tell the chapter."""
    n = 1024 if _backend.NAME == "compiled" else 32
    page.chapter("A million weights, each measured")
    page.paragraph(
        f"""A {n}×{n} linear layer and a {n}-{n}-{n} net with relu, under a squared error. backward claims the
        gradients; every entry is measured, and the whole forward is a witness beside the measurement."""
    )
    if n < 1024:
        page.paragraph("The reference backend has no compiled loops, so this runs at a size of 32.")
    rng = np.random.default_rng(0)
    x, target = rng.standard_normal(n), rng.standard_normal(n)
    seen = [look_at(weights, rng) for weights in [*linear_layer(n, x, target, rng), *two_layer_net(n, x, target, rng)]]
    rows = [
        (
            one.name,
            count(one.check.compared),
            duration(one.measured),
            duration(one.checked),
            f"{duration(one.loop)} *",
            f"{two_digits(one.loop / one.checked)} ×",
            f"{one.check.max_error:.2g} {page.mark(one.check.passed)}",
        )
        for one in seen
    ]
    head = ("gradient by", "entries", "measured †", "checked †", "NumPy loop", "loop/checked", "largest error  ")
    page.table(head, rows)
    page.line()
    page.paragraph(
        f"""† uses structure: only the terms of the loss that move with a weight are formed at plus and minus the step,
        in a {_backend.NAME} loop. "checked" is the whole gradient_check, witness included. Best of {ROUNDS} runs."""
    )
    page.paragraph(
        f"""* extrapolated: the tutorial's double loop, which moves a weight in place and calls the loss twice, was run
        on {SAMPLED} entries drawn at random, and the time of the fastest scaled to all. On those entries it agrees with
        the claim to {max(one.difference for one in seen):.1e}."""
    )
    return all(one.check.passed for one in seen)


def linear_layer(n: int, x: Array, target: Array, rng: np.random.Generator) -> list[Weights]:
    """Return the layer's weights, bias and input."""
    layer = LinearLayer(n, n, rng=rng)
    W, b = layer.W, layer.b
    by_x, by_W, by_b = layer.backward(2 * (layer.forward(x) - target))
    error = losses.SquaredError(target)

    def loss(W: Array, b: Array, x: Array) -> Any:
        return np.sum((W @ x + b - target) ** 2)

    return [
        Weights("layer: W", losses.LinearLoss(layer, x, loss=error), lambda W: loss(W, b, x), by_W, W),
        Weights("layer: b", losses.LinearLoss(layer, x, loss=error, wrt="b"), lambda b: loss(W, b, x), by_b, b),
        Weights("layer: x", losses.LinearLoss(layer, x, loss=error, wrt="x"), lambda x: loss(W, b, x), by_x, x),
    ]


def two_layer_net(n: int, x: Array, target: Array, rng: np.random.Generator) -> list[Weights]:
    """Return the net's weights."""
    net = TwoLayerNet(n, n, n, rng=rng)
    W1, W2 = net.W1, net.W2
    by_W1, by_W2 = net.backward(2 * (net.forward(x) - target))
    error = losses.SquaredError(target)

    def loss(W1: Array, W2: Array) -> Any:
        return np.sum((W2 @ np.maximum(0, W1 @ x) - target) ** 2)

    return [
        Weights("net: W1", losses.TwoLayerLoss(net, x, loss=error, wrt="W1"), lambda W: loss(W, W2), by_W1, W1),
        Weights("net: W2", losses.TwoLayerLoss(net, x, loss=error, wrt="W2"), lambda W: loss(W1, W), by_W2, W2),
    ]


def look_at(weights: Weights, rng: np.random.Generator) -> Seen:
    """Measure and check the claim, and run the tutorial's loop on some of the entries."""
    out = np.empty_like(weights.at)
    measured, _ = best(lambda: numerical_gradient(weights.structured, weights.at, out=out))
    checked, check = best(lambda: gradient_check(weights.structured, weights.claimed, weights.at))
    entries = rng.choice(out.size, min(SAMPLED, out.size), replace=False)
    seconds, by_loop = double_loop(weights.plain, weights.at.copy(), entries)
    difference = np.abs(by_loop - weights.claimed.reshape(-1)[entries]).max()
    return Seen(weights.name, measured, checked, check, seconds * out.size, float(difference))


def best(run: Callable[[], T]) -> tuple[float, T]:
    """Return the least time of several runs, and the last result."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        result = run()
        times.append(time.perf_counter() - start)
    return min(times), result


def double_loop(loss: Callable[[Array], Any], at: Array, entries: IndexArray) -> tuple[float, Float64Array]:
    """Measure some entries as the tutorial does: moved in place, up, down and back, with two calls of the loss.

    Returns the time of the fastest entry, and what was measured.
    """
    measured, times = np.zeros(entries.size), []
    for k, i in enumerate(np.unravel_index(entry, at.shape) for entry in entries):
        start = time.perf_counter()
        at[i] += EPS
        plus = loss(at)
        at[i] -= 2 * EPS
        minus = loss(at)
        at[i] += EPS
        measured[k] = (plus - minus) / (2 * EPS)
        times.append(time.perf_counter() - start)
    return min(times), measured
