"""The printed report, word for word."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

GOLDEN = Path(__file__).parent / "golden"
X = np.linspace(-2.0, 2.0, 24).reshape(4, 6)


def f(x: Any) -> float:
    """Add one by one: a sum in lanes has other bits on other machines."""
    return float(sum((x**2).reshape(-1).tolist()))


def claim_off() -> Any:
    claim = 2 * X
    claim[2, 3] *= 1.5
    return claim


def one_off() -> fg.GradientCheck:
    return fg.gradient_check(f, claim_off(), X)


def stepwise() -> fg.GradientCheck:
    return fg.gradient_check(lambda x: np.round(f(x), 5), 2 * X, X)


def at_a_kink() -> fg.GradientCheck:
    return fg.gradient_check(lambda x: np.sum(np.abs(x)), [0.3, 1.0, 1.0], [0.0, 1.0, 2.0])


def large() -> fg.GradientCheck:
    x = np.linspace(1.0, 2.0, 12).reshape(1, 2, 2, 3)
    claim = -2e12 * x
    claim[0, 0, 0, 0] = np.nan
    return fg.gradient_check(lambda x: 1e12 * f(x), claim, x)


CASES: dict[str, Callable[[], fg.GradientCheck]] = {
    "passed": lambda: fg.gradient_check(f, 2 * X, X),
    "passed_number": lambda: fg.gradient_check(f, 6.0, 3.0),
    "passed_kink": at_a_kink,
    "passed_empty": lambda: fg.gradient_check(f, [], []),
    "failed_one": one_off,
    "failed_many": lambda: fg.gradient_check(f, X, X),
    "failed_large": large,
    "failed_textbook": lambda: fg.gradient_check(f, 2 * X + 1e-3, X, rtol=0),
    "inconclusive": stepwise,
    "inconclusive_budget": lambda: fg.gradient_check(f, 2 * X, X, budget=20),
    "passed_sample": lambda: fg.gradient_check(f, 2 * X, X, mode="sample", budget=25, rng=1),
    "failed_search": lambda: fg.gradient_check(f, claim_off(), X, mode="search", rng=1),
    "failed_not_finite": lambda: fg.gradient_check(f, np.where(X > 1.9, np.nan, 2 * X), X, mode="search", rng=1),
}


@pytest.mark.parametrize("name", CASES)
def test_the_report_reads(name: str) -> None:
    text = str(CASES[name]())
    assert text + "\n" == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_every_golden_text_is_compared() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_longer_than_a_hundred_columns(name: str) -> None:
    assert max(map(len, str(CASES[name]()).splitlines())) <= 100
