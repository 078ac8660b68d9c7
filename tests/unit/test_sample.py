"""A random choice of entries: which, how many, and what it allows to say."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad._search.sample import choose, share_of_wrong

R = np.random.default_rng(0)
T = R.standard_normal(4000)
X = R.standard_normal(4000)


def f(x: Any) -> float:
    return 0.5 * float(np.sum((x - T) ** 2))


def test_the_interval_for_none_wrong_is_the_rule_of_three() -> None:
    for k in (30, 100, 1000):
        low, high = share_of_wrong(0, k, 10**7)
        assert low == 0.0
        assert high == pytest.approx(3 / k, rel=0.05)
        assert high == pytest.approx(1 - 0.05 ** (1 / k), rel=1e-6)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    n, k, truth = 2000, 60, 0.1
    inside = 0
    for _ in range(300):
        wrong = int(np.count_nonzero(R.choice(n, k, replace=False) < truth * n))
        low, high = share_of_wrong(wrong, k, n)
        assert wrong / n <= low <= wrong / k <= high
        inside += low <= truth <= high
    assert inside >= 0.87 * 300


def test_all_measured_is_all_known() -> None:
    assert share_of_wrong(3, 10, 10) == (0.3, 0.3)
    assert share_of_wrong(10, 10, 20)[1] == 1.0


def test_the_choice_is_sorted_without_repeats_and_replays() -> None:
    chosen = choose(1000, 100, 7)
    assert chosen.size == 40
    assert np.all(np.diff(chosen) > 0)
    np.testing.assert_array_equal(chosen, choose(1000, 100, 7))
    assert not np.array_equal(chosen, choose(1000, 100, 8))
    assert choose(5, 10**6, 0).tolist() == [0, 1, 2, 3, 4]


def test_a_sample_passes_and_says_how_many_may_be_wrong() -> None:
    check = fg.gradient_check(f, X - T, X, mode="sample", rng=5)
    assert (check.verdict, check.mode, check.compared, check.seed) == ("passed", "sample", 1000, 5)
    assert check.coverage == 0.25
    assert check.wrong_share is not None
    assert check.wrong_share[0] == 0.0
    assert check.wrong_share[1] == pytest.approx(0.003, rel=0.01)
    assert "0 of 1000 sampled entries wrong, so at most 0.003 of all entries, with 95 %" in str(check)


def test_a_sample_of_a_half_wrong_gradient_fails() -> None:
    claim = (X - T) * np.where(np.arange(4000) % 2, 2.0, 1.0)
    check = fg.gradient_check(f, claim, X, mode="sample", budget=300, rng=5)
    assert check.verdict == "failed"
    assert check.wrong_share is not None
    assert check.wrong_share[0] < 0.5 < check.wrong_share[1]
    assert np.all(check.wrong.indices % 2 == 1)
