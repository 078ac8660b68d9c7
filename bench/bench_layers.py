"""Every weight of a layer measured through its structured loss, beside np.outer and the tutorial's double loop."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fastgrad as fg
from bench import _textbook
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least, at_most
from fastgrad._typing import Array
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

TITLE = "All weights of 1024-wide layers, float64"
_N = 1024
_SAMPLE = 32  # entries that the double loop is timed on
_STRUCTURE = "uses structure"
_EXTRAPOLATED = f"double loop in place, {_SAMPLE} random entries timed, extrapolated to all"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the linear layer, its whole check, and both weights of the two-layer net under three losses."""
    yield _linear(limits, effort)
    yield _linear_check(limits, effort)
    yield from _two_layers(limits, effort)


def _linear(limits: Limits, effort: Effort) -> Row:
    rng = np.random.default_rng(0)
    layer, x, out = fg.LinearLayer(_N, _N, rng=0), rng.standard_normal(_N), np.empty((_N, _N))
    f = LinearLoss(layer, x, loss="sum")
    _assert_close(fg.numerical_gradient(f, layer.W, out=out), np.outer(np.ones(_N), x))
    W = layer.W.copy()
    return _row(
        "dL/dW of y = Wx + b, L = Σy, forward included, `out=`",
        lambda: fg.numerical_gradient(f, layer.W, out=out),
        at_most(0.55),
        limits,
        effort,
        double_loop=(W, lambda: float(np.sum(W @ x + layer.b))),
        notes=[_STRUCTURE, _EXTRAPOLATED],
    )


def _linear_check(limits: Limits, effort: Effort) -> Row:
    rng = np.random.default_rng(0)
    layer, x, v = fg.LinearLayer(_N, _N, rng=0), rng.standard_normal(_N), rng.standard_normal(_N)

    def whole_check() -> fg.GradientCheck:
        layer.forward(x)
        _, claimed, _ = layer.backward(v)
        return fg.gradient_check(LinearLoss(layer, x, loss=v), claimed, layer.W)

    if not whole_check():
        raise AssertionError("a right backward did not pass its check.")
    return _row(
        "its whole `gradient_check`, forward and backward included",
        whole_check,
        at_most(8),
        limits,
        effort,
        notes=[_STRUCTURE],
    )


def _two_layers(limits: Limits, effort: Effort) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    net, x, target = fg.TwoLayerNet(_N, _N, _N, rng=0), rng.standard_normal(_N), rng.standard_normal(_N)
    out = np.empty((_N, _N))
    y = net.forward(x)
    _, slope = fg.softmax_cross_entropy(y, 3)
    losses: list[tuple[str, Any, Array, float | None]] = [
        ("Σy", "sum", np.ones(_N), 1.5),
        ("‖y − t‖²", SquaredError(target), 2 * (y - target), 2.0),
        ("cross-entropy", CrossEntropy(3), slope, None),
    ]
    for title, loss, grad_y, bound in losses:
        for wrt, claimed in zip(("W1", "W2"), net.backward(grad_y), strict=True):
            f = TwoLayerLoss(net, x, loss=loss, wrt=wrt)  # type: ignore[arg-type]
            W = getattr(net, wrt)
            _assert_close(fg.numerical_gradient(f, W, out=out), claimed)
            yield _row(
                f"dL/d{wrt} of y = W2 relu(W1 x), L = {title}, forward included, `out=`",
                partial(fg.numerical_gradient, f, W, out=out),
                None if bound is None else at_most(bound),
                limits,
                effort,
                notes=[_STRUCTURE],
            )


def _row(
    work: str,
    measure: Callable[[], object],
    floor: Any,
    limits: Limits,
    effort: Effort,
    *,
    double_loop: tuple[Array, Callable[[], float]] | None = None,
    notes: list[str],
) -> Row:
    rng = np.random.default_rng(2)
    g, x, out = rng.standard_normal(_N), rng.standard_normal(_N), np.empty((_N, _N))
    contenders: dict[str, Callable[[], object]] = {
        "np.outer": lambda: np.outer(g, x),
        "fastgrad": measure,
        "memset": lambda: limits.clear(out),
    }
    if double_loop is not None:
        W, loss = double_loop
        entries = [(int(i), int(j)) for i, j in rng.integers(0, _N, (_SAMPLE, 2))]
        contenders["double loop"] = lambda: _textbook.weights_in_place(loss, W, entries)
    times = interleave(contenders, effort, scale={"double loop": _N * _N / _SAMPLE})
    figures = [
        Figure("/ fresh np.outer", times.ratio("fastgrad", "np.outer"), floor),
        Figure("/ memset of the result", times.ratio("fastgrad", "memset")),
    ]
    if double_loop is not None:
        figures.append(Figure("double loop / fastgrad", times.ratio("double loop", "fastgrad"), at_least(3e5)))
    return Row(work, times.best("fastgrad"), figures, notes)


def _assert_close(measured: Array, expected: Array) -> None:
    if not np.allclose(measured, expected, rtol=1e-6, atol=1e-8):
        raise AssertionError("what is to be timed measures a wrong gradient.")
