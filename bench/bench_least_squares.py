"""Gradient descent on least squares against the textbook's loop, as printed and tidy, and against compiled loops."""

from collections.abc import Iterator
from typing import Literal

import numpy as np

import fastgrad as fg
from bench import _descents, _textbook
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_least

TITLE = "Least squares by gradient descent, float64"

_Case = tuple[int, int, int, float, Literal["sum", "mean"], float]

#: rows, columns, steps, rate, mean or sum, what is to be reached
_CASES: tuple[_Case, ...] = (
    (10, 3, 200, 0.05, "sum", 80),
    (100, 5, 500, 0.1, "mean", 120),
    (1000, 50, 500, 0.1, "mean", 30),
    (100_000, 50, 100, 0.1, "mean", 45),
    (20_000, 500, 50, 0.1, "mean", 7),
    (2000, 2000, 100, 0.1, "mean", 1.6),
)


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each size."""
    for case in _CASES:
        m, p, n_steps = case[:3]
        if not effort.quick or m * p * n_steps < 1e8:
            yield _row(case, limits, effort)


def _row(case: _Case, limits: Limits, effort: Effort) -> Row:
    m, p, n_steps, rate, reduction, floor = case
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((m, p)), rng.standard_normal(m)
    mean = reduction == "mean"
    x, losses = fg.least_squares_gd(A, b, rate, n_steps, reduction=reduction)
    x_textbook, losses_textbook = _textbook.descend(A, b, rate, n_steps, mean=mean, tidy=False)
    if not (np.allclose(x, x_textbook) and np.allclose(losses, losses_textbook)):
        raise AssertionError("the descent does not agree with the textbook's.")
    others = {}
    for name, maker in _descents.installed().items():
        others[name] = maker(A, b, rate, n_steps, 1 / m if mean else 1.0)
        if not np.allclose(others[name](), x):
            raise AssertionError(f"the descent does not agree with that of {name}.")
    times = interleave(
        {
            "textbook": lambda: _textbook.descend(A, b, rate, n_steps, mean=mean, tidy=False),
            "tidy": lambda: _textbook.descend(A, b, rate, n_steps, mean=mean, tidy=True),
            "fastgrad": lambda: fg.least_squares_gd(A, b, rate, n_steps, reduction=reduction),
            "one reading": lambda: limits.read(A, n_steps),
            **others,
        },
        effort,
    )
    return Row(
        f"{m}×{p}, {n_steps} steps, {reduction}",
        times.best("fastgrad"),
        [
            Figure("textbook / fastgrad", times.ratio("textbook", "fastgrad"), at_least(floor)),
            Figure("tidy loop / fastgrad", times.ratio("tidy", "fastgrad")),
            *(Figure(f"{name} / fastgrad", times.ratio(name, "fastgrad"), at_least(1.0)) for name in others),
            Figure("/ one reading of A a step", times.ratio("fastgrad", "one reading")),
        ],
    )
