"""Second differences in plain NumPy: a copy of x for each value of f, with one or two entries moved."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array, IndexArray, ScalarFunction

__all__ = ["Pairing", "hessian", "symmetrize"]


class Pairing:
    """Which points make a second derivative; each value of f counts as its change from the value at x.

    With s = which[i], t = which[j], and F(a, b) the change of f where entry i is moved by a and entry j by b of its
    steps, H[i, i] = Σ_k seconds[s, k] F(axis[s, k]) / (second_widths[s] h_i²), and H[i, j] = (Σ_p weights[s, t, p]
    F(corners[s, t, p]) + Σ_k sides[s, t, 0, k] F(axis[s, k], 0) + Σ_k sides[s, t, 1, k] F(0, axis[t, k])) /
    (widths[s, t] h_i h_j). Offsets of 0 end their row.
    """

    def __init__(
        self,
        axis: IndexArray,
        seconds: Float64Array,
        second_widths: Float64Array,
        corners: IndexArray,
        weights: Float64Array,
        sides: Float64Array,
        widths: Float64Array,
        which: NDArray[np.uint8],
    ) -> None:
        self.axis, self.seconds, self.second_widths = axis, seconds, second_widths
        self.corners, self.weights, self.sides, self.widths = corners, weights, sides, widths
        self.which = which

    def kind(self, i: int) -> int:
        """Return the row of the tables that entry i takes."""
        return int(self.which[i % self.which.size])


def hessian(
    f: ScalarFunction, x: Array, h: Float64Array, pairing: Pairing, values: Float64Array, H: Array, reader: Reader
) -> int:
    """Write second differences of the scalar f into H, symmetric; return the number of calls of f.

    Row i of `values` receives f's changes along entry i, and the last row begins with f at x itself.
    """
    n, p, calls = x.size, pairing, 0
    if n == 0:
        return 0

    def at(*moves: tuple[int, int]) -> float:
        nonlocal calls
        calls += 1
        point = x.copy()
        for i, offset in moves:
            point.reshape(-1)[i] = _rounded(x.item(i) + offset * float(h[i % h.size]), x.dtype)
        where, sign = (moves[0][0] * n + moves[-1][0], moves[0][1]) if moves else (0, 0)
        try:
            y = f(point)
        except BaseException as error:
            reader.note(error, where, sign)
            raise
        return reader.scalar(y, where, sign)

    values[n, 0] = centre = at()
    for i in range(n):
        for k, offset in enumerate(p.axis[p.kind(i)].tolist()):
            values[i, k] = at((i, offset)) - centre if offset else 0.0
    for i in range(n):
        for j in range(i, n):
            found = _second(p, i, h, values) if i == j else _mixed(p, i, j, h, values, at)
            H[i, j] = H[j, i] = _rounded(found, H.dtype)
    return calls


def symmetrize(J: Array) -> float:
    """Replace J by (J + Jᵀ)/2, the same bits on both sides of the diagonal; return the largest |J - Jᵀ|."""
    with np.errstate(all="ignore"):
        double = J.astype(np.float64)
        apart = np.abs(double - double.T)
        mean = 0.5 * double + 0.5 * double.T
        off = ~np.eye(len(J), dtype=bool)
        J[off] = mean.astype(J.dtype)[off]
    return float(np.max(apart[off], initial=0.0))


def _second(p: Pairing, i: int, h: Float64Array, values: Float64Array) -> float:
    s, step, total = p.kind(i), float(h[i % h.size]), 0.0
    for k, weight in enumerate(p.seconds[s].tolist()):
        if weight:
            total += weight * float(values[i, k])
    return total / (float(p.second_widths[s]) * step) / step


def _mixed(p: Pairing, i: int, j: int, h: Float64Array, values: Float64Array, at: Callable[..., float]) -> float:
    s, t, total = p.kind(i), p.kind(j), 0.0
    centre = float(values[-1, 0])
    for (a, b), weight in zip(p.corners[s, t].tolist(), p.weights[s, t].tolist(), strict=True):
        if a:
            total += weight * (at((i, a), (j, b)) - centre)
    for entry, sides in ((i, p.sides[s, t, 0]), (j, p.sides[s, t, 1])):
        for k, weight in enumerate(sides.tolist()):
            if weight:
                total += weight * float(values[entry, k])
    return total / (float(p.widths[s, t]) * float(h[i % h.size])) / float(h[j % h.size])


def _rounded(value: float, dtype: np.dtype[Any]) -> Any:
    with np.errstate(over="ignore"):
        return dtype.type(value)
