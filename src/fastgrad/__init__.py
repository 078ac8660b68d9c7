"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

from fastgrad import losses, reference, steps
from fastgrad._check import gradient_check
from fastgrad._errors import DivergenceWarning, GradientMismatch, InconclusiveError, ShapeError, StepError
from fastgrad._gradient import numerical_gradient
from fastgrad._jacobian import numerical_jacobian
from fastgrad._least_squares import LeastSquaresResult, least_squares_gd
from fastgrad._result import GradientCheck
from fastgrad.layers import LinearLayer, TwoLayerNet, relu, relu_derivative, softmax_cross_entropy, weight_gradient

__all__ = [
    "DivergenceWarning",
    "GradientCheck",
    "GradientMismatch",
    "InconclusiveError",
    "LeastSquaresResult",
    "LinearLayer",
    "ShapeError",
    "StepError",
    "TwoLayerNet",
    "gradient_check",
    "least_squares_gd",
    "losses",
    "numerical_gradient",
    "numerical_jacobian",
    "reference",
    "relu",
    "relu_derivative",
    "softmax_cross_entropy",
    "steps",
    "weight_gradient",
]
