"""Many rows looked at in passing: each is read once, all is done with it that there is to do, and nothing is kept."""

import numpy as np

from fastgrad import _backend
from fastgrad._judge.shown import KEYS, Plain, Questions
from fastgrad._judge.shown_by_rows import ShownByRows
from fastgrad._judge.summary import Summary, put_together, summarise
from fastgrad._judge.verdict import Case
from fastgrad._rows import row_loop
from fastgrad._typing import Array, IndexArray, RowLoop

#: Bytes of x above which it pays: what is moved and measured would not stay in a cache beside x.
MANY = 1 << 22


def in_passing(case: Case, x: Array, plain: Plain, asked: Questions) -> "Passing | None":
    """Return what looks at rows in passing; None where they are few or some alone, or f has no forward by rows."""
    if case.where is not None or x.nbytes <= MANY or case.is_pictured:
        return None
    if not hasattr(type(case.f), "__fastgrad_forward__"):
        return None
    forward, loop = case.f.__fastgrad_forward__(), row_loop(case.f, x, case.h)
    if forward is None or loop is None:
        return None
    return Passing(case, loop, ShownByRows(plain, forward, x, asked), x, asked.entries)


class Passing:
    """What is seen of rows while they are in the cache: f is asked of them, they are measured, and compared.

    Threads may look at different spans at once; the spans are put together in their order.

    Attributes
    ----------
    shown : ShownByRows
        What f shows.
    chosen : ndarray
        What was measured at the entries that f is asked of.
    """

    def __init__(self, case: Case, loop: RowLoop, shown: ShownByRows, x: Array, entries: IndexArray) -> None:
        self.shown = shown
        self.chosen = np.empty(len(entries), x.dtype)
        self._loop = loop
        self._case = case
        self._claimed = case.claimed
        self._width = x.size // len(x)
        self._entries = entries.tolist()
        self._seen: dict[int, tuple[Summary, tuple[float, float]]] = {}

    def see(self, first: int, last: int, room: Array) -> int:
        """Look at rows first to last in room of their size; return the evaluations made by the loop."""
        self.shown.see(first, last, room)
        evaluations = self._loop(first, last, room)
        start, stop, flat, case = first * self._width, last * self._width, room.reshape(-1), self._case
        summary = summarise(self._claimed[start:stop], case.comparable(flat), case.atol, case.rtol)
        self._seen[start] = summary, _backend.projection.inner(flat, start, *KEYS)
        for k, i in enumerate(self._entries):
            if start <= i < stop:
                self.chosen[k] = flat[i - start]
        return evaluations

    def summary(self) -> Summary:
        """Return the summary of all spans."""
        return put_together((start, seen) for start, (seen, _) in sorted(self._seen.items()))

    def projections(self) -> tuple[float, float]:
        """Return the inner products of all that was measured with the two directions."""
        along = [seen for _, (_, seen) in sorted(self._seen.items())]
        return sum(one for one, _ in along), sum(other for _, other in along)
