"""Differences of a two-layer net's loss by its inputs, each of which moves every hidden unit."""

import numpy as np

from fastgrad._losses.criteria import Criterion
from fastgrad._typing import Array, Float64Array

HALVINGS = 8
TOGETHER = 1 << 16  # hidden moves held at a time


def input_differences(
    criterion: Criterion,
    W1: Float64Array,
    W2: Float64Array,
    z: Float64Array,
    y: Float64Array,
    steps: Float64Array,
    left: Array,
    right: Array,
) -> int:
    """Measure the loss by each entry of the inputs, through the second layer; return how many steps were halved.

    Parameters
    ----------
    criterion : Criterion
        The loss of the outputs.
    W1, W2 : ndarray, shapes (hidden, n) and (m, hidden)
        The weights.
    z, y : ndarray, shapes (n_samples, hidden) and (n_samples, m)
        The pre-activations and the outputs.
    steps : ndarray, shape (n_samples, n)
        The step of each entry.
    left, right : ndarray, shape (n_samples, n)
        Receive the central differences, or the one-sided ones of entries at a kink unless they are the same memory.
    """
    redone = 0
    together = max(1, TOGETHER // max(1, len(W1)))
    sided = not np.shares_memory(left, right)
    for b in range(len(z)):
        activation = np.maximum(z[b], 0.0)[:, None]
        for start in range(0, W1.shape[1], together):
            chunk = slice(start, start + together)
            directions, step = W1[:, chunk], steps[b, chunk].copy()
            kink, halved = _avoid_kinks(z[b], directions, step)
            redone += halved
            moves = step * directions
            plus = W2 @ (np.maximum(z[b][:, None] + moves, 0.0) - activation)
            minus = W2 @ (np.maximum(z[b][:, None] - moves, 0.0) - activation)
            central = criterion.change(y, b, plus, minus) / (2.0 * step)
            left[b, chunk] = right[b, chunk] = central
            if sided and kink.any():
                still = np.zeros(plus.shape)
                left[b, chunk] = np.where(kink, criterion.change(y, b, still, minus) / step, central)
                right[b, chunk] = np.where(kink, criterion.change(y, b, plus, still) / step, central)
    return redone


def _avoid_kinks(z: Float64Array, directions: Float64Array, step: Float64Array) -> tuple[Array, int]:
    """Halve the steps within which a unit crosses zero; return the entries where that does not help, and how many."""
    halved = np.zeros(step.shape, dtype=bool)
    for attempt in range(HALVINGS + 1):
        near = (np.abs(z)[:, None] <= step * np.abs(directions)) & (directions != 0)
        crossing = (near & (z != 0)[:, None]).any(axis=0)
        if not crossing.any() or attempt == HALVINGS:
            break
        step[crossing] *= 0.5
        halved |= crossing
    return near.any(axis=0), int(halved.sum())
