"""How much of a gradient a check measures: all of it, what random projections point at, or a random choice."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad._budget import Budget
from fastgrad._gradient import measure_entries
from fastgrad._judge.verdict import Case
from fastgrad._point import Point
from fastgrad._result import GradientCheck
from fastgrad._search.sample import ENTRIES, RESERVE, choose, share_of_wrong
from fastgrad._seeds import seed_from
from fastgrad._typing import Array

MODES = ("auto", "full", "search", "sample")
#: Up to so many entries mode "auto" measures each.
FEW = 2000
#: The calls of f that a search of a right gradient takes, more or less.
FORESEEN = 40
#: Entries between two looks at the clock, at first.
SPAN = 8


def pick(mode: str, structured: bool, count: int, rtol: float) -> str:
    """Return what mode "auto" means for so many entries, or any other mode as it is; refuse what cannot be done."""
    if mode not in MODES:
        raise ValueError(f'mode must be "auto", "full", "search" or "sample"; got {mode!r}.')
    if mode == "auto":
        return "full" if structured or count <= FEW or rtol == 0 else "search"
    if rtol == 0 and mode == "search":
        raise ValueError(
            'rtol=0 is the textbook\'s rule, which compares every entry: take mode="full", or an rtol above 0.'
        )
    return mode


def by_search(case: Case, budget: Budget, rng: Any) -> GradientCheck:
    """Search all entries that are compared; where only some are, f is taken as a function of these."""
    from fastgrad._search.search import search  # loaded when needed: whoever measures few entries does without

    case = replace(case, f=case.progress.counting(case.f, FORESEEN))
    if case.where is None:
        return search(case, case, budget, seed_from(rng))
    where, x = case.where, case.point.array

    def f_of_entries(values: Array) -> Any:
        whole = x.copy()
        whole.reshape(-1)[where] = values
        return case.f(whole)

    inner = replace(
        case,
        f=f_of_entries,
        point=Point(x.reshape(-1)[where]),
        claim=replace(case.claim, values=case.claimed),
        h=case.h if case.h.size == 1 else case.h[where],
        where=None,
    )
    return search(inner, case, budget, seed_from(rng))


def by_sample(case: Case, budget: Budget, rng: Any, judge: Callable[[Case, Budget], GradientCheck]) -> GradientCheck:
    """Judge a random choice of the entries, and say of the rest what that allows."""
    seed = seed_from(rng)
    k = choose(case.count, budget.affordable(round(2 * ENTRIES / (1.0 - RESERVE))), seed)
    result = judge(replace(case, where=case.indices(k)), budget)
    wrong, open_ = len(result.wrong), len(result.unresolved)
    low, _ = share_of_wrong(wrong, result.compared, case.count)
    _, high = share_of_wrong(wrong + open_, result.compared, case.count)
    return replace(
        result,
        mode="sample",
        seed=seed,
        coverage=result.compared / case.count if case.count else 1.0,
        wrong_share=(low, high),
    )


def measure_within(case: Case, budget: Budget) -> tuple[Array, int]:
    """Return the central differences at as many of the entries, from the first on, as a budget allows; and the calls.

    A part of the calls is left for second looks. Where all entries are within reach, they come first.
    """
    count = case.count
    if budget.affordable(2 * count) < 2 * count:
        count = max(1, int(budget.affordable(2 * count) * (1.0 - RESERVE)) // 2)
    measured = np.empty(count, case.point.array.dtype)
    done, calls, span = 0, 0, SPAN
    while done < count and not budget.is_over(2):
        some = np.arange(done, min(done + span, count))
        budget.take(2 * some.size)
        calls += measure_entries(case.f, case.point, case.h, case.indices(some), measured[done : done + some.size])
        done += some.size
        case.progress.pace(done)
    return measured[:done], calls
