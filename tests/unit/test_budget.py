"""What a budget may be given as, and that it is obeyed by every mode."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import _budget

X = np.linspace(-1.0, 1.0, 3000)


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any) -> float:
        self.calls += 1
        return 0.5 * float(x @ x)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("10 s", 10.0), ("2min", 120.0), (" 500 ms ", 0.5), ("1.5 h", 5400.0), (timedelta(seconds=3), 3.0)],
)
def test_a_time_is_read(given: Any, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(_budget, "monotonic", lambda: now[0])
    budget = _budget.as_budget(given)
    now[0] += 0.999 * seconds
    assert not budget.is_over()
    now[0] += 0.002 * seconds
    assert budget.is_over()
    with pytest.raises(_budget.Spent):
        budget.take()


def test_calls_are_counted_down() -> None:
    budget = _budget.as_budget(3)
    budget.take()
    budget.take(2)
    assert budget.is_over()
    assert budget.affordable(10) == 0
    assert _budget.as_budget(None).affordable(10) == 10


@pytest.mark.parametrize("given", [1.5, True, [3], b"1 s"])
def test_what_could_mean_either_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match="the calls of f, or a time"):
        _budget.as_budget(given)


@pytest.mark.parametrize("given", [0, -3, "0 s", timedelta(0), "soon", "3", "1 day"])
def test_a_budget_of_nothing_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="budget"):
        _budget.as_budget(given)
    with pytest.raises(ValueError, match="budget"):
        fg.gradient_check(Counted(), X, X, budget=given)


@pytest.mark.parametrize("mode", ["auto", "full", "search", "sample"])
@pytest.mark.parametrize("budget", [1, 2, 7, 20, 33, 200])
@pytest.mark.parametrize("off", [0.0, 0.3])
def test_no_mode_makes_more_calls_than_it_may(mode: str, budget: int, off: float) -> None:
    f, claim = Counted(), X.copy()
    claim[:10] += off
    check = fg.gradient_check(f, claim, X, mode=mode, budget=budget, rng=3)
    assert f.calls <= max(budget, 2)
    assert check.calls == f.calls
    assert not check.passed or mode == "sample" or (mode in ("auto", "search") and budget >= 20)


def test_full_under_a_budget_says_what_it_covered() -> None:
    check = fg.gradient_check(Counted(), X, X, mode="full", budget=100)
    assert check.verdict == "inconclusive"
    assert check.compared == 40
    assert check.coverage == pytest.approx(40 / 3000)
    assert "the first 40 of 3000 entries" in str(check)
    wrong = X.copy()
    wrong[5] += 1.0
    assert fg.gradient_check(Counted(), wrong, X, mode="full", budget=100).wrong.indices.tolist() == [5]


def test_a_budget_that_is_enough_changes_nothing() -> None:
    plain = fg.gradient_check(Counted(), X, X, mode="full")
    under = fg.gradient_check(Counted(), X, X, mode="full", budget=6000)
    assert (under.verdict, under.max_error, under.calls, under.coverage) == (
        plain.verdict,
        plain.max_error,
        plain.calls,
        1.0,
    )


def test_a_second_look_that_cannot_be_paid_for_accuses_nobody() -> None:
    check = fg.gradient_check(Counted(), X + 1.0, X, mode="full", budget=20)
    assert check.verdict in ("failed", "inconclusive")
    assert len(check.unresolved) > 0
    assert np.isinf(check.unresolved.error_bound).all()
