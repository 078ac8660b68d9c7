"""Claimed against measured: the judgement of Jacobians and Hessians."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._adaptive.pairs import Pairs
from fastgrad._check import ATOL, RTOL
from fastgrad._direction import in_line
from fastgrad._hessian import numerical_hessian
from fastgrad._jacobian import measure, numerical_jacobian
from fastgrad._judge.verdict import Case, conclude, tally
from fastgrad._matrix_check.claim import MatrixClaim, matrix_claim
from fastgrad._matrix_check.recheck import Outputs
from fastgrad._pairings import pairing
from fastgrad._parts import at_steps, in_parts
from fastgrad._point import Point, as_point, bound
from fastgrad._progress import Progress
from fastgrad._result import GradientCheck
from fastgrad._stacks import Stacked
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction, Step, VectorFunction
from fastgrad._workers import is_alone

Findings = tuple[Float64Array, Float64Array, Float64Array, Float64Array]


def jacobian_check(
    f: VectorFunction,
    jac: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    vectorized: bool = False,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> GradientCheck:
    """Check a claimed Jacobian of the array-valued function f at x against central differences, entry by entry.

    The rules are those of `gradient_check`: wrong is what is beyond tolerance and beyond the error bound of a second
    look. All entries of a column are measured by the same two calls of f.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns an array.
    jac : callable, array_like or sparse array
        The claim: a function of x, or the Jacobian at x itself, of shape ``y.shape + x.shape`` or (y.size, x.size);
        SciPy's sparse arrays and matrices of the latter shape, whose entries are zero where they store none. For a tree
        x, a tree of arrays of shape ``y.shape + leaf.shape``, or an array whose columns are the line of all entries.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it.
    eps : None, float, array_like or "auto"
        The step, as `numerical_jacobian` takes it.
    atol, rtol : float, optional
        As `gradient_check` takes them.
    vectorized, workers : optional
        As `gradient_check` takes them.
    args, kwargs : sequence and mapping, optional
        Passed on to f, and to jac where it is called, after x.

    Returns
    -------
    GradientCheck
        Its entries are named ``J[2, 0]``, as in an array of shape ``y.shape + x.shape``; for a tree x, columns count
        along the line of all entries. Wrong entries that a sparse claim does not store are counted in the reasons.

    Raises
    ------
    ShapeError, TypeError
        If the claim fits neither shape, or holds no real numbers.
    ValueError, StepError
        As `gradient_check`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> f = lambda x: np.array([x[0] * x[1], x[1] ** 2])
    >>> bool(fg.jacobian_check(f, lambda x: [[x[1], x[0]], [0.0, 2 * x[1]]], np.array([2.0, 3.0])))
    True
    >>> print(fg.jacobian_check(f, [[3.0, 2.0], [0.0, 3.0]], np.array([2.0, 3.0])))
    Jacobian check failed: 1 of 4 entries wrong (atol 1e-06, rtol 1e-05)
      diagnosis: 1 of 1 wrong entry, J[1, 1], has claimed = 0.5 × measured: a factor 2 is missing,
      probably
      entry    claimed  measured  ± bound  difference  relative
      J[1, 1]        3         6  8.0e-10           3       0.5
      resolution 3.1e-05 in one entry, 1.0e-05 of the norm
      measured by central differences, eps = 1e-05, mode full, 16 calls of f
    """
    point = as_point(x)
    whole = bound(f, args, kwargs)
    g = Stacked(whole, point).one if vectorized else point.of_array(whole)
    h = steps.resolve(eps, point)
    outputs = Outputs(g, point, h)
    rows: tuple[int, ...] = ()

    def allocate(shape: tuple[int, ...]) -> Array:
        nonlocal rows
        rows = shape
        return np.empty(shape + point.array.shape, point.array.dtype)

    if point.array.size and (vectorized or not is_alone(workers)):
        at_h = at_steps(h, point)
        J = in_parts(numerical_jacobian, f, point, workers, at_h, None, args, kwargs, vectorized=vectorized).value
        measured = allocate(J.shape[: J.ndim - point.array.ndim])
        measured[...] = J
    else:
        measured = measure(g, point, h, allocate)
    calls = 2 * point.array.size or 1
    claim = matrix_claim(_called(jac, point, args, kwargs), rows, point, "the claimed Jacobian")
    case = _case(claim, Point(_blank(rows + point.array.shape), label="J"), h, eps, atol, rtol)

    def again(beyond: IndexArray) -> Findings:
        return _again(outputs, beyond, case, measured.reshape(-1), point.array.size)

    found = _judge(case, claim, measured, again, lambda: calls + outputs.calls, outputs)
    return replace(found, what="Jacobian")


def hessian_check(
    f: ScalarFunction | None,
    hess: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    grad: Callable[..., Any] | None = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> GradientCheck:
    """Check a claimed Hessian of the scalar function f at x against second differences, entry by entry.

    Measured is a symmetric matrix, as `numerical_hessian` returns it: of two entries that the claim has different, one
    at least is wrong. Entries beyond tolerance are measured again: from values by extrapolation, with an error bar of
    its own for each, and from a gradient with several steps, as in `gradient_check`.

    Parameters
    ----------
    f : callable or None
        The scalar function; it is not called where `grad` is given, and may be None there.
    hess : callable, array_like or sparse array
        The claim: a function of x, or the Hessian at x itself, of shape (n, n) or ``x.shape + x.shape``, dense or one
        of SciPy's sparse arrays. For a tree x, rows and columns are the line of all entries.
    x : array_like or tree of arrays
        The point, of any shape with n entries, as `numerical_gradient` takes it.
    eps : None, float, array_like or "auto"
        The step, as `numerical_hessian` takes it.
    atol, rtol : float, optional
        As `gradient_check` takes them.
    grad : callable, optional
        The gradient of f, of which the Hessian is then the Jacobian. That it is right is taken for granted:
        `gradient_check` tells. Where its differences are not symmetric, it is no gradient, no claim passes, and the
        reasons say so.
    args, kwargs : sequence and mapping, optional
        Passed on to f or grad, and to hess where it is called, after x.

    Returns
    -------
    GradientCheck
        Its entries are named ``H[3, 4]``. The calls that it counts are those of grad, where that is given.

    Raises
    ------
    ShapeError, TypeError, ValueError, StepError
        As `jacobian_check`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> f = lambda x: x[0] ** 2 * x[1]
    >>> bool(fg.hessian_check(f, lambda x: [[2 * x[1], 2 * x[0]], [2 * x[0], 0.0]], np.array([3.0, 2.0])))
    True
    >>> check = fg.hessian_check(f, [[4.0, 6.0], [3.0, 0.0]], np.array([3.0, 2.0]))
    >>> check.verdict, check.worst.name
    ('failed', 'H[1, 0]')
    """
    point = as_point(x)
    n = point.array.size
    rows = point.array.shape if point.tree is None else (n,)
    claim = matrix_claim(_called(hess, point, args, kwargs), rows, point, "the claimed Hessian")
    matrix = Point(_blank((n, n)), label="H")
    if grad is not None:
        g = point.of_array(bound(grad, args, kwargs))
        return replace(_by_gradient(g, point, claim, matrix, eps, atol, rtol), what="Hessian")
    calls = 0
    whole = point.of_array(bound(f, args, kwargs))

    def counted(y: Array) -> Any:
        nonlocal calls
        calls += 1
        return whole(y)

    _, h, _ = pairing(point, eps, None)
    measured = numerical_hessian(counted, point.array, h.reshape(point.array.shape))
    case = _case(claim, matrix, h, eps, atol, rtol)

    def again(beyond: IndexArray) -> Findings:
        around = Pairs(counted, point)
        known: dict[tuple[int, int], tuple[float, float]] = {}
        found = np.full((4, beyond.size), np.nan)
        for row, k in enumerate(beyond.tolist()):
            i, j = sorted(divmod(k, n))
            if (i, j) not in known:
                known[i, j] = around.second(i, j)[:2]
            found[:2, row] = known[i, j]
        return found[0], found[1], found[2], found[3]

    return replace(_judge(case, claim, measured, again, lambda: calls), what="Hessian")


def _by_gradient(
    grad: Callable[[Array], Any],
    point: Point,
    claim: MatrixClaim,
    matrix: Point,
    eps: Step,
    atol: float | None,
    rtol: float | None,
) -> GradientCheck:
    n = point.array.size

    def line(y: Array) -> Float64Array:
        return in_line(point, grad(y), "what grad returns")

    h = steps.resolve("auto" if eps is None else eps, point)
    outputs = Outputs(line, point, h)
    measured = np.empty((n, n), point.array.dtype)
    if n:
        measure(line, point, h, lambda _: measured.reshape((n, *point.array.shape)))
    plain = measured.copy()
    apart = _backend.pairs.symmetrize(measured)
    case = _case(claim, matrix, h, eps, atol, rtol)
    uneven: list[str] = []

    def again(beyond: IndexArray) -> Findings:
        turned = (beyond % n) * n + beyond // n
        value, bound, left, right = _again(outputs, beyond, case, plain.reshape(-1), n)
        other, slack, *sides = _again(outputs, turned, case, plain.reshape(-1), n, beyond)
        with np.errstate(invalid="ignore"):
            apart = np.abs(value - other)
            differ = np.flatnonzero(apart > case.atol + case.rtol * np.abs(value) + bound + slack)
        if differ.size:
            i, j = divmod(int(beyond[differ[0]]), n)
            uneven.append(
                f"grad is the gradient of no function: its entry {i} by {point.name(j)} is {value[differ[0]]:.6g}, and "
                f"its entry {j} by {point.name(i)} is {other[differ[0]]:.6g}."
            )
        return (value + other) / 2, (bound + slack) / 2, (left + sides[0]) / 2, (right + sides[1]) / 2

    if apart > case.atol + case.rtol * float(np.max(np.abs(measured), initial=0.0)):
        again(np.argmax(np.abs(plain - plain.T)).reshape(1))
    return _judge(case, claim, measured, again, lambda: 2 * n + outputs.calls, outputs, uneven)


def _judge(
    case: Case,
    claim: MatrixClaim,
    measured: Array,
    again: Callable[[IndexArray], Findings],
    calls: Callable[[], int],
    outputs: Outputs | None = None,
    uneven: Sequence[str] = (),
) -> GradientCheck:
    flat = measured.reshape(-1).astype(case.claimed.dtype, copy=False)
    summary = _backend.compare.compare(case.claimed, flat, case.atol, case.rtol)
    beyond = np.empty(summary[3] if case.rtol else 0, np.intp)
    if beyond.size:
        _backend.compare.offenders(case.claimed, flat, case.atol, case.rtol, beyond)
    reasons = []
    if outputs is not None and beyond.size and not outputs.is_deterministic():
        reasons.append("f gives different values for the same x: fix its random state, or draw before the check.")
    found = again(beyond) if beyond.size else (np.empty(0), np.empty(0), np.empty(0), np.empty(0))
    sorted_out = tally(case, flat, beyond, found)
    left_out = int(np.count_nonzero(claim.is_left_out(sorted_out.wrong.k)))
    if left_out:
        reasons.append(f"the sparse claim stores nothing at {left_out} of the wrong entries: its pattern lacks them.")
    if sorted_out.unresolved.k.size:
        reasons.append(f"{sorted_out.unresolved.k.size} beyond tolerance, but within the error bound.")
    flaw = uneven[0] if uneven else None
    return conclude(case, flat, summary, sorted_out, calls(), tuple(reasons), flaw=flaw)


def _again(
    outputs: Outputs,
    beyond: IndexArray,
    case: Case,
    first: Array,
    n: int,
    claimed_at: IndexArray | None = None,
) -> Findings:
    """Return the second look at these entries of a matrix with n columns, column by column."""
    found = np.full((4, beyond.size), np.nan)
    claimed = case.claimed[beyond if claimed_at is None else claimed_at].astype(np.float64)
    rows, columns = np.divmod(beyond, n)
    for i in np.unique(columns).tolist():
        here = np.flatnonzero(columns == i)
        at = first[beyond[here]].astype(np.float64)
        found[:, here] = outputs.look_again(rows[here], i, claimed[here], at, case.atol, case.rtol)
    return found[0], found[1], found[2], found[3]


def _case(
    claim: MatrixClaim, matrix: Point, h: Float64Array, eps: Step, atol: float | None, rtol: float | None
) -> Case:
    precision = claim.claim.precision
    return Case(
        f=None,
        point=matrix,
        claim=claim.claim,
        h=h,
        eps=eps,
        atol=_tolerance("atol", atol, ATOL[precision]),
        rtol=_tolerance("rtol", rtol, RTOL[precision]),
        where=None,
        progress=Progress(None),
    )


def _tolerance(name: str, given: float | None, default: float) -> float:
    if given is None:
        return default
    if not given >= 0:
        raise ValueError(f"{name} must be a number that is not negative; got {given!r}.")
    return float(given)


def _called(claim: Any, point: Point, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> Any:
    return claim(point.shown(point.array.copy()), *args, **(kwargs or {})) if callable(claim) else claim


def _blank(shape: tuple[int, ...]) -> Array:
    """Return zeros of a shape that take no memory: a matrix has a name for each entry, and no point to be at."""
    return np.broadcast_to(np.zeros(()), shape)
