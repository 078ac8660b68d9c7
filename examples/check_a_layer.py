"""Check the backward pass of a layer that you wrote yourself: every gradient that it returns, one after the other."""

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
layer, x, upstream = Tanh(rng), rng.standard_normal((7, 5)), rng.standard_normal((7, 3))


def loss(x, W, b):
    return np.sum(upstream * np.tanh(x @ W.T + b))


layer.forward(x)
claimed = layer.backward(upstream)
at = {"x": x, "W": layer.W, "b": layer.b}
for name in at:
    check = fg.gradient_check(lambda value, name=name: loss(**(at | {name: value})), claimed[name], at[name])
    print(f"{name}: {check}")
    check.raise_if_failed()
