"""The weight gradient of one sample and of batches, with and without a result to write into, against NumPy."""

from collections.abc import Iterator

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least, at_most
from fastgrad._typing import Array
from fastgrad._weight_gradient import masked_weight_gradient

TITLE = "weight_gradient, float64"
#: what np.outer takes of it, at least, with `out=` and fresh, and it of the memory's own pace, at most
_FLOORS = {64: (1.6, 1.5, 8.0), 256: (2.5, 2.5, 1.8), 1024: (4.0, 4.0, 1.4), 4096: (1.2, 1.0, 1.3)}
_SIDE = 1024  # of the result of a batch
_BATCHES = (1, 8, 32, 256)


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the ways to ask for one sample, for each size, and then the batches."""
    for n, (floor, floor_fresh, ceiling) in _FLOORS.items():
        yield _into_out(n, floor, ceiling, limits, effort)
        yield _fresh(n, floor_fresh, limits, effort)
        yield _accumulated(n, ceiling, limits, effort)
        yield _masked(n, limits, effort)
    for batch in _BATCHES:
        yield _batch(batch, effort)


def _vectors(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    g, x = rng.standard_normal(n), rng.standard_normal(n)
    _require_equal(fg.weight_gradient(g, x), np.outer(g, x))
    return g, x


def _require_equal(ours: Array, theirs: Array) -> None:
    if not np.array_equal(ours, theirs):
        raise AssertionError("weight_gradient is not what it is measured against.")


def _into_out(n: int, floor: float, ceiling: float, limits: Limits, effort: Effort) -> Row:
    g, x = _vectors(n)
    out = np.empty((n, n))
    times = interleave(
        {
            "np": lambda: np.outer(g, x, out=out),
            "fastgrad": lambda: fg.weight_gradient(g, x, out=out),
            "memset": lambda: limits.clear(out),
            "ones": lambda: limits.mark(out),
        },
        effort,
    )
    return Row(
        f"n = {n}, `out=`",
        times.best("fastgrad"),
        [
            Figure("NumPy / fastgrad", times.ratio("np", "fastgrad"), at_least(floor)),
            Figure("/ limit", times.ratio("fastgrad", "memset"), at_most(ceiling)),
            Figure("/ memset of ones", times.ratio("fastgrad", "ones")),
        ],
        ["`np.outer`; limit: memset of the result, to zero"],
    )


def _fresh(n: int, floor: float, limits: Limits, effort: Effort) -> Row:
    g, x = _vectors(n)
    times = interleave(
        {
            "np": lambda: np.outer(g, x),
            "fastgrad": lambda: fg.weight_gradient(g, x),
            "zeroed": lambda: limits.clear(np.empty((n, n))),
        },
        effort,
    )
    return Row(
        f"n = {n}, fresh",
        times.best("fastgrad"),
        [
            Figure("NumPy / fastgrad", times.ratio("np", "fastgrad"), at_least(floor)),
            Figure("/ limit", times.ratio("fastgrad", "zeroed")),
        ],
        ["`np.outer`; limit: memset of newly allocated memory"],
    )


def _accumulated(n: int, ceiling: float, limits: Limits, effort: Effort) -> Row:
    g, x = _vectors(n)
    out, other, limit = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))

    def add() -> None:
        nonlocal other
        other += np.outer(g, x)

    fg.weight_gradient(g, x, out=out, accumulate=True)
    add()
    _require_equal(out, other)
    times = interleave(
        {
            "np": add,
            "fastgrad": lambda: fg.weight_gradient(g, x, out=out, accumulate=True),
            "write back": lambda: limits.write_back(limit),
        },
        effort,
    )
    return Row(
        f"n = {n}, `accumulate=True`",
        times.best("fastgrad"),
        [
            Figure("NumPy / fastgrad", times.ratio("np", "fastgrad")),
            Figure("/ limit", times.ratio("fastgrad", "write back"), at_most(ceiling)),
        ],
        ["`out += np.outer`; limit: reading the result and writing it back"],
    )


def _masked(n: int, limits: Limits, effort: Effort) -> Row:
    g, x = _vectors(n)
    z = np.random.default_rng(0).standard_normal(n)
    _require_equal(masked_weight_gradient(g, z, x), np.outer(g * (z > 0), x))
    times = interleave(
        {
            "np": lambda: np.outer(g * (z > 0), x),
            "fastgrad": lambda: masked_weight_gradient(g, z, x),
            "zeroed": lambda: limits.clear(np.empty((n, n))),
        },
        effort,
    )
    return Row(
        f"n = {n}, behind a ReLU, fresh",
        times.best("fastgrad"),
        [
            Figure("NumPy / fastgrad", times.ratio("np", "fastgrad")),
            Figure("/ limit", times.ratio("fastgrad", "zeroed")),
        ],
        ["`np.outer(g * (z > 0), x)`; limit: memset of newly allocated memory"],
    )


def _batch(batch: int, effort: Effort) -> Row:
    rng = np.random.default_rng(batch)
    G, X = rng.standard_normal((batch, _SIDE)), rng.standard_normal((batch, _SIDE))
    out = np.empty((_SIDE, _SIDE))
    _require_equal(fg.weight_gradient(G, X), G.T @ X)
    times = interleave(
        {
            "BLAS": lambda: np.matmul(G.T, X, out=out),
            "fastgrad": lambda: fg.weight_gradient(G, X, out=out),
        },
        effort,
    )
    return Row(
        f"n = {_SIDE}, a batch of {batch}, `out=`",
        times.best("fastgrad"),
        [
            Figure("NumPy / fastgrad", times.ratio("BLAS", "fastgrad")),
            Figure("/ `G.T @ X`", times.ratio("fastgrad", "BLAS"), at_most(1.02) if batch >= 8 else None),
        ],
        ["`np.matmul(G.T, X, out=out)`"],
    )
