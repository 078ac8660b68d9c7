"""f is never called outside its bounds, and the derivative is right up to them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg
from fastgrad._stencils.table import ORDERS
from fastgrad._typing import Array


class Guarded:
    """Σ sin(x) that fails outside its bounds, and remembers how far it was asked."""

    def __init__(self, lower: Any, upper: Any) -> None:
        self.lower, self.upper = lower, upper
        self.points: list[Array] = []

    def __call__(self, x: Array) -> float:
        assert np.all(self.lower <= x)
        assert np.all(x <= self.upper)
        self.points.append(x.copy())
        return float(np.sum(np.sin(x, dtype=np.float64)))


@settings(max_examples=150, deadline=None)
@given(
    centre=st.floats(-1e6, 1e6),
    below=st.sampled_from([0.0, 1e-9, 1e-6, 1e-5, 1e-4, 1.0, np.inf]),
    above=st.sampled_from([0.0, 1e-9, 1e-6, 1e-5, 1e-4, 1.0, np.inf]),
    case=st.sampled_from([(m, o) for m, orders in ORDERS.items() for o in orders]),
    single=st.booleans(),
)
def test_bounds_are_never_left(centre: float, below: float, above: float, case: tuple[str, int], single: bool) -> None:
    x = np.array([centre], np.float32 if single else np.float64)
    lower, upper = float(x[0]) - below, float(x[0]) + above
    f = Guarded(lower, upper)
    try:
        fg.numerical_gradient(f, x, "auto", method=case[0], order=case[1], bounds=(lower, upper))
    except (ValueError, fg.StepError) as error:
        room = max(x[0] - lower, upper - x[0])
        assert room <= 64 * np.spacing(np.abs(x[0])) * 64 or "rounding" in str(error)  # noqa: PT017
        return
    assert f.points


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_at_a_bound_the_other_side_is_taken(order: int) -> None:
    x = np.array([0.0, 1.0, 0.5])
    f = Guarded(0.0, 1.0)
    measured = fg.numerical_gradient(f, x, order=order, bounds=(0.0, 1.0))
    np.testing.assert_allclose(measured, np.cos(x), atol=3e-9)


def test_a_tight_box_shortens_the_step() -> None:
    x = np.array([1.0])
    f = Guarded(1.0 - 1e-9, 1.0 + 3e-9)
    measured = fg.numerical_gradient(f, x, bounds=([1.0 - 1e-9], [1.0 + 3e-9]))
    np.testing.assert_allclose(measured, np.cos(1.0), atol=1e-5)


def test_scipys_object_and_pairs_mean_the_same() -> None:
    x, lower, upper = np.array([[0.0, 2.0]]), [[0.0, -np.inf]], 2.0
    pair = fg.numerical_gradient(Guarded(lower, upper), x, bounds=(lower, upper))
    named = fg.numerical_gradient(Guarded(lower, upper), x, bounds=SimpleNamespace(lb=lower, ub=upper))
    np.testing.assert_array_equal(pair, named)
    J = fg.numerical_jacobian(lambda p: [Guarded(lower, upper)(p)], x, bounds=(lower, upper))
    np.testing.assert_array_equal(J, [pair])


def test_minus_zero_lies_on_a_bound_of_zero() -> None:
    assert np.isfinite(fg.numerical_gradient(Guarded(0.0, 1.0), np.array([-0.0]), bounds=(0.0, 1.0)))


@pytest.mark.parametrize(
    ("bounds", "error", "words"),
    [
        ((0.0, 0.4), ValueError, r"x\[1\] = 0.5 lies outside its bounds, 0 and 0.4"),
        (([0.0, 0.5], [1.0, 0.5]), ValueError, r"x\[1\] has no room to move"),
        (([0.0], [1.0, 1.0, 1.0]), fg.ShapeError, "shaped like x"),
        (0.0, TypeError, "a pair"),
        ((np.nan, 1.0), ValueError, "outside"),
    ],
)
def test_bounds_that_do_not_fit_are_refused(bounds: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        fg.numerical_gradient(lambda x: x.sum(), np.array([0.2, 0.5]), bounds=bounds)
