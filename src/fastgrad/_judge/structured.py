"""A structured callable's first look: measured by its own loop, held against its plain forward, compared as it goes."""

from typing import Any

import numpy as np

from fastgrad._arrays import in_dtype, read_only
from fastgrad._gradient import measure_structured
from fastgrad._judge.passing import in_passing
from fastgrad._judge.recheck_structured import look_again_structured
from fastgrad._judge.shown import Plain, Questions, Shown, questions, show
from fastgrad._judge.summary import summarise
from fastgrad._judge.verdict import Case, beyond_tolerance, conclude, nothing_beyond, tally
from fastgrad._judge.witness import Witness
from fastgrad._result import GradientCheck
from fastgrad._rows import pass_rows
from fastgrad._typing import Array


def judge_structured(case: Case, _: Any) -> GradientCheck:
    """Measure a structured callable by its own loop, hold the loop against f, and look again where it is beyond.

    Where it can be done, many entries are looked at in passing. If anything does not fit then, all are measured once
    more, and kept.
    """
    x = read_only(case.point.array)
    case.progress.begin(case.count)
    plain = Plain(case.f)
    if x.size == 0:
        return _judge_all(case, x, plain, None)
    asked = questions(case.f, x, case.h)
    passing = in_passing(case, x, plain, asked)
    if passing is None:
        return _judge_all(case, x, plain, asked)
    value = plain(x)
    evaluations = pass_rows(passing.see, x, case.threads)
    summary, shown = passing.summary(), passing.shown.show(value)
    is_within = summary.beyond == 0 and summary.max_error < (float("inf") if case.rtol > 0 else case.atol)
    if shown is None or not is_within:
        return _judge_all(case, x, plain, asked, evaluations, shown)
    witness = Witness(plain, x, case.h, case.atol, asked, shown)
    if not witness.agrees(passing.chosen, passing.projections()):
        return _judge_all(case, x, plain, asked, evaluations)
    return conclude(
        case,
        np.empty(0, case.claimed.dtype),
        summary,
        nothing_beyond(),
        evaluations + plain.calls,
        redone=_redone(evaluations, x),
        structured=True,
    )


def _judge_all(
    case: Case, x: Array, plain: Plain, asked: Questions | None, before: int = 0, shown: Shown | None = None
) -> GradientCheck:
    """Measure all entries, and keep them; f is asked unless it has shown what it was asked already.

    The result counts the evaluations made before as well.
    """
    out = np.empty_like(x)
    witness = None
    if asked is not None:
        witness = Witness(plain, x, case.h, case.atol, asked, shown or show(plain, x, asked, out))
    evaluations = measure_structured(case.f, x, case.h, out, case.threads, by_rows=case.where is None)
    redone = _redone(evaluations, x)
    flaw = witness.disagreement(out) if witness else None
    measured = case.comparable(out.reshape(-1) if case.where is None else out.reshape(-1)[case.where])
    summary = summarise(case.claimed, measured, case.atol, case.rtol)
    beyond = beyond_tolerance(case, measured, summary.beyond)
    found = (np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    if beyond.size:
        indices = case.indices(beyond)
        claimed = case.claimed[beyond].astype(np.float64)
        again = look_again_structured(case.f, x, case.h, out.reshape(-1), claimed, indices)
        found = again.values, again.bounds, again.left, again.right
        evaluations += again.evaluations
        if witness and flaw and np.any(again.mean != out.reshape(-1)[indices]):
            out.reshape(-1)[indices] = in_dtype(again.mean, out.dtype)
            flaw = witness.disagreement_after_all(out)
    return conclude(
        case,
        measured,
        summary,
        tally(case, measured, beyond, found),
        before + evaluations + plain.calls,
        flaw=flaw,
        redone=redone,
        structured=True,
    )


def _redone(evaluations: int, x: Array) -> int:
    """Return how many entries were measured again with a smaller step, beside a kink."""
    return max(evaluations - 2 * x.size, 0) // 2
