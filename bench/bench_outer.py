"""The weight gradient of a single sample against np.outer, with and without a result to write into."""

from collections.abc import Iterator

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least
from fastgrad._typing import Array

TITLE = "weight_gradient against np.outer, float64"
_FLOORS = {64: (1.6, 1.5), 256: (2.5, 2.5), 1024: (4.0, 4.0), 4096: (1.2, 1.0)}


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield both ways for each size."""
    for n, (floor, floor_fresh) in _FLOORS.items():
        yield _into_out(n, floor, limits, effort)
        yield _fresh(n, floor_fresh, limits, effort)


def _vectors(n: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(n)
    g, x = rng.standard_normal(n), rng.standard_normal(n)
    if not np.array_equal(fg.weight_gradient(g, x), np.outer(g, x)):
        raise AssertionError("weight_gradient is not np.outer.")
    return g, x


def _into_out(n: int, floor: float, limits: Limits, effort: Effort) -> Row:
    g, x = _vectors(n)
    out = np.empty((n, n))
    times = interleave(
        {
            "np": lambda: np.outer(g, x, out=out),
            "fastgrad": lambda: fg.weight_gradient(g, x, out=out),
            "memset": lambda: limits.clear(out),
        },
        effort,
    )
    return Row(
        f"n = {n}, `out=`",
        times.best("fastgrad"),
        [
            Figure("np.outer / fastgrad", times.ratio("np", "fastgrad"), at_least(floor)),
            Figure("/ memset of the result", times.ratio("fastgrad", "memset")),
        ],
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
            Figure("np.outer / fastgrad", times.ratio("np", "fastgrad"), at_least(floor)),
            Figure("/ memset of the result", times.ratio("fastgrad", "zeroed")),
        ],
        ["memset of newly allocated memory"],
    )
