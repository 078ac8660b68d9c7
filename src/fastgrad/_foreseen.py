"""Loops whose calls of f do not depend on its values: gone through once to see the calls, and again with the values."""

from array import array
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastgrad import _workers
from fastgrad._arrays import number_array
from fastgrad._containers import is_container
from fastgrad._errors import not_so_long, not_stacked
from fastgrad._point import Point, as_point, bound
from fastgrad._reading import describe
from fastgrad._stacks import Stacked, rows
from fastgrad._typing import Array


class Moves:
    """The points at which f is called: for each the entries in which it differs from x, and what they are there."""

    def __init__(self, x: Array) -> None:
        self._x = x.reshape(-1).copy()
        self._bits = self._x.view(f"u{x.itemsize}")
        self._ends, self._entries, self._values = array("q", [0]), array("q"), array("d")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def note(self, x: Array) -> None:
        """Take note of a point."""
        line = np.ascontiguousarray(x).reshape(-1)
        moved = np.flatnonzero(line.view(self._bits.dtype) != self._bits)
        self._entries.extend(moved.tolist())
        self._values.extend(line[moved].tolist())
        self._ends.append(len(self._entries))

    def put(self, k: int, line: Array) -> None:
        """Move the entries of a line, which is x, to where they are at point k."""
        some = slice(self._ends[k], self._ends[k + 1])
        line[np.array(self._entries[some], np.intp)] = self._values[some]


class SpanValues:
    """f at spans of the points: what workers are sent, once."""

    def __init__(self, f: Callable[..., Any], args: Any, kwargs: Any, point: Point, moves: Moves, stacks: bool) -> None:
        self._f, self._args, self._kwargs = f, args, kwargs
        self._x, self._moves, self._stacks = point.shown(point.array), moves, stacks

    def __call__(self, span: tuple[int, int]) -> list[Any]:
        """Return f's values at the points of a span; where f raised, its error is the last."""
        point = as_point(self._x, read=number_array)
        f = bound(self._f, self._args, self._kwargs)
        if self._stacks:
            return self._in_stacks(Stacked(f, point), point, span)
        f, found = point.of_array(f), []
        for k in range(*span):
            x = point.array.copy()
            self._moves.put(k, x.reshape(-1))
            try:
                found.append(_own(f(x)))
            except Exception as error:
                return [*found, _Raised(error)]
        return found

    def _in_stacks(self, f: Stacked, point: Point, span: tuple[int, int]) -> list[Any]:
        found: list[Any] = []
        height = rows(point)
        for start in range(*span, height):
            stop = min(start + height, span[1])
            stack = np.repeat(point.array[None], stop - start, axis=0)
            for line, k in zip(stack.reshape(stop - start, -1), range(start, stop), strict=True):
                self._moves.put(k, line)
            try:
                values = _own(f(stack))
            except Exception as error:
                return [*found, _Raised(error)]
            if not (hasattr(values, "__len__") and len(values) == stop - start):
                count = stop - start
                where = "a stack of one point" if count == 1 else f"a stack of {count} points"
                return [*found, _Raised(not_stacked(where, describe(values), not_so_long(count)))]
            found.extend(values)
        return found


def _own(y: Any) -> Any:
    """Return a value that stays as it is: f may fill and return one and the same array at every call."""
    if isinstance(y, np.ndarray):
        return y.copy()
    if not is_container(y):
        return y
    from copy import deepcopy  # loaded when needed: values are arrays and numbers, as a rule

    return deepcopy(y)


class _Raised:
    """What f raised, in the place of its value."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def foreseen(
    loop: Callable[[Callable[[Array], Any]], Any],
    like: Any,
    f: Callable[..., Any],
    point: Point,
    workers: Any,
    args: Any,
    kwargs: Any,
    *,
    vectorized: bool,
) -> Any:
    """Return what a loop over calls of f returns, with the calls made by workers, or in stacks.

    Parameters
    ----------
    loop : callable
        Is called with a function in f's place, twice: what it does with its values must not decide where it goes on.
    like : float or ndarray
        What f returns the first time.
    f, args, kwargs, point, workers
        As a verb has them.
    vectorized : bool
        Whether f takes stacks.
    """
    moves = Moves(point.array)

    def seen(x: Array) -> Any:
        moves.note(x)
        return like

    with np.errstate(all="ignore"):
        loop(seen)
    of_span = SpanValues(f, args, kwargs, point, moves, vectorized)
    results = _values(of_span, _workers.spans(len(moves), workers), workers)

    def known(x: Array) -> Any:
        value = next(results)
        if isinstance(value, _Raised):
            raise value.error
        return value

    return loop(known)


def _values(of_span: SpanValues, spans: list[tuple[int, int]], workers: Any) -> Iterator[Any]:
    for found in _workers.in_order(of_span, spans, workers):
        yield from found
