"""Entries beyond tolerance, measured again: the best value of each, its error bound, and whether f has a kink there."""

from bisect import insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import attrgetter

import numpy as np

from fastgrad._judge.probe import DEVIATIONS, Probe, Slope

#: An entry beyond tolerance is measured again at these multiples of its step.
MULTIPLES = (1 / 256, 1 / 16, 1.0, 4.0, 16.0)
#: So is the automatic step, where it is so many octaves from all of these.
APART = 1.5
#: Then each time with a step so much smaller, until the values agree or drown in noise.
SHRINK, SMALLEST = 16.0, 8
#: Where noise decides and larger steps agree, with still larger ones, each time by this factor.
GROW, GROWTHS = 4.0, 4
#: Where noise decides, with steps so small beside the entry, in case it is no noise but a scale finer than the steps'.
FINER = (2.0**-20, 2.0**-28, 2.0**-36)
#: And a few units in the last place of an entry so large that its steps are not much longer: a sine of 10⁹, say.
LAST_PLACES, MUCH = (2.0**-44, 2.0**-50), 2.0**12
#: Where f stands still at all steps, these multiples tell whether it is constant or moves in jumps.
LEAPS = (256.0, 4096.0)
#: So do these, where all values of f may be of half precision: it has so few digits that it stands still at all others.
FAR_LEAPS = (2.0**15, 2.0**19)
#: So far away f may bend: that it stands still there counts as if it rounded so much more coarsely.
BENT = 4.0


@dataclass(frozen=True)
class Finding:
    """What the second look at one entry showed: the best value, its bound, and the slopes on both sides of a kink."""

    measured: float
    bound: float
    left: float = float("nan")
    right: float = float("nan")

    @property
    def is_kink(self) -> bool:
        """Whether the slopes on both sides differ."""
        return not (np.isnan(self.left) or self.left == self.right)

    def nearest(self, claimed: float) -> float:
        """Return the slope found that is nearest to the claim: at a kink, any in between."""
        if not self.is_kink:
            return self.measured
        return min(max(claimed, min(self.left, self.right)), max(self.left, self.right))


def look_again(probe: Probe, i: int, h: float, auto: float | None, claimed: float, tolerance: float) -> Finding | None:
    """Return what steps around h show at entry i, as `_look` does; the probe keeps the slopes of the worst entry."""
    found = _look(probe, i, h, auto, claimed, tolerance)
    probe.found(i, claimed, found.nearest(claimed) if found else claimed)
    return found


def _look(probe: Probe, i: int, h: float, auto: float | None, claimed: float, tolerance: float) -> Finding | None:
    """Return what steps around h show at entry i; None where f has no finite value near it.

    Central differences with ever larger steps err less by noise and more by all else. Those that agree within their
    noise, from the smallest step on, are taken for true, and the one with the least bound is the measured value. A
    claim is outside the bound only if two steps agree that it is; where they do not, the step shrinks, so that kinks
    and curvature fall behind, until they do or noise leaves nothing to see.
    """
    steps = [h * factor for factor in MULTIPLES]
    if auto is not None and min(abs(np.log2(auto / step)) for step in steps) >= APART:
        steps.append(auto)
    slopes = _sorted(probe.slope(i, step) for step in steps)
    if not all(s.is_still for s in slopes) or not slopes:
        if len(slopes) >= len(MULTIPLES) and (plain := _plainly_wrong(slopes, claimed)):
            return plain
        _shrink(probe, i, h, claimed, tolerance, slopes)
    if not slopes:
        return None
    if all(s.is_still for s in slopes):
        return _standing_still(probe, i, h, slopes[-1], claimed, tolerance)
    stood_still = slopes[0].is_still
    if stood_still:
        still, slopes = slopes[0], [s for s in slopes if not s.is_still]
        is_flat = any(s.left == 0.0 or s.right == 0.0 for s in slopes) and not _is_grain(still, slopes[0])
        if abs(claimed) <= tolerance and is_flat:
            return Finding(0.0, still.error)
        slopes = _with_jumps(slopes)
    found = _kink(slopes, claimed, tolerance) or _best(slopes, claimed)
    if not found.is_kink and found.bound > tolerance and abs(claimed - found.measured) <= found.bound:
        found = _grow(probe, i, claimed, tolerance, slopes, found, stood_still)
    if _is_settled(found, claimed, tolerance) or slopes[0].error <= 8 * slopes[0].rounding:
        return found
    return _finer(probe, i, claimed, tolerance, slopes[0].h) or found


def _is_settled(found: Finding, claimed: float, tolerance: float) -> bool:
    low, high = (found.left, found.right) if found.is_kink else (found.measured, found.measured)
    return min(low, high) - tolerance <= claimed <= max(low, high) + tolerance


def _sorted(slopes: Iterable[Slope | None]) -> list[Slope]:
    return sorted((s for s in slopes if s is not None), key=attrgetter("h"))


def _with_jumps(slopes: list[Slope]) -> list[Slope]:
    """Return the slopes with the errors that jumps of f make: it stood still at a smaller step than the first of these.

    An f that stands still and then moves on one side has a kink there; one that moves on both goes in jumps.
    """
    if all(s.left == 0.0 for s in slopes) or all(s.right == 0.0 for s in slopes):
        return slopes
    jump = max(abs(slopes[0].left), abs(slopes[0].right)) * slopes[0].h
    return [replace(s, rounding=max(s.rounding, jump / s.h)) for s in slopes]


def _is_grain(still: Slope, moved: Slope) -> bool:
    """Tell whether f, had it the slope that a larger step shows, would stand still all the same: by its noise alone."""
    return 2 * still.error >= max(abs(moved.left), abs(moved.right))


def _plainly_wrong(slopes: list[Slope], claimed: float) -> Finding | None:
    """Return the value if all steps show the same one on both sides, and the claim is far from it.

    The smallest step shows noise hundreds of times larger than the others, so what they are apart by bounds it: it need
    not be measured.
    """
    central = [s.central for s in slopes]
    every = central + [s.left for s in slopes] + [s.right for s in slopes]
    middle = slopes[len(slopes) // 2]
    apart = max(every) - min(every)
    if any(s.is_still for s in slopes) or 10 * apart > min(abs(claimed - middle.central), max(map(abs, central))):
        return None
    return Finding(middle.central, max(central) - min(central) + middle.rounding)


def _shrink(probe: Probe, i: int, h: float, claimed: float, tolerance: float, slopes: list[Slope]) -> None:
    """Add slopes with smaller and smaller steps, until the last two show one picture or noise is in the way."""
    for k in range(3, SMALLEST + 1):
        if len(slopes) >= 2:
            small, large = slopes[:2]
            off = max(abs(small.central - claimed), abs(large.central - claimed), tolerance)
            if small.is_still or 4 * small.error >= off:
                return
            if _agree(small, large, claimed) and not _is_open(small, large, tolerance):
                return
        s = probe.slope(i, h / SHRINK**k)
        if s is not None:
            insort(slopes, s, key=attrgetter("h"))


def _agree(a: Slope, b: Slope, claimed: float) -> bool:
    """Tell whether two steps show about the same value, and put the claim off by about the same."""
    size = min(max(abs(a.central), abs(b.central)), abs(a.central - claimed))
    return abs(a.central - b.central) <= a.error + b.error + size / 4


def _is_open(small: Slope, large: Slope, tolerance: float) -> bool:
    """Tell whether the slopes on both sides are apart and neither close like a curve's nor stand like a kink's."""
    return small.gap > max(_slack(small, large), tolerance) and not (_closes(small, large) or _stands(small, large))


def _slack(small: Slope, large: Slope) -> float:
    """Return what noise may do to the difference of two gaps."""
    return 4 * (small.error + large.error)


def _closes(small: Slope, large: Slope) -> bool:
    return small.gap <= 2 * large.gap * (small.h / large.h) + _slack(small, large)


def _stands(small: Slope, large: Slope) -> bool:
    return abs(large.gap - small.gap) <= 0.25 * small.gap


def _kink(slopes: list[Slope], claimed: float, tolerance: float) -> Finding | None:
    """Return the kink that the two smallest telling steps show: slopes apart, and no nearer to each other.

    Where they are apart and it is not known how it goes on, several kinks may lie within the steps. Each falsifies a
    central difference by half of what it sets the slopes apart, and a claim no farther off than they are is no error.
    """
    clear = [s for s in slopes if s.gap > max(8 * s.error, tolerance)]
    if len(clear) < 2 or _closes(clear[0], clear[1]):
        return None
    small, large = clear[0], clear[1]
    bound = 2 * small.error
    is_between = abs(claimed - small.central) <= small.gap / 2 + bound
    if _stands(small, large) and large.h >= 2 * small.h and (is_between or _is_evidence(slopes, claimed)):
        best = before = small
        for s in clear[1:]:
            change = max(abs(s.left - before.left), abs(s.right - before.right))
            if change > 2 * (s.error + before.error):
                break
            reach = 2 * s.error + change / (1.0 - before.h / s.h)  # one-sided slopes err in proportion to the step
            if reach < bound:
                best, bound = s, reach
            before = s
        return Finding(best.central, bound, best.left, best.right)
    if abs(claimed - small.central) <= small.gap + bound:
        return Finding(small.central, small.gap + bound)
    return None


def _best(slopes: list[Slope], claimed: float) -> Finding:
    """Return the value with the least bound among the steps that agree, from the smallest on.

    The error of a step that agrees is its noise and its difference from the next smaller or larger one. Fewer than two
    that could tell the claim from the value are no evidence against it: then the bound reaches to the claim.
    """
    low, high = -float("inf"), float("inf")
    chain: list[Slope] = []
    for s in slopes:
        low, high = max(low, s.central - s.error), min(high, s.central + s.error)
        if low > high:
            break
        chain.append(s)
    candidates = [
        Finding(s.central, abs(t.central - s.central) + s.error + (t.error if t.h < s.h else 0.0))
        for k, s in enumerate(chain)
        for t in (slopes[k - 1 : k] + slopes[k + 1 : k + 2])
    ]
    if not candidates:
        return Finding(chain[-1].central, 2 * max(abs(chain[-1].central - claimed), chain[-1].error))
    best = min(candidates, key=attrgetter("bound"))
    error = abs(best.measured - claimed)
    if error > best.bound and not _is_evidence(slopes, claimed):
        return Finding(best.measured, error)
    return best


def _is_evidence(slopes: list[Slope], claimed: float) -> bool:
    """Tell whether two steps agree against the claim and no smaller one speaks for it.

    Steps that cross a kink, for noise allows no smaller ones, speak against no claim between the slopes on both sides.
    """
    telling = [s for s in slopes if 2 * s.error < abs(s.central - claimed)]
    if len(telling) < 2 or not _agree(telling[0], telling[1], claimed) or _is_between(slopes, claimed):
        return False
    least = abs(telling[0].central - claimed)
    return not any(s.h < telling[0].h and 2 * s.error < least for s in slopes)


def _grow(
    probe: Probe, i: int, claimed: float, tolerance: float, slopes: list[Slope], found: Finding, stood_still: bool
) -> Finding:
    """Return the best value with larger steps too, as long as they lessen a bound that noise has made."""
    for _ in range(GROWTHS):
        s = probe.slope(i, slopes[-1].h * GROW) if slopes[-1].h * GROW <= probe.scale(i) else None
        if s is None:
            break
        slopes = [*slopes, s]
        better = _best(_with_jumps(slopes) if stood_still else slopes, claimed)
        if not better.bound < found.bound:
            break
        found = better
        if found.bound <= tolerance or abs(claimed - found.measured) > found.bound:
            break
    return found


def _finer(probe: Probe, i: int, claimed: float, tolerance: float, least: float) -> Finding | None:
    """Return a value with a step small beside the entry, if two such steps show the claim as if there were no noise.

    What is taken for noise may be kinks, or a function that lives on a finer scale than the steps. True noise does not
    show the claim twice where it is far larger than the tolerance, unless the claim is zero and f has too few digits to
    move at all.
    """
    size = probe.size(i)
    for fraction in [*FINER, *(last for last in LAST_PLACES if size * last * MUCH >= least)]:
        a = probe.slope(i, size * fraction)
        if a is None or a.is_still or not abs(a.central - claimed) <= tolerance + a.rounding:
            continue
        b = probe.slope(i, size * fraction / 4)
        if b is None or b.is_still or b.rounding > max(tolerance, abs(claimed) / 100):
            return None
        if abs(b.central - claimed) <= tolerance + b.rounding:
            return Finding(a.central, abs(a.central - b.central) + a.rounding)
    return None


def _is_between(slopes: list[Slope], claimed: float) -> bool:
    """Tell whether steps seem to cross a kink, and the claim lies between the slopes on both sides of it."""
    return any(
        large.gap > 8 * large.error
        and small.gap > max(2 * small.error, large.gap / 2)
        and large.h >= 2 * small.h
        and abs(claimed - large.central) <= large.gap / 2 + 2 * large.error
        for small, large in pairwise(slopes)
    )


def leaps(probe: Probe) -> Iterator[float]:
    """Return the multiples of a step that tell whether an f that stands still is constant, one after another."""
    yield from LEAPS
    for factor in FAR_LEAPS:
        if probe.precision.may_be_half:
            yield factor


def _standing_still(probe: Probe, i: int, h: float, still: Slope, claimed: float, tolerance: float) -> Finding:
    """Return a zero slope: certain, unless f moves at larger steps as the claim says, for then it moves in jumps.

    Where f has so few digits that its rounding alone may keep it still, what it does at larger steps is all that is
    known, and too little to accuse anybody. A claim of something is held against no step larger than the scale on
    which f changes: farther away, to the digits that it has, f may be what it is at x.
    """
    scale, reach = 1.0, np.inf if abs(claimed) <= tolerance else probe.scale(i)
    for factor in leaps(probe):
        s = probe.slope(i, h * factor) if h * factor <= reach else None
        if s is None:
            break
        if s.is_still:
            still, scale = s, BENT if factor in FAR_LEAPS else 1.0
        elif still.error > tolerance and not (s.is_one_sided and s.gap > 2 * s.error):
            return Finding(s.central, max(abs(s.central - claimed), s.error))
        elif abs(s.central - claimed) < abs(claimed) / 2:
            return Finding(0.0, abs(claimed))
    doubt = DEVIATIONS * probe.precision.coarsest_rounding(probe.centre) / still.h
    return Finding(0.0, scale * max(still.error, doubt))
