"""A look for entries that a pattern forgot, by one difference along a dense direction."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._colored.compression import Compression
from fastgrad._colored.reader import ColorReader
from fastgrad._errors import PatternError
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array, Float64Array, VectorFunction
from fastgrad.sparsity._verification import verify

#: A row is off, and is looked at more closely, from this share of what its entries do, and so many roundings.
SHARE, ROUNDINGS = 1e-3, 16.0
#: How many entries are named in an error.
_NAMED = 5
#: Which random direction is taken: any would do, and the same call has the same bits.
_KEY = 1
#: No step is held against the size of its entry; that direction; from the first entry on.
_ALL_OF_IT = (0.0, _KEY, 0)


def refuse_missing(
    f: VectorFunction, point: Point, plan: Plan, by: Compression, data: Array, reader: ColorReader
) -> int:
    """Raise an error if the pattern lacks entries; else return the calls of f that it took to see, usually two.

    f takes what x is. The change of f along a random direction is held against what the sparse Jacobian makes of it.
    Where a row does not fit, `fastgrad.sparsity.verify` looks which column moves it, and has the last word.

    Raises
    ------
    PatternError
        If entries are missing; the error names them.
    """
    called = _Called(point.of_array(f), reader)
    ways = _ways(plan)
    after = called(point, _side(point, plan, ways, 1), 1).copy()  # f may write its next values there
    before = called(point, _side(point, plan, ways, -1), -1)
    moves = _moves(point, plan, ways)
    form = by.form
    sums = np.empty((3, 0 if form.by_rows else len(after)))
    rounding = ROUNDINGS * float(np.finfo(point.array.dtype).eps)
    starts, indices = form.lines
    row = _backend.entries.unexplained(starts, indices, form.by_rows, data, moves, after, before, rounding, SHARE, sums)
    if row < 0:
        return 2
    found = verify(_within(f, point, plan), point, by.coloring.pattern)
    if found:
        return 2 + found.calls
    named = [
        f"value {i} depends on {name}: entry ({i}, {j})"
        for i, j, name in zip(found.rows[:_NAMED], found.cols[:_NAMED], found.names, strict=False)
    ]
    more = f"; and {found.rows.size - _NAMED} more" if found.rows.size > _NAMED else ""
    raise PatternError(
        f"sparsity lacks {found.rows.size} {'entry' if found.rows.size == 1 else 'entries'}"
        f"{' or more' if found.suspects.size else ''} that the derivative has, so that others would be wrong: "
        f"{'; '.join(named)}{more}. fastgrad.sparsity.verify(f, x, pattern).corrected has them; verify=False measures "
        f"by the pattern as it is."
    )


class _Called:
    def __init__(self, f: Callable[[Array], Any], reader: ColorReader) -> None:
        self._f, self._reader = f, reader

    def __call__(self, point: Point, line: Array, sign: int) -> Float64Array:
        try:
            y = self._f(line.reshape(point.array.shape))
        except BaseException as error:
            if hasattr(error, "add_note"):
                error.add_note(
                    "fastgrad: f raised this when all entries of x were moved by their steps, to see what "
                    "the pattern lacks; verify=False leaves this out."
                )
            raise
        return self._reader.array(y, -1, sign, self._reader.seen).reshape(-1)


def _moves(point: Point, plan: Plan, ways: Array | None) -> Float64Array:
    """Return how far each entry is from one side to the other, as rounded; flat."""
    x = point.array.reshape(-1)
    if ways is not None:
        with np.errstate(invalid="ignore"):
            return _side(point, plan, ways, 1).astype(np.float64) - _side(point, plan, ways, -1)
    moves = np.empty(x.size)
    _backend.masks.apart(x, plan.h, *_ALL_OF_IT, x.size, 1.0, 0.0, 1.0, moves)
    return moves


def _side(point: Point, plan: Plan, ways: Array | None, sign: int) -> Array:
    """Return x moved along a random direction, or against it, by half to all of each step; flat.

    An entry whose stencil keeps to one side is moved to that side by both signs or, where sign is -1, stays.
    """
    x = point.array.reshape(-1)
    moved = np.empty_like(x)
    _backend.masks.move(x, plan.h, *_ALL_OF_IT, x.size, 1.0, 0.0, float(sign), moved)
    if ways is None:
        return moved
    way = ways[plan.which]
    with np.errstate(invalid="ignore"):
        aside = x + way * np.abs(moved - x) if sign > 0 else x
    return np.where(way == 0, moved, aside).astype(x.dtype, copy=False)


def _ways(plan: Plan) -> Array | None:
    """Return to which side each stencil keeps, 0 for both sides; None where all take both."""
    ways = [0 if min(s.offsets) < 0 < max(s.offsets) else max(s.offsets, key=abs) for s in plan.stencils]
    return np.sign(ways) if any(ways) else None


def _within(f: VectorFunction, point: Point, plan: Plan) -> VectorFunction:
    """Return f with its argument kept within the bounds."""
    if plan.limits is None:
        return f
    lower, upper = (bound.reshape(point.array.shape) for bound in plan.limits)
    if point.tree is None:
        return lambda x: f(np.clip(x, lower, upper).astype(x.dtype))
    tree = point.tree
    return lambda x: f(tree.unflatten(np.clip(tree.spread(x, "x"), lower, upper).astype(point.array.dtype)))
