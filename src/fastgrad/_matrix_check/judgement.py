"""The verdict on a matrix once it is measured: what is compared, by which tolerances, and what is looked at again."""

from collections.abc import Callable, Sequence

import numpy as np

from fastgrad._judge.probe import RANDOM
from fastgrad._judge.summary import summarise
from fastgrad._judge.verdict import Case, beyond_tolerance, conclude, tally
from fastgrad._matrix_check.recheck import Outputs
from fastgrad._progress import Progress
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray

#: Of each entry that is looked at again: the best value, its bound, and the slopes on both sides.
Findings = tuple[Float64Array, Float64Array, Float64Array, Float64Array]
#: A second look at these of the compared entries.
SecondLook = Callable[[IndexArray], Findings]


def judge(
    case: Case,
    measured: Array,
    again: SecondLook,
    calls: Callable[[], int],
    *,
    is_left_out: Callable[[IndexArray], Array],
    unmoved: Callable[[Array], IndexArray] | None = None,
    outputs: Outputs | None = None,
    flaws: Sequence[str] = (),
) -> GradientCheck:
    """Return the verdict on a case.

    Parameters
    ----------
    case : Case
    measured : ndarray
        Its entries, as they were first measured.
    again : callable
        Looks at some of them again; it may add to the flaws.
    calls : callable
        Returns the calls of f so far.
    is_left_out : callable
        Tells which of some entries the claim does not store.
    unmoved : callable, optional
        From what was measured to the entries that are looked at again though nothing is claimed of them.
    outputs : Outputs, optional
        f, to be asked whether it returns the same twice.
    flaws : sequence of str
        Sentences: for the first of them no claim can pass.
    """
    flat = measured.reshape(-1).astype(case.claimed.dtype, copy=False)
    summary = summarise(case.claimed, flat, case.atol, case.rtol)
    beyond = beyond_tolerance(case, flat, summary.beyond)
    # What stood still is looked at together with what is beyond, for entries of a column share calls of f.
    if unmoved is not None and case.rtol > 0:
        beyond = np.union1d(beyond, unmoved(flat))
    reasons = []
    if outputs is not None and beyond.size and not outputs.is_deterministic():
        reasons.append(RANDOM)
    found = again(beyond) if beyond.size else (np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    sorted_out = tally(case, flat, beyond, found)
    left_out = int(np.count_nonzero(is_left_out(sorted_out.wrong.k)))
    if left_out:
        reasons.append(f"the sparse claim stores nothing at {left_out} of the wrong entries: its pattern lacks them.")
    if sorted_out.unresolved.k.size:
        reasons.append(f"{sorted_out.unresolved.k.size} beyond tolerance, but within the error bound.")
        if outputs is not None and outputs.advice:
            reasons.append(outputs.advice)
    return conclude(case, flat, summary, sorted_out, calls(), tuple(reasons), flaw=flaws[0] if flaws else None)


def no_progress() -> Progress:
    """Return what tells nobody how far the check is."""
    return Progress(None)


def blank(shape: tuple[int, ...]) -> Array:
    """Return zeros of a shape that take no memory: a matrix has a name for each entry, and no point to be at."""
    return np.broadcast_to(np.zeros(()), shape)


def even(
    look: Callable[[IndexArray, IndexArray], Findings],
    beyond: IndexArray,
    n: int,
    case: Case,
    name: Callable[[int], str],
    flaws: list[str],
) -> Findings:
    """Return the second look at entries of a Hessian, each with its mirror image, of which a claim must be the mean.

    Where the two differ, grad is the gradient of no function, which is added to the flaws.

    Parameters
    ----------
    look : callable
        From flat indices, and those at which to take the claims, to findings.
    beyond : ndarray of intp
        Flat indices into an (n, n) matrix.
    name : callable
        The name of an entry of x.
    """
    turned = (beyond % n) * n + beyond // n
    found = look(np.concatenate([beyond, turned]), np.concatenate([beyond, beyond]))
    (value, other), (bound, slack), (below, under), (above, over) = (np.split(part, 2) for part in found)
    with np.errstate(invalid="ignore"):
        apart = np.abs(value - other)
        differ = np.flatnonzero(apart > case.atol + case.rtol * np.abs(value) + bound + slack)
    if differ.size:
        i, j = divmod(int(beyond[differ[0]]), n)
        flaws.append(
            f"grad is the gradient of no function: its entry {i} by {name(j)} is {value[differ[0]]:.6g}, and "
            f"its entry {j} by {name(i)} is {other[differ[0]]:.6g}."
        )
    return (value + other) / 2, (bound + slack) / 2, (below + under) / 2, (above + over) / 2
