"""Which stencil and which step each entry takes: from method, order and bounds. It knows nothing of f."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from fastgrad import _backend, steps
from fastgrad._bounds import limits
from fastgrad._errors import no_such_method
from fastgrad._point import Point
from fastgrad._stencils.table import ORDER, ORDERS, Stencil, given_stencil, stencil
from fastgrad._typing import Array, Float64Array, Step

#: All methods of the verbs, those that need no stencil among them.
METHODS = (*ORDERS, "adaptive", "complex")
#: Every entry takes the first stencil.
_ALL = np.zeros(1, np.uint8)


class Plan:
    """Which stencil each entry takes, and with which step.

    Attributes
    ----------
    stencils : tuple of Stencil
        Those that some entry takes, that which was asked for first.
    which : ndarray of uint8, shape ``(1,)`` or ``(n,)``
        Which of them each entry takes.
    h : ndarray of float64, shape ``(1,)`` or ``(n,)``
        The steps.
    limits : pair of ndarray of float64, or None
        The bounds of each entry, flat.
    changes_sides : bool
        Whether an entry may take the other side where f has no value on one: unless the call is the textbook's.
    """

    __slots__ = ("_scheme", "changes_sides", "h", "limits", "stencils", "which")

    def __init__(
        self,
        stencils: tuple[Stencil, ...],
        which: Any,
        h: Float64Array,
        limits: tuple[Float64Array, Float64Array] | None = None,
        *,
        changes_sides: bool = True,
    ) -> None:
        self.stencils, self.which, self.h, self.limits = stencils, which, h, limits
        self.changes_sides = changes_sides
        self._scheme: Any = None

    @property
    def scheme(self) -> Any:
        """The stencils as the loops take them."""
        if self._scheme is None:
            self._scheme = uniform(self.stencils[0]) if len(self.stencils) == 1 else _scheme(self.stencils, self.which)
        return self._scheme

    @property
    def tables(self) -> tuple[Any, Any, Any, Any]:
        """The stencils as the loops over stacks take them: offsets, weights, widths, and which each entry takes."""
        return (*_tables(self.stencils), self.which)

    def at(self, i: int) -> tuple[Stencil, float]:
        """Return the stencil and the step of entry i."""
        which, h = (int(self.which[i % self.which.size]), float(self.h[i % self.h.size]))
        return self.stencils[which], h

    def spare(self, i: int, x: Array) -> tuple[tuple[Stencil, float], ...]:
        """Return the one-sided stencils that may stand in for that of entry i, with the steps that they have room for.

        They are of the same order, as far as there is one. x is flat.
        """
        taken, h = self.at(i)
        found = []
        for side in ("forward", "backward"):
            s = _one_sided(side, taken.order)
            room = h
            if self.limits is not None:
                lower, upper = (bound[i : i + 1] for bound in self.limits)
                room = min(h, float(_largest_step(s, x[i : i + 1], lower, upper)[0]))
            if s != taken and room > 0 and _backend.differences.first_lost_step(x[i : i + 1], np.array([room])) < 0:
                found.append((s, room))
        return tuple(found)


def planned(point: Point, eps: Step, method: str | None, order: int | None, bounds: Any) -> Plan:
    """Return the stencil and the step of each entry, which keep within the bounds.

    Without bounds every entry takes the method's stencil. Within bounds, an entry whose stencil would leave them takes
    the one-sided stencil, forward or backward, that has room; where none has, the step of the roomiest is shortened.

    Parameters
    ----------
    point : Point
        Where the differences are taken.
    eps : None, float, array_like or "auto"
        None is the textbook's step, and where another method or order than its own is asked for, what "auto" picks.
    method, order : str and int, optional
        As `stencil` takes them; None is "central", and 2.
    bounds : optional
        In SciPy's form.

    Raises
    ------
    ValueError
        If the method or its order is unknown, x lies outside the bounds, or an entry has no room at all.
    ShapeError
        If bounds or steps do not fit x.
    StepError
        If a step is no positive finite real number, or rounding changes it by more than 1 %.
    """
    if method is None and order is None and bounds is None:
        if eps is not None:
            return Plan((stencil("central", ORDER),), _ALL, steps.resolve(eps, point), changes_sides=False)
        plan = _textbook(point.array.dtype.char)
        steps.refuse_lost_steps(point, plan.h)
        return plan
    if method is not None and method not in METHODS:
        raise no_such_method(method, METHODS)
    chosen = given_stencil(method, order)
    if eps is None and chosen is not stencil("central", ORDER):
        eps = "auto"
    h = steps.as_steps(point.in_line(eps, "eps"), point.array, steps.TEXTBOOK, chosen.order)
    plan = Plan((chosen,), _ALL, h) if bounds is None else _within(bounds, point, chosen, h)
    steps.refuse_lost_steps(point, plan.h)
    return plan


@cache
def _textbook(char: str) -> Plan:
    """Return the plan of the textbook's call, in this dtype."""
    return Plan((stencil("central", ORDER),), _ALL, steps.one(steps.TEXTBOOK[char]), changes_sides=False)


@cache
def central() -> Any:
    """Return the textbook's scheme: (f(x + h) - f(x - h)) / 2h at every entry."""
    return uniform(stencil("central", ORDER))


def _within(bounds: Any, point: Point, chosen: Stencil, h: Float64Array) -> Plan:
    stencils = (chosen, *(_one_sided(side, chosen.order) for side in ("forward", "backward")))
    which, taken, within = fitted(stencils, bounds, point, h)
    return Plan(stencils, which, taken, within)


def fitted(
    stencils: Sequence[Stencil], bounds: Any, point: Point, h: Float64Array
) -> tuple[Any, Float64Array, tuple[Float64Array, Float64Array]]:
    """Return which stencil each entry takes within the bounds, the first that has room, the steps, and the bounds.

    Where none has room, the roomiest is taken and its step is shortened.

    Raises
    ------
    ValueError
        If x lies outside the bounds, or an entry has no room at all.
    """
    lower, upper = limits(bounds, point)
    x = point.array.reshape(-1)
    rooms = np.stack([_largest_step(s, x, lower, upper) for s in stencils])
    wanted = np.broadcast_to(h, x.shape)
    fits = rooms >= wanted
    which = np.where(fits.any(axis=0), np.argmax(fits, axis=0), np.argmax(rooms, axis=0))
    taken = np.minimum(wanted, rooms[which, np.arange(x.size)])
    if np.any(taken <= 0):
        i = int(np.argmax(taken <= 0))
        raise ValueError(f"{point.name(i)} has no room to move: its bounds are {lower[i]:.17g} and {upper[i]:.17g}.")
    return which.astype(np.uint8), taken, (lower, upper)


def _one_sided(side: str, order: int) -> Stencil:
    return stencil(side, min(order, ORDERS[side][-1]))


@cache
def uniform(chosen: Stencil) -> Any:
    """Return the scheme that takes one stencil at every entry."""
    return _scheme((chosen,), _ALL)


def _scheme(stencils: tuple[Stencil, ...], which: Any) -> Any:
    return _backend.differences.Scheme(*_tables(stencils), which)


@cache
def _tables(stencils: tuple[Stencil, ...]) -> tuple[Any, Any, Any]:
    length = max(len(s.offsets) for s in stencils)
    offsets = np.zeros((len(stencils), length), np.intp)
    weights = np.zeros((len(stencils), length))
    for row, s in enumerate(stencils):
        offsets[row, : len(s.offsets)] = s.offsets
        weights[row, : len(s.offsets)] = s.numerators
    return offsets, weights, np.array([float(s.denominator) for s in stencils])


def _largest_step(s: Stencil, x: Array, lower: Float64Array, upper: Float64Array) -> Float64Array:
    """Return the largest step with which a stencil's points, as rounded, keep within the bounds; inf where free."""
    above, below = max(0, *s.offsets), max(0, *(-k for k in s.offsets))
    step = np.full(x.shape, np.inf)
    with np.errstate(all="ignore"):
        if above:
            step = np.minimum(step, (upper - x) / above)
        if below:
            step = np.minimum(step, (x - lower) / below)
        # rounding of x ± k·h may step over a bound that exact arithmetic meets
        over = np.isfinite(step) & (
            ((x + above * step).astype(x.dtype) > upper) | ((x - below * step).astype(x.dtype) < lower)
        )
        slack = 2 * np.finfo(x.dtype).eps * (np.abs(x, dtype=np.float64) + step)
        return np.where(over, step - slack, step)
