"""What may be the matter with the claim of one leaf as a whole: sums along axes, factors of rows, another order."""

from math import prod

import numpy as np

from fastgrad._diagnosis.evidence import CLEAR, LARGEST, Evidence
from fastgrad._diagnosis.words import number
from fastgrad._tree import Leaf
from fastgrad._typing import Float64Array

#: So many constraints make a coincidence out of the question.
SEVERAL = 3
#: A total that is nearer to zero than the first share of its terms, or to a whole number than the second, may have to
#: be so whatever the bug; errors that add up to no more than the second share of their sizes leave the total as it was.
CANCELLED, FORCED = 1e-3, 1e-6


def of_whole_leaf(e: Evidence, leaf: Leaf) -> str:
    """Return a sentence on the claim of a leaf, all wrong entries lying in it; "" where nothing fits.

    Unlike suppositions of single entries these need the measurement of the whole leaf.
    """
    size = prod(leaf.shape)
    if size > LARGEST or not leaf.shape or np.count_nonzero(e.is_clear) < 2:
        return ""
    c = e.claimed[leaf.start : leaf.stop].astype(np.float64).reshape(leaf.shape)
    m = e.measured[leaf.start : leaf.stop].astype(np.float64).reshape(leaf.shape)
    if not (np.all(np.isfinite(m)) and np.all(np.isfinite(c))):
        return ""
    return _sum_along(e, leaf, c, m) or _other_order(e, leaf, c, m) or _factors(e, leaf, c, m) or _total(e, leaf, c, m)


def _slack(e: Evidence, values: Float64Array, terms: int = 1) -> Float64Array:
    """Return by how much what equals these values, or a sum of so many terms, may differ from them."""
    bound = float(np.nanmax(e.bound, initial=0.0)) if np.any(np.isfinite(e.bound)) else 0.0
    return e.slack_of(values) + terms * (bound + float(e.slack_of(np.zeros(1))[0]))


def _sum_along(e: Evidence, leaf: Leaf, c: Float64Array, m: Float64Array) -> str:
    """Suppose that an axis was summed, or averaged, and the result spread over it again."""
    axes: list[int | None] = [*range(c.ndim), None] if c.ndim > 1 else [None]
    for axis in axes:
        if np.any(np.abs(np.diff(c if axis is not None else c.reshape(-1), axis=axis or 0)) > 0):
            continue
        for name, total in (("sum", np.sum(m, axis, keepdims=True)), ("mean", np.mean(m, axis, keepdims=True))):
            seen = np.broadcast_to(total, c.shape)
            informed = np.unique(total.round(12)).size if axis is not None else c.size
            if informed >= 2 and np.all(np.abs(seen - c) <= _slack(e, seen, c.size)):
                where = "all entries" if axis is None else f"axis {axis}"
                return (
                    f"each entry of {leaf.path} is claimed to be the {name} of what was measured over {where}: "
                    f"summed over one axis too many, probably"
                )
    return ""


def _other_order(e: Evidence, leaf: Leaf, c: Float64Array, m: Float64Array) -> str:
    """Suppose that the values are right, and their order is not."""
    wrong_c, wrong_m = np.sort(e.c), np.sort(e.m)
    if wrong_c.size < SEVERAL or np.any(np.abs(wrong_c - wrong_m) > _slack(e, wrong_m)):
        return ""
    if np.count_nonzero(np.diff(wrong_m) > 2 * _slack(e, wrong_m[1:])) < SEVERAL - 1:
        return ""
    if c.ndim >= 2:
        for axis, name in enumerate(("rows", "columns")[: c.ndim]):
            order = [tuple(np.sort(part.reshape(-1)).round(9)) for part in np.moveaxis(m, axis, 0)]
            claimed = [tuple(np.sort(part.reshape(-1)).round(9)) for part in np.moveaxis(c, axis, 0)]
            if c.ndim == 2 and len(set(order)) == len(order) and sorted(order) == sorted(claimed) != order:
                return f"the {name} of {leaf.path} are right, but in another order: indices mixed up, probably"
    return (
        f"the {wrong_c.size} wrong entries of {leaf.path} are claimed to be what was measured, but in another order: "
        f"indices mixed up, probably"
    )


def _factors(e: Evidence, leaf: Leaf, c: Float64Array, m: Float64Array) -> str:
    """Suppose that each row, or each column, has a factor of its own."""
    if c.ndim != 2:
        return ""
    for name, rows_c, rows_m in (("row", c, m), ("column", c.T, m.T)):
        is_wrong = np.isin(np.arange(leaf.start, leaf.stop), e.wrong).reshape(c.shape)
        is_wrong = is_wrong if name == "row" else is_wrong.T
        sizes = np.sum(rows_m**2, axis=1)
        with np.errstate(all="ignore"):
            factors = np.where(sizes > 0, np.sum(rows_c * rows_m, axis=1) / sizes, 1.0)
            off = np.abs(rows_c - factors[:, None] * rows_m)
        slack = _slack(e, rows_m) * np.maximum(1.0, np.abs(factors))[:, None]
        tells = is_wrong & (np.abs(rows_m) > CLEAR * _slack(e, rows_m))
        surplus = np.sum(np.maximum(np.sum(tells, axis=1) - 1, 0))
        used = factors[np.any(is_wrong, axis=1)]
        if np.all(off <= slack) and surplus >= SEVERAL and np.any(off + CLEAR * slack < np.abs(rows_c - rows_m)):
            return (
                f"each {name} of {leaf.path} is claimed to be what was measured times a factor of its own, from "
                f"{number(used.min())} to {number(used.max())}: an activation's derivative, a mask or a count that "
                f"belongs to the {name} is missing or wrong, probably"
            )
    return ""


def _total(e: Evidence, leaf: Leaf, c: Float64Array, m: Float64Array) -> str:
    """Suppose of a line, as a bias is, that it was summed over another axis: what it adds up to is then the same.

    So it is where what belongs to one entry went to another, as by wrong weights of an interpolation.
    """
    if c.ndim != 1 or e.wrong.size < SEVERAL:
        return ""
    total, terms = float(np.sum(m)), float(np.sum(np.abs(m)))
    change, changes = float(np.sum(e.c - e.m)), float(np.sum(np.abs(e.c - e.m)))
    is_forced = (
        not np.isfinite(terms + changes)
        or abs(total) <= CANCELLED * terms
        or abs(total - round(total)) <= FORCED * terms
    )
    if is_forced or abs(change) > FORCED * changes or 5 * e.wrong.size < 4 * m.size:
        return ""
    return (
        f"{e.wrong.size} entries of {leaf.path} are wrong, but all add up to {number(total)} as measured: "
        f"summed over the wrong axis, or shared out among the wrong entries, probably"
    )
