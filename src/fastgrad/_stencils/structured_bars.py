"""Error bars for what a structured callable has measured by its own loop: by measuring again with half the step."""

from typing import Any

import numpy as np

from fastgrad._estimates import FLAGS, Derivative
from fastgrad._typing import Array, Float64Array

#: A bar is so many times what half the step changes, and so many units in the last place.
SAFETY, UNITS = 3.0, 8.0


def with_bars(value: Array, half: Array, h: Float64Array, calls: int) -> Derivative:
    """Return what was measured, with h and with half of it, as a derivative with error bars.

    A central difference with half the step has a fourth of the truncation. What rounding in f's terms does cannot be
    told from their sum: its usual size, by all entries, stands in where an entry shows less.
    """
    apart = np.abs(value.astype(np.float64) - half) * (4 / 3)
    known = apart[np.isfinite(apart)]
    usual = float(np.median(known)) if known.size else 0.0
    with np.errstate(all="ignore"):
        error = SAFETY * np.maximum(apart, usual) + UNITS * np.finfo(value.dtype).eps * np.abs(value, dtype=np.float64)
    flags: dict[str, Any] = {name: np.zeros(value.shape, np.bool_) for name in FLAGS}
    flags["undefined"] = np.isnan(value)
    error = np.where(np.isnan(error), np.inf, error).astype(value.dtype)
    each = np.zeros(value.shape, np.intp)
    each.reshape(-1)[:1] = calls
    steps = np.broadcast_to(h if h.size == 1 else h.reshape(value.shape), value.shape).copy()
    return Derivative(value, error, each, steps, flags)
