"""Assertions for tests: what they raise is an AssertionError whose message is the report."""

from typing import Any

from fastgrad._layer_check import layer_check
from fastgrad._layer_result import LayerCheck
from fastgrad._matrix_assertions import assert_hessian, assert_jacobian

__all__ = ["assert_hessian", "assert_jacobian", "assert_layer"]


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
