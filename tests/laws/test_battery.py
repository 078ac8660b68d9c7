"""Bugs as people make them, in a dozen models: all are caught, and what the diagnosis says is so."""

import inspect
import re

import numpy as np
import pytest

import fastgrad as fg
from bench._sabotage import BUGS, MODELS, Bug, Make, battery

BATTERY = battery()


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("seed", [5, 6])
def test_the_right_gradient_passes(make: Make, seed: int) -> None:
    f, x, backward = make(np.random.default_rng(seed))
    check = fg.gradient_check(f, backward(frozenset()), x)
    assert check.verdict == "passed"
    assert check.diagnosis == ""


@pytest.mark.parametrize("bug", BATTERY, ids=lambda bug: bug.name)
def test_the_bug_is_caught_and_told(bug: Bug) -> None:
    check = fg.gradient_check(bug.f, bug.claim, bug.x)
    assert check.verdict == "failed"
    assert bug.is_told_by(check.diagnosis), check.diagnosis


@pytest.mark.parametrize("seed", [11, 18])
def test_other_draws_mislead_nobody(seed: int) -> None:
    for bug in battery(seed):
        check = fg.gradient_check(bug.f, bug.claim, bug.x)
        assert check.verdict == "failed", bug.name
        assert not bug.misleads(check.diagnosis), f"{bug.name}: {check.diagnosis}"


def test_the_battery_is_as_large_as_promised() -> None:
    assert len(BATTERY) >= 60
    assert len(MODELS) >= 6
    assert sum(bool(bug.says) for bug in BATTERY) >= 60


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_each_bug_of_a_model_is_in_the_battery(make: Make) -> None:
    assert set(re.findall(r'"([^"]+)" (?:not )?in bugs', inspect.getsource(make))) == set(BUGS[make.__name__])
