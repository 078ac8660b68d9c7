"""A function along a line through a point: counted, remembered, and without a value where it is not defined."""

import math
from collections.abc import Callable

from fastgrad._adaptive.extrapolation import Sample
from fastgrad._errors import NO_VALUE
from fastgrad._noise.precision import ShownPrecision


class Line:
    """f along the line: counted, remembered, and None where it is not defined."""

    def __init__(
        self,
        value: Callable[[float], float],
        scale: float,
        bounds: tuple[float, float],
        realised: Callable[[float], float] | None,
        ulp: float,
    ) -> None:
        self.calls = 0
        self.scale = scale
        self._usual_ulp = ulp
        self._precision = ShownPrecision()
        self.side = 0
        self._value = value
        self.bounds = bounds
        self._realised = realised or (lambda t: t)
        self._known: dict[float, float] = {}
        self.centre = self.at(0.0)

    @property
    def ulp(self) -> float:
        """The spacing of f's values at 1, single precision's where all of them are of that."""
        return self._precision.ulp(self._usual_ulp)

    @property
    def is_coarse(self) -> bool:
        """Whether f's values are less precise than its argument."""
        return self.ulp > self._usual_ulp

    @property
    def room(self) -> float:
        """The largest step that the bounds allow."""
        if self.side:
            return self.bounds[1] if self.side > 0 else -self.bounds[0]
        return min(self.bounds[1], -self.bounds[0])

    def at(self, t: float) -> float:
        """Return f at step t, NaN where it is not defined."""
        if not self.bounds[0] <= t <= self.bounds[1]:
            return math.nan
        if t not in self._known:
            self.calls += 1
            try:
                y = float(self._value(t))
            except NO_VALUE:
                y = math.nan
            self._known[t] = y if math.isfinite(y) else math.nan
            self._precision.add(y)
        return self._known[t]

    def sample(self, h: float) -> Sample | None:
        """Return f's change at step h, on both sides or on the one that is left; None where it is not defined."""
        h = self._realised(h)
        if not 0.0 < h < math.inf:
            return None
        centre = self.centre
        if self.side:
            y = self.at(self.side * h)
            return None if math.isnan(y) else Sample(h, self.side * (y - centre), 0.0, max(abs(y), abs(centre)))
        plus = self.at(h)
        minus = self.at(-h) if not math.isnan(plus) else math.nan
        if math.isnan(minus):
            return None
        even = (plus - centre) / 2 + (minus - centre) / 2
        return Sample(h, plus / 2 - minus / 2, even, max(abs(plus), abs(minus), abs(centre)))
