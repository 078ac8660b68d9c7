"""What a user's package does with fastgrad: check the layer that it wrote by hand."""

import numpy as np
from numpy.typing import NDArray

import fastgrad as fg


class Scale:
    """y = s * x, elementwise, with a backward written by hand."""

    def __init__(self, s: NDArray[np.float64]) -> None:
        self.s = s

    def forward(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return s * x."""
        self.x = x.copy()
        return self.s * x

    def backward(self, grad_output: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return dL/ds."""
        return grad_output * self.x


def check(factor: float = 1.0) -> fg.GradientCheck:
    """Return the check of Scale's gradient under L = sum(y²), which `factor` falsifies."""
    x = np.array([0.5, -1.0, 2.0])

    def loss(s: NDArray[np.float64]) -> float:
        return float(np.sum(Scale(s).forward(x) ** 2))

    def claimed(s: NDArray[np.float64]) -> NDArray[np.float64]:
        layer = Scale(s)
        return factor * layer.backward(2 * layer.forward(x))

    return fg.gradient_check(loss, claimed, np.array([1.0, 2.0, 3.0]))
