"""Looking for entries of f's Jacobian that a claimed pattern forgot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._arrays import whole_number
from fastgrad._errors import ShapeError
from fastgrad._seeds import seed_from
from fastgrad._typing import Array, Float64Array, VectorFunction
from fastgrad.sparsity._caller import PatternCaller
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._makers import as_pattern
from fastgrad.sparsity._pattern import Pattern
from fastgrad.steps import auto

__all__ = ["Verification", "verify"]

#: How many columns are named, and how many steps an entry is moved by to see whether a value depends on it at all.
_NAMED, _FAR = 20, 64.0
#: How many rows may keep their secret before the others are no longer asked.
_UNCLEAR = 8
#: A residual counts from this many times the rounding and truncation that were measured.
_MARGIN = 16.0


@dataclass(frozen=True, eq=False)
class Verification:
    """What was found missing in a pattern; true where nothing was.

    Attributes
    ----------
    pattern : Pattern
        As it was claimed.
    rows, cols : ndarray of intp
        Entries that it lacks, each seen by moving its column alone.
    suspects : ndarray of intp
        Rows at which f did not do what the pattern predicts, and no missing entry was found: because f is too rough or
        too noisy there for a difference, or because the search had ended, with twenty columns named.
    names : tuple of str
        The columns' names as entries of x, in the order of `cols`.
    calls, probes : int
        Calls of f, and dense directions in which it was probed.
    seed : int
        Of the directions.
    """

    pattern: Pattern
    rows: Array
    cols: Array
    suspects: Array
    names: tuple[str, ...]
    calls: int
    probes: int
    seed: int

    @property
    def passed(self) -> bool:
        """Whether no entry is known to be missing."""
        return self.rows.size == 0

    @property
    def corrected(self) -> Pattern:
        """The claimed pattern with the entries that it lacks."""
        return self.pattern | Pattern(self.rows, self.cols, self.pattern.shape)

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        cost = f"{self.probes} dense probe{'' if self.probes == 1 else 's'}, {self.calls} calls of f"
        if self.passed:
            lines = [f"nothing is known to be missing in {self.pattern!r} ({cost})"]
        else:
            lines = [f"{self.rows.size} entries are missing in {self.pattern!r} ({cost})"]
            lines += [
                f"  value {i} depends on {name}: entry ({i}, {j})"
                for i, j, name in list(zip(self.rows, self.cols, self.names, strict=True))[:10]
            ]
        if self.suspects.size:
            lines.append(
                f"  {self.suspects.size} rows that do not follow the pattern could not be judged, row "
                f"{self.suspects[0]} first"
            )
        return "\n".join(lines)


def verify(
    f: VectorFunction,
    x: Any,
    pattern: Any,
    *,
    probes: int = 3,
    rng: Any = 0,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Verification:
    """Look for entries of f's Jacobian that a pattern forgot, and name them.

    The Jacobian is measured as the pattern allows, two calls a colour. What it predicts along random dense directions
    is held against differences along them, four calls each: an entry that the pattern lacks spoils the prediction of
    its row. There entries outside the pattern are moved, in halves, until one is left that moves a value that it should
    not; and all is done again with what was found. An entry that is zero at x, or tiny beside the others of its row,
    cannot be seen.

    Parameters
    ----------
    f, x : callable and array_like
        As `numerical_jacobian` takes them.
    pattern : Pattern or Coloring of columns, or what `as_pattern` takes
        The claim.
    probes : int
        How many random directions are tried.
    rng : int, numpy.random.Generator or None
        Where they come from; None draws a fresh seed. The result tells the seed.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    Verification

    Raises
    ------
    ShapeError
        If the pattern's shape is not (values of f, entries of x).
    ValueError
        If a colouring is not one of columns, or probes is negative.
    TypeError
        If x or f's values are no arrays of real numbers, or probes is no integer.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad import sparsity
    >>> found = sparsity.verify(lambda x: x**2 + x[::-1], np.ones(4), sparsity.banded(4))
    >>> print(found)
    2 entries are missing in Pattern(4 x 4, 10 entries) (4 dense probes, 39 calls of f)
      value 0 depends on x[3]: entry (0, 3)
      value 3 depends on x[0]: entry (3, 0)
    >>> found.corrected.nnz
    12
    """
    probes = whole_number(probes, "probes")
    if probes < 0:
        raise ValueError(f"probes must not be negative; got {probes}.")
    caller = PatternCaller(f, x, args, kwargs)
    base = caller(caller.line)
    coloring = _claim(pattern, (caller.m, caller.n))
    claimed = coloring.pattern
    seed = seed_from(rng)
    search = _Search(caller, base, probes, np.random.default_rng(seed))
    while search.goes_on(coloring):
        coloring = color(coloring.pattern | Pattern(search.rows, search.cols, claimed.shape))
    order = np.lexsort((search.cols, search.rows))
    rows, cols = search.rows[order], search.cols[order]
    names = tuple(caller.point.name(int(j)) for j in cols)
    return Verification(claimed, rows, cols, search.suspects, names, caller.calls, search.probed, seed)


def _claim(pattern: Any, shape: tuple[int, int]) -> Coloring:
    """Return what is claimed as a colouring of columns."""
    if isinstance(pattern, Coloring):
        coloring = pattern
    else:
        coloring = color(as_pattern(pattern, shape if callable(pattern) else None))
    if coloring.partition != "columns":
        raise ValueError(f"a pattern is verified by a colouring of columns; got one of {coloring.partition!r}.")
    if coloring.pattern.shape != shape:
        raise ShapeError(
            f"f has {shape[0]} values and x has {shape[1]} entries, so that the pattern must have the shape {shape}; "
            f"got {coloring.pattern.shape}."
        )
    return coloring


class _Search:
    """Look for missing entries, a round with each pattern: what was found in one is in the pattern of the next."""

    def __init__(self, caller: PatternCaller, base: Float64Array, probes: int, rng: np.random.Generator) -> None:
        self.rows = self.cols = self.suspects = np.empty(0, np.intp)
        self.probed = 0
        self._caller, self._base, self._probes, self._rng = caller, base, probes, rng
        self._h = auto(caller.line)

    def goes_on(self, coloring: Coloring) -> bool:
        """Tell whether entries were found, so that the pattern with them is to be looked at as well."""
        differences, noise = _by_color(self._caller, coloring, self._h)
        bad = self.suspects = np.empty(0, np.intp)
        for _ in range(self._probes):
            direction = self._rng.uniform(0.5, 1, self._caller.n) * self._rng.choice([-1, 1], self._caller.n)
            bad, self.probed = _spoiled(self._caller, coloring, direction, self._h, differences, noise), self.probed + 1
            if bad.size:
                break
        rows, cols, self.suspects = _name(self._caller, coloring.pattern, self._base, self._h, bad)
        self.rows, self.cols = np.concatenate([self.rows, rows]), np.concatenate([self.cols, cols])
        return rows.size > 0 and np.unique(self.cols).size < _NAMED


def _by_color(caller: PatternCaller, coloring: Coloring, h: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return f(x + h_j e_j) - f(x - h_j e_j) at each entry (i, j), in the order of `csr`, and each row's rounding.

    A value can be much smaller than the terms that it is formed of; how it answers to x tells how large these are.
    """
    rows, cols = coloring.pattern.rows, coloring.pattern.cols
    differences = np.zeros(coloring.pattern.nnz)
    largest = np.zeros(caller.m)
    of_color = np.argsort(coloring.column_colors[cols], kind="stable")
    starts = np.searchsorted(coloring.column_colors[cols][of_color], np.arange(coloring.n_column_colors + 1))
    for k in range(coloring.n_column_colors):
        step = np.where(coloring.column_colors == k, h, 0.0)
        plus, minus = _both_sides(caller, step)
        entries = of_color[starts[k] : starts[k + 1]]
        differences[entries] = (plus - minus)[rows[entries]]
        np.maximum(largest, np.maximum(np.abs(plus), np.abs(minus)), out=largest)
    terms = np.bincount(rows, np.abs(differences / (2 * h[cols]) * caller.line[cols]), minlength=caller.m)
    scale = (coloring.pattern.row_counts + 2.0) * (largest + terms)
    return differences, np.finfo(caller.line.dtype).eps * scale


def _both_sides(caller: PatternCaller, step: Array) -> tuple[Float64Array, Float64Array]:
    x = caller.line
    return caller((x + step).astype(x.dtype)), caller((x - step).astype(x.dtype))


def _spoiled(
    caller: PatternCaller,
    coloring: Coloring,
    direction: Float64Array,
    h: Float64Array,
    differences: Float64Array,
    noise: Float64Array,
) -> Array:
    """Return the rows whose difference along a direction is not what their entries predict, the worst first."""
    rows, cols = coloring.pattern.rows, coloring.pattern.cols
    predicted = np.bincount(rows, differences * direction[cols], minlength=caller.m)
    with np.errstate(all="ignore"):
        plus, minus = _both_sides(caller, h * direction)
        far_plus, far_minus = _both_sides(caller, 2 * h * direction)
        measured = plus - minus
        truncation = np.abs((far_plus - far_minus) / 2 - measured)
        excess = np.abs(measured - predicted) / (noise + truncation)
        bad = np.flatnonzero(excess > _MARGIN)
        return np.asarray(bad[np.argsort(-excess[bad], kind="stable")])


def _name(
    caller: PatternCaller, pattern: Pattern, base: Float64Array, h: Float64Array, bad: Array
) -> tuple[Array, Array, Array]:
    """Return the entries that are missing, by rows and columns, and the bad rows that none of them explains."""
    moved = (caller.line + _FAR * h).astype(caller.line.dtype)
    rounding = _MARGIN * np.finfo(caller.line.dtype).eps

    def changed(cols: Array) -> Array:
        line = caller.line.copy()
        line[cols] = moved[cols]
        values = caller(line)
        return np.asarray(np.abs(values - base) > rounding * np.maximum(np.abs(values), np.abs(base)))

    found: dict[int, Array] = {}
    unclear: list[int] = []
    left = list(bad)
    while left and len(found) < _NAMED and len(unclear) < _UNCLEAR:
        row = int(left.pop(0))
        column = _culprit(row, pattern, changed)
        if column is None or column in found:
            unclear.append(row)
            continue
        lacking = np.flatnonzero(changed(np.array([column])))
        starts, rows = pattern.csc
        found[column] = np.setdiff1d(lacking, rows[starts[column] : starts[column + 1]])
        explained = set(found[column].tolist())
        left = [i for i in left if i not in explained]
    rows = np.concatenate([np.empty(0, np.intp), *found.values()])
    cols = np.repeat(np.array(list(found), dtype=np.intp), [len(part) for part in found.values()])
    return rows, cols, np.array([*unclear, *left], dtype=np.intp)


def _culprit(row: int, pattern: Pattern, changed: Any) -> int | None:
    """Return a column outside the pattern of a row that moves its value, by halving; None where none is seen to."""
    starts, cols = pattern.csr
    outside = np.setdiff1d(np.arange(pattern.shape[1]), cols[starts[row] : starts[row + 1]])
    if outside.size == 0 or not changed(outside)[row]:
        return None
    while outside.size > 1:
        half = outside[: outside.size // 2]
        outside = half if changed(half)[row] else outside[outside.size // 2 :]
    return int(outside[0]) if changed(outside)[row] else None
