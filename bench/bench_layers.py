"""Every weight of a layer measured through its structured loss, beside np.outer and the tutorial's double loop."""

import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fastgrad as fg
from bench import _textbook
from bench._harness import Effort, Ratio, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least, at_most
from fastgrad import _backend
from fastgrad._typing import Array
from fastgrad.losses import CrossEntropy, LinearLoss, SquaredError, TwoLayerLoss

TITLE = "All weights of 1024-wide layers, float64"
_N = 1024
_SAMPLE = 32  # entries that the double loop is timed on
_SIZES = (100, 1000, 10_000, 100_000, 1_000_000)
_STRUCTURE = "uses structure"
_EXTRAPOLATED = f"double loop in place, {_SAMPLE} random entries timed, extrapolated to all"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the linear layer, its whole check, both weights of the two-layer net, larger ones, the cost an entry."""
    yield from _linear(limits, effort)
    yield _without_forward(limits, effort)
    yield _linear_check(limits, effort)
    yield from _two_layers(limits, effort)
    yield from _large(limits, effort)
    yield _cost_an_entry(effort)
    yield _memory()
    yield _memory_of_checks(effort)


def _linear(limits: Limits, effort: Effort) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    layer, x, out = fg.LinearLayer(_N, _N, rng=0), rng.standard_normal(_N), np.empty((_N, _N))
    f = LinearLoss(layer, x, loss="sum")
    _assert_close(fg.numerical_gradient(f, layer.W, out=out), np.outer(np.ones(_N), x))
    W = layer.W
    yield _row(
        "dL/dW of y = Wx + b, L = Σy, forward included, `out=`",
        lambda: fg.numerical_gradient(f, W, out=out),
        at_most(0.4),
        limits,
        effort,
        result=out,
        double_loop=(W, lambda: float(np.sum(W @ x + layer.b))),
        copied=W,
        notes=[_STRUCTURE, _EXTRAPOLATED],
    )
    yield _row(
        "the same, a fresh result",
        lambda: fg.numerical_gradient(f, W),
        at_most(0.4),
        limits,
        effort,
        copied=W,
        notes=[_STRUCTURE],
    )


class _Prepared:
    """A linear loss whose forward was made before the clock runs: what is left is the measuring of every entry."""

    def __init__(self, W: Array, x: Array) -> None:
        y, m = (W @ x)[None, :], len(W)
        zeros, none = np.zeros((1, m)), np.zeros((1, 0))
        self._lines = (y, zeros, np.ones((1, m)), np.zeros(m), np.zeros(1), none, none, none, np.ones(m), x[None, :])
        self._reach = np.array([np.abs(x).max()])

    def __fastgrad_gradient__(self, x: Array, h: Array, out: Array) -> int:
        return self.__fastgrad_rows__(x, h)(0, len(x), out)

    def __fastgrad_rows__(self, x: Array, h: Array) -> Callable[[int, int, Array], int]:
        def measured(first: int, last: int, out: Array) -> int:
            _backend.structured.unit_differences(*self._lines, self._reach, h, False, first, out, out)
            return 2 * out.size

        return measured


def _without_forward(limits: Limits, effort: Effort) -> Row:
    rng = np.random.default_rng(0)
    W, x, out = rng.standard_normal((_N, _N)), rng.standard_normal(_N), np.empty((_N, _N))
    f: Any = _Prepared(W, x)
    _assert_close(fg.numerical_gradient(f, W, out=out, workers=2), np.outer(np.ones(_N), x))
    return _row(
        "dL/dW of y = Wx, L = Σy, without the forward, 2 threads, `out=`",
        lambda: fg.numerical_gradient(f, W, out=out, workers=2),
        at_most(0.12),
        limits,
        effort,
        result=out,
        beside=("one thread / fresh np.outer", lambda: fg.numerical_gradient(f, W, out=out)),
        notes=[_STRUCTURE],
    )


def _large(limits: Limits, effort: Effort) -> Iterator[Row]:
    if effort.quick:
        return
    n, rng = 4096, np.random.default_rng(0)
    W, x, out = rng.standard_normal((n, n)), rng.standard_normal(n), np.empty((n, n))
    f = LinearLoss(W, x, loss="sum")
    _assert_close(fg.numerical_gradient(f, W, out=out), np.broadcast_to(x, (n, n)))
    for work, measure, bound, result in (
        ("a fresh result", lambda: fg.numerical_gradient(f, W), 1.5, None),
        ("`out=`", lambda: fg.numerical_gradient(f, W, out=out), 1.0, out),
    ):
        title = f"dL/dW of 4096×4096, L = Σy, forward included, {work}"
        yield _row(title, measure, at_most(bound), limits, effort, n=n, result=result, copied=W, notes=[_STRUCTURE])


def _cost_an_entry(effort: Effort) -> Row:
    """Time quadratic losses of more and more rows, beside a line through two of them: a cost a call, one an entry."""
    rng = np.random.default_rng(0)
    width = 100
    x, runs, outs = rng.standard_normal(width), {}, []
    for n in _SIZES:
        W = rng.standard_normal((n // width, width))
        outs.append(np.empty_like(W))
        f = LinearLoss(W, x, loss=SquaredError(rng.standard_normal(len(W))))
        runs[str(n)] = partial(fg.numerical_gradient, f, W, out=outs[-1])
    times = interleave(runs, effort)
    least = {n: times.best(str(n)) for n in _SIZES}
    entry = (least[100_000] - least[100]) / (100_000 - 100)
    call = least[100] - 100 * entry
    off = {n: least[n] / (call + n * entry) for n in _SIZES}
    figures = [
        Figure(f"n = {n:,}, time / (call + n entries)".replace(",", " "), Ratio(off[n], off[n]), at_most(1.1))
        for n in _SIZES
        if n not in (100, 100_000)
    ]
    notes = [_STRUCTURE, f"a call {call * 1e6:.1f} µs, an entry {entry * 1e9:.2f} ns, both from n = 100 and 10⁵"]
    return Row("dL/dW of n / 100 rows of 100, L = ‖y − t‖², from 10² to 10⁶ entries", least[1_000_000], figures, notes)


def _memory() -> Row:
    """Have the memory traced that a call takes beside its fresh result."""
    rng, figures = np.random.default_rng(0), []
    for n in _SIZES[2:]:
        W, x = rng.standard_normal((n // 100, 100)), rng.standard_normal(100)
        f = LinearLoss(W, x, loss=SquaredError(rng.standard_normal(len(W))))
        fg.numerical_gradient(f, W)
        tracemalloc.start()
        fg.numerical_gradient(f, W)
        peak = tracemalloc.get_traced_memory()[1] / W.nbytes
        tracemalloc.stop()
        figures.append(Figure(f"n = {n:,}, peak / result".replace(",", " "), Ratio(peak, peak), at_most(1.1)))
    return Row("memory of the same, with a fresh result", 0.0, figures, [_STRUCTURE])


def _memory_of_checks(effort: Effort) -> Row:
    """Have the memory traced that a check takes beside x and the claim."""
    rng, figures = np.random.default_rng(0), []
    for n in (_N,) if effort.quick else (_N, 4096):
        W, x = rng.standard_normal((n, n)), rng.standard_normal(n)
        f, claim = LinearLoss(W, x, loss="sum"), np.tile(x, (n, 1))
        fg.gradient_check(f, claim, W)
        tracemalloc.start()
        if not fg.gradient_check(f, claim, W):
            raise AssertionError("a right claim did not pass its check.")
        peak = tracemalloc.get_traced_memory()[1] / W.nbytes
        tracemalloc.stop()
        figures.append(Figure(f"n = {n}², peak / x", Ratio(peak, peak), at_most(0.3)))
    return Row("memory of a whole check of n×n weights, beside them and the claim", 0.0, figures, [_STRUCTURE])


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
                result=out,
                notes=[_STRUCTURE],
            )


def _row(
    work: str,
    measure: Callable[[], object],
    floor: Any,
    limits: Limits,
    effort: Effort,
    *,
    n: int = _N,
    result: Array | None = None,
    double_loop: tuple[Array, Callable[[], float]] | None = None,
    copied: Array | None = None,
    beside: tuple[str, Callable[[], object]] | None = None,
    notes: list[str],
) -> Row:
    """Time a measurement beside what memory takes at least, on the same arrays: a new `result` where it makes one.

    With arrays of their own, the limits would push those of the measurement out of the cache, and have it wait for
    memory that nobody else waits for.
    """
    rng = np.random.default_rng(2)
    g, x = rng.standard_normal(n), rng.standard_normal(n)
    contenders: dict[str, Callable[[], object]] = {
        "np.outer": lambda: np.outer(g, x),
        "fastgrad": measure,
        "memset": lambda: limits.clear(np.empty((n, n)) if result is None else result),
    }
    if copied is not None:
        contenders["copy"] = copied.copy if result is None else partial(np.copyto, result, copied)
    if beside is not None:
        contenders["beside"] = beside[1]
    if double_loop is not None:
        W, loss = double_loop
        entries = [(int(i), int(j)) for i, j in rng.integers(0, n, (_SAMPLE, 2))]
        contenders["double loop"] = lambda: _textbook.weights_in_place(loss, W, entries)
    times = interleave(contenders, effort, scale={"double loop": n * n / _SAMPLE})
    figures = [
        Figure("/ fresh np.outer", times.ratio("fastgrad", "np.outer"), floor),
        Figure("/ memset of the result", times.ratio("fastgrad", "memset")),
    ]
    if copied is not None:
        figures.append(Figure("/ copying W into the result", times.ratio("fastgrad", "copy")))
    if beside is not None:
        figures.append(Figure(beside[0], times.ratio("beside", "np.outer")))
    if double_loop is not None:
        figures.append(Figure("double loop / fastgrad", times.ratio("double loop", "fastgrad"), at_least(3e5)))
    return Row(work, times.best("fastgrad"), figures, notes)


def _assert_close(measured: Array, expected: Array) -> None:
    if not np.allclose(measured, expected, rtol=1e-6, atol=1e-8):
        raise AssertionError("what is to be timed measures a wrong gradient.")
