"""Finding the sparsity pattern of f's Jacobian by asking f."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from fastgrad._arrays import whole_number
from fastgrad._point import as_point
from fastgrad._runs import in_runs
from fastgrad._seeds import seed_from
from fastgrad._typing import Array, Float64Array, VectorFunction
from fastgrad.sparsity._caller import PatternCaller
from fastgrad.sparsity._greedy import fewest
from fastgrad.sparsity._pattern import Pattern, from_csc

__all__ = ["Detection", "detect"]

#: How far a probe moves an entry, and how far other points lie from x, both relative to max(1, |x_i|).
_MOVE, _SPREAD = 2.0**-7, 2.0**-2

Flags = tuple[Array, Array]


@dataclass(frozen=True, eq=False)
class Detection:
    """A pattern found by asking f, how sure it is, and what it cost.

    Attributes
    ----------
    pattern : Pattern
        Shape (m, n), in the order of f's values and x's entries in a line.
    sure : {"structural", "sampled"}
        Structural: all that moved f's values also carried NaN, so that no branch is known to have hidden anything.
        Sampled: NaN was swallowed (by where, comparisons, nansum), or could not be used, so that the pattern is that of
        the points asked at; entries of branches taken elsewhere may be missing.
    calls : int
        Of f.
    points : int
        At how many points f's values were watched.
    nan_only, values_only : int
        Entries that only NaN showed (they are zero, or too small to be seen, at these points), and entries at which NaN
        was swallowed.
    notes : tuple of str
        Sentences on what did not go smoothly.
    seed : int
        Of the random moves and points.
    """

    pattern: Pattern
    sure: Literal["structural", "sampled"]
    calls: int
    points: int
    nan_only: int
    values_only: int
    notes: tuple[str, ...]
    seed: int

    def __str__(self) -> str:
        lines = [f"{self.pattern!r}, {self.sure}, {self.calls} calls of f at {self.points} points"]
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])


def detect(
    f: VectorFunction,
    x: Any,
    *,
    points: int | Sequence[Any] = 3,
    nan: bool = True,
    rng: Any = 0,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Detection:
    """Return which entries of f's Jacobian may be other than zero, found by asking f.

    Some of x's entries are set to NaN: what becomes NaN depends on them. The same entries are also moved at random, to
    see what NaN did not show because f swallowed it. Groups of entries are halved until each is alone. Groups without
    a common value are asked about in one call, so that the cost is about 2·log₂(n) times the colours of the pattern,
    times one more than there are points: for a pattern with few entries in a row a small part of n. What an f hides
    from both, because it takes a branch that depends on x, cannot be seen at these points.

    Parameters
    ----------
    f : callable
        As `numerical_jacobian` takes it; it must be deterministic for its values to be watched.
    x : array_like or tree of arrays
        The point.
    points : int or sequence of points like x
        How many points to watch f's values at, x itself and random ones around it; or the points besides x. One at
        which f raises is left out.
    nan : bool
        Whether f may be called with NaN. Where it raises then, its values alone are watched.
    rng : int, numpy.random.Generator or None
        Where random moves and points come from; None draws a fresh seed. The result tells the seed.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    Detection

    Raises
    ------
    ValueError
        If f has NaN at x already, or is not deterministic and cannot be asked with NaN either.
    TypeError, ShapeError
        If x or f's values are no arrays of real numbers.

    References
    ----------
    A. Griewank and C. Mitev, Detecting Jacobian sparsity patterns by Bayesian probing, Mathematical Programming 93
    (2002), 1-25, for the probing of groups.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import sparsity
    >>> found = sparsity.detect(lambda x: np.where(x > 0, x**2, 0) + np.roll(x, 1), np.ones(4))
    >>> found.pattern.toarray().astype(int)
    array([[1, 0, 0, 1],
           [1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]])
    >>> found.sure, found.values_only
    ('sampled', 4)
    """
    caller = PatternCaller(f, x, args, kwargs)
    seed = seed_from(rng)
    with np.errstate(all="ignore"):
        probes = _Probes(caller, points, nan, np.random.default_rng(seed))
        starts, rows, by_nan, by_value = _halve(probes)
    pattern = from_csc(starts, rows, caller.m)
    swallowed = int(np.count_nonzero(by_value & ~by_nan))
    sure: Literal["structural", "sampled"] = "structural" if probes.nan and not swallowed else "sampled"
    notes = list(probes.notes)
    if swallowed and probes.nan:
        notes.append(f"NaN was swallowed at {swallowed} entries, which random moves showed.")
    hidden = int(np.count_nonzero(by_nan & ~by_value))
    return Detection(pattern, sure, caller.calls, len(probes.watched), hidden, swallowed, tuple(notes), seed)


class _Probes:
    """Ask f what depends on a set of entries."""

    def __init__(self, caller: PatternCaller, points: int | Sequence[Any], nan: bool, rng: np.random.Generator) -> None:
        self.caller, self.nan = caller, nan
        self.notes: list[str] = []
        x = caller.line
        self.base = caller(x)
        if np.isnan(self.base).any():
            k = int(np.argmax(np.isnan(self.base)))
            raise ValueError(f"f has NaN at x in value {k}, so that nothing can be seen there; give another x.")
        #: The points at which values are watched: where, the values there, and where each entry is moved to.
        self.watched: list[tuple[Array, Float64Array, Array]] = []
        if not np.array_equal(caller(x), self.base):
            self.notes.append("f is not deterministic, so that its values could not be watched.")
            if not nan:
                raise ValueError("f is not deterministic: what its values depend on can be seen with nan=True only.")
            return
        for point in self._others(points, rng):
            self._watch(point, rng)

    def _others(self, points: int | Sequence[Any], rng: np.random.Generator) -> list[Array]:
        x = self.caller.line
        if isinstance(points, Iterable) and not isinstance(points, str) and getattr(points, "ndim", True):
            given = [as_point(point).array.reshape(-1).astype(x.dtype) for point in points]
            for point in given:
                if point.shape != x.shape:
                    raise ValueError(f"a point has {point.size} entries; x has {x.size}.")
            return [x, *given]
        count = whole_number(points, "points, where they are not given themselves,")
        if count < 1:
            raise ValueError(f"f is watched at one point at least; got points = {count}.")
        size = np.maximum(1.0, np.abs(x))
        return [x, *(x + (_SPREAD * size * rng.uniform(-1, 1, x.size)).astype(x.dtype) for _ in range(count - 1))]

    def _watch(self, point: Array, rng: np.random.Generator) -> None:
        move = (
            _MOVE * np.maximum(1.0, np.abs(point)) * rng.uniform(0.5, 1, point.size) * rng.choice([-1, 1], point.size)
        )
        moved = (point + move).astype(point.dtype)
        if point is self.caller.line:
            self.watched.append((point, self.base, moved))
            return
        try:
            self.watched.append((point, self.caller(point), moved))
        except Exception as error:
            self.notes.append(f"f raised {type(error).__name__} at a random point, which was left out.")

    def __call__(self, entries: Array) -> Flags:
        """Return which values become NaN, and which change, when these entries do."""
        return self._carry_nan(entries), self._change(entries)

    def _carry_nan(self, entries: Array) -> Array:
        if self.nan:
            line = self.caller.line.copy()
            line[entries] = np.nan
            try:
                return np.asarray(np.isnan(self.caller(line)))
            except Exception as error:
                self.nan = False
                self.notes.append(
                    f"f raised {type(error).__name__} when called with NaN, so it was asked by moves only."
                )
                if not self.watched:
                    raise
        return np.zeros(self.base.size, bool)

    def _change(self, entries: Array) -> Array:
        changed = np.zeros(self.base.size, bool)
        for watched in list(self.watched):
            point, values, moved = watched
            line = point.copy()
            line[entries] = moved[entries]
            try:
                now = self.caller(line)
            except Exception as error:
                if point is self.caller.line:
                    raise
                self.watched.remove(watched)
                self.notes.append(f"f raised {type(error).__name__} near a random point, which was left out.")
                continue
            changed |= (now != values) & ~(np.isnan(now) & np.isnan(values))
        return changed


def _halve(probes: _Probes) -> tuple[Array, Array, Array, Array]:
    """Return the pattern by columns, and of each entry whether NaN and whether moves showed it."""
    n = probes.caller.n
    bounds = np.array([0, n]) if n else np.zeros(1, np.intp)
    flags = probes(np.arange(n)) if n else (np.zeros(probes.base.size, bool),) * 2
    rows = np.flatnonzero(flags[0] | flags[1])
    starts = np.array([0, len(rows)]) if n else np.zeros(1, np.intp)
    shown = flags[0][rows], flags[1][rows]
    while np.any(np.diff(bounds) > 1):
        bounds, starts, rows, shown = _split(probes, bounds, starts, rows, shown)
    return starts, rows, *shown


def _split(
    probes: _Probes, bounds: Array, starts: Array, rows: Array, shown: Flags
) -> tuple[Array, Array, Array, Flags]:
    """Halve each group of entries, and ask which of a group's values depend on either half.

    bounds (k + 1,): the groups; starts (k + 1,), rows (entries,): the values that depend on each; shown: by what.
    """
    sizes = np.diff(bounds)
    whole = np.repeat(sizes < 2, np.diff(starts))
    colors, count = fewest(from_csc(starts, rows, probes.base.size))
    group_of_entry = np.repeat(np.arange(len(sizes)), np.diff(starts))
    middle = bounds[:-1] + (sizes + 1) // 2
    halves = [(bounds[:-1], middle), (middle, bounds[1:])]
    kept: list[list[Array]] = [[], [], [], []]
    for color in range(count):
        of_color = colors[group_of_entry] == color
        alone = np.flatnonzero(of_color & whole)
        _keep(kept, 2 * group_of_entry[alone], rows[alone], shown[0][alone], shown[1][alone])
        asked = np.flatnonzero(of_color & ~whole)
        if asked.size == 0:
            continue
        chosen = (colors == color) & (sizes > 1)
        for side, (first, last) in enumerate(halves):
            by_nan, by_value = probes(in_runs(first[chosen], (last - first)[chosen]))
            hit = asked[(by_nan | by_value)[rows[asked]]]
            _keep(kept, 2 * group_of_entry[hit] + side, rows[hit], by_nan[rows[hit]], by_value[rows[hit]])
    return _rebuilt(bounds, middle, *(np.concatenate([np.empty(0, np.intp), *part]) for part in kept))


def _keep(kept: list[list[Array]], *parts: Array) -> None:
    for collected, part in zip(kept, parts, strict=True):
        collected.append(part)


def _rebuilt(
    bounds: Array, middle: Array, half: Array, rows: Array, by_nan: Array, by_value: Array
) -> tuple[Array, Array, Array, Flags]:
    """Return the groups of the next level, without the empty halves of those that were single entries."""
    edges = np.stack([bounds[:-1], middle], axis=1).reshape(-1)
    ends = np.append(edges[1:], bounds[-1])
    exists = ends > edges
    number = np.cumsum(exists) - 1
    group = number[half]
    order = np.lexsort((rows, group))
    starts = np.concatenate([[0], np.cumsum(np.bincount(group, minlength=int(exists.sum())))])
    flags = by_nan[order].astype(bool), by_value[order].astype(bool)
    return np.append(edges[exists], bounds[-1]), starts, rows[order], flags
