"""Chapter 3: a million weights, each measured, beside the time that the NumPy double loop would take."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastgrad import _backend, losses
from fastgrad._check import gradient_check
from fastgrad._demo.page import Page, count, duration, two_digits
from fastgrad._gradient import numerical_gradient
from fastgrad._typing import Array, Float64Array
from fastgrad.layers import LinearLayer, TwoLayerNet

SAMPLED, ROUNDS, EPS = 32, 3, 1e-5


class Weights(NamedTuple):
    """Weights whose gradient is claimed by a backward, and the loss in two forms: for us and for the NumPy loop."""

    name: str
    structured: Any
    plain: Callable[[Array], Any]
    claimed: Array
    at: Array


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
    held, rows, agreement = True, [], 0.0
    for weights in [*linear_layer(n, x, target, rng), *two_layer_net(n, x, target, rng)]:
        out = np.empty_like(weights.at)
        measured = best(lambda w=weights, out=out: numerical_gradient(w.structured, w.at, out=out))
        checks = []
        checked = best(lambda w=weights, to=checks: to.append(gradient_check(w.structured, w.claimed, w.at)))
        loop, difference = sampled_double_loop(weights, rng)
        held &= all(check.passed for check in checks)
        agreement = max(agreement, difference)
        rows.append(
            (
                weights.name,
                count(weights.at.size),
                duration(measured),
                duration(checked),
                f"{duration(loop)} *",
                f"{two_digits(loop / checked)} ×",
                f"{checks[-1].max_error:.2g} {page.mark(checks[-1].passed)}",
            )
        )
    head = ("gradient by", "entries", "measured †", "checked †", "NumPy loop", "loop/checked", "largest error  ")
    page.table(head, rows)
    page.line()
    page.paragraph(
        f"""† uses structure: only the terms of the loss that move with a weight are formed at plus and minus the step,
        in a compiled loop. "checked" is the whole gradient_check, witness included. Best of {ROUNDS} runs."""
    )
    page.paragraph(
        f"""* extrapolated: the tutorial's double loop, which moves a weight in place and calls the loss twice, was run
        on {SAMPLED} entries drawn at random (best of {ROUNDS}) and scaled to all. On those it agrees with the claim to
        {agreement:.1e}."""
    )
    return held


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


def best(run: Callable[[], Any]) -> float:
    """Return the least time of several runs."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def sampled_double_loop(weights: Weights, rng: np.random.Generator) -> tuple[float, float]:
    """Run the tutorial's loop on some entries; return its time for all, and its largest difference from the claim."""
    at = weights.at.copy()
    entries = [np.unravel_index(i, at.shape) for i in rng.choice(at.size, min(SAMPLED, at.size), replace=False)]
    measured: Float64Array = np.zeros(len(entries))

    def loop() -> None:
        for k, i in enumerate(entries):
            at[i] += EPS
            plus = weights.plain(at)
            at[i] -= 2 * EPS
            minus = weights.plain(at)
            at[i] += EPS
            measured[k] = (plus - minus) / (2 * EPS)

    seconds = best(loop) * at.size / len(entries)
    return seconds, float(np.abs(measured - [weights.claimed[i] for i in entries]).max())
