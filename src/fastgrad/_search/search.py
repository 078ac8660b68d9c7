"""A gradient checked by random projections: is anything wrong, which entries are, and how small an error would show."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import in_dtype
from fastgrad._budget import Budget, Spent
from fastgrad._judge.probe import RANDOM, Probe
from fastgrad._judge.summary import summarise
from fastgrad._judge.verdict import Case, conclude, tally
from fastgrad._outcome import Verdict
from fastgrad._report.pictured import Sweep
from fastgrad._result import GradientCheck
from fastgrad._search.calibration import BEND, Calibration, Calibrator
from fastgrad._search.decode import Decoder
from fastgrad._search.looks import Looks
from fastgrad._search.norm import NORMS, beyond_tolerance, interval
from fastgrad._search.projections import Block, Projections
from fastgrad._search.rows import worst_rows

#: Calls that a search may take when nothing wrong is found, more of them for each entry that is, and in all.
PATIENCE, PATIENCE_AN_ENTRY, MOST = 600, 30, 10_000
#: A residual bounds the error of a single entry by twice what it may be off, over the smallest entry of a direction.
ENTRY = 4.0
#: The threshold that is fine enough, as a share of the tolerance of the largest entry where atol is smaller.
FINE = 1 / 64


def search(case: Case, whole: Case, budget: Budget, seed: int) -> GradientCheck:
    """Return what random projections of f, and direct differences where these point, say of a claim.

    Parameters
    ----------
    case : Case
        What is searched, all of it.
    whole : Case
        What that is called, as the caller knows it: the same case, or the one that it is a part of.
    budget : Budget
    seed : int
    """
    largest, squares = _backend.masks.sizes(case.claimed)
    if not (math.isfinite(squares) or np.isfinite(case.claimed).all()):
        return _not_finite(whole, seed)
    return _Search(case, whole, budget, seed, largest, math.sqrt(squares)).run()


def _not_finite(case: Case, seed: int) -> GradientCheck:
    """Return the failure of a claim that is not finite: f need not be called to know it."""
    where = np.flatnonzero(~np.isfinite(case.claimed))
    here = replace(case, where=case.indices(where))
    nothing = np.full(where.size, np.nan)
    measured = nothing.astype(case.claimed.dtype)
    summary = summarise(here.claimed, measured, case.atol, case.rtol)
    sorted_out = tally(here, measured, np.arange(where.size), (nothing, nothing, nothing, nothing))
    result = conclude(here, measured, summary, sorted_out, 0, ("The claimed gradient is not finite.",))
    return replace(result, compared=case.count, mode="search", seed=seed, resolution=math.nan, resolution_norm=math.nan)


class _Search:
    def __init__(self, case: Case, whole: Case, budget: Budget, seed: int, largest: float, norm: float) -> None:
        self.case = case
        self.whole = whole
        self.seed = seed
        self.largest = largest
        self.norm = norm
        self.goal = case.atol + case.rtol * largest
        self.floor = max(case.atol, FINE * self.goal) / 4.0
        self.budget = budget
        self.rng = np.random.default_rng(seed)
        self.p = Projections(case.f, case.point, case.claimed, case.h, budget)
        self.reasons: list[str] = []
        self.calibration: Calibration | None = None
        self.decoder: Decoder | None = None
        self.looks: Looks | None = None
        self.residuals: dict[int, float] = {}
        self.error_norm: tuple[float, float] | None = None
        self.probes: tuple[Probe, ...] = ()
        self.bound = math.inf

    def keys(self) -> Iterator[int]:
        while True:
            yield int(self.rng.integers(2**32))

    def run(self) -> GradientCheck:
        """Calibrate, test the root, follow what is wrong there, and conclude."""
        try:
            verdict = self._judge()
        except Spent:
            self.reasons.append(
                f"The budget ended after {self._calls()} calls of f: what these looked at is all that is known."
            )
            verdict, self.bound = "inconclusive", math.inf
        return self._result(verdict)

    def _judge(self) -> Verdict:
        centre = self.p.at_x()
        if not math.isfinite(centre):
            self.reasons.append(f"f is {centre} at x itself: there is nothing to compare.")
            return "failed"
        start = float(np.min(self.case.h))
        wanted, needed = self.floor, self.goal / ENTRY
        found = Calibrator(self.p, start, wanted, needed, self.keys(), centre).run()
        self.calibration, self.residuals = found, dict(found.residuals)
        if not math.isfinite(found.threshold):
            said = f", but {self.p.error}" if self.p.error else ""
            self.reasons.append(f"f has no finite values around x along random directions{said}.")
            return "inconclusive"
        self._follow(found)
        return self._weigh(found)

    def _follow(self, found: Calibration) -> None:
        """Follow the residuals that are too large to the entries that make them so."""
        case = self.case
        known = Probe(case.f, case.point, case.h, self.budget, (found.centre, found.noise))
        careful = Probe(case.f, case.point, case.h, self.budget)
        self.probes = (known, careful)
        self.looks = looks = Looks(case, known, careful, found.h, found.kink)
        self.decoder = decoder = Decoder(
            self.p,
            found,
            self.floor,
            looks.look,
            self._tolerance,
            self._may_go_on,
            self._sample,
        )
        for key, _ in sorted(found.residuals, key=lambda pair: -abs(pair[1])):
            if decoder.dense or not decoder.is_complete:
                break
            if not decoder.is_explained(self._rest(key)):
                decoder.run(key, self.residuals[key])

    def _all(self, key: int) -> Block:
        return Block(key, 0, self.p.size)

    def _rest(self, key: int) -> float:
        """Return the part of the residual along a direction that is not explained by entries looked at."""
        rest = self.residuals[key]
        return rest - self.decoder.found.explained(self._all(key)) if self.decoder else rest

    def _tolerance(self, block: Block) -> float:
        largest, _ = _backend.masks.sizes(self.case.claimed[block.lo : block.hi])
        return self.case.atol + self.case.rtol * largest

    def _calls(self) -> int:
        return self.p.calls + sum(probe.calls for probe in self.probes)

    def _may_go_on(self) -> bool:
        wrong = self.decoder.found.wrong if self.decoder else 0
        return self._calls() < min(PATIENCE + PATIENCE_AN_ENTRY * wrong, MOST)

    def _sample(self, block: Block, count: int) -> list[int]:
        chosen = self.rng.choice(block.size, min(count, block.size), replace=False)
        return sorted(int(i) + block.lo for i in chosen)

    def _weigh(self, found: Calibration) -> Verdict:
        """Return the verdict on all that was found."""
        decoder, looks = self.decoder, self.looks
        assert decoder is not None
        assert looks is not None
        rests = [self._rest(key) for key in self.residuals]
        is_explained = all(map(decoder.is_explained, rests))
        rest = decoder.loose if is_explained and decoder.loose else max(map(abs, rests))
        worn = found.threshold * math.sqrt(1.0 + decoder.found.worn(self._all(0)))
        self.bound = ENTRY * max(worn, rest)
        if decoder.dense or not (is_explained or self.bound <= self.goal or self._is_at_kinks(found)):
            return self._weigh_many(found)
        if self.bound <= self.goal:
            return "passed"
        self._say_why_not(found)
        return "inconclusive"

    def _is_at_kinks(self, found: Calibration) -> bool:
        """Tell whether along each direction the claim lies between the slopes above and below x, which differ."""
        return all(abs(self._rest(key)) <= found.kinks[key] / 2.0 + found.threshold for key in found.kinks)

    def _has_kinks(self, found: Calibration) -> bool:
        """Tell whether slopes above and below x differ by as much as a tenth of what the claim misses."""
        return 10.0 * max(found.kinks.values()) > max(abs(self._rest(key)) for key in found.kinks)

    def _stands(self, found: Calibration) -> bool:
        """Tell whether residuals are the same with a quarter of the step: what kinks and truncation make is not."""
        for key in found.kinks:
            again = self.p.residual(self._all(key), found.h / 4.0, repeats=found.repeats)
            if not abs(again - self.residuals[key]) <= 0.2 * abs(self.residuals[key]) + 5.0 * found.threshold:
                return False
        return True

    def _weigh_many(self, found: Calibration) -> Verdict:
        """Judge by the norm of all errors what could not be followed to single entries."""
        for key in self.keys():
            if len(self.residuals) >= NORMS:
                break
            self.residuals[key] = self.p.residual(self._all(key), found.h, repeats=found.repeats)
        every = list(self.residuals.values())
        self.error_norm = low, high = interval(every, found.threshold)
        self.bound = math.inf
        self.reasons.append(
            f"More is wrong than could be named: the norm of all errors is {low:.2g} … {high:.2g} (95 %), that of "
            f"the claim {self.norm:.2g}."
        )
        if not beyond_tolerance(low, self.case.atol, self.case.rtol, self.p.size, self.norm):
            self.reasons.append("That is within the tolerance of all entries together, but single ones may be wrong.")
        elif self.decoder is not None and not self.decoder.found.wrong and self._has_kinks(found):
            self.reasons.append(
                "But x lies at kinks of f, where more than one claim is right, and no entry is wrong alone."
            )
        elif not self._stands(found):
            self.reasons.append("With smaller steps it is another: kinks of f lie close to x.")
        else:
            self._tell_rows(found, high)
            return "failed"
        return "inconclusive"

    def _tell_rows(self, found: Calibration, norm: float) -> None:
        """Say in which rows most of a dense error lies, as far as the budget allows."""
        if self.whole.where is not None:
            return
        try:
            rows = worst_rows(
                lambda block: self.p.residual(block, found.h, repeats=found.repeats),
                self.case.point.leaves,
                self.keys(),
                norm,
            )
        except Spent:
            return
        if rows:
            worst = ", ".join(f"{row.name} ({row.norm:.2g})" for row in rows)
            self.reasons.append(f"The rows with the largest errors, and about their norms: {worst}.")

    def _say_why_not(self, found: Calibration) -> None:
        self.reasons.append(
            f"The smallest error of one entry that would have shown, {self.bound:.1e}, is above the tolerance, "
            f"{self.goal:.1e}: with steps of {found.h:.1e} the noise of f, {found.noise:.1e}, and its curvature or "
            "kinks leave no more."
        )
        kink = max(found.kinks.values())
        if kink > found.threshold + BEND * found.noise / found.h:
            self.reasons.append(
                f"f has kinks at x, or very close to it: the slopes on both sides differ by up to {kink:.1e}."
            )
        if not found.is_deterministic:
            self.reasons.append(RANDOM)
        if found.advice:
            self.reasons.append(found.advice)

    def _sweep(self) -> Sweep | None:
        """Return the slopes of the worst entry over its steps, where one was looked at with care."""
        return next((probe.sweep for probe in self.probes[::-1] if probe.sweep is not None), None)

    def _result(self, verdict: Verdict) -> GradientCheck:
        """Put together what was named and what is known of the rest."""
        case, found, looks = self.case, self.calibration, self.looks
        indices, columns = looks.rows() if looks else (np.empty(0, np.intp), (np.empty(0),) * 4)
        here = replace(self.whole, where=self.whole.indices(indices))
        measured = in_dtype(columns[0], case.claimed.dtype)
        summary = summarise(here.claimed, measured, case.atol, case.rtol)
        sorted_out = tally(here, measured, np.arange(indices.size), columns)
        result = conclude(
            here, measured, summary, sorted_out, self._calls(), rest_is_right=verdict == "passed", sweep=self._sweep()
        )
        if result.verdict == "failed" or verdict == "failed":
            verdict = "failed"
        elif result.verdict == "inconclusive":
            verdict = "inconclusive"
        reach = max(self.bound, ENTRY * self.floor)
        extra: dict[str, Any] = {}
        if not len(result.wrong):
            extra = {"max_error": self.bound, "max_error_is_bound": True}
        return replace(
            result,
            verdict=verdict,
            compared=case.count,
            mode="search",
            seed=self.seed,
            eps=f"{found.h:.2g} along directions" if found else result.eps,
            reasons=tuple(self.reasons) if verdict != "passed" else (),
            resolution=max(self.bound, self.goal),
            resolution_norm=reach / self.norm if self.norm else reach,
            noise=found.noise if found else math.nan,
            error_norm=self.error_norm,
            **extra,
        )
