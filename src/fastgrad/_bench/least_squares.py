"""Least squares by gradient descent: beside the plain loop and reading the matrix once a step."""

from collections.abc import Iterator

import numpy as np

from fastgrad import reference
from fastgrad._bench.rows import Figure, Row
from fastgrad._bench.timing import Effort, interleave
from fastgrad._least_squares import least_squares_gd

TITLE = "Least squares by gradient descent, mean"
_READING = "one reading: the dot product of A's entries with themselves, once a step; below 1 where steps are by AᵀA"
_RATE = 0.1
_LARGE = 10**5  # entries from which reading them takes longer than asking NumPy to


def rows(effort: Effort) -> Iterator[Row]:
    """Yield a row for each size."""
    for m, p, n_steps in ((100, 5, 500), (10_000, 50, 100), (100_000, 50, 20))[: 2 if effort.quick else 3]:
        yield _row(m, p, n_steps, effort)


def _row(m: int, p: int, n_steps: int, effort: Effort) -> Row:
    rng = np.random.default_rng(0)
    A, b = rng.standard_normal((m, p)), rng.standard_normal(m)
    flat = A.ravel()
    x, losses = least_squares_gd(A, b, _RATE, n_steps, reduction="mean")
    expected, expected_losses = reference.least_squares_gd(A, b, _RATE, n_steps, reduction="mean")
    if not (np.allclose(x, expected) and np.allclose(losses, expected_losses)):
        raise AssertionError(f"{m}×{p}: the descent is not the reference's.")

    def reading() -> None:
        for _ in range(n_steps):
            flat @ flat

    times = interleave(
        {
            "fastgrad": lambda: least_squares_gd(A, b, _RATE, n_steps, reduction="mean"),
            "reference": lambda: reference.least_squares_gd(A, b, _RATE, n_steps, reduction="mean"),
            "reading": reading,
        },
        effort,
    )
    figures = [Figure("reference / fastgrad", times.ratio("reference", "fastgrad"))]
    if m * p >= _LARGE:
        figures.append(Figure("fastgrad / one reading a step", times.ratio("fastgrad", "reading")))
    return Row(f"{m}×{p}, {n_steps} steps", times.best("fastgrad"), figures, [_READING])
