"""The adaptive method: digits, points, honest bars, and what it says where a derivative is hard to have."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastgrad import steps
from fastgrad._adaptive.method import Estimate, adaptive_derivative
from fastgrad.problems import SCALAR, ScalarProblem

ULP = 2.0**-52
Function = Callable[[float], float]


def derivative(f: Function, x: float, n: int = 1, bounds: tuple[float, float] = (-math.inf, math.inf)) -> Estimate:
    point = np.float64(x)
    return adaptive_derivative(
        lambda t: float(f(float(point + t))),
        abs(x),
        n=n,
        bounds=(bounds[0] - x, bounds[1] - x),
        realised=steps.realised(point),
    )


def is_honest(found: Estimate, exact: float, times: float = 3.0) -> bool:
    return abs(found.value - exact) <= times * (found.error + ULP * abs(exact))


@pytest.fixture(scope="module")
def catalog() -> list[tuple[ScalarProblem, Estimate]]:
    return [(p, derivative(p.f, p.x)) for p in SCALAR]


def test_the_catalog_is_measured_to_thirteen_digits_from_fifteen_points(
    catalog: list[tuple[ScalarProblem, Estimate]],
) -> None:
    assert len(catalog) >= 40
    assert np.mean([p.digits(found.value) for p, found in catalog]) >= 13
    assert np.mean([found.calls for _, found in catalog]) <= 15


def test_no_function_without_noise_has_fewer_than_six_digits(catalog: list[tuple[ScalarProblem, Estimate]]) -> None:
    assert {p.name: p.digits(found.value) for p, found in catalog if not p.noise and p.digits(found.value) < 6} == {}


def test_bars_cover_the_error_and_are_not_much_wider(catalog: list[tuple[ScalarProblem, Estimate]]) -> None:
    assert [p.name for p, found in catalog if not is_honest(found, p.exact)] == []
    ratios = [found.error / abs(found.value - p.exact) for p, found in catalog if found.value != p.exact]
    assert np.median(ratios) <= 30


def test_the_calls_that_are_told_are_those_made() -> None:
    made: list[float] = []

    def f(x: float) -> float:
        made.append(x)
        return math.exp(x)

    found = derivative(f, 1.0)
    assert found.calls == len(made) == len(set(made))


FAMILY: tuple[tuple[str, Function, Function], ...] = (
    (
        "damped wave",
        lambda x: math.exp(-x) * math.sin(7 * x),
        lambda x: math.exp(-x) * (7 * math.cos(7 * x) - math.sin(7 * x)),
    ),
    ("root", lambda x: math.sqrt(1 + x * x), lambda x: x / math.sqrt(1 + x * x)),
    ("cauchy", lambda x: 1 / (1 + 9 * x * x), lambda x: -18 * x / (1 + 9 * x * x) ** 2),
    ("chirp", lambda x: math.sin(x * x), lambda x: 2 * x * math.cos(x * x)),
    ("logarithm", lambda x: math.log(abs(x) + 1e-3), lambda x: math.copysign(1, x) / (abs(x) + 1e-3)),
    ("power", lambda x: abs(x) ** 2.5, lambda x: math.copysign(2.5 * abs(x) ** 1.5, x)),
    ("switch", lambda x: math.tanh(40 * x), lambda x: 40 / math.cosh(40 * x) ** 2 if abs(x) < 8 else 0.0),
    ("offset", lambda x: 1e6 + math.cos(x), lambda x: -math.sin(x)),
)


def test_bars_are_honest_at_random_points() -> None:
    rng = np.random.default_rng(7)
    points = np.sort(np.concatenate([rng.uniform(-3, 3, 40), 10.0 ** rng.uniform(-8, 2, 40)]))
    verdicts = [is_honest(derivative(f, x), df(x)) for _, f, df in FAMILY for x in points.tolist()]
    assert np.mean(verdicts) >= 0.99


coefficients = st.lists(st.floats(-4, 4).filter(lambda c: abs(c) > 1e-2), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(waves=coefficients, rates=coefficients, x=st.floats(-5, 5))
@example(waves=[-2.75, -2.75], rates=[2.0], x=2.0**-24)  # rounding inside f that looks like truncation
def test_random_analytic_functions_are_measured_within_their_bars(
    waves: list[float], rates: list[float], x: float
) -> None:
    def f(y: float) -> float:
        return math.fsum(math.sin(3 * w * y + w) for w in waves) + math.fsum(math.exp(r * y / 2) for r in rates)

    exact = math.fsum(3 * w * math.cos(3 * w * x + w) for w in waves)
    exact += math.fsum(r / 2 * math.exp(r * x / 2) for r in rates)
    size = max(abs(exact), abs(f(x)) / max(1.0, abs(x)), 1.0)
    found = derivative(f, x)
    assert abs(found.value - exact) <= min(1e-9 * size, 10 * (found.error + 8 * ULP * size))


@settings(max_examples=30, deadline=None)
@given(
    coefficients=st.lists(st.integers(-9, 9), min_size=1, max_size=6),
    x=st.integers(-16, 16).map(lambda k: k / 4),
    n=st.integers(1, 4),
)
def test_polynomials_are_exact_but_for_rounding(coefficients: list[int], x: float, n: int) -> None:
    p = np.polynomial.Polynomial(coefficients)
    found = derivative(p, x, n)
    exact = float(p.deriv(n)(x))
    rounding = float(np.polynomial.Polynomial(np.abs(coefficients))(abs(x) + 1))
    assert abs(found.value - exact) <= {1: 1e-12, 2: 1e-10, 3: 1e-8, 4: 1e-6}[n] * rounding
    assert is_honest(found, exact, times=10)


HIGHER: dict[str, tuple[Function, float, Sequence[float]]] = {
    "exp": (math.exp, 1.0, [math.e] * 4),
    "sin": (math.sin, 1.0, [math.cos(1), -math.sin(1), -math.cos(1), math.sin(1)]),
    "1/x": (lambda x: 1 / x, 2.0, [-0.25, 0.25, -0.375, 0.75]),
    "log near 0": (math.log, 1e-8, [1e8, -1e16, 2e24, -6e32]),
    "fast cosine": (lambda x: math.cos(1e3 * x), 0.0, [0.0, -1e6, 0.0, 1e12]),
}


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", sorted(HIGHER))
def test_higher_derivatives(name: str, n: int) -> None:
    f, x, exact = HIGHER[name]
    found = derivative(f, x, n)
    size = abs(exact[n - 1]) or 1e3**n
    assert abs(found.value - exact[n - 1]) <= {1: 1e-12, 2: 1e-10, 3: 1e-8, 4: 1e-6}[n] * size
    assert is_honest(found, exact[n - 1])


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize("sides", ["left", "right", "a hair on the left", "narrow"])
def test_f_is_never_called_outside_the_bounds(sides: str, n: int) -> None:
    x = 1.0
    low, high = {
        "left": (-math.inf, x),
        "right": (x, math.inf),
        "a hair on the left": (x - 1e-9, math.inf),
        "narrow": (x - 0.01, x + 0.03),
    }[sides]

    def f(y: float) -> float:
        assert low <= y <= high
        return math.exp(y)

    found = derivative(f, x, n, (low, high))
    assert abs(found.value - math.e) <= {1: 1e-12, 2: 1e-8}[n]
    assert is_honest(found, math.e)
    assert ("one-sided" in found.flags) == (sides != "narrow")


@pytest.mark.parametrize(
    ("f", "x", "exact"),
    [
        (lambda x: math.log1p(x), -1 + 2.0**-20, 2.0**20),
        (lambda x: math.asin(x), 1 - 2.0**-20, 1 / math.sqrt(2.0**-20 * (2 - 2.0**-20))),
        (lambda x: math.sqrt(x - 1), 1 + 2.0**-30, 2.0**14),
        (lambda x: x * math.sqrt(x), 0.0, 0.0),
        (lambda x: x * x * math.sqrt(x) + x, 0.0, 1.0),
        (lambda x: math.exp(x) if x <= 0 else math.nan, 0.0, 1.0),
        (lambda x: math.exp(x) if x <= 0 else 1e308 * 10, 0.0, 1.0),
    ],
)
def test_steps_that_leave_the_domain_shrink_or_change_sides(f: Function, x: float, exact: float) -> None:
    found = derivative(f, x)
    assert abs(found.value - exact) <= 1e-9 * max(abs(exact), 1)
    assert is_honest(found, exact)


@pytest.mark.parametrize("raised", [FloatingPointError, ZeroDivisionError, OverflowError, ValueError])
def test_what_f_raises_outside_its_domain_means_no_value(raised: type[Exception]) -> None:
    def f(x: float) -> float:
        if x > 0.5:
            raise raised
        return math.sin(x)

    found = derivative(f, 0.5)
    assert found.flags == ("one-sided",)
    assert abs(found.value - math.cos(0.5)) <= 1e-11


def test_other_exceptions_of_f_arrive() -> None:
    def f(x: float) -> float:
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost"):
        derivative(f, 1.0)


@pytest.mark.parametrize(
    ("f", "x", "gap"),
    [(abs, 0.0, 2.0), (lambda x: max(x, 0.0), 0.0, 1.0), (lambda x: abs(x - 1) + math.sin(x), 1.0, 2.0)],
)
def test_a_kink_is_told_and_its_bar_reaches_both_slopes(f: Function, x: float, gap: float) -> None:
    found = derivative(f, x)
    assert "kink" in found.flags
    assert found.error >= gap / 2 * (1 - 1e-5)


@pytest.mark.parametrize("f", [lambda x: x * abs(x), lambda x: abs(x) ** 1.5, lambda x: max(x, 0.0) ** 2])
def test_what_is_flat_at_a_joint_is_no_kink(f: Function) -> None:
    found = derivative(f, 0.0)
    assert "kink" not in found.flags
    assert abs(found.value) <= 1e-12


@pytest.mark.parametrize(
    "f", [lambda x: math.copysign(abs(x) ** (1 / 3), x), lambda x: 1.0 * (x > 0), lambda x: math.sqrt(x)]
)
def test_where_quotients_grow_without_bound_the_bar_is_infinite(f: Function) -> None:
    found = derivative(f, 0.0)
    assert "diverges" in found.flags
    assert found.error == math.inf


def test_the_infinite_slope_of_a_root_is_seen_in_single_precision_too() -> None:
    zero = np.float32(0.0)

    def value(t: float) -> float:
        return float(np.sqrt(np.float32(t))) if t >= 0 else math.nan

    found = adaptive_derivative(value, 0.0, ulp=2.0**-23, realised=steps.realised(zero))
    assert "diverges" in found.flags
    assert found.error == math.inf


@pytest.mark.parametrize("x", [-1e-3, -1e-6, -1e-9, 1e-9, 1e-6])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_a_kink_beside_the_point_does_not_go_unseen(x: float, offset: float) -> None:
    found = derivative(lambda y: offset + max(y, 0.0), x)
    assert is_honest(found, float(x > 0))
    assert found.error < 1


@pytest.mark.parametrize("rate", [1e3, 1e4, 1e5, 1e6, 1e7])
@pytest.mark.parametrize("x", [1.0, 30.0, 1e3, 2e4])
def test_what_swings_fast_is_followed_as_far_as_x_resolves_it(rate: float, x: float) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        exact = float(-mpmath.mpf(rate) * mpmath.sin(mpmath.mpf(rate) * mpmath.mpf(x)))
    found = derivative(lambda y: math.cos(rate * y), x)
    # rounding of rate * x within f is beyond what f's values tell
    assert is_honest(found, exact, times=20)
    assert abs(found.value - exact) <= 0.01 * rate


def test_where_f_has_no_value_neither_has_the_derivative() -> None:
    for f in (lambda x: math.nan, lambda x: 2.0 if x == 1 else math.nan):
        found = derivative(f, 1.0)
        assert math.isnan(found.value)
        assert found.flags == ("undefined",)


def test_noise_is_told_and_the_bar_knows_it() -> None:
    found = derivative(lambda x: round(math.sin(x), 6), 1.0)
    assert "noisy" in found.flags
    assert 1e-8 < found.error < 1e-2
    assert is_honest(found, math.cos(1.0))


def test_single_precision_gets_its_own_digits() -> None:
    x = np.float32(0.7)

    def value(t: float) -> float:
        return float(np.exp(np.float32(x + np.float32(t))))

    found = adaptive_derivative(value, float(x), ulp=2.0**-23, realised=steps.realised(x))
    exact = math.exp(float(x))
    assert abs(found.value - exact) <= 2e-5
    assert is_honest(found, exact)


@pytest.mark.parametrize("x", [5e-324, 1e-310, 1e-300, 1e300, 1.7e308])
def test_extreme_magnitudes(x: float) -> None:
    assert derivative(lambda y: y / 3, x).value == pytest.approx(1 / 3, rel=1e-12)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@given(x=st.floats(-1e6, 1e6, width=32).filter(bool), share=st.floats(1e-5, 1))
def test_realised_steps_are_taken_exactly(kind: type[np.floating], x: float, share: float) -> None:
    point = kind(x)
    t = steps.realised(point)(share * abs(x))
    assert abs(float(kind(float(point) + t)) - float(point)) == t
    assert abs(float(kind(float(point) - t)) - float(point)) == t
    assert abs(t - share * abs(x)) <= float(np.spacing(kind(2 * abs(x))))
