"""The adaptive method: the derivative of a function of one variable, as many digits as it allows, and an error bar.

A tiny *anchor* pair gives the slope to about ten digits, whatever f does further out. A second pair, far larger, is
held against it: what lies between the two slopes is truncation, and says how long a step may be. Steps that are too
long shrink towards the anchor; steps whose differences drown in rounding grow. From the largest step H so found,
quotients at H, H/2, H/4, 3H/4 … are extrapolated to step zero by a polynomial in h² (Richardson, Phil. Trans. R. Soc. A
210, 1911; Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4, 1982), until
truncation is below noise or stops falling. Nodes near H, rather than ever smaller ones, keep the rounding small.

What this file knows is a function of a step, and numbers; nothing of x, of arrays, or of verbs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from fastgrad._adaptive.extrapolation import SAFETY_NOISE, Outcome, Sample, Series, power_law
from fastgrad._adaptive.line import Line
from fastgrad._adaptive.step_search import GOLDEN, StepSearch

#: Extrapolation's nodes, in units of the largest step: where f is smooth there, where it must shrink, and on one side.
NEAR = (1 / 2, 1 / 4, 3 / 4, 5 / 8, 3 / 8, 7 / 8)
SHORT = (1 / 8, 1 / 16, 1 / 32, 1 / 64)
ONE_SIDED = (1 / 2, 1 / 4, 1 / 8, 3 / 4, 1 / 16, 3 / 8, 3 / 16, 5 / 8, 1 / 32, 7 / 8)
#: The first step over the point's magnitude, by the order of the derivative.
FIRST = {1: 2.0**-4, 2: 2.0**-3, 3: 2.0**-2, 4: 2.0**-2}
#: Steps this many times as small as the last are tried where extrapolation does not settle, and so often.
RETREAT, RETREATS = 1 / 16, 4
#: A point so small says little of the scale on which f changes: where its steps leave an error bar of such a share of
#: the value, as rounding does in differences of an f that is large beside its slope, they start at the scale 1 again.
TINY, VAGUE = 2.0**-10, 1e-8
#: Where a bound is closer than this share of the first step, only the other side is used.
NO_ROOM = 2.0**-7
#: Functions whose slope is steep for their value and x reach this noise, over rounding, by rounding on their way.
ILL_CONDITIONED = 30.0
#: Noise over rounding from which it is worth telling.
NOISY = 1e4
#: Noise over what f moves from which on it may be f itself that moves so fast.
DROWNED = 0.01


@dataclass(frozen=True)
class Estimate:
    """A derivative with its error bar, the calls of f it took, the largest step used, and what was noticed.

    Flags: ``"kink"`` (the slopes on both sides differ), ``"one-sided"`` (f is not defined on one side),
    ``"noisy"`` (f jitters by far more than rounding), ``"diverges"`` (quotients grow without bound), ``"unsettled"``
    (extrapolation did not settle; the bar says how far), ``"undefined"`` (f has no finite value there).
    """

    value: float
    error: float
    calls: int
    flags: tuple[str, ...]
    step: float


def adaptive_derivative(
    value: Callable[[float], float],
    scale: float,
    *,
    n: int = 1,
    ulp: float = 2.0**-52,
    bounds: tuple[float, float] = (-math.inf, math.inf),
    realised: Callable[[float], float] | None = None,
) -> Estimate:
    """Return the n-th derivative at t = 0 of t ↦ value(t), with an error bar.

    Parameters
    ----------
    value : callable
        Takes a step t, positive or negative, and returns f(x + t e). A value that is not finite, and a
        FloatingPointError, ZeroDivisionError, OverflowError or ValueError, mean that f is not defined there.
    scale : float
        The magnitude of the point along the line; steps start at a fraction of it. 0 stands for 1.
    n : int
        The order of the derivative, 1 to 4.
    ulp : float
        The spacing of f's values at 1: 2⁻⁵² for float64, 2⁻²³ for float32.
    bounds : tuple of float
        The steps that are allowed; 0 lies between them.
    realised : callable, optional
        Takes a positive step and returns the one next to it that both x + t and x − t take exactly. By default every
        step is taken as it is.

    Returns
    -------
    Estimate

    Examples
    --------
    >>> import math
    >>> from fastgrad._adaptive.method import adaptive_derivative
    >>> found = adaptive_derivative(lambda t: math.sin(100 * (0.3 + t)), 0.3)
    >>> abs(found.value - 100 * math.cos(30)) <= found.error < 1e-11
    True
    """
    line = Line(value, scale, bounds, realised, ulp)
    if math.isnan(line.centre):
        return Estimate(math.nan, math.inf, line.calls, ("undefined",), 0.0)
    size = 2.0 ** math.floor(math.log2(scale)) if scale > 2.0**-1000 else 1.0 if scale == 0 else 2.0**-1000
    found = _on_some_side(line, n, size * FIRST[n])
    if (
        size < TINY
        and not {"undefined", "diverges", "kink"} & set(found.flags)
        and found.error > VAGUE * abs(found.value)
    ):
        longer = _on_some_side(line, n, FIRST[n])
        found = min(replace(found, calls=longer.calls), longer, key=lambda estimate: estimate.error)
    return found


def _on_some_side(line: Line, n: int, first: float) -> Estimate:
    """Return the estimate from both sides, or from one where f is not defined on the other."""
    for side in _sides(line, first):
        line.side = side
        found = _measure(line, n, first)
        if found is not None:
            return found
    return Estimate(math.nan, math.inf, line.calls, ("undefined",), 0.0)


def _sides(line: Line, first: float) -> tuple[int, ...]:
    """Return the sides to try in turn: both at once (0), unless a bound leaves next to no room on one."""
    low, high = line.bounds
    one_sided = (1, -1) if high > -low else (-1, 1)
    return one_sided if min(-low, high) < first * NO_ROOM else (0, *one_sided)


def _measure(line: Line, n: int, first: float) -> Estimate | None:
    """Return the estimate on the side that the line is set to, None where f is not defined next to the point."""
    search = StepSearch(line, first)
    anchor = search.anchor
    if anchor is None:
        return None
    top = search.run() or line.sample(search.first) or anchor
    tried = [_extrapolate(line, n, top)]
    for _ in range(RETREATS):
        if _is_final(tried[-1], anchor) or top.h * RETREAT < 16 * anchor.h:
            break
        top = line.sample(top.h * RETREAT) or anchor
        tried.append(_extrapolate(line, n, top))
    limit = _limit(tried[-1], anchor)
    longest = line.sample(search.first)
    if tried[-1].noise > NOISY and limit is None and longest is not None and top.h < longest.h / 4:
        tried.append(_extrapolate(line, n, longest))
    best, outcome = min(((s, s.outcome()) for s in tried), key=lambda pair: pair[1].error)
    found = _judged(line, best, outcome, anchor, limit)
    jitter = max(anchor.swing, best.noise * line.ulp / 2 * anchor.size)
    if {"noisy", "unsettled"} & set(found.flags) and jitter > DROWNED * max(s.swing for s in best.samples):
        return _within_jitter(line, n, anchor.h, jitter) or found
    return found


def _within_jitter(line: Line, n: int, h: float, jitter: float) -> Estimate | None:
    """Return the estimate from steps so short that what seemed to jitter moves evenly; None where it never does.

    Jitter that is not small beside all that f moves may be f itself, swinging faster than the shortest step so far, h.
    """
    while (h := h / 16) > 4 * line.ulp * line.scale > 0:
        # the last is no binary fraction: steps of whole periods must not pass for short ones
        near = [line.sample(h * ratio) for ratio in (1, 1 / 2, GOLDEN / 4)]
        if not all(_is_even(a, b, line.ulp, jitter) for a, b in pairwise(near)):
            continue
        tops = [line.sample(h * ratio) for ratio in (1, 8, 64)]
        tried = [_extrapolate(line, n, top) for top in tops if top is not None]
        best, outcome = min(((s, s.outcome()) for s in tried), key=lambda pair: pair[1].error)
        assert near[-1] is not None
        return _judged(line, best, outcome, near[-1], None)
    return None


def _is_even(far: Sample | None, near: Sample | None, ulp: float, jitter: float) -> bool:
    """Whether f moves by less than its jitter, but by more than rounding, and less and less."""
    if far is None or near is None or far.swing > jitter / 8:
        return False
    return near.swing > 8 * ulp * near.size and 0.05 * far.swing < near.swing < 0.6 * far.swing


def _is_final(series: Series, anchor: Sample) -> bool:
    """Whether smaller steps promise nothing: extrapolation settled, or is kept from it by noise, or by a power law."""
    return series.is_settled or _limit(series, anchor) is not None or _is_noise(series, anchor)


def _extrapolate(line: Line, n: int, top: Sample) -> Series:
    """Return the samples at `top` and below it, as many as it takes for their extrapolation to settle or stall."""
    condition = line.scale * abs(top.slope) / top.size if top.size else 1.0
    least = max(1.0, min(condition / 4, ILL_CONDITIONED))
    series = Series(n, 1 if line.side else 2, line.ulp, is_mirrored=line.side < 0, least_noise=least)
    series.add(top)
    left = list(ONE_SIDED if line.side else NEAR)
    has_shrunk = bool(line.side)
    while left:
        sample = line.sample(top.h * left.pop(0))
        if sample is None or any(sample.h == s.h for s in series.samples):
            continue
        series.add(sample)
        if len(series.samples) < n // 2 + 3:
            continue
        if series.is_settled or series.is_stalled:
            break
        if series.radius < 3 * top.h and not has_shrunk:
            has_shrunk, left = True, list(SHORT)
    return series


def _limit(series: Series, anchor: Sample) -> tuple[float, float, float] | None:
    """Return what the quotients tend to if they, and the anchor's, follow a power of the step as no polynomial does."""
    if series.n > 1 or series.is_settled:
        return None
    found = power_law(series.samples)
    if found is None:
        return None
    far = abs(series.samples[0].slope - found[0])
    near = abs(anchor.slope - found[0])
    expected = far * (anchor.h / series.samples[0].h) ** found[2]
    if found[2] < 0:
        return found if near > expected / 4 else None
    return found if near < far / 10 or expected / 2 < near < 2 * expected < far / 2 else None


def _is_noise(series: Series, anchor: Sample) -> bool:
    """Whether noise can be what keeps extrapolation from settling: then it also moves the anchor's slope, as far."""
    expected = series.noise * series.ulp * anchor.size / anchor.h
    return 0.01 * expected < abs(anchor.slope - series.derivative(1)) < 100 * expected


def _judged(
    line: Line, series: Series, best: Outcome, anchor: Sample, limit: tuple[float, float, float] | None
) -> Estimate:
    """Return the estimate with its flags: what the anchor says of the value, and the two sides of each other."""
    flags = ["one-sided"] if line.side else []
    noise = max(best.noise, _noise_at(anchor, series, best.value))
    value, error = best.value, best.error + SAFETY_NOISE * (noise - best.noise) * best.rounding
    if limit is not None and limit[2] < 0:
        flags.append("diverges")
        error = math.inf
    elif limit is not None and limit[1] <= error:
        value, error = limit[0], limit[1] + series.ulp * abs(limit[0])
    elif series.n == 1:
        off = abs(value - anchor.slope) - _leeway(series, anchor, value, noise)
        if off > error:
            error = off
            flags.append("unsettled")
    if line.is_coarse:
        flags.append("noisy")
    if noise > NOISY and limit is None:
        flags.append("noisy" if _is_noise(series, anchor) else "unsettled")
    error += line.ulp / 2 * abs(series.derivative(series.n + 1, line.scale))
    gap = _kink(line, series, anchor, noise)
    if gap:
        flags.append("kink")
        error = max(error, gap / 2)
    return Estimate(value, error, line.calls, tuple(dict.fromkeys(flags)), best.h)


def _noise_at(anchor: Sample, series: Series, value: float) -> float:
    """Return the noise that shows at the anchor in the odd and the even part of f alike, in units of rounding."""
    top = series.samples[0]
    ratio = anchor.h / top.h
    unit = series.ulp / 2 * top.size
    if series.n > 1 or series.p == 1 or ratio > 2.0**-8 or not unit:
        return 1.0
    odd = abs(anchor.odd - value * anchor.h) - 8 * abs(top.odd - value * top.h) * ratio**3
    even = abs(anchor.even - series.derivative(2, anchor.h) * anchor.h / 2)
    return min(odd, even) / unit


def _leeway(series: Series, anchor: Sample, value: float, noise: float) -> float:
    """Return by how much noise and truncation may have moved the anchor's slope."""
    top = max(series.samples, key=lambda s: s.h)
    unsure = max(noise * series.ulp * anchor.size, abs(anchor.even)) / anchor.h
    return 8 * (unsure + abs(top.slope - value) * (anchor.h / top.h) ** series.p)


def _kink(line: Line, series: Series, anchor: Sample, noise: float) -> float:
    """Return how far the slopes on both sides are apart, 0 where they meet as the step falls."""
    top = series.samples[0]
    gap = 2 * abs(anchor.even) / anchor.h
    if gap * anchor.h <= 16 * noise * series.ulp * anchor.size or gap * top.h < 0.2 * abs(top.even):
        return _kink_beside(series, noise)
    nearer = line.sample(anchor.h / 16)
    if nearer is None or abs(2 * abs(nearer.even) / nearer.h - gap) > 0.2 * gap:
        return 0.0
    return gap


def _kink_beside(series: Series, noise: float) -> float:
    """Return how far the slopes on both sides are apart if none of the steps brings them nearer: a kink is beside x."""
    top, least = series.samples[0], min(series.samples, key=lambda s: s.h)
    gap = 2 * abs(least.even) / least.h
    stays = least.h <= top.h / 4 and abs(gap * top.h - 2 * abs(top.even)) < 0.1 * gap * top.h
    return gap if stays and gap * least.h > 16 * noise * series.ulp * least.size else 0.0
