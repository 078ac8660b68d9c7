"""In which rows a search says that a dense error lies."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg


@pytest.mark.parametrize("form", ["array", "tree"])
def test_a_dense_error_is_told_with_the_rows_that_have_most_of_it(form: str) -> None:
    rng = np.random.default_rng(0)
    A, W = rng.standard_normal((2, 100, 90))
    right = A * (1 - np.tanh(W * A) ** 2)
    claim = right * (1 + 1e-3 * rng.standard_normal(W.shape))
    claim[7] = 0
    is_tree = form == "tree"

    def f(x: Any) -> float:
        return float(np.sum(np.tanh((x["W"] if is_tree else x) * A)) + (np.sum(x["b"]) if is_tree else 0.0))

    x, g = ({"W": W, "b": np.ones(50)}, {"W": claim, "b": np.ones(50)}) if is_tree else (W, claim)
    check = fg.gradient_check(f, g, x, mode="search", rng=1)
    assert check.verdict == "failed"
    assert check.error_norm is not None
    (told,) = [reason for reason in check.reasons if reason.startswith("The rows with the largest errors")]
    assert ('x["W"][7] (' if is_tree else "x[7] (") in told
    norm = float(told.split("[7] (")[1].split(")")[0])
    assert norm == pytest.approx(np.linalg.norm(right[7]), rel=0.7)


def test_rows_are_not_told_where_the_error_is_spread_over_all_of_them() -> None:
    rng = np.random.default_rng(0)
    A, W = rng.standard_normal((2, 100, 90))
    claim = A * (1 - np.tanh(W * A) ** 2) * (1 + 0.1 * rng.standard_normal(W.shape))
    check = fg.gradient_check(lambda W: float(np.sum(np.tanh(W * A))), claim, W, mode="search", rng=1)
    assert check.verdict == "failed"
    assert not any(reason.startswith("The rows") for reason in check.reasons)
