"""A structured callable's difference loop against its own plain forward, so that a flaw of the shortcut cannot hide."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._reading import entry_name
from fastgrad._typing import Array, Float64Array

#: Two directions see every entry; eight entries are differenced one by one.
KEYS = (0x5BD1E995, 0x1B873593)
ENTRIES = 8
#: A disagreement must stand at each of these multiples of the step: what a kink or truncation adds shrinks with it.
SHRINK = (1.0, 1 / 4, 1 / 16)
_UNITS = {"d": 16 * 2.0**-53, "f": 16 * 2.0**-24}


class Witness:
    """The plain forward of f near x, on one private buffer."""

    def __init__(self, f: Any, x: Array) -> None:
        self.calls = 0
        self._f = f
        self._x = x
        self._buffer = x.copy()

    def disagreement(self, measured: Array, h: Float64Array) -> str | None:
        """Return a sentence that says where the measured differences do not fit f itself; None where they do."""
        n = self._x.size
        for i in np.unique(np.linspace(0, n - 1, ENTRIES).astype(np.intp)) if n else ():
            step = float(h[i if h.size > 1 else 0])
            if not any(self._entry_agrees(measured, int(i), step * factor) for factor in SHRINK):
                return (
                    f"f's own difference loop does not fit f: at {entry_name(int(i), self._x.shape)} it gives "
                    f"{measured.flat[i]:.9g}, and calls of f another value. The measured values cannot be trusted."
                )
        step = float(np.min(h))
        for key in KEYS if n else ():
            if not any(self._projection_agrees(measured, key, step * factor) for factor in SHRINK):
                return (
                    "f's own difference loop does not fit f: along a random direction they differ. "
                    "The measured values cannot be trusted."
                )
        return None

    def _value(self) -> float:
        self.calls += 1
        return float(self._f(self._buffer))

    def _noise(self, plus: float, minus: float, h: float) -> float:
        return _UNITS[self._x.dtype.char] * (abs(plus) + abs(minus)) / (2 * h)

    def _entry_agrees(self, measured: Array, i: int, h: float) -> bool:
        flat = self._buffer.reshape(-1)
        value = flat[i]
        flat[i] = value + h
        upper, plus = float(flat[i]), self._value()
        flat[i] = value - h
        lower, minus = float(flat[i]), self._value()
        flat[i] = value
        if upper == lower:
            return True
        slope = (plus - minus) / (upper - lower)
        claimed = float(measured.reshape(-1)[i])
        return self._same(slope, claimed, self._noise(plus, minus, h), max(abs(slope), abs(claimed)))

    def _projection_agrees(self, measured: Array, key: int, h: float) -> bool:
        x, buffer = self._x.reshape(-1), self._buffer.reshape(-1)
        _backend.projection.move(x, key, h, buffer)
        plus = self._value()
        _backend.projection.move(x, key, -h, buffer)
        minus = self._value()
        slope = (plus - minus) / (2 * h)
        claimed = _backend.projection.project(measured.reshape(-1), x, key, h)
        return self._same(slope, claimed, self._noise(plus, minus, h), max(abs(slope), abs(claimed)))

    def _same(self, slope: float, claimed: float, noise: float, size: float) -> bool:
        relative = 1e-6 if self._x.dtype.char == "d" else 1e-2
        return not abs(slope - claimed) > noise + relative * size
