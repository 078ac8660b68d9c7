"""Difference quotients at several steps, extrapolated to step zero, with what truncation, rounding and noise leave.

Central quotients are polynomials in h², one-sided ones in h. The weights that take such a polynomial's coefficient from
its values are Lagrange's (Lyness and Moler, "Van der Monde systems and numerical differentiation", Numerische
Mathematik 8, 1966); carried along, they say how much of the values' noise reaches the result. With each node the
truncation shrinks by (h/R)^p, R the distance to the nearest singularity; the changes so far show R.

All is reckoned in units of the largest step, so that no power of a step over- or underflows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

#: A change is noise where it is at most this many times what rounding alone would make of it.
AT_NOISE = 3.0
#: Bars are this many times the estimated truncation, and that many times the estimated noise.
SAFETY_TRUNCATION, SAFETY_NOISE = 3.0, 2.0
#: Extrapolation ends where truncation is this small, relative to the value, and noise is known to be no more than …
ENOUGH, CALM = 1e-14, 30.0


@dataclass(frozen=True)
class Sample:
    """f around the point, a step away: odd and even part of its change, and the size of the values they come from."""

    h: float
    odd: float
    even: float
    size: float

    @property
    def slope(self) -> float:
        """The difference quotient."""
        return self.odd / self.h

    @property
    def swing(self) -> float:
        """How far f moved."""
        return max(abs(self.odd), abs(self.even))


@dataclass(frozen=True)
class Outcome:
    """An extrapolated derivative and its error bar, from steps up to h.

    `rounding` is what rounding in f makes of it, `noise` how many times rounding f's noise is, and `settled` says
    whether extrapolation came to an end.
    """

    value: float
    error: float
    rounding: float
    noise: float
    settled: bool
    h: float


def weights(nodes: Sequence[float], m: int = 0) -> list[float]:
    """Return the weights that take the m-th coefficient of a polynomial from its values at these nodes.

    Examples
    --------
    >>> weights([1.0, 0.25])
    [-0.3333333333333333, 1.3333333333333333]
    """
    found = []
    for k, u in enumerate(nodes):
        basis = [1.0] + [0.0] * m
        for j, v in enumerate(nodes):
            if j != k:
                scale = 1.0 / (u - v)
                for i in range(m, 0, -1):
                    basis[i] = (basis[i - 1] - v * basis[i]) * scale
                basis[0] *= -v * scale
        found.append(basis[m])
    return found


@dataclass
class Series:
    """The samples of one extrapolation, largest step first, and what each changed.

    Parameters
    ----------
    n : int
        The order of the derivative.
    p : int
        2 for central quotients, 1 for one-sided ones.
    ulp : float
        The spacing of f's values at 1.
    is_mirrored : bool
        Whether one-sided quotients are of the left side.
    least_noise : float
        The noise of f in units of rounding to reckon with, even where less is seen.
    """

    n: int
    p: int
    ulp: float
    is_mirrored: bool = False
    samples: list[Sample] = field(default_factory=list)
    changes: list[tuple[float, float]] = field(default_factory=list)
    value: float = math.nan
    rounding: float = math.inf
    truncation: float = math.inf
    least_noise: float = 1.0
    noises: list[float] = field(default_factory=lambda: [1.0])
    radius: float = math.inf
    _last: list[float] = field(default_factory=list)

    def add(self, sample: Sample) -> None:
        """Take one more sample in, and bring value, truncation, rounding and noise up to date."""
        self.samples.append(sample)
        w = self._weights(self.samples)
        change = [a - b for a, b in zip(w, [*self._last, 0.0], strict=True)]
        self._last = w
        self.value, self.rounding = self._combine(w)
        if len(self.samples) == 1:
            return
        moved, by_rounding = self._combine(change)
        expected = self.truncation
        self.changes.append((abs(moved), by_rounding))
        self._bound_truncation()
        self.noises.append(max(self.least_noise, self._visible_noise(change, expected)))

    @property
    def noise(self) -> float:
        """The noise of f over rounding: as last seen, or where extrapolation did not settle, the last two times."""
        return self.noises[-1] if self.is_settled else max(self.noises[-2:])

    @property
    def error(self) -> float:
        """The error bar of the value from all samples."""
        return SAFETY_TRUNCATION * self.truncation + SAFETY_NOISE * self.noise * self.rounding

    @property
    def is_quiet(self) -> bool:
        """Whether the last sample changed no more than rounding does."""
        moved, by_rounding = self.changes[-1]
        return moved <= AT_NOISE * by_rounding

    @property
    def is_settled(self) -> bool:
        """Whether truncation has fallen below rounding, and the noise is known to be small."""
        if self.is_quiet:
            return True
        small = self.truncation <= max(self.rounding, ENOUGH * abs(self.value))
        return len(self.samples) > 3 and small and self.noises[-1] <= CALM

    @property
    def is_stalled(self) -> bool:
        """Whether the estimate has stopped falling."""
        (before, _), (moved, _) = self.changes[-2:]
        below_noise = self.truncation <= self.noises[-1] * self.rounding
        return len(self.samples) > 4 and moved > (0.1 if below_noise else 0.3) * before

    def outcome(self) -> Outcome:
        """Return the best value: from all samples, or where noise is large, from fewer with larger steps."""
        best, value, least = self.error, self.value, self.rounding
        ordered = sorted(self.samples, key=lambda s: -s.h)
        made = [self._combine(self._weights(ordered[:k]), ordered) for k in range(self._least, len(ordered) + 1)]
        for (coarse, rounding), (fine, _) in pairwise(made):
            error = 2.0 * abs(coarse - fine) + SAFETY_NOISE * self.noise * rounding
            if error < best:
                best, value, least = error, coarse, rounding
        scale, top = 1.0, self.samples[0].h
        for k in range(self.n):
            scale *= (k + 1) / top
        return Outcome(
            value * scale * self._sign(self.n), best * scale, least * scale, self.noise, self.is_settled, top
        )

    def derivative(self, n: int, factor: float = 1.0) -> float:
        """Return a factor times the n-th derivative of f, whichever this series is for, by all samples."""
        other = Series(n, self.p, self.ulp, samples=self.samples)
        top = self.samples[0].h
        found = other._combine(other._weights(self.samples))[0] * (factor / top)
        for k in range(1, n):
            found *= (k + 1) / top
        return found * self._sign(n)

    def _sign(self, n: int) -> float:
        """Return the sign of the n-th derivative where the quotients are those of f mirrored, on the left side."""
        return -1.0 if self.is_mirrored and n % 2 == 0 else 1.0

    @property
    def _order(self) -> int:
        """The coefficient of the polynomial that is the derivative over n!."""
        return (self.n - 1) // self.p

    @property
    def _least(self) -> int:
        return self._order + 2

    def _weights(self, samples: Sequence[Sample]) -> list[float]:
        top = self.samples[0].h
        return weights([(s.h / top) ** self.p for s in samples], self._order)

    def _combine(self, w: Sequence[float], samples: Sequence[Sample] | None = None) -> tuple[float, float]:
        """Return the weighted sum of the quotients, and of their rounding (a root of squares)."""
        return self._sum(w, samples or self.samples, is_even=self.p == 2 and self.n % 2 == 0)

    def _sum(self, w: Sequence[float], samples: Sequence[Sample], *, is_even: bool) -> tuple[float, float]:
        top = self.samples[0].h
        total, squares = 0.0, []
        for weight, s in zip(w, samples, strict=False):
            u = s.h / top
            factor = weight / (u * u) if is_even else weight / u
            total += factor * (s.even if is_even else s.odd)
            squares.append(factor * (self.ulp if is_even or self.p == 1 else self.ulp / 2) * s.size)
        return total, math.hypot(*squares)

    def _visible_noise(self, change: Sequence[float], expected: float) -> float:
        """Return the noise that the last change shows, in units of rounding.

        A change is truncation and noise. It bounds the noise from above; so does that of the other part of f, whose
        truncation is less; and what it has beyond the truncation that was expected is noise.
        """
        moved, by_rounding = self.changes[-1]
        if not by_rounding:
            return 0.0
        beyond = (moved - 3 * expected) / by_rounding
        return max(beyond, min(moved / by_rounding, 3 * self._partner_noise(change)))

    def _partner_noise(self, change: Sequence[float]) -> float:
        """Return the last change of the part that the derivative does not use, over its rounding: noise, if small."""
        if self.p == 1:
            return math.inf
        moved, by_rounding = self._sum(change, self.samples, is_even=self.n % 2 == 1)
        return abs(moved) / by_rounding if by_rounding else 0.0

    def _bound_truncation(self) -> None:
        """Estimate R from the changes that stand out of rounding, and by it what the next change would be."""
        top = self.samples[0].h
        moved, _ = self.changes[-1]
        inverse = 0.0
        for k, (first, second) in enumerate(pairwise(self.changes)):
            if first[0] > AT_NOISE * first[1] and second[0] > AT_NOISE * second[1]:
                inverse = max(inverse, second[0] / first[0] * (top / self.samples[k + 1].h) ** self.p)
        self.radius = inverse ** (-1 / self.p) * top if inverse else math.inf
        falls = [inverse * (s.h / top) ** self.p for s in self.samples[-2:]]
        before = self.changes[-2][0] if len(self.changes) > 1 else 0.0
        self.truncation = min(moved, max(moved * falls[1], before * falls[0] * falls[1]))
        if len(self.changes) == 1:
            self.truncation = moved


def power_law(samples: Sequence[Sample]) -> tuple[float, float, float] | None:
    """Return the limit of quotients that approach it like c·h^r, their error, and r; None where they do not.

    Aitken's process on the smallest steps, each twice the one before: three give the limit, a fourth its error.

    Examples
    --------
    >>> [round(v, 12) for v in power_law([Sample(h, h * (3 + h**0.5), 0.0, 1.0) for h in (1.0, 0.5, 0.25, 0.125)])]
    [3.0, 0.0, 0.5]
    """
    by_step = sorted(samples, key=lambda s: s.h)
    chain = by_step[:1]
    for s in by_step[1:]:
        if abs(s.h / chain[-1].h - 2) < 1e-3:
            chain.append(s)
    if len(chain) < 4:
        return None
    a, b, c, d = (s.slope for s in chain[:4])
    if b == a or c == b:
        return None
    first, second = (c - b) / (b - a), (d - c) / (c - b)
    if not (0 < first < math.inf and abs(second - first) <= 0.01 * first) or abs(first - 1) < 0.05:
        return None
    near = a - (b - a) / (first - 1)
    far = b - (c - b) / (second - 1)
    return near, abs(far - near), math.log2(first)
