"""A structured callable's first look: measured by its own loop, held against its plain forward, compared as it goes."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import in_dtype
from fastgrad._gradient import measure_structured
from fastgrad._judge.recheck_structured import look_again_structured
from fastgrad._judge.verdict import Case, Summary, beyond_tolerance, conclude, tally
from fastgrad._judge.witness import KEYS, Witness
from fastgrad._result import GradientCheck
from fastgrad._rows import measure_rows, row_loop
from fastgrad._typing import Array


def judge_structured(case: Case, _: Any) -> GradientCheck:
    """Measure a structured callable by its own loop, hold the loop against f, and look again where it is beyond."""
    x = case.point.array.view()
    x.flags.writeable = False
    out = np.empty_like(x)
    case.progress.begin(case.count)
    witness = Witness(case.f, x, case.h, case.atol, out) if x.size else None
    loop = row_loop(case.f, x, case.h) if case.where is None else None
    sight = _Sight(case, out)
    if loop is None:
        calls = measure_structured(case.f, x, case.h, out, case.threads)
        sight.look(0, len(out) if out.ndim else 1)
    else:
        calls = measure_rows(loop, out, case.threads, sight.look)
    redone = max(calls - 2 * x.size, 0) // 2
    flaw = witness.disagreement(out, sight.projections()) if witness else None
    summary, measured = sight.summary(), sight.measured
    beyond = beyond_tolerance(case, measured, summary[3])
    found = (np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    if beyond.size:
        indices = case.indices(beyond)
        claimed = case.claimed[beyond].astype(np.float64)
        again = look_again_structured(case.f, x, case.h, out.reshape(-1), claimed, indices)
        found = again.values, again.bounds, again.left, again.right
        calls += again.evaluations
        if witness and flaw and np.any(again.mean != out.reshape(-1)[indices]):
            out.reshape(-1)[indices] = in_dtype(again.mean, out.dtype)
            flaw = witness.disagreement_after_all(out)
    return conclude(
        case,
        measured,
        summary,
        tally(case, measured, beyond, found),
        calls + (witness.calls if witness else 0),
        (),
        flaw=flaw,
        redone=redone,
        structured=True,
    )


class _Sight:
    """What is seen of the measured rows, a span at a time: how they compare with the claim, and their projections.

    Threads may look at different spans at once; the spans are put together in their order.
    """

    def __init__(self, case: Case, out: Array) -> None:
        self._case = case
        self._out = out.reshape(-1)
        self._claimed = case.claimed
        self._width = out.size // len(out) if out.ndim and len(out) else 1
        self._seen: dict[int, tuple[Summary, tuple[float, float]]] = {}

    def look(self, first: int, last: int) -> None:
        """Look at rows first to last; where only some entries are compared, these are all rows."""
        start, stop = first * self._width, last * self._width
        rows, case = self._out[start:stop], self._case
        claimed = self._claimed if case.where is not None else self._claimed[start:stop]
        compared = self._comparable(rows if case.where is None else rows[case.where])
        summary = _backend.compare.compare(claimed, compared, case.atol, case.rtol)
        self._seen[start] = summary, _backend.projection.inner(rows, start, *KEYS)

    @property
    def measured(self) -> Array:
        """All entries that are compared, of the claim's dtype."""
        return self._comparable(self._out if self._case.where is None else self._out[self._case.where])

    def summary(self) -> Summary:
        """Return the summary of all spans; NaN is the largest error."""
        worst, relative, at, beyond, largest, squares = 0.0, 0.0, -1, 0, 0.0, 0.0
        for start, (seen, _) in sorted(self._seen.items()):
            beyond, largest, squares = beyond + seen[3], max(largest, seen[4]), squares + seen[5]
            if seen[2] >= 0 and not np.isnan(worst) and (at < 0 or np.isnan(seen[0]) or seen[0] > worst):
                worst, at = seen[0], start + seen[2]
            relative = max(relative, seen[1]) if not np.isnan(worst) else float("nan")
        return worst, relative, at, beyond, largest, squares

    def projections(self) -> tuple[float, float]:
        """Return the inner products of all that was measured with the two directions of the witness."""
        along = [seen for _, (_, seen) in sorted(self._seen.items())]
        return sum(one for one, _ in along), sum(other for _, other in along)

    def _comparable(self, values: Array) -> Array:
        return values.astype(self._claimed.dtype, copy=False)
