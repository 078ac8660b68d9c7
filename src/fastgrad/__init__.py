"""fastgrad: numerical differentiation and gradient checking with compiled loops."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fastgrad import steps
from fastgrad._errors import DivergenceWarning, GradientMismatch, InconclusiveError, ShapeError, StepError
from fastgrad._gradient import numerical_gradient
from fastgrad._jacobian import numerical_jacobian

if TYPE_CHECKING:
    from fastgrad import losses, plot, problems, reference
    from fastgrad._check import gradient_check
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
    "plot",
    "problems",
    "reference",
    "relu",
    "relu_derivative",
    "softmax_cross_entropy",
    "steps",
    "weight_gradient",
]

#: Where the names are that are loaded when they are first asked for: all else is there in a third of the time.
_LATER = {
    "GradientCheck": "_result",
    "LeastSquaresResult": "_least_squares",
    "LinearLayer": "layers",
    "TwoLayerNet": "layers",
    "gradient_check": "_check",
    "layers": "layers",
    "least_squares_gd": "_least_squares",
    "losses": "losses",
    "plot": "plot",
    "problems": "problems",
    "reference": "reference",
    "relu": "layers",
    "relu_derivative": "layers",
    "softmax_cross_entropy": "layers",
    "weight_gradient": "layers",
}

if not TYPE_CHECKING:  # a type checker would take any name for granted

    def __getattr__(name: str) -> Any:
        if name not in _LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.{_LATER[name]}")
        return globals().setdefault(name, getattr(module, name, module))

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
