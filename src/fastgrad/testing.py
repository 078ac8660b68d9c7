"""Assertions for tests: what they raise is an AssertionError whose message is the report."""

from typing import Any

from fastgrad._check import gradient_check
from fastgrad._layer_check.check import layer_check
from fastgrad._layer_check.result import LayerCheck
from fastgrad._matrix_check.check import hessian_check, jacobian_check
from fastgrad._result import GradientCheck
from fastgrad._typing import ScalarFunction, Step, VectorFunction

__all__ = ["assert_gradient", "assert_hessian", "assert_jacobian", "assert_layer"]


def assert_gradient(
    f: ScalarFunction,
    grad_f: Any,
    x: Any,
    eps: Step = None,
    atol: float | None = None,
    *,
    rtol: float | None = None,
    **options: Any,
) -> GradientCheck:
    """Assert that a claimed gradient of the scalar function f at x is right.

    Parameters
    ----------
    f, grad_f, x, eps, atol, rtol
        As `fastgrad.gradient_check` takes them.
    **options
        Whatever else it takes.

    Returns
    -------
    GradientCheck
        The check, which passed.

    Raises
    ------
    GradientMismatch
        If entries are wrong. It is an AssertionError, and its message is the report, which names them.
    InconclusiveError
        If the tolerance is finer than what can be resolved. It is an AssertionError, too: what nobody could see is not
        asserted.
    ShapeError, StepError, TypeError, ValueError
        As `fastgrad.gradient_check`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.testing import assert_gradient
    >>> assert_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, -2.0])).verdict
    'passed'
    >>> try:
    ...     assert_gradient(lambda x: np.sum(x**2), lambda x: [2.0, 3.0] * x, np.array([1.0, -2.0]))
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[0])
    gradient check failed: 1 of 2 entries wrong (atol 1e-06, rtol 1e-05)
    """
    __tracebackhide__ = True
    check = gradient_check(f, grad_f, x, eps, atol, rtol=rtol, **options)
    check.raise_if_failed()
    return check


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


def assert_layer(layer: Any, x: Any, grad_output: Any = None, **options: Any) -> LayerCheck:
    """Assert that the backward of a layer fits its forward.

    Parameters
    ----------
    layer, x, grad_output
        As `fastgrad.layer_check` takes them.
    **options
        Whatever else it takes: `gradients`, which names what backward returns, and tolerances.

    Returns
    -------
    LayerCheck
        The check, which passed.

    Raises
    ------
    GradientMismatch
        If a gradient is wrong. It is an AssertionError, and its message is the report, which names it.
    InconclusiveError
        If none is wrong, but not all could be judged. It is an AssertionError, too.
    AttributeError, KeyError, ShapeError, StepError, TypeError, ValueError
        As `fastgrad.layer_check`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> from fastgrad.testing import assert_layer
    >>> assert_layer(fg.TwoLayerNet(4, 5, 3, rng=0), np.ones((2, 4))).verdict
    'passed'
    """
    __tracebackhide__ = True
    check = layer_check(layer, x, grad_output, **options)
    check.raise_if_failed()
    return check
