"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

import typing as _t

from fastgrad import steps
from fastgrad._errors import (
    AnalyticityError,
    DivergenceWarning,
    GradientMismatch,
    InconclusiveError,
    OneSidedWarning,
    ShapeError,
    StepError,
)
from fastgrad._gradient import numerical_gradient
from fastgrad._jacobian import numerical_jacobian
from fastgrad._later import later as _later

if _t.TYPE_CHECKING:
    from fastgrad import losses, plot, problems, reference, sparsity, testing
    from fastgrad._check import gradient_check
    from fastgrad._derivative import derivative
    from fastgrad._estimates import Derivative
    from fastgrad._layer_check import layer_check
    from fastgrad._layer_result import LayerCheck
    from fastgrad._least_squares import LeastSquaresResult, least_squares_gd
    from fastgrad._one_sided import one_sided_derivatives
    from fastgrad._result import GradientCheck
    from fastgrad._weight_check import WeightGradientCheck, weight_gradient_check
    from fastgrad.layers import LinearLayer, TwoLayerNet, relu, relu_derivative, softmax_cross_entropy, weight_gradient
else:  # what is loaded when it is first asked for: all else is there in a third of the time
    __getattr__, __dir__ = _later(
        __name__,
        {
            "Derivative": "_estimates",
            "GradientCheck": "_result",
            "LayerCheck": "_layer_result",
            "LeastSquaresResult": "_least_squares",
            "LinearLayer": "layers",
            "TwoLayerNet": "layers",
            "WeightGradientCheck": "_weight_check",
            "derivative": "_derivative",
            "gradient_check": "_check",
            "layer_check": "_layer_check",
            "layers": "layers",
            "least_squares_gd": "_least_squares",
            "losses": "losses",
            "one_sided_derivatives": "_one_sided",
            "plot": "plot",
            "problems": "problems",
            "reference": "reference",
            "relu": "layers",
            "relu_derivative": "layers",
            "softmax_cross_entropy": "layers",
            "sparsity": "sparsity",
            "testing": "testing",
            "weight_gradient": "layers",
            "weight_gradient_check": "_weight_check",
        },
    )

__all__ = [
    "AnalyticityError",
    "Derivative",
    "DivergenceWarning",
    "GradientCheck",
    "GradientMismatch",
    "InconclusiveError",
    "LayerCheck",
    "LeastSquaresResult",
    "LinearLayer",
    "OneSidedWarning",
    "ShapeError",
    "StepError",
    "TwoLayerNet",
    "WeightGradientCheck",
    "derivative",
    "gradient_check",
    "layer_check",
    "least_squares_gd",
    "losses",
    "numerical_gradient",
    "numerical_jacobian",
    "one_sided_derivatives",
    "plot",
    "problems",
    "reference",
    "relu",
    "relu_derivative",
    "softmax_cross_entropy",
    "sparsity",
    "steps",
    "testing",
    "weight_gradient",
    "weight_gradient_check",
]
