"""What a diagnosis says where it explains some wrong entries, or where others may be wrong that nobody looked at."""

from dataclasses import replace
from typing import Any

import numpy as np

import fastgrad as fg
from fastgrad._diagnosis.diagnosis import diagnose
from tests.unit.evidence import evidence

R = np.random.default_rng(5)


def test_entries_that_nothing_explains_are_counted() -> None:
    """An entry explained alone, in its own leaf, is one of all that are wrong."""
    x = {"a": R.standard_normal((4, 5)), "b": R.uniform(1.0, 2.0, 6)}
    claim = {"a": 3 * x["a"] ** 2, "b": np.exp(x["b"])}
    claim["a"].flat[[0, 7, 11]] += [0.3, -1.1, 0.7]
    claim["b"][2] = 0.0
    for mode in ("full", "search"):
        check = fg.gradient_check(
            lambda x: float(np.sum(x["a"] ** 3) + np.sum(np.exp(x["b"]))), claim, x, mode=mode, rng=2
        )
        assert len(check.wrong) == 4
        assert check.diagnosis == (
            '1 of 4 wrong entries, x["b"][2], has claimed = 0: never written, or cut off from the loss, probably'
        )


def many_wrong(count: int) -> tuple[Any, Any, Any]:
    """Return f, a claim in which so many entries of 74 are zero that should not be, and x."""
    x, w = R.standard_normal(74), R.uniform(0.5, 2.0, 74)
    claim = 2 * w * x
    claim[R.choice(74, count, replace=False)] = 0.0
    return lambda x: float(np.sum(w * x**2)), claim, x


def test_a_search_that_cannot_name_all_says_so_of_those_it_found() -> None:
    for seed in range(10):
        f, claim, x = many_wrong(30)
        check = fg.gradient_check(f, claim, x, mode="search", rng=seed)
        found = len(check.wrong)
        assert check.reasons[0].startswith("More is wrong than could be named")
        assert 2 <= found < 30
        assert check.diagnosis.startswith(f"{found} of {found} wrong entries found")
        assert "have claimed = 0: never written" in check.diagnosis


def test_a_search_that_names_all_needs_not_say_so() -> None:
    f, claim, x = many_wrong(6)
    check = fg.gradient_check(f, claim, x, mode="search", rng=1)
    assert check.diagnosis.startswith("6 of 6 wrong entries have claimed = 0")


def test_a_sample_says_that_it_speaks_of_what_it_found() -> None:
    f, claim, x = many_wrong(30)
    check = fg.gradient_check(f, claim, x, mode="sample", budget=120, rng=1)
    found = len(check.wrong)
    assert 2 <= found < 30
    assert check.diagnosis.startswith(f"{found} of {found} wrong entries found")


def test_a_place_is_one_of_what_was_found() -> None:
    """Nobody looked at the other rows."""
    g = R.standard_normal((6, 5))
    claim, measured = g.copy(), np.full((6, 5), np.nan)
    claim[2] += R.standard_normal(5)
    measured[2] = g[2]
    some = replace(evidence([(6, 5)], claim, measured), is_complete=False)
    assert diagnose(some) == "the 5 wrong entries found make up row 2 of x"
