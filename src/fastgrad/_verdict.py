"""From the entries of one check to its verdict."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._claim import Claim
from fastgrad._point import Point
from fastgrad._recheck import Finding
from fastgrad._result import Entries, Entry, GradientCheck, Kinks, Verdict
from fastgrad._typing import Array, Float64Array, IndexArray, Step


@dataclass(frozen=True)
class Case:
    """What is judged, where, with which steps and tolerances."""

    f: Any
    point: Point
    claim: Claim
    h: Float64Array
    eps: Step
    atol: float
    rtol: float
    where: IndexArray | None

    @property
    def claimed(self) -> Array:
        """The claimed entries that are compared, flat."""
        flat = self.claim.values.reshape(-1)
        return flat if self.where is None else flat[self.where]

    @property
    def count(self) -> int:
        """The number of entries that are compared."""
        return self.point.array.size if self.where is None else self.where.size

    def index(self, k: int) -> int:
        """Return the flat index into x of the k-th compared entry."""
        return k if self.where is None else int(self.where[k])

    def step(self, i: int) -> float:
        """Return the step of the entry of x with flat index i."""
        return float(self.h[i if self.h.size > 1 else 0])


@dataclass(frozen=True)
class Row:
    """An entry beyond tolerance after the second look: its position among those compared, the value, the bound."""

    k: int
    claimed: float
    measured: float
    bound: float


@dataclass
class Tally:
    """What became of the entries beyond tolerance."""

    wrong: list[Row] = field(default_factory=list)
    unresolved: list[Row] = field(default_factory=list)
    kinks: list[tuple[int, float, float]] = field(default_factory=list)
    corrected: dict[int, float] = field(default_factory=dict)

    def judge(self, k: int, claimed: float, found: Finding, tolerance: float) -> None:
        """Sort entry k by its second look; at a kink, by the slope of those between that is nearest the claim."""
        measured = found.measured
        if found.is_kink:
            self.kinks.append((k, found.left, found.right))
            measured = min(max(claimed, min(found.left, found.right)), max(found.left, found.right))
        self.corrected[k] = measured
        error = abs(claimed - measured)
        if error > tolerance:
            row = Row(k, claimed, measured, found.bound)
            (self.unresolved if error <= found.bound else self.wrong).append(row)

    def not_finite(self, k: int, claimed: float, measured: float) -> None:
        """Sort in entry k, of which the claim or the measurement is not finite: it is wrong."""
        self.wrong.append(Row(k, claimed, measured, float("nan")))


def conclude(
    case: Case,
    measured: Array,
    summary: tuple[float, float, int, int],
    tally: Tally,
    calls: int,
    reasons: tuple[str, ...] = (),
    *,
    flaw: str | None = None,
    redone: int = 0,
    structured: bool = False,
) -> GradientCheck:
    """Return the result of a check from the first measurement, its summary and the second look."""
    max_relative_error = summary[1]
    if tally.corrected:
        measured = measured.copy()
        measured[list(tally.corrected)] = list(tally.corrected.values())
        summary = _backend.compare.compare(case.claimed, measured, case.atol, case.rtol)
    max_error, _, at, _ = summary
    unresolved = _still_unresolved(case, measured, tally.unresolved)
    verdict: Verdict = "passed"
    if tally.wrong or (case.rtol == 0 and not max_error < case.atol and case.count > 0):
        verdict = "failed"
    elif unresolved or flaw:
        verdict = "inconclusive"
    wrong = _entries(case, tally.wrong)
    if case.rtol == 0 and verdict == "failed":
        wrong = _by_the_textbook(case, measured)
    return GradientCheck(
        verdict=verdict,
        max_error=max_error,
        max_relative_error=max_relative_error,
        worst=_worst(case, measured, at, tally),
        wrong=wrong,
        unresolved=_entries(case, unresolved),
        kinks=_kinks(case, tally),
        atol=case.atol,
        rtol=case.rtol,
        eps=_in_words(case),
        shape=case.point.array.shape,
        compared=case.count,
        calls=calls,
        redone=redone,
        structured=structured,
        reasons=((flaw,) if flaw else ()) + (reasons if verdict != "passed" else ()),
    )


def _still_unresolved(case: Case, measured: Array, rows: list[Row]) -> list[Row]:
    """Return the rows whose bound is large beside the whole gradient too: rtol of its largest entry is resolution."""
    if not rows:
        return []
    sizes = np.abs(np.concatenate([measured, case.claim.values.reshape(-1)]))
    scale = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
    return [row for row in rows if not row.bound <= case.atol + case.rtol * scale]


def _entries(case: Case, rows: list[Row]) -> Entries:
    return Entries(
        np.array([case.index(row.k) for row in rows], dtype=np.intp),
        np.array([row.claimed for row in rows], dtype=np.float64),
        np.array([row.measured for row in rows], dtype=np.float64),
        np.array([row.bound for row in rows], dtype=np.float64),
    )


def _by_the_textbook(case: Case, measured: Array) -> Entries:
    """Return the entries that are not less than atol off; the textbook's rule knows no bound."""
    with np.errstate(all="ignore"):
        found = np.flatnonzero(~(np.abs(case.claimed.astype(np.float64) - measured) < case.atol))
    return _entries(case, [Row(int(k), float(case.claimed[k]), float(measured[k]), float("nan")) for k in found])


def _kinks(case: Case, tally: Tally) -> Kinks:
    return Kinks(
        np.array([case.index(k) for k, _, _ in tally.kinks], dtype=np.intp),
        np.array([left for _, left, _ in tally.kinks], dtype=np.float64),
        np.array([right for _, _, right in tally.kinks], dtype=np.float64),
    )


def _worst(case: Case, measured: Array, at: int, tally: Tally) -> Entry | None:
    """Return the entry with the largest error: of those found wrong where there are any."""
    if at < 0:
        return None
    row = Row(at, float(case.claimed[at]), float(measured[at]), float("nan"))
    if tally.wrong:
        row = max(tally.wrong, key=lambda r: _error_order(r.claimed - r.measured))
    i = case.index(row.k)
    shape = case.point.array.shape
    index = tuple(int(j) for j in np.unravel_index(i, shape)) if shape else ()
    return Entry(case.point.name(i), index, row.claimed, row.measured, row.bound)


def _error_order(difference: float) -> float:
    return float("inf") if np.isnan(difference) else abs(difference)


def _in_words(case: Case) -> str:
    if case.h.size == 1 and not isinstance(case.eps, str):
        return f"{float(case.h[0]):.6g}"
    return f"{np.min(case.h):.3g} … {np.max(case.h):.3g}" if case.h.size else "none"
