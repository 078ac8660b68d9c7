"""What it costs a check to tell of its progress: the same check with and without, round after round."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most

TITLE = "Progress, told to a callable that does nothing"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each size; f is as cheap as a function of an array can be, so that all else shows most.

    The promise is made for long checks; in short ones some five microseconds are seen.
    """
    del limits
    for n in (100, 1000, 10_000, 100_000):
        yield _row(n, effort)


def _row(n: int, effort: Effort) -> Row:
    x, claim = np.random.default_rng(n).standard_normal(n), np.zeros(n)
    claim[:3] = x[1], x[0], 1.0

    def f(x: Any) -> Any:
        return x[0] * x[1] + x[2]

    if not fg.gradient_check(f, claim, x):
        raise AssertionError("the check that is measured does not pass.")
    times = interleave(
        {
            "silent": lambda: fg.gradient_check(f, claim, x, progress=False),
            "told": lambda: fg.gradient_check(f, claim, x, progress=lambda done, total: None),
        },
        Effort(4 * effort.seconds, effort.quick),
    )
    return Row(
        f"`gradient_check` of `x[0]*x[1] + x[2]`, n = {n}",
        times.best("told"),
        [Figure("told / silent", times.ratio("told", "silent"), at_most(1.01) if n >= 10_000 else None)],
    )
