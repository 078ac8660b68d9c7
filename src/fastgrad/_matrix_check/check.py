"""Claimed against measured: the judgement of Jacobians and Hessians, dense and sparse."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fastgrad._calls import Calls, f_or_grad
from fastgrad._errors import stacks_of_trees
from fastgrad._judge.claim import kept
from fastgrad._matrix_check.claim import is_sparse
from fastgrad._matrix_check.dense import hessian_by_gradient, hessian_by_values, jacobian_in_full
from fastgrad._point import Point, as_point
from fastgrad._result import GradientCheck
from fastgrad._typing import ScalarFunction, Step, VectorFunction


def jacobian_check(
    f: VectorFunction,
    jac: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    sparsity: Any = None,
    vectorized: bool = False,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> GradientCheck:
    """Check a claimed Jacobian of the array-valued function f at x against central differences, entry by entry.

    The rules are those of `gradient_check`: wrong is what is beyond tolerance and beyond the error bound of a second
    look. All entries of a column are measured by the same two calls of f. A sparse claim is measured a colour at a
    time, two calls for all columns that share no row, and no dense matrix is made. Whether its pattern lacks entries is
    seen along two random dense directions; those that it lacks are found, measured, and judged like the others.

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
    sparsity : pattern, Coloring or "detect", optional
        Which entries the Jacobian has, as `numerical_jacobian` takes it; those that the claim has besides are measured
        too. None is what a sparse claim stores, and of a dense one all entries.
    vectorized, workers : optional
        As `gradient_check` takes them.
    args, kwargs : sequence and mapping, optional
        Passed on to f, and to jac where it is called, after x.

    Returns
    -------
    GradientCheck
        Its entries are named ``J[2, 0]``, as in an array of shape ``y.shape + x.shape``; for a tree x, columns count
        along the line of all entries. Wrong entries that a sparse claim does not store are counted in the reasons. By
        colours, the mode is "sparse", and the entries compared are those of the pattern and those found missing in it.

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
    claimed = _called(jac, point, args, kwargs)
    calls = Calls(f, args, kwargs, vectorized, workers)
    if sparsity is not None or is_sparse(claimed):
        from fastgrad._matrix_check.sparse import jacobian_by_colors  # loaded when asked for: dense claims do without

        found = jacobian_by_colors(calls, claimed, point, eps, (atol, rtol), sparsity)
    else:
        found = jacobian_in_full(calls, claimed, point, eps, (atol, rtol))
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
    sparsity: Any = None,
    vectorized: bool = False,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> GradientCheck:
    """Check a claimed Hessian of the scalar function f at x against second differences, entry by entry.

    Measured is a symmetric matrix, as `numerical_hessian` returns it: of two entries that the claim has different, one
    at least is wrong. Entries beyond tolerance are measured again: from values by extrapolation, with an error bar of
    its own for each, and from a gradient with several steps, as in `gradient_check`. A sparse claim is held against
    differences of a gradient by a star colouring, as `jacobian_check` holds one against differences of f; from values
    all entries are measured.

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
    sparsity : pattern, Coloring or "detect", optional
        Which entries the Hessian has, symmetric, as `numerical_hessian` takes it, with `grad` alone; those that the
        claim has besides are measured too. None is what a sparse claim stores, and of a dense one all entries.
    vectorized, workers : optional
        As `gradient_check` takes them, for f, or for grad.
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
    claimed = _called(hess, point, args, kwargs)
    if grad is None and sparsity is not None:
        raise TypeError("a Hessian is measured by colours from a gradient: give grad, or leave sparsity out.")
    if vectorized and grad is not None and point.tree is not None:
        raise stacks_of_trees()
    calls = Calls(f_or_grad(f, grad), args, kwargs, vectorized, workers)
    if grad is None:
        found = hessian_by_values(calls, claimed, point, eps, (atol, rtol))
    elif sparsity is not None or is_sparse(claimed):
        from fastgrad._matrix_check.sparse import hessian_by_colors  # loaded when asked for: dense claims do without

        found = hessian_by_colors(calls, claimed, point, eps, (atol, rtol), sparsity)
    else:
        found = hessian_by_gradient(calls, claimed, point, eps, (atol, rtol))
    return replace(found, what="Hessian")


def _called(claim: Any, point: Point, args: Sequence[Any], kwargs: Mapping[str, Any] | None) -> Any:
    return kept(claim(point.shown(point.array.copy()), *args, **(kwargs or {}))) if callable(claim) else claim
