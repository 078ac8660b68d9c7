"""What the result of gradient_check says of itself."""

import copy
import dataclasses
import json
import pickle
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from tests.unit.squares import X, f, gradient, off_by_one


def test_a_result_unpacks_and_has_a_truth_value() -> None:
    right, wrong = fg.gradient_check(f, gradient, X), fg.gradient_check(f, off_by_one, X)
    passed, max_error = right
    assert (passed, max_error) == (True, right.max_error)
    assert max_error < 1e-8
    passed, max_error = wrong
    assert (passed, bool(wrong), wrong.passed) == (False, False, False)
    assert max_error == pytest.approx(1.0)
    assert bool(right)


def test_raise_if_failed() -> None:
    fg.gradient_check(f, gradient, X).raise_if_failed()
    with pytest.raises(fg.GradientMismatch, match=r"x\[1, 2\]"):
        fg.gradient_check(f, off_by_one, X).raise_if_failed()
    with pytest.raises(fg.InconclusiveError, match="its noise") as caught:
        fg.gradient_check(lambda x: np.float32(f(x)), gradient, X).raise_if_failed()
    assert isinstance(caught.value, AssertionError)


def test_the_fields_of_a_failure() -> None:
    check = fg.gradient_check(f, off_by_one, X)
    assert check.worst == fg_entry(check)
    assert len(check.wrong) == 1
    assert (check.wrong.claimed[0], check.wrong.measured[0]) == (-2.0, pytest.approx(-3.0))
    assert 0 < check.wrong.error_bound[0] < 1e-6
    assert check.max_relative_error == pytest.approx(1 / 3)
    assert (len(check.unresolved), len(check.kinks), check.mode, check.structured) == (0, 0, "full", False)
    assert not check.max_error_is_bound


def fg_entry(check: fg.GradientCheck) -> Any:
    worst = check.worst
    assert worst is not None
    assert (worst.name, worst.index, worst.claimed) == ("x[1, 2]", (1, 2), -2.0)
    assert worst.error == pytest.approx(1.0)
    assert worst.relative_error == pytest.approx(1 / 3)
    return worst


@pytest.mark.parametrize("claim", [gradient, off_by_one, lambda x: np.full_like(x, np.nan)])
def test_a_result_is_frozen_and_can_be_stored(claim: Any) -> None:
    check = fg.gradient_check(f, claim, X)
    with pytest.raises(dataclasses.FrozenInstanceError):
        check.verdict = "passed"  # type: ignore[misc]
    assert str(pickle.loads(pickle.dumps(check))) == str(check) == str(copy.deepcopy(check))
    stored = json.loads(json.dumps(check.to_dict()))
    assert stored["passed"] is check.passed
    assert stored["verdict"] == check.verdict
    assert stored["shape"] == [2, 3]
    assert stored["wrong"]["indices"] == check.wrong.indices.tolist()
    assert stored["worst"]["name"] == check.worst.name  # type: ignore[union-attr]


def test_a_console_shows_a_result_in_a_line() -> None:
    """And not all of its arrays, as dataclasses do."""
    found = (
        fg.gradient_check(f, off_by_one, X),
        fg.layer_check(fg.LinearLayer(3, 2, rng=0), np.ones(3)),
        fg.weight_gradient_check(np.ones(2), np.ones(3), np.ones((2, 3))),
    )
    for result in found:
        first, *rest = str(result).splitlines()
        assert repr(result) == f"<{type(result).__name__}: {first}>"
        assert rest
