"""Finite-difference stencils: which values of f, with which weights, make a derivative of which order of error.

The table is generated from its definition: the weights w_k of the offsets o_k solve Σ w_k o_k^q = n! for q = n and = 0
for every other q below the number of points, in exact arithmetic. They are kept as integers over one denominator, so
that f's values are weighted without rounding of the weights.
"""

from functools import cache
from math import factorial, gcd, lcm
from typing import Any, NamedTuple

from fastgrad._arrays import whole_number
from fastgrad._errors import no_such_method

#: The orders of error that each method offers for the first derivative.
ORDERS: dict[str, tuple[int, ...]] = {"central": (2, 4, 6, 8), "forward": (1, 2, 3, 4), "backward": (1, 2, 3, 4)}
#: The order where none is given.
ORDER = 2


class Stencil(NamedTuple):
    """The derivative is ``sum(numerators[k] * f(x + offsets[k] * h)) / (denominator * h**derivative)``.

    Attributes
    ----------
    offsets, numerators : tuple of int
        In the order in which f is called: outwards, plus before minus; the offset 0 last, where it has a weight.
    denominator : int
        Positive.
    derivative, order : int
        Which derivative, and the power of h that its error falls with.
    """

    offsets: tuple[int, ...]
    numerators: tuple[int, ...]
    denominator: int
    derivative: int
    order: int

    @property
    def amplification(self) -> float:
        """Σ|w_k|: how much the rounding of f's values, over h**derivative, may add to the derivative."""
        return sum(abs(k) for k in self.numerators) / self.denominator

    @property
    def reach(self) -> int:
        """The largest offset, in steps."""
        return max(abs(k) for k in self.offsets)


@cache
def stencil(method: str, order: int, derivative: int = 1) -> Stencil:
    """Return the stencil with the fewest points of a method, an order of error and a derivative.

    Raises
    ------
    ValueError
        If there is no such method, or the order is not one that the method offers.

    Examples
    --------
    >>> stencil("central", 4)
    Stencil(offsets=(1, -1, 2, -2), numerators=(8, -8, -1, 1), denominator=12, derivative=1, order=4)
    >>> stencil("forward", 2).numerators
    (4, -1, -3)
    """
    if method not in ORDERS:
        raise no_such_method(method, ORDERS)
    if order not in ORDERS[method]:
        offered = ", ".join(map(str, ORDERS[method]))
        raise ValueError(f"the method {method!r} has the orders {offered}; got {order!r}.")
    if method == "central":
        reach = (derivative + 1) // 2 + order // 2 - 1
        points = list(range(-reach, reach + 1))
    else:
        sign = 1 if method == "forward" else -1
        points = [sign * k for k in range(derivative + order)]
    return on_points(points, derivative, order)


def given_stencil(method: Any, order: Any) -> Stencil:
    """Return the stencil of a method and an order as a caller gave them; None is the central one, and 2.

    Raises
    ------
    TypeError
        If the order is no integer.
    ValueError
        If there is no such method, or the order is not one that the method offers.
    """
    if not (method is None or isinstance(method, str)):
        raise no_such_method(method, ORDERS)
    return stencil("central" if method is None else method, ORDER if order is None else whole_number(order, "order"))


def on_points(points: list[int], derivative: int, order: int) -> Stencil:
    """Return the stencil on these points; its order is as the caller says.

    The derivative at 0 of the polynomial through f's values: a point weighs n! times the coefficient of power n in its
    Lagrange polynomial, the one that is 1 there and 0 at all others. A fraction is a pair of integers.
    """
    weights: dict[int, tuple[int, int]] = {}
    for p in points:
        above, below = [1], 1
        for q in points:
            if q != p:
                above = [a - q * b for a, b in zip([0, *above], [*above, 0], strict=True)]
                below *= p - q
        weight = factorial(derivative) * above[derivative]
        if weight != 0:
            common = gcd(weight, below)
            weights[p] = weight // common, below // common
    denominator = lcm(*(below for _, below in weights.values()))
    ordered = sorted(weights, key=lambda p: (p == 0, abs(p), p < 0))
    numerators = tuple(weights[p][0] * (denominator // weights[p][1]) for p in ordered)
    return Stencil(tuple(ordered), numerators, denominator, derivative, order)
