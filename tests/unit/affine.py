"""A layer that returns, or leaves, its gradients in any form."""

from typing import Any

import numpy as np


class Affine:
    """A layer whose backward can return, or leave, its gradients in any form."""

    def __init__(self, form: Any = None) -> None:
        rng = np.random.default_rng(1)
        self.W, self.b = rng.standard_normal((3, 4)), rng.standard_normal(3)
        self.form = form or (lambda layer, x, W, b: (x, W, b))

    def forward(self, x: Any) -> Any:
        self.x = np.asarray(x)
        return self.x @ self.W.T + self.b

    def backward(self, g: Any) -> Any:
        return self.form(self, g @ self.W, g.T @ self.x, g.sum(0))


def doubled_row(layer: Affine, x: Any, W: Any, b: Any) -> Any:
    """Return all gradients, that of the second output's weights doubled."""
    W[1] *= 2
    return x, W, b
