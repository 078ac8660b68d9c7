"""Functions whose values are rounded to a few decimals: no right claim is accused, and it is told why none passes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._noise.decimals import ShownDecimals

SEEDS = range(4)


def told(*values: float) -> ShownDecimals:
    """Return what these values tell."""
    shown = ShownDecimals()
    for value in values:
        shown.add(value)
    return shown


@pytest.mark.parametrize("places", [1, 2, 3, 5, 8])
def test_rounded_values_are_known(places: int) -> None:
    values = np.round(np.random.default_rng(places).standard_normal(20) * 7, places).tolist()
    assert told(*values).spacing(3) == 10.0**-places
    plural = "1 decimal:" if places == 1 else f"{places} decimals:"
    assert f"rounded to {plural}" in told(*values).advice


@pytest.mark.parametrize(
    "values",
    [
        (1 / 3,),
        (0.1, 0.2, 0.1 + 0.2),  # 0.30000000000000004
        (0.25, 3.5, 1.125, -4.0),  # few binary digits
        (1e9 + 0.25, 1e12 + 0.5),  # their last digits
        (1.0, 2.0, 1e15),
        (0.0,),
        (),
        (0.12, 0.13, float(np.float32(0.1))),
    ],
)
def test_other_values_are_not(values: tuple[float, ...]) -> None:
    assert told(*values).spacing(1) == 0.0 or told(*values).spacing(2) == 0.0
    assert told(*values).advice == ""


def test_one_value_is_little_evidence() -> None:
    assert told(12.3).spacing(1) == 0.1
    assert told(12.3).spacing(2) == told(12.3, 12.3).spacing(2) == 0.0
    assert told(12.3, 12.4).spacing(2) == 0.1
    assert told(12.3, 12.4, 1.23456789012).spacing(1) == 0.0


Case = tuple[Callable[[Any], Any], Callable[[Any], Any], Any]


def rounded(kind: str, places: int, seed: int) -> Case:
    """Return a function whose values are rounded, its exact gradient, and where it is asked."""
    r = np.random.default_rng(seed)
    A, x = r.standard_normal((8, 8)), r.standard_normal(8)
    if kind == "squares":
        return lambda x: round(float(np.sum(x**2)), places), lambda x: 2 * x, x
    if kind == "printed":
        return lambda x: float(f"{x @ A @ x:.{places}f}"), lambda x: (A + A.T) @ x, x
    return lambda x: round(float(np.sum(np.tanh(A @ x))), places), lambda x: A.T @ (1 - np.tanh(A @ x) ** 2), x


@pytest.mark.parametrize("mode", ["full", "search"])
@pytest.mark.parametrize("kind", ["squares", "printed", "tanh"])
@pytest.mark.parametrize("places", [2, 3, 4, 5, 6])
def test_a_right_gradient_is_not_accused(places: int, kind: str, mode: Any) -> None:
    for seed in SEEDS:
        f, gradient, x = rounded(kind, places, seed)
        check = fg.gradient_check(f, gradient, x, mode=mode, rng=seed if mode == "search" else None)
        assert check.verdict != "failed", check
        if check.verdict == "inconclusive" and places > 2:
            assert f"rounded to {places} decimals" in " ".join(check.reasons)


@pytest.mark.parametrize("kind", ["squares", "printed", "tanh"])
@pytest.mark.parametrize("places", [5, 6])
def test_a_wrong_entry_is_named_where_the_decimals_reach(places: int, kind: str) -> None:
    for seed in SEEDS:
        f, gradient, x = rounded(kind, places, seed)
        claim = gradient(x).copy()
        claim[3] += 1 + abs(claim[3])
        assert fg.gradient_check(f, claim, x).wrong.indices.tolist() == [3]


def test_nothing_claimed_of_a_rounded_function_does_not_pass() -> None:
    f, _, x = rounded("squares", 2, 0)
    assert not fg.gradient_check(f, np.zeros(8), x).passed


@pytest.mark.parametrize("places", [2, 4, 6])
def test_right_matrices_are_not_accused(places: int) -> None:
    for seed in SEEDS:
        r = np.random.default_rng(seed)
        A, x = r.standard_normal((6, 6)), r.standard_normal(6)
        J, H = (1 - np.tanh(A @ x) ** 2)[:, None] * A, -(A.T * np.sin(A @ x)) @ A
        check = fg.jacobian_check(lambda x, A=A: np.round(np.tanh(A @ x), places), J, x)
        assert check.verdict == "inconclusive"
        assert f"rounded to {places} decimals" in " ".join(check.reasons)

        def f(x: Any, A: Any = A) -> float:
            return round(float(np.sum(np.sin(A @ x))), places)

        assert fg.hessian_check(f, H, x).verdict == "inconclusive"
        H[2, 2] += 3 + abs(H[2, 2])
        if places > 2:
            assert fg.hessian_check(f, H, x).wrong.indices.tolist() == [14]


def test_an_exact_function_of_few_decimals_is_judged_as_ever() -> None:
    """x and the step have few decimals, and so have f's values at first."""
    x = np.array([0.3, 1.2, -0.7])

    def f(x: Any) -> Any:
        return 3 * x[0] - 0.5 * x[1] + x[2]

    assert fg.gradient_check(f, [3.0, -0.5, 1.0], x, eps=1e-3).passed
    check = fg.gradient_check(f, [3.0, -0.5, 1.01], x, eps=1e-3)
    assert check.wrong.indices.tolist() == [2]
    assert fg.gradient_check(lambda x: 0.12, [0.0, 0.0, 0.0], x).passed
