"""From the entries of one check to its verdict."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastgrad import _backend
from fastgrad._arrays import in_dtype, step_of
from fastgrad._diagnosis.diagnosis import diagnose
from fastgrad._diagnosis.evidence import Evidence
from fastgrad._judge.claim import Claim
from fastgrad._judge.summary import Summary, summarise
from fastgrad._point import Point
from fastgrad._progress import Progress
from fastgrad._report.pictured import BLOCKS, Sweep, error_map
from fastgrad._result import Entries, Entry, GradientCheck, Kinks
from fastgrad._tree import located
from fastgrad._typing import Array, Float64Array, IndexArray, Step
from fastgrad._worst import errors, place_of_worst

if TYPE_CHECKING:
    from fastgrad._outcome import Verdict


@dataclass(frozen=True)
class Case:
    """What is judged, where, with which steps and tolerances; who measures in place of the plain loop, or threads."""

    f: Any
    point: Point
    claim: Claim
    h: Float64Array
    eps: Step
    atol: float
    rtol: float
    where: IndexArray | None
    progress: Progress
    elsewhere: Any = None
    threads: int = 1

    @property
    def claimed(self) -> Array:
        """The claimed entries that are compared, flat."""
        flat = self.claim.values.reshape(-1)
        return flat if self.where is None else flat[self.where]

    @property
    def count(self) -> int:
        """The number of entries that are compared."""
        return self.point.array.size if self.where is None else self.where.size

    @property
    def is_pictured(self) -> bool:
        """Whether the result shows the errors of all entries where they are right, too: of no more than a map has."""
        return self.count <= BLOCKS**2

    def indices(self, k: IndexArray) -> IndexArray:
        """Return the flat indices into x of these of the compared entries."""
        return k if self.where is None else self.where[k]

    def comparable(self, values: Array) -> Array:
        """Return measured values in the dtype of what is claimed."""
        return values.astype(self.claim.values.dtype, copy=False)

    def step(self, i: int) -> float:
        """Return the step of the entry of x with flat index i."""
        return step_of(self.h, i)

    def evidence(self, measured: Array, wrong: "Rows", rest_is_right: bool) -> Evidence:
        """Return what a diagnosis is to see; entries that were not measured are right as claimed, or unknown."""
        claimed = self.claim.values.reshape(-1)
        known = measured
        if self.where is not None:
            known = claimed.astype(np.float64) if rest_is_right else np.full(claimed.size, np.nan)
            known[self.where] = measured
        return Evidence(
            self.point.array.reshape(-1),
            claimed,
            known,
            self.indices(wrong.k),
            wrong.bound,
            self.point.leaves,
            self.claim.precision,
            is_complete=self.where is None or rest_is_right,
        )


@dataclass(frozen=True)
class Rows:
    """Entries after the second look, as parallel arrays: their positions among those compared, and what was found."""

    k: IndexArray
    claimed: Float64Array
    measured: Float64Array
    bound: Float64Array

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Return some of the rows."""
        return Rows(self.k[chosen], self.claimed[chosen], self.measured[chosen], self.bound[chosen])


@dataclass(frozen=True)
class Kinked:
    """The entries that lie at a kink: their positions among those compared, and the slopes on both sides."""

    k: IndexArray
    left: Float64Array
    right: Float64Array


@dataclass(frozen=True)
class Tally:
    """What became of the entries beyond tolerance."""

    wrong: Rows
    unresolved: Rows
    kinks: Kinked
    corrected: Rows


def beyond_tolerance(case: Case, measured: Array, count: int) -> IndexArray:
    """Return the positions of so many entries beyond tolerance; none by the textbook's rule: it does not look again."""
    if case.rtol == 0 or count == 0:
        return np.empty(0, np.intp)
    found = np.empty(count, np.intp)
    _backend.compare.offenders(case.claimed, measured, case.atol, case.rtol, found)
    return found


def nothing_beyond() -> Tally:
    """Return the tally where every entry was within the tolerance at the first look."""
    none, empty = np.empty(0, np.intp), np.empty(0)
    rows = Rows(none, empty, empty, empty)
    return Tally(rows, rows, Kinked(none, empty, empty), rows)


def tally(
    case: Case,
    measured: Array,
    beyond: IndexArray,
    found: tuple[Float64Array, Float64Array, Float64Array, Float64Array],
) -> Tally:
    """Sort the entries beyond tolerance by their second look; at a kink, by the slope in between nearest the claim.

    Parameters
    ----------
    case : Case
    measured : ndarray
        The first measurement.
    beyond : ndarray of intp
        The positions of the entries beyond tolerance.
    found : tuple of ndarrays
        For each of them the best value, its bound, and the slopes below and above; a value of NaN says that there was
        nothing finite to measure.
    """
    if beyond.size == 0:
        return nothing_beyond()
    again, bound, left, right = found
    claimed, first = case.claimed[beyond].astype(np.float64), measured[beyond].astype(np.float64)
    is_lost = ~(np.isfinite(claimed) & np.isfinite(again))
    is_kink = ~(np.isnan(left) | np.isnan(right) | (left == right) | is_lost)
    nearest = np.clip(claimed, np.fmin(left, right), np.fmax(left, right))
    value = np.where(is_lost, first, np.where(is_kink, nearest, again))
    with np.errstate(all="ignore"):
        error = np.abs(claimed - value)
        allowed = case.atol + case.rtol * np.fmax(np.abs(claimed), np.abs(value))
    rows = Rows(beyond, claimed, value, np.where(is_lost, np.nan, bound))
    is_within = ~is_lost & (error <= allowed)
    is_open = ~is_lost & ~is_within & (error <= bound)
    return Tally(
        wrong=rows.where(~(is_within | is_open)),
        unresolved=rows.where(is_open),
        kinks=Kinked(beyond[is_kink], left[is_kink], right[is_kink]),
        corrected=rows.where(~is_lost),
    )


def conclude(
    case: Case,
    measured: Array,
    summary: Summary,
    tally: Tally,
    calls: int,
    reasons: tuple[str, ...] = (),
    *,
    flaw: str | None = None,
    redone: int = 0,
    structured: bool = False,
    sweep: Sweep | None = None,
    rest_is_right: bool = False,
    asked: int = 0,
    noise: float = float("nan"),
) -> GradientCheck:
    """Return the result of a check from the first measurement, its summary and the second look.

    Of many entries that were all within tolerance, the measurement may be empty: the summary tells all of them.
    It is inconclusive at best where more entries were asked for than the case holds. Where the entries that were not
    measured are known to be right, because projections of them are, the diagnosis may speak of them.
    """
    max_relative_error = summary.max_relative_error
    if tally.corrected.k.size:
        measured = measured.copy()
        measured[tally.corrected.k] = in_dtype(tally.corrected.measured, measured.dtype)
        summary = summarise(case.claimed, measured, case.atol, case.rtol)
    max_error, at = summary.max_error, summary.at
    wrong, unresolved = tally.wrong, _still_unresolved(case, measured, tally.unresolved)
    verdict: Verdict = "passed"
    if wrong.k.size or (case.rtol == 0 and not max_error < case.atol and case.count > 0):
        verdict = "failed"
    elif unresolved.k.size or flaw or case.count < asked:
        verdict = "inconclusive"
    resolution, resolution_norm = _resolution(case, unresolved, summary)
    if case.rtol == 0 and verdict == "failed":
        wrong = _by_the_textbook(case, measured)
    keeps_errors = at >= 0 and (verdict != "passed" or case.is_pictured)
    return GradientCheck(
        verdict=verdict,
        max_error=max_error,
        max_relative_error=max_relative_error,
        worst=_worst(case, summary, wrong),
        wrong=_entries(case, wrong),
        unresolved=_entries(case, unresolved),
        kinks=Kinks(case.indices(tally.kinks.k), tally.kinks.left, tally.kinks.right),
        atol=case.atol,
        rtol=case.rtol,
        eps=_in_words(case),
        shape=case.point.array.shape,
        leaves=case.point.leaves,
        compared=case.count,
        calls=calls,
        redone=redone,
        structured=structured,
        reasons=((flaw,) if flaw else ()) + (reasons if verdict != "passed" else ()),
        resolution=resolution,
        resolution_norm=resolution_norm,
        noise=noise,
        coverage=min(case.count / asked, 1.0) if asked else 1.0,
        diagnosis=diagnose(case.evidence(measured, wrong, rest_is_right)) if wrong.k.size and not flaw else "",
        errors=error_map(case.point.leaves, case.where, case.claimed, measured, at) if keeps_errors else None,
        sweep=sweep if verdict != "passed" else None,
    )


def _resolution(case: Case, unresolved: Rows, summary: Summary) -> tuple[float, float]:
    """Return what measuring each entry was sure to see: an error beyond the largest tolerance, where it is resolved."""
    tolerance = case.atol + case.rtol * summary.largest
    if case.count == 0 or not summary.largest < float("inf"):
        return float("nan"), float("nan")
    norm = float(np.sqrt(summary.squares))
    return (
        max(tolerance, float(np.max(unresolved.bound, initial=0.0))),
        case.rtol + case.atol * float(np.sqrt(case.count)) / norm if norm else float("inf"),
    )


def _still_unresolved(case: Case, measured: Array, rows: Rows) -> Rows:
    """Return the rows whose bound is large beside the whole gradient too: rtol of its largest entry is resolution."""
    if rows.k.size == 0:
        return rows
    sizes = np.abs(np.concatenate([measured, case.claim.values.reshape(-1)]))
    scale = float(np.max(sizes[np.isfinite(sizes)], initial=0.0))
    return rows.where(~(rows.bound <= case.atol + case.rtol * scale))


def _entries(case: Case, rows: Rows) -> Entries:
    return Entries(case.indices(rows.k), rows.claimed, rows.measured, rows.bound)


def _by_the_textbook(case: Case, measured: Array) -> Rows:
    """Return the entries that are not less than atol off; the textbook's rule knows no bound."""
    claimed, values = case.claimed.astype(np.float64), measured.astype(np.float64)
    with np.errstate(all="ignore"):
        k = np.flatnonzero(~(np.abs(claimed - values) < case.atol))
    return Rows(k, claimed[k], values[k], np.full(k.size, np.nan))


def _worst(case: Case, summary: Summary, wrong: Rows) -> Entry | None:
    """Return the entry with the largest error: of those found wrong where there are any."""
    if summary.at < 0:
        return None
    k, claimed, value, bound = summary.at, float(case.claimed[summary.at]), summary.value, float("nan")
    if wrong.k.size:
        row = place_of_worst(errors(wrong.claimed, wrong.measured))
        k, claimed = int(wrong.k[row]), float(wrong.claimed[row])
        value, bound = float(wrong.measured[row]), float(wrong.bound[row])
    i = int(case.indices(np.array([k]))[0])
    _, index = located(i, case.point.leaves)
    return Entry(case.point.name(i), index, claimed, value, bound)


def _in_words(case: Case) -> str:
    if case.h.size == 1 and not isinstance(case.eps, str):
        return f"{float(case.h[0]):.6g}"
    if case.h.size == 0:
        return "none"
    least, largest = f"{np.min(case.h):.3g}", f"{np.max(case.h):.3g}"
    return least if least == largest else f"{least} … {largest}"
