"""The plain NumPy twins: slow, obvious, public; the oracle of the tests and the baseline of the benchmark."""

from fastgrad.reference.check import gradient_check
from fastgrad.reference.differences import numerical_gradient, numerical_jacobian
from fastgrad.reference.layers import (
    LinearLayer,
    TwoLayerNet,
    relu,
    relu_derivative,
    softmax_cross_entropy,
    weight_gradient,
)
from fastgrad.reference.least_squares import least_squares_gd

__all__ = [
    "LinearLayer",
    "TwoLayerNet",
    "gradient_check",
    "least_squares_gd",
    "numerical_gradient",
    "numerical_jacobian",
    "relu",
    "relu_derivative",
    "softmax_cross_entropy",
    "weight_gradient",
]
