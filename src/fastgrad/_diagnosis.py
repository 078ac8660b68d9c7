"""What the bug in a wrong claim probably is, in one sentence with the evidence; nothing where nothing fits."""

from math import lgamma

import numpy as np

from fastgrad._evidence import Evidence, Supposition, Truths
from fastgrad._rearranged import rearrangements, swaps
from fastgrad._regions import region
from fastgrad._suppositions import local_suppositions
from fastgrad._totals import of_whole_leaf
from fastgrad._tree import Leaf, named
from fastgrad._typing import Float64Array

#: Suppositions are tried on so many wrong entries; the one that fits is tried on all.
TRIED = 4096
#: Wrong entries that fill a region, of which so few have as many entries, are told even where their values say nothing.
CHANCE = 1e-3
#: So many leaves are diagnosed one by one.
LEAVES = 3


def diagnose(e: Evidence) -> str:
    """Return what the bug probably is, and what supports that; "" where nothing fits all of the evidence.

    A supposition is believed only if it says of practically all wrong entries what was measured there, to many more
    digits than the claim has right, and if there are so many of them that chance is out of the question.

    Parameters
    ----------
    e : Evidence
        Of a claim with at least one wrong entry.

    Returns
    -------
    str
        One sentence without a full stop; several, with semicolons, where NaN, or leaves that are wrong in different
        ways, ask for it.
    """
    c, m = e.c, e.m
    lost = ~np.isfinite(c)
    sentences = []
    if np.any(lost):
        sentences.append(_not_finite(e, lost))
    rest = e.only(~lost & np.isfinite(m))
    if rest.wrong.size:
        found = _rounded_away(rest) or _of(rest) or _by_leaf(rest) or _by_place(rest)
        sentences += [found] if found else []
    return "; ".join(sentences)


def _not_finite(e: Evidence, lost: Truths) -> str:
    i, values = e.wrong[lost], e.c[lost]
    kind = "NaN" if np.all(np.isnan(values)) else "infinite" if not np.any(np.isnan(values)) else "NaN or infinite"
    count = np.count_nonzero(~np.isfinite(e.claimed))
    place = region(i, e.leaves, lambda k: ~np.isfinite(e.claimed[k]))
    if not place:
        place = f"{named(int(i[0]), e.leaves)} and elsewhere"
    return f"the claim is {kind} at {place} ({count} of {e.claimed.size} {_entries(e.claimed.size)})"


def _entries(n: int) -> str:
    return "entry" if n == 1 else "entries"


def _of(e: Evidence) -> str:
    """Return the sentence on one bug that explains all wrong entries."""
    sample = e.sample(TRIED)
    leaves = _touched(e)
    for supposition in local_suppositions(sample):
        if supposition.fits(sample) and (count := supposition.fits(e)):
            return _sentence(e, supposition, count)
    if len(leaves) > 1:
        return ""
    for supposition in (*rearrangements(sample, leaves[0]), *swaps(sample, leaves[0])):
        if supposition.fits(sample) and (count := supposition.fits(e)):
            return _sentence(e, supposition, count)
    return of_whole_leaf(e, leaves[0])


def _sentence(e: Evidence, supposition: Supposition, count: int) -> str:
    place = ""
    if supposition.is_local:
        place = region(e.wrong, e.leaves, lambda i: e.near(i, supposition.expected(i)))
    where, has = f", {place}," if place else "", "has" if e.wrong.size == 1 else "have"
    found = f"{count} of {e.wrong.size} wrong {_entries(e.wrong.size)}{where} {has} {supposition.relation}"
    return f"{found}: {supposition.cause}, probably"


def _by_leaf(e: Evidence) -> str:
    """Return what is found of each leaf by itself, where several have wrong entries."""
    leaves = _touched(e)
    if len(leaves) < 2:
        return ""
    found = (_of(e.only((e.wrong >= leaf.start) & (e.wrong < leaf.stop))) for leaf in leaves)
    return "; ".join([sentence for sentence in found if sentence][:LEAVES])


def _by_place(e: Evidence) -> str:
    """Return where the wrong entries are, if they fill rows, columns or a block and chance would scatter them."""
    n, k = e.claimed.size, e.wrong.size
    if k < 2 or k * _log_of_choices(n, k) == 0.0:
        return ""
    is_wrong = np.zeros(n, np.bool_)
    is_wrong[e.wrong] = True
    place = region(e.wrong, e.leaves, lambda i: is_wrong[i])
    lines = sum(sum(leaf.shape) ** 2 for leaf in e.leaves) + len(e.leaves)
    if not place or np.log(lines) - _log_of_choices(n, k) > np.log(CHANCE):
        return ""
    return f"the {k} wrong entries make up {place}"


def _log_of_choices(n: int, k: int) -> float:
    """Return the logarithm of the number of ways to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _rounded_away(e: Evidence) -> str:
    """Return a sentence if the claim has no more digits than a lower precision, and errors as small as its rounding."""
    leaves = _touched(e)
    own = np.concatenate([e.claimed[leaf.start : leaf.stop] for leaf in leaves]).astype(np.float64)
    for name, bits, kept in (("half", 11, _half), ("bfloat16", 8, _brain), ("single", 24, _single)):
        if name == "single" and e.precision == "f":
            continue
        small = 2.0**-bits * (1 if name != "single" else SPREAD)
        if np.any(np.abs(e.c - e.m) > small * np.maximum(np.abs(e.m), e.scale * (name == "single")) + e.slack):
            continue
        values = own if name == "single" else e.c
        if np.array_equal(kept(values), values) and _has_digits(values, bits):
            words = f"{name} precision" if name != "bfloat16" else "bfloat16"
            return (
                f"errors are {np.max(np.abs(e.c - e.m)):.2g} at most, at {e.wrong.size} {_entries(e.wrong.size)}, and "
                f"the claim has the digits of {words} only: consistent with rounding in {words}"
            )
    return ""


#: Sums of products in single precision are off by so many units of its roundoff, beside the largest entry.
SPREAD = 256.0


def _single(values: Float64Array) -> Float64Array:
    with np.errstate(over="ignore"):
        return values.astype(np.float32).astype(np.float64)


def _half(values: Float64Array) -> Float64Array:
    with np.errstate(over="ignore"):
        return values.astype(np.float16).astype(np.float64)


def _brain(values: Float64Array) -> Float64Array:
    with np.errstate(over="ignore"):
        bits = values.astype(np.float32).view(np.uint32)
    exact = np.array_equal(_single(values), values)
    return (bits & np.uint32(0xFFFF0000)).view(np.float32).astype(np.float64) if exact else values + 1.0


def _has_digits(values: Float64Array, bits: int) -> bool:
    """Tell whether at least four values use more than half of so many binary digits: few digits prove nothing."""
    mantissa, _ = np.frexp(values)
    short = np.round(mantissa * 2.0 ** (bits // 2)) == mantissa * 2.0 ** (bits // 2)
    return np.unique(values[~short]).size >= 4


def _touched(e: Evidence) -> list[Leaf]:
    """Return the leaves that hold wrong entries."""
    return [leaf for leaf in e.leaves if np.any((e.wrong >= leaf.start) & (e.wrong < leaf.stop))]
