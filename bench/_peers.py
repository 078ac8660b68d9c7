"""The rules by which two well-known checkers judge a projection, as published: neither package is needed for that."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def torch_fast(f: Callable[[Array], float], claimed: Array, x: Array, seed: int = 0) -> bool:
    """Tell whether torch.autograd.gradcheck(fast_mode=True) would pass: its defaults, applied to a scalar f.

    One direction of positive entries and norm one, eps = 1e-6, rtol = 1e-3, and atol = 1e-5 times the sum of the
    direction.
    """
    u = np.random.default_rng(seed).random(x.size)
    u /= np.linalg.norm(u)
    measured = (f(x + 1e-6 * u) - f(x - 1e-6 * u)) / 2e-6
    said = float(claimed @ u)
    return bool(abs(said - measured) <= 1e-5 * u.sum() + 1e-3 * abs(measured))


def jax_check(f: Callable[[Array], float], claimed: Array, x: Array, seed: int = 0) -> bool:
    """Tell whether jax.test_util.check_grads(order=1, modes="rev") would pass in double precision: its defaults.

    One normal direction, eps = 1e-4, rtol = atol = 1e-5 on the inner product.
    """
    u = np.random.default_rng(seed).standard_normal(x.size)
    measured = (f(x + 5e-5 * u) - f(x - 5e-5 * u)) / 1e-4
    said = float(claimed @ u)
    return bool(abs(said - measured) <= 1e-5 + 1e-5 * abs(measured))
