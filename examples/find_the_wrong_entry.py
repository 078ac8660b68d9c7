"""A function with a gradient by hand, one entry of which is wrong: the check names it, and says by how much."""

import numpy as np

import fastgrad as fg


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def gradient(x):
    g = np.zeros_like(x)
    g[:-1] = -400 * x[:-1] * (x[1:] - x[:-1] ** 2) - 2 * (1 - x[:-1])
    g[1:-1] += 200 * (x[1:-1] - x[:-2] ** 2)  # wrong: the last entry has this term too
    return g


x = np.linspace(-1.0, 1.5, 30)
check = fg.gradient_check(rosenbrock, gradient, x)
print(check)

(wrong,) = check.wrong.indices
print(f"\nentry {wrong} is the last of {x.size}; it lacks {check.worst.measured - check.worst.claimed:.6g}")
