"""The evidence of a claim, as a check would give it to the diagnosis."""

from math import prod
from typing import Any

import numpy as np

from fastgrad._diagnosis.evidence import Evidence
from fastgrad._tree import Leaf


def evidence(shapes: list[tuple[int, ...]], claimed: Any, measured: Any, x: Any = None) -> Evidence:
    """Return the evidence of a claim against measured values that are right to ten digits."""
    claimed, measured = np.asarray(claimed, dtype=float).reshape(-1), np.asarray(measured, dtype=float).reshape(-1)
    leaves, start = [], 0
    for k, shape in enumerate(shapes):
        leaves.append(Leaf("x" if len(shapes) == 1 else f"x[{k}]", shape, start))
        start += prod(shape)
    with np.errstate(invalid="ignore"):
        is_right = np.abs(claimed - measured) <= 1e-6 + 1e-5 * np.maximum(np.abs(claimed), np.abs(measured))
    wrong = np.flatnonzero(~is_right & ~np.isnan(measured))
    x = np.zeros(start) if x is None else np.reshape(x, -1)
    return Evidence(x, claimed, measured, wrong, np.full(wrong.size, 1e-10), tuple(leaves), "d")
