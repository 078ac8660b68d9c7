"""What the bug in a wrong claim probably is, in one sentence with the evidence; nothing where nothing fits."""

import numpy as np

from fastgrad._choices import log_of_choices
from fastgrad._diagnosis.evidence import CHANCE, Evidence, Supposition, Truths
from fastgrad._diagnosis.precision import rounding
from fastgrad._diagnosis.rearranged import rearrangements, swaps
from fastgrad._diagnosis.regions import region
from fastgrad._diagnosis.suppositions import local_suppositions
from fastgrad._diagnosis.totals import of_whole_leaf
from fastgrad._diagnosis.words import entries
from fastgrad._tree import named

#: Suppositions are tried on so many wrong entries; the one that fits is tried on all.
TRIED = 4096
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
    with np.errstate(all="ignore"):
        lost = ~np.isfinite(e.c)
        sentences = [_not_finite(e, lost)] if np.any(lost) else []
        rest = e.only(~lost & np.isfinite(e.m))
        if rest.wrong.size:
            found = rounding(rest) or _of(rest) or _by_leaf(rest) or _by_place(rest)
            sentences += [found] if found else []
    return "; ".join(sentences)


def _not_finite(e: Evidence, lost: Truths) -> str:
    i, values = e.wrong[lost], e.c[lost]
    kind = "NaN" if np.all(np.isnan(values)) else "infinite" if not np.any(np.isnan(values)) else "NaN or infinite"
    count = np.count_nonzero(~np.isfinite(e.claimed))
    place = region(i, e.leaves, lambda k: ~np.isfinite(e.claimed[k]))
    if not place:
        place = f"{named(int(i[0]), e.leaves)} and elsewhere"
    return f"the claim is {kind} at {place} ({count} of {e.claimed.size} {entries(e.claimed.size)})"


def _of(e: Evidence, among: int | None = None) -> str:
    """Return the sentence on one bug that explains all wrong entries; they are some of so many, if it is told."""
    sample = e.sample(TRIED)
    leaves = e.touched
    for supposition in local_suppositions(sample):
        if supposition.fits(sample) and (count := supposition.fits(e)):
            return _sentence(e, supposition, count, among)
    if len(leaves) > 1:
        return ""
    for supposition in (*rearrangements(sample, leaves[0]), *swaps(sample, leaves[0])):
        if supposition.fits(sample) and (count := supposition.fits(e)) and supposition.holds_everywhere(e):
            return _sentence(e, supposition, count, among)
    return of_whole_leaf(e, leaves[0])


def _sentence(e: Evidence, supposition: Supposition, count: int, among: int | None) -> str:
    place = ""
    if supposition.leaf is None:
        place = region(e.wrong, e.leaves, lambda i: e.near(i, supposition.expected(i)))
    where, has = f", {place}," if place else "", "has" if e.wrong.size == 1 else "have"
    counted = f"{count} of {_wrong(e, among or e.wrong.size)}"
    return f"{counted}{where} {has} {supposition.relation}: {supposition.cause}, probably"


def _wrong(e: Evidence, count: int) -> str:
    """Return so many wrong entries in words, which say whether others may be wrong, too."""
    return f"{count} wrong {entries(count)}{'' if e.is_complete else ' found'}"


def _by_leaf(e: Evidence) -> str:
    """Return what is found of each leaf by itself, where several have wrong entries.

    A sentence counts those of its leaf; all of them, where there are others that no sentence speaks of.
    """
    if len(e.touched) < 2:
        return ""
    parts = [e.only((e.wrong >= leaf.start) & (e.wrong < leaf.stop)) for leaf in e.touched]
    told = [part for part in parts if _of(part)][:LEAVES]
    is_all = sum(part.wrong.size for part in told) == e.wrong.size
    return "; ".join(_of(part, None if is_all else e.wrong.size) for part in told)


def _by_place(e: Evidence) -> str:
    """Return where the wrong entries are, if they fill rows, columns or a block and chance would scatter them."""
    n, k = e.claimed.size, e.wrong.size
    if k < 2 or k * log_of_choices(n, k) == 0.0:
        return ""
    is_wrong = np.zeros(n, np.bool_)
    is_wrong[e.wrong] = True
    place = region(e.wrong, e.leaves, lambda i: is_wrong[i])
    lines = sum(sum(leaf.shape) ** 2 for leaf in e.leaves) + len(e.leaves)
    if not place or np.log(lines) - log_of_choices(n, k) > np.log(CHANCE):
        return ""
    return f"the {_wrong(e, k)} make up {place}"
