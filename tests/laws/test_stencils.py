"""The stencil table against Fornberg's algorithm, and against the polynomials that it must differentiate exactly."""

from fractions import Fraction
from math import factorial

import pytest

from fastgrad._stencils.table import ORDERS, stencil

CASES = [(method, order, n) for method, orders in ORDERS.items() for order in orders for n in (1, 2, 3, 4)]


def fornberg(points: list[int], derivative: int) -> list[Fraction]:
    """Weights at 0 on arbitrary points, by the recursion of Fornberg, Math. Comp. 51 (1988), section 3."""
    n = len(points)
    delta = [[[Fraction(0)] * n for _ in range(n)] for _ in range(derivative + 1)]
    delta[0][0][0] = Fraction(1)
    c1 = Fraction(1)
    for i in range(1, n):
        c2 = Fraction(1)
        for j in range(i):
            c3 = Fraction(points[i] - points[j])
            c2 *= c3
            for m in range(min(i, derivative) + 1):
                last = delta[m - 1][i - 1][j] if m else Fraction(0)
                delta[m][i][j] = (points[i] * delta[m][i - 1][j] - m * last) / c3
        for m in range(min(i, derivative) + 1):
            last = delta[m - 1][i - 1][i - 1] if m else Fraction(0)
            delta[m][i][i] = c1 / c2 * (m * last - points[i - 1] * delta[m][i - 1][i - 1])
        c1 = c2
    return [delta[derivative][n - 1][j] for j in range(n)]


@pytest.mark.parametrize(("method", "order", "n"), CASES)
def test_weights_are_fornbergs(method: str, order: int, n: int) -> None:
    s = stencil(method, order, n)
    reach = s.reach
    points = list(range(-reach, reach + 1)) if method == "central" else list(s.offsets)
    if method != "central" and 0 not in points:
        points.append(0)
    expected = dict(zip(points, fornberg(points, n), strict=True))
    found = dict(zip(s.offsets, (Fraction(k, s.denominator) for k in s.numerators), strict=True))
    assert found == {p: w for p, w in expected.items() if w}


@pytest.mark.parametrize(("method", "order", "n"), CASES)
def test_exact_on_polynomials_up_to_the_order_and_not_beyond(method: str, order: int, n: int) -> None:
    s = stencil(method, order, n)
    for degree in range(n + order):
        value = sum(Fraction(w) * Fraction(o) ** degree for o, w in zip(s.offsets, s.numerators, strict=True))
        assert value / s.denominator == (factorial(n) if degree == n else 0)
    beyond = sum(Fraction(w) * Fraction(o) ** (n + order) for o, w in zip(s.offsets, s.numerators, strict=True))
    assert beyond != 0


def test_points_go_outwards_plus_before_minus_and_zero_last() -> None:
    assert stencil("central", 2).offsets == (1, -1)
    assert stencil("central", 4).offsets == (1, -1, 2, -2)
    assert stencil("forward", 2).offsets == (1, 2, 0)
    assert stencil("central", 2, 2).offsets == (1, -1, 0)


@pytest.mark.parametrize(("method", "order"), [("upward", 2), ("central", 3), ("forward", 9)])
def test_what_is_not_in_the_table_is_refused_with_what_is(method: str, order: int) -> None:
    with pytest.raises(ValueError, match=r"central|orders"):
        stencil(method, order)
