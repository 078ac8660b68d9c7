"""What may be the matter with a claim, entry by entry: factors, terms of x, zeros, masks, clipping."""

import math
from collections.abc import Callable, Iterator

import numpy as np

from fastgrad._diagnosis.evidence import CHANCE, CLEAR, RELATIVE, Evidence, Supposition
from fastgrad._diagnosis.words import number
from fastgrad._typing import Float64Array, IndexArray

#: Fewer wrong entries than this do not show a factor or a term that is not a plain number.
SEVERAL = 3
#: So many signs are as they are by chance in one case of a thousand.
SIGNS = 11
#: A factor this near to a whole number, relative, or to one over such a number, is meant to be it.
WHOLE, LARGEST_WHOLE = 1e-5, 10_000
#: So are factors that might be these, where the measurement leaves them less certain: one that bugs have most often if
#: it is off by no more than the first share of itself, any other if it is no farther off than the second number.
USUAL, LEEWAY, LEEWAY_OF_OTHERS = (-1.0, 2.0, 0.5, -2.0, -0.5), 0.2, 0.05


def local_suppositions(e: Evidence) -> Iterator[Supposition]:
    """Yield what may be so at each of the wrong entries, the plainest first; that it fits is yet to be seen."""
    for guess in (_zero, _factor, _decay, _lasso, _offset, _clipped, _factor_and_decay, _mask):
        supposition = guess(e)
        if supposition is not None:
            yield supposition


def _at(e: Evidence) -> Callable[[IndexArray], Float64Array]:
    return lambda i: e.claimed[i].astype(np.float64)


def _zero(e: Evidence) -> Supposition | None:
    if np.any(e.c):
        return None
    c = _at(e)

    def expected(i: IndexArray) -> Float64Array:
        return np.where(c(i) == 0.0, e.measured[i], np.inf)

    return Supposition(expected, "claimed = 0", "never written, or cut off from the loss", 0)


def _factor(e: Evidence) -> Supposition | None:
    is_small = np.abs(e.m) <= CLEAR * e.slack
    if not np.any(e.m) or 2 * np.count_nonzero(e.is_clear & is_small) > np.count_nonzero(e.is_clear):
        return None
    unsure = max(RELATIVE[e.precision], float(np.linalg.norm(np.nan_to_num(e.bound)) / np.linalg.norm(e.m)))
    factor = _rounded(float((e.c @ e.m) / (e.m @ e.m)), unsure)
    if factor == 0.0 or not np.isfinite(factor):
        return None
    cause, least = _cause_of(factor)
    c = _at(e)
    relation = "claimed = −measured" if factor == -1.0 else f"claimed = {number(factor)} × measured"
    return Supposition(lambda i: c(i) / factor, relation, cause, least)


def _rounded(factor: float, unsure: float = 0.0) -> float:
    """Return the whole number, or the one over a whole number, that a factor is very near to, or else the factor.

    It is known to a share of itself alone, `unsure`.
    """
    for usual in USUAL:
        if abs(factor / usual - 1.0) <= min(unsure, LEEWAY):
            return usual
    if not 1 / LARGEST_WHOLE <= abs(factor) <= LARGEST_WHOLE:
        return factor
    size = max(abs(factor), 1 / abs(factor))
    if abs(size - round(size)) > max(WHOLE, min(unsure * size, LEEWAY_OF_OTHERS)):
        return factor
    whole = math.copysign(round(size), factor)
    return whole if abs(factor) >= 1 else 1 / whole


def _cause_of(factor: float) -> tuple[str, int]:
    """Return what a factor means, and how many entries it takes to believe it."""
    if factor == -1.0:
        return "the sign is wrong", 1
    sign = "the sign is wrong, and " if factor < 0 else ""
    size = abs(factor)
    if size == 2.0:
        return f"{sign}a factor 2 is too much, or it was accumulated twice", 1
    if size == 0.5:
        return f"{sign}a factor 2 is missing", 1
    if 1 < size <= LARGEST_WHOLE and size == round(size):
        return f"{sign}a sum over {size:.0f} where f takes the mean, or so many passes accumulated", 2
    if 1 / LARGEST_WHOLE <= size < 1 and abs(1 / size - round(1 / size)) <= WHOLE:
        return f"{sign}a factor {1 / size:.0f} is missing, as of a mean over {1 / size:.0f} where f takes the sum", 2
    return f"{sign}a constant factor is wrong", SEVERAL


def _decay(e: Evidence) -> Supposition | None:
    x = e.x[e.wrong].astype(np.float64)
    rate = float(((e.m - e.c) @ x) / (x @ x)) if np.any(x) else 0.0
    if rate == 0.0 or not np.isfinite(rate):
        return None
    c = _at(e)
    relation = f"measured − claimed = {number(rate)} × x"
    if rate > 0:
        cause = f"a weight decay's term is missing (λ = {number(rate / 2)} in λ‖x‖², {number(rate)} in ½λ‖x‖²)"
    else:
        cause = "a weight decay's term is in the claim that f has not, or has smaller"
    return Supposition(lambda i: c(i) + rate * e.x[i].astype(np.float64), relation, cause, SEVERAL)


def _lasso(e: Evidence) -> Supposition | None:
    signs = np.sign(e.x[e.wrong].astype(np.float64))
    if not (np.any(signs > 0) and np.any(signs < 0)):
        return None  # then it is an offset
    rate = float((e.m - e.c) @ signs) / float(signs @ signs)
    if rate == 0.0 or not np.isfinite(rate):
        return None
    c = _at(e)
    cause = "the term of an absolute penalty is missing" if rate > 0 else "the term of an absolute penalty is too much"
    relation = f"measured − claimed = {number(rate)} × sign(x)"
    return Supposition(lambda i: c(i) + rate * np.sign(e.x[i].astype(np.float64)), relation, cause, SIGNS)


def _offset(e: Evidence) -> Supposition | None:
    offset = float(np.mean(e.c - e.m)) if e.c.size else 0.0
    if offset == 0.0 or not np.isfinite(offset):
        return None
    c = _at(e)
    relation = f"claimed − measured = {number(offset)}"
    return Supposition(lambda i: c(i) - offset, relation, "a constant is added to each entry", SEVERAL)


def _clipped(e: Evidence) -> Supposition | None:
    limit = float(np.median(np.abs(e.c))) if e.c.size else 0.0
    if limit == 0.0 or np.any(np.abs(np.abs(e.c) - limit) > WHOLE * limit) or np.any(e.m * e.c <= 0):
        return None
    if np.count_nonzero(np.diff(np.sort(np.abs(e.m))) > CLEAR * np.max(e.slack)) < SEVERAL - 1:
        return None
    c = _at(e)
    if np.any(np.abs(e.m) < limit):
        if abs(limit - 1.0) > WHOLE:
            return None

        def signed(i: IndexArray) -> Float64Array:
            measured = e.measured[i].astype(np.float64)
            return np.where(np.sign(measured) == c(i), measured, np.inf)

        return Supposition(signed, "claimed = sign(measured)", "the sign is taken for the value", SEVERAL)

    def expected(i: IndexArray) -> Float64Array:
        measured = e.measured[i].astype(np.float64)
        is_so = np.abs(np.clip(measured, -limit, limit) - c(i)) <= e.slack_of(measured)
        return np.where(is_so, measured, np.inf)

    relation = f"claimed = ±{number(limit)}, and measured is larger"
    return Supposition(expected, relation, "the claim is clipped, or the sign is taken for the value", SEVERAL)


def _factor_and_decay(e: Evidence) -> Supposition | None:
    """Suppose that the term of a penalty is right, and the rest has a factor too many: claimed = r·measured + s·x."""
    x = e.x[e.wrong].astype(np.float64)
    if e.c.size < SEVERAL + 2 or not np.all(np.isfinite(x)):
        return None
    basis = np.stack([e.m, x], axis=1)
    (factor, rate), _, rank, _ = np.linalg.lstsq(basis, e.c, rcond=1e-8)
    factor = _rounded(float(factor))
    if rank < 2 or factor in (0.0, 1.0) or not (np.isfinite(factor) and np.isfinite(rate)):
        return None
    if not np.any(np.abs(rate * x) > e.slack):
        return None  # then no penalty is seen
    c = _at(e)
    relation = f"claimed = {number(factor)} × measured {'+' if rate > 0 else '−'} {number(abs(float(rate)))} × x"
    cause = "the penalty's term and the rest of the gradient are scaled unlike each other"
    return Supposition(
        lambda i: (c(i) - float(rate) * e.x[i].astype(np.float64)) / factor, relation, cause, SEVERAL + 2
    )


def _mask(e: Evidence) -> Supposition | None:
    """Suppose that what is claimed where nothing was measured should have been masked."""
    if not np.all(np.abs(e.m) <= e.slack):
        return None
    known = e.measured[~np.isnan(e.measured)]
    share = np.count_nonzero(np.abs(known) <= np.max(e.slack)) / max(known.size, 1)
    if share**e.c.size > CHANCE:
        return None

    def expected(i: IndexArray) -> Float64Array:
        return np.zeros(i.size)

    cause = "a mask is missing (of a ReLU, of dropout, of padding), or a gradient that f stops"
    return Supposition(expected, "measured = 0", cause, SEVERAL)
