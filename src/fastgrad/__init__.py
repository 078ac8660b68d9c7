"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

from fastgrad import reference, steps
from fastgrad._errors import DivergenceWarning, GradientMismatch, InconclusiveError, ShapeError, StepError
from fastgrad._gradient import numerical_gradient
from fastgrad._jacobian import numerical_jacobian

__all__ = [
    "DivergenceWarning",
    "GradientMismatch",
    "InconclusiveError",
    "ShapeError",
    "StepError",
    "numerical_gradient",
    "numerical_jacobian",
    "reference",
    "steps",
]
