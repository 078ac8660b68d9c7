"""Claims of matrices against matrices that are measured in full."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._adaptive.pairs import Pairs
from fastgrad._ahead import Ahead
from fastgrad._calls import Calls
from fastgrad._direction import in_line
from fastgrad._hessian import numerical_hessian
from fastgrad._jacobian import measure, numerical_jacobian
from fastgrad._judge.tolerance import Tolerances, tolerances
from fastgrad._judge.verdict import Case
from fastgrad._matrix_check.claim import MatrixClaim, matrix_claim
from fastgrad._matrix_check.judgement import Findings, blank, even, judge, no_progress
from fastgrad._matrix_check.recheck import Outputs
from fastgrad._pairings import pairing
from fastgrad._parts import at_steps, in_parts
from fastgrad._point import Point, bound
from fastgrad._result import GradientCheck
from fastgrad._typing import Array, Float64Array, IndexArray, Step

#: For so many columns f is asked ahead, where others call it.
AHEAD = 8


def jacobian_in_full(calls: Calls, claimed: Any, point: Point, eps: Step, tolerance: Tolerances) -> GradientCheck:
    """Check a claimed Jacobian, whatever form it has, against two calls of f for each column."""
    ahead = Ahead(calls, point)
    h = steps.resolve(eps, point)
    outputs = Outputs(ahead, point, h)
    rows: tuple[int, ...] = ()

    def allocate(shape: tuple[int, ...]) -> Array:
        nonlocal rows
        rows = shape
        return np.empty(shape + point.array.shape, point.array.dtype)

    if calls.are_shared and point.array.size:
        J = _shared_out(calls, point, h)
        measured = allocate(J.shape[: J.ndim - point.array.ndim])
        measured[...] = J
    else:
        measured = measure(calls.alone(point), point, h, allocate)
    made = 2 * point.array.size or 1
    claim = matrix_claim(claimed, rows, point, "the claimed Jacobian")
    case = _case(claim, Point(blank(rows + point.array.shape), label="J"), h, eps, tolerance)

    def again(beyond: IndexArray) -> Findings:
        return _again(outputs, ahead, beyond, case, point.array.size)

    def unmoved(values: Array) -> IndexArray:
        return _unmoved(outputs, case, values, point.array.size)

    return judge(
        case,
        measured,
        again,
        lambda: made + outputs.calls,
        is_left_out=claim.is_left_out,
        unmoved=unmoved,
        outputs=outputs,
    )


def _shared_out(calls: Calls, point: Point, h: Float64Array) -> Array:
    """Return the Jacobian as others than this thread alone measure it: threads, processes, or f in stacks."""
    f, at_h = bound(calls.f, (), None), at_steps(h, point)
    if calls.are_threads:
        return np.asarray(numerical_jacobian(f, point.array, at_h, workers=calls.workers))
    taken = f, point, calls.workers, at_h, None, calls.args, calls.kwargs
    return np.asarray(in_parts(numerical_jacobian, *taken, vectorized=calls.vectorized).value)


def hessian_by_values(calls: Calls, claimed: Any, point: Point, eps: Step, tolerance: Tolerances) -> GradientCheck:
    """Check a claimed Hessian against second differences of f."""
    n = point.array.size
    claim = matrix_claim(claimed, _rows(point), point, "the claimed Hessian")
    alone, made = calls.alone(point), 0

    def counted(y: Array) -> Any:
        nonlocal made
        made += 1
        return alone(y)

    _, h, _ = pairing(point, eps, None)
    at_h = h.reshape(point.array.shape)
    if n and calls.are_shared:
        shared: dict[str, Any] = {"vectorized": calls.vectorized, "workers": calls.workers}
        measured = numerical_hessian(calls.f, point, at_h, args=calls.args, kwargs=calls.kwargs, **shared)
        made = n * n + 5 * n + 1
    else:
        measured = numerical_hessian(counted, point.array, at_h)
    case = _case(claim, Point(blank((n, n)), label="H"), h, eps, tolerance)

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

    return judge(case, measured, again, lambda: made, is_left_out=claim.is_left_out)


def hessian_by_gradient(calls: Calls, claimed: Any, point: Point, eps: Step, tolerance: Tolerances) -> GradientCheck:
    """Check a claimed Hessian against differences of a gradient, two calls for each column."""
    n = point.array.size
    claim = matrix_claim(claimed, _rows(point), point, "the claimed Hessian")
    ahead = Ahead(calls, point)

    def line(y: Array) -> Float64Array:
        return in_line(point, ahead(y), "what grad returns")

    h = steps.resolve("auto" if eps is None else eps, point)
    outputs = Outputs(line, point, h)
    measured = np.empty((n, n), point.array.dtype)

    def loop(called: Callable[[Array], Any]) -> None:
        measure(
            lambda y: in_line(point, called(y), "what grad returns"),
            point,
            h,
            lambda _: measured.reshape((n, *point.array.shape)),
        )

    if n:
        calls.run(loop, np.zeros(n), point)
    plain = measured.copy()
    apart = _backend.pairs.symmetrize(measured)
    case = _case(claim, Point(blank((n, n)), label="H"), h, eps, tolerance)
    flaws: list[str] = []

    def look(at: IndexArray, claims: IndexArray) -> Findings:
        return _again(outputs, ahead, at, case, n, claims)

    def again(beyond: IndexArray) -> Findings:
        return even(look, beyond, n, case, point.name, flaws)

    if apart > case.atol + case.rtol * float(np.max(np.abs(measured), initial=0.0)):
        again(np.argmax(np.abs(plain - plain.T)).reshape(1))
    return judge(
        case,
        measured,
        again,
        lambda: 2 * n + outputs.calls,
        is_left_out=claim.is_left_out,
        unmoved=lambda values: _unmoved(outputs, case, values, n),
        outputs=outputs,
        flaws=flaws,
    )


def _rows(point: Point) -> tuple[int, ...]:
    return point.array.shape if point.tree is None else (point.array.size,)


def _again(
    outputs: Outputs,
    ahead: Ahead,
    beyond: IndexArray,
    case: Case,
    n: int,
    claimed_at: IndexArray | None = None,
) -> Findings:
    """Return the second look at these entries of a matrix with n columns, column by column."""
    found = np.full((4, beyond.size), np.nan)
    claimed = case.claimed[beyond if claimed_at is None else claimed_at].astype(np.float64)
    rows, columns = np.divmod(beyond, n)
    different = np.unique(columns)
    for k, i in enumerate(different.tolist()):
        if k % AHEAD == 0:
            ahead.prepare(outputs.moves(different[k : k + AHEAD]))
        here = np.flatnonzero(columns == i)
        found[:, here] = outputs.look_again(rows[here], i, claimed[here], case.atol, case.rtol)
    return found[0], found[1], found[2], found[3]


def _unmoved(outputs: Outputs, case: Case, measured: Array, n: int) -> IndexArray:
    """Return the entries of rows in which nothing is claimed and nothing was measured, where f may only be coarse."""
    if n == 0:
        return np.empty(0, np.intp)
    is_empty = ~measured.reshape(-1, n).any(axis=1) & (np.abs(case.claimed.reshape(-1, n)) <= case.atol).all(axis=1)
    rows = [row for row in np.flatnonzero(is_empty).tolist() if outputs.may_be_coarse(row, case.atol)]
    return (np.array(rows, np.intp)[:, None] * n + np.arange(n)).reshape(-1)


def _case(claim: MatrixClaim, matrix: Point, h: Float64Array, eps: Step, tolerance: Tolerances) -> Case:
    atol, rtol = tolerances(tolerance, claim.claim.precision)
    return Case(
        f=None,
        point=matrix,
        claim=claim.claim,
        h=h,
        eps=eps,
        where=None,
        progress=no_progress(),
        atol=atol,
        rtol=rtol,
    )
