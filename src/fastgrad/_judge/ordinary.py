"""An ordinary callable: measured entry by entry, and looked at again where it is beyond tolerance or stood still."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from fastgrad import steps
from fastgrad._budget import Budget, Spent
from fastgrad._gradient import measure, measure_entries
from fastgrad._judge.probe import RANDOM, Probe
from fastgrad._judge.recheck import Finding, look_again
from fastgrad._judge.summary import summarise
from fastgrad._judge.unmoved import unmoved
from fastgrad._judge.verdict import Case, beyond_tolerance, conclude, tally
from fastgrad._modes import measure_within
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray

#: For so many entries beyond tolerance f is asked ahead, where others call it.
AHEAD = 256


def judge_ordinary(case: Case, budget: Budget) -> GradientCheck:
    """Measure an ordinary callable, and look again at what is beyond tolerance, and at what stood still."""
    asked = case.count
    case, measured, calls = _first_look(case, budget)
    summary = summarise(case.claimed, measured, case.atol, case.rtol)
    shares = case.elsewhere is not None and not budget.is_limited
    probe = Probe(case.elsewhere.f if shares else case.f, case.point, case.h, budget)
    looked_at, found = _second_look(case, probe, measured, beyond_tolerance(case, measured, summary.beyond), shares)
    sorted_out = tally(case, measured, looked_at, (found[0], found[1], found[2], found[3]))
    reasons = tuple(_reasons(case, probe, sorted_out.unresolved.k.size, asked))  # which may call f for its noise
    return conclude(
        case,
        measured,
        summary,
        sorted_out,
        calls + probe.calls,
        reasons,
        sweep=probe.sweep,
        asked=asked,
        noise=probe.noise if probe.noise_is_measured else float("nan"),
    )


def _first_look(case: Case, budget: Budget) -> tuple[Case, Array, int]:
    """Return the case, of the entries alone that the budget was enough for, what was measured of it, and the calls."""
    x = case.point.array
    case.progress.begin(case.count)
    measured = np.empty(case.count, x.dtype)
    calls = 2 * case.count
    if budget.is_limited:
        measured, calls = measure_within(case, budget)
        case = replace(case, where=case.indices(np.arange(measured.size)))
    elif case.elsewhere is not None:
        measured[...] = case.elsewhere.measured(case.h, case.where, case.progress.pace)
    elif case.where is None:
        calls = measure(case.f, case.point, case.h, measured.reshape(x.shape), case.progress.pace)
    else:
        calls = measure_entries(case.f, case.point, case.h, case.where, measured, case.progress.pace)
    return case, measured.astype(case.claimed.dtype, copy=False), calls


def _second_look(
    case: Case, probe: Probe, measured: Array, beyond: IndexArray, shares: bool
) -> tuple[IndexArray, Float64Array]:
    """Return which of the compared entries were looked at again, in order, and what was found.

    What stood still comes after what is beyond tolerance, and not together with it as in a matrix, whose columns share
    calls of f: a budget is for the latter, and what the probe saw there tells how precise f's values are.
    """
    found = _look_again(case, probe, measured, beyond, shares)
    still = _unmoved(case, probe, measured)
    if still.size == 0:
        return beyond, found
    both = np.concatenate([beyond, still])
    found = np.concatenate([found, _look_again(case, probe, measured, still, shares)], axis=1)
    order = np.argsort(both)
    return both[order], found[:, order]


def _unmoved(case: Case, probe: Probe, measured: Array) -> IndexArray:
    try:
        return unmoved(case, probe, measured)
    except Spent:
        return np.empty(0, np.intp)


def _look_again(case: Case, probe: Probe, measured: Array, beyond: IndexArray, shares: bool) -> Float64Array:
    """Return what the second look finds at these of the compared entries: values, bounds, left and right slopes."""
    found = np.full((4, beyond.size), np.nan)
    auto = steps.auto(case.point.array) if case.eps is None and beyond.size else None
    case.progress.begin(beyond.size)
    for row, (k, i) in enumerate(zip(beyond.tolist(), case.indices(beyond).tolist(), strict=True)):
        case.progress.pace(row)
        if shares and row % AHEAD == 0:
            case.elsewhere.prepare(case.indices(beyond[row : row + AHEAD]), case.h)
        claimed, first = float(case.claimed[k]), float(measured[k])
        tolerance = case.atol + case.rtol * abs(claimed)  # the first difference, far off, would make it a wide one
        try:
            if not (np.isfinite(claimed) and np.isfinite(probe.centre)):
                continue
            finding = look_again(probe, i, case.step(i), None if auto is None else float(auto[i]), claimed, tolerance)
        except Spent:
            finding = Finding(first, float("inf"))
        if finding is not None:
            found[:, row] = finding.measured, finding.bound, finding.left, finding.right
    return found


def _reasons(case: Case, probe: Probe, unresolved: int, asked: int) -> Iterator[str]:
    """Tell in sentences why the claim may not have passed."""
    if not probe.is_deterministic:
        yield RANDOM
    if not probe.is_defined:
        yield f"f is {probe.centre} at x itself, where it has no gradient then."
    if unresolved:
        yield (
            f"{unresolved} beyond tolerance, but within the error bound: f changes too fast for "
            f"these steps, or its noise, {probe.noise_if_affordable:.1e} at x, is too large for the tolerance."
        )
        if probe.precision.advice:
            yield probe.precision.advice
    if case.count < asked:
        yield f"The budget ended: the first {case.count} of {asked} entries were measured, and the others were not."
