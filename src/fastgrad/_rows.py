"""The rows of a structured callable, measured a span at a time: here, or by several threads."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from fastgrad._spans import sweep
from fastgrad._typing import Array, Float64Array, RowLoop

#: Entries of a span: several a thread where threads pay, and little time lost between them.
TOGETHER = 1 << 18


def row_loop(f: Any, x: Array, h: Float64Array) -> RowLoop | None:
    """Return what measures rows of x, as `RowwiseFunction` has it; None where f can only measure all of x at once."""
    if not hasattr(type(f), "__fastgrad_rows__") or x.ndim == 0 or x.size == 0:
        return None
    loop: RowLoop | None = f.__fastgrad_rows__(x, h)
    return loop


def measure_rows(loop: RowLoop, out: Array, threads: int, look: Callable[[int, int], None] | None = None) -> int:
    """Have all rows of `out` measured, in spans of one size; return the evaluations made.

    Parameters
    ----------
    loop : callable
        Measures rows.
    out : ndarray
        Receives the differences.
    threads : int
        How many may work at once. They start only where more than 1 ms of work are left after the first span.
    look : callable, optional
        Told of each span, by its first and its last row, as soon as it is measured, by the thread that measured it.
    """
    together = max(1, TOGETHER // (out.size // len(out)))
    evaluations: list[int] = []

    def run(start: int, stop: int, seconds: float) -> int:
        begun = perf_counter()
        while start < stop and (not evaluations or perf_counter() - begun < seconds):
            first, last = start * together, min((start + 1) * together, len(out))
            evaluations.append(int(loop(first, last, out[first:last])))
            if look is not None:
                look(first, last)
            start += 1
        return start

    spans = -(-len(out) // together)
    sweep(lambda: run, spans, None, threads)
    return sum(evaluations)
