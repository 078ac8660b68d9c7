"""The assertions of `fastgrad.testing` for Jacobians and Hessians."""

from typing import Any

from fastgrad._matrix_check.check import hessian_check, jacobian_check
from fastgrad._result import GradientCheck
from fastgrad._typing import ScalarFunction, Step, VectorFunction


def assert_jacobian(
    f: VectorFunction,
    jac: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    **options: Any,
) -> GradientCheck:
    """Assert that a claimed Jacobian of the array-valued function f at x is right.

    Parameters
    ----------
    f, jac, x, eps, atol, rtol
        As `fastgrad.jacobian_check` takes them.
    **options
        Whatever else it takes.

    Returns
    -------
    GradientCheck
        The check, which passed.

    Raises
    ------
    GradientMismatch, InconclusiveError
        If entries are wrong, or cannot be resolved. Both are an AssertionError, whose message is the report.
    ShapeError, StepError, TypeError, ValueError
        As `fastgrad.jacobian_check`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.testing import assert_jacobian
    >>> assert_jacobian(lambda x: x**2, lambda x: np.diag(2 * x), np.array([1.0, -2.0])).verdict
    'passed'
    """
    __tracebackhide__ = True
    check = jacobian_check(f, jac, x, eps, atol, rtol=rtol, **options)
    check.raise_if_failed()
    return check


def assert_hessian(
    f: ScalarFunction | None,
    hess: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    **options: Any,
) -> GradientCheck:
    """Assert that a claimed Hessian of the scalar function f, or of the function whose gradient is `grad`, is right.

    Parameters
    ----------
    f, hess, x, eps, atol, rtol
        As `fastgrad.hessian_check` takes them.
    **options
        Whatever else it takes.

    Returns
    -------
    GradientCheck
        The check, which passed.

    Raises
    ------
    GradientMismatch, InconclusiveError
        If entries are wrong, or cannot be resolved. Both are an AssertionError, whose message is the report.
    ShapeError, StepError, TypeError, ValueError
        As `fastgrad.hessian_check`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.testing import assert_hessian
    >>> assert_hessian(lambda x: x[0] * x[1], [[0.0, 1.0], [1.0, 0.0]], np.array([1.0, -2.0])).verdict
    'passed'
    """
    __tracebackhide__ = True
    check = hessian_check(f, hess, x, eps, atol, rtol=rtol, **options)
    check.raise_if_failed()
    return check
