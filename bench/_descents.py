"""Gradient descent on least squares as it is written for torch, JAX and numba: what a user of theirs would have."""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from fastgrad._typing import Array

#: Takes A, b, the rate, the number of steps and the weight of the squares; returns the loop over them, ready to run.
Maker = Callable[[Array, Array, float, int, float], Callable[[], Array]]


def installed() -> dict[str, Maker]:
    """Return the makers whose packages are installed, by name."""
    makers = {"torch": _torch, "jax.jit": _jax, "numba": _numba}
    packages = {"torch": "torch", "jax.jit": "jax", "numba": "numba"}
    return {name: maker for name, maker in makers.items() if find_spec(packages[name]) is not None}


def _torch(A: Array, b: Array, rate: float, n_steps: int, weight: float) -> Callable[[], Array]:
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    data, target = torch.from_numpy(A), torch.from_numpy(b)

    def run() -> Array:
        x = torch.zeros(data.shape[1], dtype=torch.float64)
        losses = torch.empty(n_steps, dtype=torch.float64)
        for step in range(n_steps):
            r = torch.mv(data, x) - target
            losses[step] = weight * torch.dot(r, r)
            x -= rate * 2 * weight * torch.mv(data.T, r)
        result: Array = x.numpy()
        return result

    return run


def _jax(A: Array, b: Array, rate: float, n_steps: int, weight: float) -> Callable[[], Array]:
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", True)
    data, target = jax.numpy.asarray(A), jax.numpy.asarray(b)

    def whole(A: Any, b: Any) -> Any:
        def step(x: Any, _: None) -> tuple[Any, Any]:
            r = A @ x - b
            return x - rate * 2 * weight * (A.T @ r), weight * (r @ r)

        return jax.lax.scan(step, jax.numpy.zeros(A.shape[1]), None, length=n_steps)

    compiled = jax.jit(whole)

    def run() -> Array:
        x, losses = compiled(data, target)
        losses.block_until_ready()
        return np.asarray(x)

    return run


def _numba(A: Array, b: Array, rate: float, n_steps: int, weight: float) -> Callable[[], Array]:
    numba: Any = import_module("numba")

    @numba.njit(fastmath=True)  # type: ignore[untyped-decorator, unused-ignore]
    def descend(A: Array, b: Array, rate: float, n_steps: int, weight: float) -> tuple[Array, Array]:
        n, p = A.shape
        x, gradient, losses = np.zeros(p), np.zeros(p), np.empty(n_steps)
        for step in range(n_steps):
            squares = 0.0
            gradient[:] = 0.0
            for i in range(n):
                r = -b[i]
                for j in range(p):
                    r += A[i, j] * x[j]
                squares += r * r
                for j in range(p):
                    gradient[j] += A[i, j] * r
            losses[step] = weight * squares
            for j in range(p):
                x[j] -= rate * 2.0 * weight * gradient[j]
        return x, losses

    def run() -> Array:
        x: Array = descend(A, b, rate, n_steps, weight)[0]
        return x

    return run
