"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

import typing as _t

import numpy as _numpy  # noqa: F401 - here, so that who lacks it is told at once and no first call has to wait for it

from fastgrad import _backend  # noqa: F401 - here, so that a backend that does not exist is told at once
from fastgrad._errors import (
    AnalyticityError,
    DivergenceWarning,
    GradientMismatch,
    InconclusiveError,
    OneSidedWarning,
    PatternError,
    ShapeError,
    StepError,
)
from fastgrad._later import later as _later

if _t.TYPE_CHECKING:
    from fastgrad import losses, native, plot, problems, reference, sparsity, steps, testing
    from fastgrad._check import gradient_check
    from fastgrad._derivative import derivative
    from fastgrad._estimates import Derivative
    from fastgrad._gradient import numerical_gradient
    from fastgrad._hessian import numerical_hessian
    from fastgrad._jacobian import numerical_jacobian
    from fastgrad._layer_check.check import layer_check
    from fastgrad._layer_check.result import LayerCheck
    from fastgrad._least_squares import LeastSquaresResult, least_squares_gd
    from fastgrad._matrix_check.check import hessian_check, jacobian_check
    from fastgrad._one_sided import one_sided_derivatives
    from fastgrad._plan import JacobianPlan, plan_jacobian
    from fastgrad._products import directional_derivative, hessian_vector_product
    from fastgrad._result import GradientCheck
    from fastgrad._vjp import numerical_vjp
    from fastgrad._weight_check import WeightGradientCheck, weight_gradient_check
    from fastgrad.layers import LinearLayer, TwoLayerNet, relu, relu_derivative, softmax_cross_entropy, weight_gradient
else:  # what is loaded when it is first asked for: whoever needs one verb does not wait for the others
    __getattr__, __dir__ = _later(
        __name__,
        {
            "Derivative": "_estimates",
            "GradientCheck": "_result",
            "JacobianPlan": "_plan",
            "LayerCheck": "_layer_check.result",
            "LeastSquaresResult": "_least_squares",
            "LinearLayer": "layers",
            "TwoLayerNet": "layers",
            "WeightGradientCheck": "_weight_check",
            "derivative": "_derivative",
            "directional_derivative": "_products",
            "gradient_check": "_check",
            "hessian_check": "_matrix_check.check",
            "hessian_vector_product": "_products",
            "jacobian_check": "_matrix_check.check",
            "layer_check": "_layer_check.check",
            "layers": "layers",
            "least_squares_gd": "_least_squares",
            "losses": "losses",
            "native": "native",
            "numerical_gradient": "_gradient",
            "numerical_hessian": "_hessian",
            "numerical_jacobian": "_jacobian",
            "numerical_vjp": "_vjp",
            "one_sided_derivatives": "_one_sided",
            "plan_jacobian": "_plan",
            "plot": "plot",
            "problems": "problems",
            "reference": "reference",
            "relu": "layers",
            "relu_derivative": "layers",
            "softmax_cross_entropy": "layers",
            "sparsity": "sparsity",
            "steps": "steps",
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
    "JacobianPlan",
    "LayerCheck",
    "LeastSquaresResult",
    "LinearLayer",
    "OneSidedWarning",
    "PatternError",
    "ShapeError",
    "StepError",
    "TwoLayerNet",
    "WeightGradientCheck",
    "derivative",
    "directional_derivative",
    "gradient_check",
    "hessian_check",
    "hessian_vector_product",
    "jacobian_check",
    "layer_check",
    "least_squares_gd",
    "losses",
    "native",
    "numerical_gradient",
    "numerical_hessian",
    "numerical_jacobian",
    "numerical_vjp",
    "one_sided_derivatives",
    "plan_jacobian",
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
