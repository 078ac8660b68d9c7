"""Every weight of a linear layer, measured by its structured loss: beside the plain loop and writing the result."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from fastgrad import reference
from fastgrad._bench.rows import Figure, Row
from fastgrad._bench.timing import Effort, interleave
from fastgrad._check import gradient_check
from fastgrad._gradient import numerical_gradient
from fastgrad._typing import Array
from fastgrad.layers import LinearLayer
from fastgrad.losses import LinearLoss, SquaredError

TITLE = "All weights of a square linear layer, L = ‖Wx + b − t‖²"
_WIDEST = 128  # up to which the plain loop over all weights takes less than a second
_NOTES = (
    "uses structure",
    "structure: the loss knows how one weight moves it; the reference calls the whole forward, as textbooks do",
    "the result: its n numbers written once, which takes less time than any measurement can",
)


def rows(effort: Effort) -> Iterator[Row]:
    """Yield the gradient for several widths, and a whole check of the widest layer."""
    widths = (64, 1024) if effort.quick else (32, 128, 512, 1024)
    for width in widths:
        yield _gradient(width, effort)
    yield _check(widths[-1], effort)


class _Problem(NamedTuple):
    """A layer's weights, their right gradient, and the loss in two forms: for fastgrad and for the plain loop."""

    W: Array
    claimed: Array
    structured: LinearLoss
    plain: Callable[[Array], float]


def _problem(width: int) -> _Problem:
    rng = np.random.default_rng(width)
    layer, x, target = LinearLayer(width, width, rng=0), rng.standard_normal(width), rng.standard_normal(width)
    gradient = 2 * (layer.forward(x) - target)
    return _Problem(
        layer.W,
        np.outer(gradient, x),
        LinearLoss(layer, x, loss=SquaredError(target)),
        lambda W: float(np.sum((W @ x + layer.b - target) ** 2)),
    )


def _gradient(width: int, effort: Effort) -> Row:
    W, claimed, f, plain = _problem(width)
    out = np.empty_like(W)
    if not np.allclose(numerical_gradient(f, W, out=out), claimed, rtol=1e-5, atol=1e-7):
        raise AssertionError(f"a layer of width {width}: the measured gradient is not that of backward.")
    extra: dict[str, Callable[[], object]] = {}
    if width <= _WIDEST:
        extra["reference"] = lambda: reference.numerical_gradient(plain, W)
    return _row("all weights of a layer", width, lambda: numerical_gradient(f, W, out=out), extra, effort)


def _check(width: int, effort: Effort) -> Row:
    W, claimed, f, _ = _problem(width)
    if not gradient_check(f, claimed, W):
        raise AssertionError("a right backward did not pass its check.")
    return _row("whole `gradient_check`", width, lambda: gradient_check(f, claimed, W), {}, effort)


def _row(
    name: str, width: int, ours: Callable[[], object], extra: dict[str, Callable[[], object]], effort: Effort
) -> Row:
    g, out = np.random.default_rng(0).standard_normal(width), np.empty((width, width))
    times = interleave(
        {"fastgrad": ours, "np.outer": lambda: np.outer(g, g), "result": lambda: out.fill(0.0), **extra}, effort
    )
    figures = [Figure("reference / fastgrad", times.ratio("reference", "fastgrad"))] if extra else []
    figures += [
        Figure("fastgrad / np.outer", times.ratio("fastgrad", "np.outer")),
        Figure("fastgrad / the result", times.ratio("fastgrad", "result")),
    ]
    return Row(f"{name}, n = {width * width}", times.best("fastgrad"), figures, _NOTES)
