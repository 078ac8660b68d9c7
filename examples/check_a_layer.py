"""Check the backward pass of a layer that you wrote yourself: every gradient that it returns, by name."""

import numpy as np

import fastgrad as fg


class Tanh:
    """y = tanh(Wx + b), for rows of x."""

    def __init__(self, rng):
        self.W, self.b = rng.standard_normal((3, 5)), rng.standard_normal(3)

    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.W.T + self.b)
        return self.y

    def backward(self, grad_y):
        grad_z = grad_y * (1 - self.y**2)
        return {"x": grad_z @ self.W, "W": fg.weight_gradient(grad_z, self.x), "b": grad_z.sum(axis=0)}


rng = np.random.default_rng(0)
check = fg.layer_check(Tanh(rng), rng.standard_normal((7, 5)), rng=0)
print(check)
check.raise_if_failed()
