"""Fit a line through noisy points by gradient descent, and hold the result against the closed form."""

import numpy as np

import fastgrad as fg

rng = np.random.default_rng(0)
t = np.linspace(0.0, 1.0, 200)
A = np.stack([np.ones_like(t), t], axis=1)
b = 1.5 - 2.0 * t + 0.1 * rng.standard_normal(200)

result = fg.least_squares_gd(A, b, learning_rate=0.5, n_steps=1000, reduction="mean")
closed = np.linalg.solve(A.T @ A, A.T @ b)
print(f"descent      {result.x}, loss {result.loss:.6f}")
print(f"closed form  {closed}, loss {np.mean((A @ closed - b) ** 2):.6f}")

check = fg.gradient_check(lambda x: np.mean((A @ x - b) ** 2), 2 / len(b) * A.T @ (A @ result.x - b), result.x)
print(check)
