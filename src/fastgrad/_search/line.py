"""The noise of f close to x along one direction, and what may pass for none: values that are rounded."""

import math

import numpy as np

from fastgrad._noise.measurement import POINTS, on_lines
from fastgrad._noise.precision import DEVIATION
from fastgrad._search.projections import Block, Projections
from fastgrad._typing import Float64Array

#: The distance of the points on the line, beside the step.
FINE = 2.0**-10
#: Where f stands still close to x, multiples of the step to begin near that show whether it moves in jumps.
RISES = (1.0, 8.0, 64.0, 512.0, 4096.0)
#: Places between the points of the line, where it is told whether f is as smooth as these say.
BETWEEN = (3.382, 4.618)
#: So many times what noise was found is more than chance.
SURPRISE = 8.0


class Line:
    """f at evenly spaced points close to x.

    Parameters
    ----------
    projections : Projections
    key : int
        The direction of the line.
    start : float
        The step that a search begins near.
    centre : float
        The value of f at x.
    """

    def __init__(self, projections: Projections, key: int, start: float, centre: float) -> None:
        self._p = projections
        self._key = key
        self._start = start
        self._centre = centre
        self._spacing = FINE * start
        self._values = np.empty(0)

    def noise(self, along: int) -> float:
        """Return the noise that the values show, at least that of their last digit.

        Where they are all the same, it is looked at larger steps along another direction whether they are in waiting.
        """
        found = on_lines(self._at)
        least = self._p.precision.rounding(self._centre)
        if found == 0.0 and not self._p.precision.may_be_single:
            found = DEVIATION * self._jump(along)
        return max(least, found) if math.isfinite(found) else least

    def surprise(self, noise: float) -> float:
        """Return how far f between the points is off the polynomial through them, where that is no chance; else 0.

        Rounded values may lie evenly, as if there were no noise, but not in between as well.
        """
        nodes, off = np.arange(1.0, POINTS + 1.0), 0.0
        others = [np.delete(nodes, k) for k in range(POINTS)]
        for t in BETWEEN:
            weights = np.array(
                [np.prod((t - other) / (node - other)) for node, other in zip(nodes, others, strict=True)]
            )
            off = max(off, abs(self._p.along(self._key, self._spacing, t) - float(weights @ self._values)))
        return off if SURPRISE * noise < off < math.inf else 0.0

    def _at(self, part: float) -> Float64Array:
        self._spacing = FINE * self._start * part
        self._values = np.array([self._p.along(self._key, self._spacing, float(k)) for k in range(1, POINTS + 1)])
        return self._values

    def _jump(self, key: int) -> float:
        """Return how far f moves at once, where it stands still close to x and farther away moves as the claim says."""
        jump = 0.0
        for rise in RISES:
            plus, minus, said = self._p.sides(Block(key, 0, self._p.size), rise * self._start)
            if not math.isfinite(plus + minus):
                break
            jump = jump or max(abs(plus - self._centre), abs(minus - self._centre))
            if jump and abs(plus - minus - said) < abs(said) / 2.0:
                return jump
        return 0.0
