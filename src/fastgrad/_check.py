"""Claimed against measured: the judgement of a gradient."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._budget import Budget, Spent, as_budget
from fastgrad._diagnosis.stale import point_before, stale
from fastgrad._elsewhere import elsewhere_of
from fastgrad._gradient import measure, measure_entries
from fastgrad._judge.claim import claim_at, selected
from fastgrad._judge.probe import RANDOM, Probe
from fastgrad._judge.recheck import Finding, look_again
from fastgrad._judge.structured import judge_structured
from fastgrad._judge.tolerance import tolerances
from fastgrad._judge.unmoved import unmoved
from fastgrad._judge.verdict import Case, beyond_tolerance, conclude, tally
from fastgrad._loops import is_structured, threads_of
from fastgrad._modes import by_sample, by_search, measure_within, pick
from fastgrad._noise.choice import step_by_noise
from fastgrad._point import Point, as_point, bound, working_array
from fastgrad._progress import ProgressLike, progress_of
from fastgrad._result import GradientCheck
from fastgrad._seeds import refuse_other
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, Step
from fastgrad._workers import is_alone

#: For so many entries beyond tolerance f is asked ahead, where others call it.
AHEAD = 256


def gradient_check(
    f: ScalarFunction,
    grad_f: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    indices: Any = None,
    mode: str = "auto",
    budget: Any = None,
    rng: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    vectorized: bool = False,
    workers: Any = None,
    previous: Any = None,
    progress: ProgressLike = None,
) -> GradientCheck:
    """Check a claimed gradient of the scalar function f at x against central differences.

    An entry is wrong when ``abs(claimed - measured) > atol + rtol * max(abs(claimed), abs(measured))`` and the
    difference exceeds the error bound of the measurement as well. The first pass takes two calls of f an entry. Entries
    beyond tolerance, and only those, are measured again with larger and smaller steps: what these disagree by, f's
    rounding and its measured noise make the bound, and no entry is called wrong on the word of one step alone. Where f
    has a kink, a claim anywhere between the slopes on both sides is right.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a real scalar; a structured callable measures itself, and its
        loop is held against its plain forward.
    grad_f : callable, array_like or True
        The claim: a function of x, the gradient at x itself, or True when f returns ``(value, gradient)``. Shaped like
        x, or flat and of x's size; for a tree x a tree of the same structure, dictionaries in any order. What a
        function returns is copied; an array is read as long as the check goes on, and f must not write into it.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it; real.
    eps : None, float, array_like, "auto" or "noise"
        The step, as `numerical_gradient` takes it.
    atol, rtol : float, optional
        None is 1e-6 and 1e-5, and 1e-3 and 1e-2 where x or the claim is single precision. ``rtol=0`` is the textbook's
        rule and nothing else: passed when the largest difference is less than atol.
    indices : array_like, optional
        Check these entries only, each once: flat indices, a boolean mask shaped like x, or a tuple of index arrays, one
        an axis. A tree counts as the line of all its entries.
    mode : {"auto", "full", "search", "sample"}, optional
        "full" measures each entry, in two calls of f. "search" moves all entries at once, each by its own random share
        of the step: a right gradient passes in some thirty calls, whatever its size, and wrong entries are found by
        their projections, measured directly and named. "sample" measures a random choice, 1000 entries where no budget
        says otherwise, and tells how many of all may be wrong. "auto" is "full" up to 2000 entries, for structured
        callables, which measure themselves, and for ``rtol=0``; else "search".
    budget : int, timedelta or str, optional
        The calls of f that may be made, or the time that may pass, as "10 s" or "2 min". When it ends, what was covered
        is told, and a check that found nothing wrong in a part is inconclusive. A structured callable's own loop and
        the call of grad_f are not counted.
    rng : None, int or numpy.random.Generator, optional
        Where directions and samples come from. None draws a fresh seed; `GradientCheck.seed` replays the check.
    args, kwargs : sequence and mapping, optional
        Passed on to f, and to grad_f where it is called, after x.
    vectorized : bool
        Whether f takes stacks of points, as `numerical_gradient` says; grad_f is given x alone. Each point of a stack
        counts as a call.
    workers : int, map, executor or dask.distributed.Client, optional
        Who calls f in the first pass of "full" and "sample", and at the ten points with which a second look at an entry
        begins, as `numerical_gradient` takes it. What a second look asks for beyond, a search, and what a budget
        limits, is measured here. For a structured callable a number is one of threads.
    previous : array_like or tree of arrays, optional
        A point of x's form where the claim may have been left from, as the parameters before the last update. Where
        the check fails, some of the wrong entries are measured there too, and a claim that fits is said to be stale.
    progress : bool or callable, optional
        True shows how far the check is on standard error, with tqdm where that is installed; a callable is told so some
        ten times a second, as ``progress(done, total)`` in entries, those that are looked at again counted twice; what
        it raises ends the check. None shows it on terminals, once a check has run for two seconds.

    Returns
    -------
    GradientCheck
        True when passed; unpacks as ``passed, max_error``; printed, a report. A claim or a measurement that is not
        finite fails. "inconclusive" says that some entry beyond tolerance is within the error bound, and that the bound
        is not small beside the largest entry of the gradient either.

    Raises
    ------
    ShapeError
        If the claim fits x neither in shape nor in size, or has not a tree's structure.
    TypeError
        If the claim is not real numbers, or an option is none that is known.
    ValueError
        If a tolerance is negative, infinite or NaN, or the mode or the budget is none.
    IndexError
        If an index lies outside x.
    StepError, TypeError, ShapeError
        As `numerical_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> passed, max_error = fg.gradient_check(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, -2.0]))
    >>> bool(passed), max_error < 1e-9
    (True, True)
    >>> print(fg.gradient_check(lambda x: np.sum(x**2), lambda x: [2.0, 3.0] * x, np.array([1.0, -2.0])))
    gradient check failed: 1 of 2 entries wrong (atol 1e-06, rtol 1e-05)
      entry  claimed  measured  ± bound  difference  relative
      x[1]        -6        -4  4.5e-10           2      0.33
      resolution 6.1e-05 in one entry, 1.0e-05 of the norm
      measured by central differences, eps = 1e-05, mode full, 16 calls of f
    """
    structured = is_structured(f)
    point = Point(working_array(x)) if structured else as_point(x)
    elsewhere, threads = None, threads_of(workers) if structured else 1
    if vectorized or not (structured or is_alone(workers)):
        f, elsewhere = elsewhere_of(f, grad_f, point, args, kwargs, vectorized, workers)
    elif not structured:
        f = point.of_array(bound(f, args, kwargs))
    f, claim = claim_at(f, grad_f, point, args, kwargs)
    where = None if indices is None else selected(indices, point.array.shape)
    spending = as_budget(budget)
    refuse_other(rng)
    atol, rtol = tolerances((atol, rtol), claim.precision)
    mode = pick(mode, structured, point.array.size if where is None else where.size, rtol)
    spent = 0
    if isinstance(eps, str) and eps == "noise" and not structured:
        eps, spent = step_by_noise(f, point, None, None)
        spending.take(spending.affordable(spent))
    case = Case(
        f=f,
        point=point,
        claim=claim,
        h=_steps(eps, point, mode, structured),
        eps=eps,
        atol=atol,
        rtol=rtol,
        where=where,
        progress=progress_of(progress, "gradient check"),
        elsewhere=elsewhere,
        threads=threads,
    )
    before = None if previous is None else point_before(previous, point)
    with case.progress:
        check = _by_mode(mode, case, spending, rng, structured)
    if spent:
        check = replace(check, calls=check.calls + spent)
    return check if before is None or len(check.wrong) == 0 else _compared_with(case, before, check)


def _steps(eps: Step, point: Point, mode: str, structured: bool) -> Float64Array:
    """Return the steps of the first pass."""
    if mode == "search" and eps is None:  # a search finds its own step near the default one
        return steps.as_steps(None, point.array, steps.TEXTBOOK)
    if structured:
        return steps.as_steps(eps, point.array, steps.STRUCTURED)
    return steps.resolve(eps, point)


def _by_mode(mode: str, case: Case, budget: Budget, rng: Any, structured: bool) -> GradientCheck:
    if mode == "search" and case.count:
        return by_search(case, budget, rng)
    judge = judge_structured if structured else _judge
    return by_sample(case, budget, rng, judge) if mode == "sample" else judge(case, budget)


def _compared_with(case: Case, before: Point, check: GradientCheck) -> GradientCheck:
    """Return the failed check with what the wrong entries are at the point before."""
    claimed, wrong = case.claim.values.reshape(-1), check.wrong
    found, calls = stale(case.f, before, case.h, claimed, wrong.indices, wrong.measured, case.claim.precision)
    return replace(check, diagnosis=found or check.diagnosis, calls=check.calls + calls)


def _judge(case: Case, budget: Budget) -> GradientCheck:
    """Measure an ordinary callable, and look again at what is beyond tolerance."""
    x, asked = case.point.array, case.count
    measured = np.empty(case.count, x.dtype)
    case.progress.begin(case.count)
    if budget.is_limited:
        measured, calls = measure_within(case, budget)
        case = replace(case, where=case.indices(np.arange(measured.size)))
    elif case.elsewhere is not None:
        measured[...] = case.elsewhere.measured(case.h, case.where, case.progress.pace)
        calls = 2 * case.count
    elif case.where is None:
        calls = measure(case.f, case.point, case.h, measured.reshape(x.shape), case.progress.pace)
    else:
        calls = measure_entries(case.f, case.point, case.h, case.where, measured, case.progress.pace)
    measured = measured.astype(case.claimed.dtype, copy=False)
    summary = _backend.compare.compare(case.claimed, measured, case.atol, case.rtol)
    beyond = beyond_tolerance(case, measured, summary[3])
    shares = case.elsewhere is not None and not budget.is_limited
    probe = Probe(case.elsewhere.f if shares else case.f, case.point, case.h, budget)
    found = _look_again(case, probe, measured, beyond, shares)
    if (still := _unmoved(case, probe, measured)).size:
        found = np.concatenate([found, _look_again(case, probe, measured, still, shares)], axis=1)
        beyond = np.concatenate([beyond, still])
        order = np.argsort(beyond)
        beyond, found = beyond[order], found[:, order]
    sorted_out = tally(case, measured, beyond, (found[0], found[1], found[2], found[3]))
    reasons = []
    if not probe.is_deterministic:
        reasons.append(RANDOM)
    if not probe.is_defined:
        reasons.append(f"f is {probe.centre} at x itself, where it has no gradient then.")
    if sorted_out.unresolved.k.size:
        reasons.append(
            f"{sorted_out.unresolved.k.size} beyond tolerance, but within the error bound: f changes too fast for "
            f"these steps, or its noise, {probe.noise_if_affordable:.1e} at x, is too large for the tolerance."
        )
        if probe.values.advice:
            reasons.append(probe.values.advice)
    if case.count < asked:
        reasons.append(
            f"The budget ended: the first {case.count} of {asked} entries were measured, and the others were not."
        )
    return conclude(
        case,
        measured,
        summary,
        sorted_out,
        calls + probe.calls,
        tuple(reasons),
        sweep=probe.sweep,
        asked=asked,
        noise=probe.noise if probe.noise_is_measured else float("nan"),
    )


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
        claimed = float(case.claimed[k])
        tolerance = case.atol + case.rtol * abs(claimed)  # the first difference, far off, would make it a wide one
        try:
            if not (np.isfinite(claimed) and np.isfinite(probe.centre)):
                continue
            finding = look_again(probe, i, case.step(i), None if auto is None else float(auto[i]), claimed, tolerance)
        except Spent:
            finding = Finding(float(measured[k]), float("inf"))
        if finding is not None:
            found[:, row] = finding.measured, finding.bound, finding.left, finding.right
    return found
