"""A look for entries that a pattern forgot, by one difference along a dense direction."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._color_reader import ColorReader
from fastgrad._compression import Compression
from fastgrad._errors import PatternError
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan
from fastgrad._typing import Array, Float64Array, VectorFunction
from fastgrad.sparsity._verification import verify

#: A row is looked at more closely when it is off by this share of what its entries do, and so many roundings.
SHARE, ROUNDINGS = 1e-3, 16.0
#: How many entries are named in an error.
_NAMED = 5
#: So many rows are compared at a time: temporaries as large as x would take longer than the calls of f.
_AT_A_TIME = 1 << 14


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
    pattern = by.coloring.pattern
    sides = list(_directions(point, plan, np.random.default_rng(0)))
    moves = np.subtract(*sides, dtype=np.float64)
    after = called(point, sides.pop(0), 1)  # popped: what f is called with is not to be held longer than f holds it
    before = called(point, sides.pop(), -1)
    predicted, size = np.empty((2, pattern.shape[0]))
    _backend.entries.product(*pattern.csc, by.form.targets, data, moves, predicted, size)
    if not _astray(after, before, predicted, size, pattern.row_counts, float(np.finfo(point.array.dtype).eps)):
        return 2
    found = verify(_within(f, point, plan), point, pattern)
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
        values = self._reader.array(y, -1, sign, self._reader.seen)
        return values.reshape(-1).copy()


def _astray(after: Array, before: Array, predicted: Array, size: Array, counts: Array, eps: float) -> bool:
    """Tell whether a row changed by other than predicted, beyond its share and roundings."""
    with np.errstate(all="ignore"):
        for k in range(0, len(after), _AT_A_TIME):
            s = slice(k, k + _AT_A_TIME)
            roundings = ROUNDINGS * eps * (4 + counts[s]) * np.maximum(np.abs(after[s]), np.abs(before[s]))
            if np.any(np.abs(after[s] - before[s] - predicted[s]) > roundings + SHARE * size[s]):
                return True
    return False


def _directions(point: Point, plan: Plan, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return two points around x that keep to the sides and steps of a plan."""
    x = point.array.reshape(-1)
    move = rng.uniform(-0.5, 0.5, x.size)
    for k in range(0, x.size, _AT_A_TIME):
        some = move[k : k + _AT_A_TIME]
        some += np.copysign(0.5, some)
    move *= plan.h
    ways = [0 if min(s.offsets) < 0 < max(s.offsets) else max(s.offsets, key=abs) for s in plan.stencils]
    if not any(ways):
        return (x + move).astype(x.dtype, copy=False), (x - move).astype(x.dtype, copy=False)
    way = np.sign(ways)[plan.which]
    up = np.where(way == 0, move, way * np.abs(move))
    return (x + up).astype(x.dtype), (x - np.where(way == 0, move, 0.0)).astype(x.dtype)


def _within(f: VectorFunction, point: Point, plan: Plan) -> VectorFunction:
    """Return f with its argument kept within the bounds."""
    if plan.limits is None:
        return f
    lower, upper = (bound.reshape(point.array.shape) for bound in plan.limits)
    if point.tree is None:
        return lambda x: f(np.clip(x, lower, upper).astype(x.dtype))
    tree = point.tree
    return lambda x: f(tree.unflatten(np.clip(tree.spread(x, "x"), lower, upper).astype(point.array.dtype)))
