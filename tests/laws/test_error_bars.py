"""Error bars of differences are honest, not much wider than the error, and cost no bit of the value."""

import math
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad import problems
from fastgrad._stencils.table import ORDERS
from fastgrad._typing import Array

ULP = 2.0**-52
CASES = [(method, order) for method, orders in ORDERS.items() for order in orders]
MORE = problems.more_garbow_hillstrom()


def is_honest(found: Any, exact: Any) -> Any:
    return np.abs(found.value - exact) <= 3 * (found.error + ULP * np.abs(exact))


def ratios(found: Any, exact: Any) -> Any:
    """Return bar over error, where there is an error and a bar that says something."""
    off = np.abs(found.value - exact)
    counts = (off > 0) & np.isfinite(found.error)
    return found.error[counts] / off[counts]


def of_first(problem: problems.ScalarProblem) -> Callable[[Array], Any]:
    return lambda x: problem.f(x[0])


@cache
def catalog(method: str | None, order: int | None, eps: Any) -> list[tuple[problems.ScalarProblem, Any]]:
    """Return what the catalog's functions come to, but for those whose x has no room for the step."""
    found = []
    for p in problems.SCALAR:
        try:
            measured = fg.numerical_gradient(
                of_first(p), np.array([p.x]), eps, method=method, order=order, details=True
            )
        except fg.StepError:
            assert np.spacing(abs(p.x)) > 1e-7 * (eps or 1e-5)
            continue
        found.append((p, measured))
    return found


@pytest.mark.parametrize("eps", [1e-5, "auto"])
def test_bars_over_the_catalog_are_honest(eps: Any) -> None:
    total, off = 0, []
    for method, order in CASES:
        for p, found in catalog(method, order, eps):
            assert np.isfinite(found.value).all(), p.name
            total += 1
            if not is_honest(found, p.exact)[0]:
                off.append((method, order, p.name))
    assert total >= 12 * 52
    assert len(off) <= 0.01 * total, off


@pytest.mark.parametrize("eps", [1e-5, "auto"])
@pytest.mark.parametrize(("method", "order"), CASES)
def test_bars_over_the_catalog_are_not_much_wider_than_the_error(method: str, order: int, eps: Any) -> None:
    found = [ratios(measured, p.exact) for p, measured in catalog(method, order, eps)]
    assert np.median(np.concatenate(found)) <= 30


@pytest.mark.parametrize("eps", [None, 1e-5, "auto"])
@pytest.mark.parametrize(("method", "order"), [(None, None), *CASES])
def test_the_value_has_the_bits_that_it_has_without_details(method: str | None, order: int | None, eps: Any) -> None:
    for p, found in catalog(method, order, eps):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fg.OneSidedWarning)
            plain = fg.numerical_gradient(of_first(p), np.array([p.x]), eps, method=method, order=order)
        assert found.value.tobytes() == plain.tobytes(), p.name


def test_the_textbooks_call_is_nan_where_f_is_on_one_side_and_honest_elsewhere() -> None:
    without = []
    for p, found in catalog(None, None, None):
        if np.isnan(found.value).any():
            without.append(p.name)
            assert found.flags["undefined"].all()
            assert np.isinf(found.error).all()
        else:
            assert is_honest(found, p.exact).all(), p.name
    assert {"log_tiny", "sqrt_tiny"} <= set(without) <= {"log_tiny", "sqrt_tiny", "arcsin_edge"}


CONFIGURATIONS: list[dict[str, Any]] = [
    {},
    {"eps": "auto"},
    {"order": 4},
    {"method": "central", "order": 8},
    {"method": "forward"},
    {"method": "backward", "order": 4},
    {"method": "adaptive"},
]


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
def test_jacobians_of_published_problems(options: dict[str, Any]) -> None:
    verdicts, over = [], []
    for p in MORE:
        exact = p.jacobian(p.x0)
        try:
            found = fg.numerical_jacobian(p.residual, p.x0, details=True, **options)
        except fg.StepError:
            assert p.name == "brown_badly_scaled"  # x = 1 and 1e6 in one problem
            continue
        assert found.value.shape == found.error.shape == found.step.shape == exact.shape
        assert found.calls.shape == p.x0.shape
        np.testing.assert_array_equal(found.value, fg.numerical_jacobian(p.residual, p.x0, **options))
        verdicts.append(_one_each(is_honest(found, exact), found.value).reshape(-1))
        over.append(ratios(found, exact))
    assert np.mean(np.concatenate(verdicts)) >= 0.99
    assert np.median(np.concatenate(over)) <= 30


def _one_each(verdicts: Any, values: Any) -> Any:
    """Return one verdict for each value: 81 of trigonometric's 100 are one number, with one rounding, seen 81 times."""
    _, first = np.unique(values, return_index=True)
    return verdicts.reshape(-1)[first]


@pytest.mark.parametrize("options", CONFIGURATIONS, ids=str)
def test_gradients_of_published_problems(options: dict[str, Any]) -> None:
    verdicts = []
    for p in MORE:
        found = fg.numerical_gradient(p.objective, p.x0, details=True, **options)
        np.testing.assert_array_equal(found.value, fg.numerical_gradient(p.objective, p.x0, **options))
        verdicts.append(is_honest(found, p.gradient(p.x0)))
    assert np.mean(np.concatenate(verdicts)) >= 0.99


@pytest.mark.parametrize("problem", MORE, ids=lambda p: p.name)
def test_the_adaptive_jacobian_has_ten_digits(problem: problems.VectorProblem) -> None:
    exact = problem.jacobian(problem.x0)
    measured = fg.numerical_jacobian(problem.residual, problem.x0, method="adaptive")
    if problem.name == "helical_valley":
        found = fg.numerical_jacobian(problem.residual, problem.x0, method="adaptive", details=True)
        jumps = found.flags["diverges"] | found.flags["undefined"]
        assert jumps.sum() <= 1, "the angle jumps at x0 as x2 changes its sign, and nothing else"
        measured, exact = measured[~jumps], exact[~jumps]
    np.testing.assert_allclose(measured, exact, rtol=0, atol=1e-10 * np.max(np.abs(exact)))


@settings(max_examples=60, deadline=None)
@given(
    case=st.sampled_from(CASES),
    rates=st.lists(st.floats(-30, 30), min_size=1, max_size=3),
    x=st.floats(-4, 4),
    offset=st.sampled_from([0.0, 1.0, 1e6]),
)
def test_random_waves_lie_within_their_bars(case: tuple[str, int], rates: list[float], x: float, offset: float) -> None:
    def f(y: Array) -> float:
        return offset + math.fsum(math.sin(r * y[0] + r) for r in rates)

    exact = math.fsum(r * math.cos(r * x + r) for r in rates)
    found = fg.numerical_gradient(f, np.array([x]), method=case[0], order=case[1], details=True)
    assert abs(found.value[0] - exact) <= 10 * (found.error[0] + 1e-14 * sum(map(abs, rates)))


@pytest.mark.parametrize("options", [{}, {"eps": "auto"}, {"method": "forward"}, {"method": "adaptive"}], ids=str)
@pytest.mark.parametrize(("rate", "x"), [(1e6, 1000.0), (1e6, 1.0), (1e8, 1000.0), (1e5, 10.0), (1e4, 1e6), (1e7, 3.0)])
def test_what_swings_faster_than_the_step_is_not_given_a_small_bar(
    options: dict[str, Any], rate: float, x: float
) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(40):
        exact = float(-mpmath.mpf(rate) * mpmath.sin(mpmath.mpf(rate) * mpmath.mpf(x)))
    found = fg.numerical_gradient(lambda y: math.cos(rate * y[0]), np.array([x]), details=True, **options)
    assert is_honest(found, exact)[0]


@pytest.mark.parametrize("x", [-1e-6, 1e-6, -1e-9, 1e-4])
def test_a_kink_within_the_step_is_seen(x: float) -> None:
    found = fg.numerical_gradient(lambda y: 3.0 + max(y[0], 0.0), np.array([x]), details=True)
    assert abs(found.value[0] - (x > 0)) <= found.error[0] < 1


def test_what_f_moves_in_jumps_is_not_given_a_small_bar() -> None:
    for digits in (3, 6, 9):
        for options in ({}, {"method": "forward", "order": 1}, {"order": 8}):
            found = fg.numerical_gradient(
                lambda x, digits=digits: round(math.sin(x[0]), digits), np.array([0.8]), details=True, **options
            )
            assert is_honest(found, math.cos(0.8))[0], (digits, options)


@settings(max_examples=60, deadline=None)
@given(
    centre=st.floats(-1e6, 1e6),
    below=st.sampled_from([0.0, 1e-6, 1e-4, 1.0, np.inf]),
    above=st.sampled_from([0.0, 1e-6, 1e-4, 1.0, np.inf]),
    case=st.sampled_from([*CASES, ("adaptive", None)]),
    single=st.booleans(),
)
def test_bounds_are_never_left(centre: float, below: float, above: float, case: tuple[str, Any], single: bool) -> None:
    x = np.array([centre], np.float32 if single else np.float64)
    lower, upper = float(x[0]) - below, float(x[0]) + above
    asked = []

    def f(y: Array) -> Any:
        assert lower <= y[0] <= upper
        asked.append(y)
        return np.sin(y * 3, dtype=np.float64)

    eps = None if case[0] == "adaptive" else "auto"
    try:
        for verb in (fg.numerical_gradient, fg.numerical_jacobian):
            verb(f, x, eps, method=case[0], order=case[1], bounds=(lower, upper), details=True)
    except (ValueError, fg.StepError) as error:
        assert "no room" in str(error) or "rounding" in str(error)  # noqa: PT017
        return
    assert asked


@pytest.mark.parametrize("method", ["forward", "backward"])
def test_one_sided_methods_keep_to_their_side(method: str) -> None:
    x = np.array([0.5, 1e-7, 2.0])

    def f(y: Array) -> Any:
        assert np.all(y >= x) if method == "forward" else np.all(y <= x)
        return float(np.sum(np.tanh(1e6 * y) + np.sin(y)))

    for order in ORDERS[method]:
        found = fg.numerical_gradient(f, x, method=method, order=order, details=True)
        assert not found.flags["one-sided"].any()
