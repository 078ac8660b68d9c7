"""Differences of a function that takes stacks of points, in plain NumPy: for each call a fresh stack of copies of x."""

from collections.abc import Callable, Iterator
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._stack_reading import StackReader
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, VectorFunction

__all__ = ["gradient", "jacobian"]


def gradient(
    f: ScalarFunction,
    x: Array,
    h: Float64Array,
    offsets: IndexArray,
    weights: Float64Array,
    widths: Float64Array,
    which: NDArray[np.uint8],
    rows: int,
    out: Array,
    reader: StackReader,
) -> int:
    """Write the differences of the scalar f at x into out, by stacks of points; return the number of calls of f."""
    calls = _Calls(f, x, h, reader, is_scalar=True)
    calls.shape = ()
    stencils = _Stencils(offsets, weights, widths, which)
    _measure(calls, stencils, lambda size: rows, lambda shape: out)
    return calls.made


def jacobian(
    f: VectorFunction,
    x: Array,
    h: Float64Array,
    offsets: IndexArray,
    weights: Float64Array,
    widths: Float64Array,
    which: NDArray[np.uint8],
    rows: int,
    room: int,
    allocate: Callable[[tuple[int, ...]], Array],
    reader: StackReader,
) -> Array:
    """Return the array that allocate gives for the shape of one value of f, filled with f's differences."""
    calls = _Calls(f, x, h, reader, is_scalar=False)
    stencils = _Stencils(offsets, weights, widths, which)
    out = _measure(
        calls, stencils, lambda size: 1 if size is None else max(1, min(rows, room // max(1, size))), allocate
    )
    assert out is not None
    return out


class _Stencils:
    """The offsets, weights and width of each entry."""

    def __init__(
        self, offsets: IndexArray, weights: Float64Array, widths: Float64Array, which: NDArray[np.uint8]
    ) -> None:
        self.offsets, self.weights, self.widths, self.which = offsets, weights, widths, which
        self.has_centre = bool(np.any((offsets == 0) & (weights != 0)))

    def terms(self, i: int) -> list[tuple[int, float]]:
        """Return the offsets of entry i with their weights."""
        w = self.which[i % self.which.size]
        pairs = zip(self.offsets[w].tolist(), self.weights[w].tolist(), strict=True)
        return [(offset, weight) for offset, weight in pairs if weight]

    def points(self, i: int) -> list[int]:
        """Return the offsets at which f is called for entry i."""
        return [offset for offset, _ in self.terms(i) if offset]

    def width(self, i: int) -> float:
        """Return what the weighted sum of entry i is over, in steps."""
        return float(self.widths[self.which[i % self.which.size]])


class _Calls:
    """Calls of f on fresh stacks; `shape` is that of one value, once it is known."""

    def __init__(self, f: Callable[..., Any], x: Array, h: Float64Array, reader: StackReader, *, is_scalar: bool):
        self.f, self.x, self.h, self.reader, self.is_scalar = f, x, h, reader, is_scalar
        self.shape: tuple[int, ...] | None = None
        self.made = 0

    def step(self, i: int) -> float:
        """Return the step of entry i."""
        return float(self.h[i % self.h.size])

    def values(self, points: list[tuple[int, int]]) -> Float64Array:
        """Return f's values at x with entry i moved by an offset, for each such pair; (0, 0) is x itself."""
        stack = np.repeat(self.x[None], len(points), axis=0)
        for row, (i, offset) in zip(stack.reshape(len(points), -1), points, strict=True):
            if offset:
                with np.errstate(over="ignore"):
                    row[i] = row.item(i) + offset * self.step(i)
        place = (*points[0], *points[-1], len(points))
        self.made += 1
        try:
            y = self.f(stack)
        except BaseException as error:
            self.reader.note_stack(error, *place)
            raise
        values = self.reader.values(y, *place, self.shape, self.is_scalar)
        self.shape = values.shape[1:]
        return values


def _measure(
    calls: _Calls,
    stencils: _Stencils,
    rows: Callable[[int | None], int],
    allocate: Callable[[tuple[int, ...]], Array],
) -> Array | None:
    x, due = calls.x, 0
    out: Array | None = None
    centre: Any = None
    if x.size and stencils.has_centre:
        centre = calls.values([(0, 0)])[0].copy()
    start = 0
    while start < x.size:
        size = None if calls.shape is None else int(np.prod(calls.shape))
        stop = next(_ends(stencils, start, x.size, rows(size)))
        if start >= due:
            due = calls.reader.pace(start)
        values = calls.values([(i, offset) for i in range(start, stop) for offset in stencils.points(i)])
        if out is None:
            out = allocate(values.shape[1:])
        columns = out.reshape(values[0].size, x.size)
        at = iter(values)
        for i in range(start, stop):
            with np.errstate(all="ignore"):
                weighted = [w * (centre if offset == 0 else next(at)) for offset, w in stencils.terms(i)]
                total: Any = reduce(add, weighted)
                columns[:, i] = (total / (stencils.width(i) * calls.step(i))).reshape(-1)
        start = stop
    return out


def _ends(stencils: _Stencils, start: int, n: int, rows: int) -> Iterator[int]:
    """Yield where the entries end whose points fit into so many rows: one entry does in any case."""
    used = len(stencils.points(start))
    for i in range(start + 1, n):
        used += len(stencils.points(i))
        if used > rows:
            yield i
    yield n
