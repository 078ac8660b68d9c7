"""The weight gradient of one sample: beside np.outer, which is its reference, and writing the result."""

from collections.abc import Iterator

import numpy as np

from fastgrad._bench.rows import Figure, Row
from fastgrad._bench.timing import Effort, interleave
from fastgrad._weight_gradient import weight_gradient

TITLE = "weight_gradient of one sample, `out=`"


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each width."""
    for width in (64, 1024) if effort.quick else (64, 256, 1024, 4096):
        yield _row(width, effort)


def _row(width: int, effort: Effort) -> Row:
    rng = np.random.default_rng(width)
    g, x, out = rng.standard_normal(width), rng.standard_normal(width), np.empty((width, width))
    if not np.array_equal(weight_gradient(g, x, out=out), np.outer(g, x)):
        raise AssertionError(f"weight_gradient of width {width} is not np.outer.")
    times = interleave(
        {
            "fastgrad": lambda: weight_gradient(g, x, out=out),
            "np.outer": lambda: np.outer(g, x, out=out),
            "result": lambda: out.fill(0.0),
        },
        effort,
    )
    return Row(
        f"outer product, n = {width * width}",
        times.best("fastgrad"),
        [
            Figure("np.outer / fastgrad", times.ratio("np.outer", "fastgrad")),
            Figure("fastgrad / the result", times.ratio("fastgrad", "result")),
        ],
    )
