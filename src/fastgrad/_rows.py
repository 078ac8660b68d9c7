"""The rows of a structured callable, measured a span at a time: here, or by several threads."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

from fastgrad._spans import sweep
from fastgrad._typing import Array, Float64Array, RowLoop, Run

#: Entries of a span: several a thread where threads pay, and little time lost between them; a cache holds them.
TOGETHER = 1 << 18


def row_loop(f: Any, x: Array, h: Float64Array) -> RowLoop | None:
    """Return what measures rows of x, as `RowwiseFunction` has it; None where f can only measure all of x at once."""
    if not hasattr(type(f), "__fastgrad_rows__") or x.ndim == 0 or x.size == 0:
        return None
    loop: RowLoop | None = f.__fastgrad_rows__(x, h)
    return loop


def measure_rows(loop: RowLoop, out: Array, threads: int) -> int:
    """Have all rows of `out` measured, in spans of one size; return the evaluations made.

    Parameters
    ----------
    loop : callable
        Measures rows.
    out : ndarray
        Receives the differences.
    threads : int
        How many may work at once. They start only where more than 1 ms of work are left after the first span.
    """
    together = _rows_together(out)

    def measure(first: int, last: int) -> int:
        return int(loop(first, last, out[first:last]))

    return _sweep(lambda: measure, together, len(out), threads)


def pass_rows(work: RowLoop, x: Array, threads: int) -> int:
    """Have work done for all rows of x, a span at a time, in room that is used again; return the evaluations made.

    Parameters
    ----------
    work : callable
        Is called with the first and the last row of a span, and room for as much as the rows are.
    x : ndarray
        Is read for its shape and dtype alone.
    threads : int
        As for `measure_rows`. Each has room of its own.
    """
    together = _rows_together(x)

    def new_measure() -> Callable[[int, int], int]:
        room = np.empty((min(together, len(x)), *x.shape[1:]), x.dtype)
        return lambda first, last: int(work(first, last, room[: last - first]))

    return _sweep(new_measure, together, len(x), threads)


def _rows_together(x: Array) -> int:
    return max(1, TOGETHER // (x.size // len(x)))


def _sweep(new_measure: Callable[[], Callable[[int, int], int]], together: int, n_rows: int, threads: int) -> int:
    """Have each thread make its own measure, and spans of so many rows measured; return the evaluations made."""
    evaluations: list[int] = []

    def new_run() -> Run:
        measure = new_measure()

        def run(start: int, stop: int, seconds: float) -> int:
            begun = perf_counter()
            while start < stop and (not evaluations or perf_counter() - begun < seconds):
                evaluations.append(measure(start * together, min((start + 1) * together, n_rows)))
                start += 1
            return start

        return run

    sweep(new_run, -(-n_rows // together), None, threads)
    return sum(evaluations)
