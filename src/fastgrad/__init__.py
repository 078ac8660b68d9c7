"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

from fastgrad import reference, steps
from fastgrad._check import gradient_check
from fastgrad._errors import DivergenceWarning, GradientMismatch, InconclusiveError, ShapeError, StepError
from fastgrad._gradient import numerical_gradient
from fastgrad._jacobian import numerical_jacobian
from fastgrad._result import GradientCheck

__all__ = [
    "DivergenceWarning",
    "GradientCheck",
    "GradientMismatch",
    "InconclusiveError",
    "ShapeError",
    "StepError",
    "gradient_check",
    "numerical_gradient",
    "numerical_jacobian",
    "reference",
    "steps",
]
