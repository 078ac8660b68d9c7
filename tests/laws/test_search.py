"""The search, judged: what is right passes, what is wrong is named. One in a hundred of bench/check_quality."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from bench import check_quality
from bench._models import MODELS

SMALL = 3000


@pytest.mark.parametrize("name", MODELS)
def test_the_gradients_of_the_models_are_right(name: str) -> None:
    model = MODELS[name](300, np.random.default_rng(0))
    assert fg.gradient_check(model.f, model.gradient(model.x), model.x, mode="full").passed


@pytest.mark.parametrize("name", MODELS)
def test_no_right_gradient_is_accused(name: str) -> None:
    for seed in range(10):
        model = MODELS[name](SMALL, np.random.default_rng(seed))
        check = fg.gradient_check(model.f, model.gradient(model.x), model.x, mode="search", rng=seed)
        assert check.verdict == "passed" or (name == "float32 tanh net" and check.verdict == "inconclusive"), check
        assert check.calls < 100 or name == "float32 tanh net"


@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("tiny (1e-9)", "float32 tanh net")])
@pytest.mark.parametrize("count", [1, 4])
def test_wrong_entries_are_named_and_no_others(name: str, count: int) -> None:
    for seed in range(3):
        r = np.random.default_rng(seed)
        model = MODELS[name](SMALL, r)
        right = model.gradient(model.x)
        claim = right.copy()
        where = r.choice(claim.size, count, replace=False)
        claim[where] += r.choice([-1, 1], count) * np.max(np.abs(right)) * r.uniform(0.1, 1.0, count)
        check = fg.gradient_check(model.f, claim, model.x, mode="search", rng=seed)
        assert check.wrong.indices.tolist() == sorted(where.tolist())
        np.testing.assert_allclose(check.wrong.measured, right[check.wrong.indices], rtol=1e-3, atol=check.resolution)


@pytest.mark.parametrize("name", ["quadratic", "tanh net", "attention"])
def test_an_error_of_the_stated_resolution_is_seen(name: str) -> None:
    for row in (r for r in check_quality.at_the_resolution(SMALL, 0.01) if name in r.what):
        assert (row.trials, row.outcome) == (10, "missed 0")


@pytest.mark.parametrize("bug", check_quality.BUGS)
@pytest.mark.parametrize("name", ["quadratic", "tanh net", "ReLU net", "convolution", "attention", "layer norm"])
def test_no_bug_hides_behind_a_norm(bug: str, name: str) -> None:
    r = np.random.default_rng(0)
    model = MODELS[name](SMALL, r)
    claim = check_quality.BUGS[bug](model.gradient(model.x).copy(), r)
    assert fg.gradient_check(model.f, claim, model.x, mode="search", rng=0).verdict == "failed"


@pytest.mark.parametrize("name", ["quadratic", "tanh net", "ReLU net", "attention"])
def test_a_backward_in_single_precision_is_judged_by_its_own_tolerances(name: str) -> None:
    model = MODELS[name](SMALL, np.random.default_rng(0))
    claim = model.gradient(model.x).astype(np.float32)
    assert fg.gradient_check(model.f, claim, model.x, mode="search", rng=0).passed
    rough = claim.astype(np.float64) * (1.0 + 1e-3 * np.random.default_rng(1).standard_normal(claim.size))
    assert fg.gradient_check(model.f, rough, model.x, mode="search", rng=0).verdict == "failed"


def test_noise_beyond_the_tolerance_is_inconclusive_and_gross_errors_fail_all_the_same() -> None:
    r = np.random.default_rng(0)
    t, x = r.standard_normal((2, SMALL))

    def f(x: Any) -> float:
        value = 0.5 * float((x - t) @ (x - t))
        return value + 1e-6 * math.sin(1e9 * value)

    check = fg.gradient_check(f, x - t, x, mode="search", rng=0)
    assert check.verdict != "failed"
    assert check.noise > 1e-7
    claim = x - t
    claim[77] += 100.0
    check = fg.gradient_check(f, claim, x, mode="search", rng=0)
    assert check.wrong.indices.tolist() == [77]


def test_memory_is_a_few_times_the_gradient_s() -> None:
    row = next(iter(check_quality.huge(10**6, 1.0)))
    calls = int(row.outcome.split(" in ")[1].split()[0])
    memory = float(row.outcome.split("memory ")[1].split()[0])
    assert row.outcome.startswith("passed")
    assert calls <= 60
    assert memory <= 4


@pytest.mark.parametrize("digits", [3, 5, 6, 8])
@pytest.mark.parametrize("loss", ["sines", "squares"])
def test_a_loss_that_was_printed_with_few_digits_accuses_nobody(loss: str, digits: int) -> None:
    """Where f stands still on small steps, a claim is no error; nor is f without noise for lying evenly by chance."""
    pairs: dict[str, Any] = {"sines": (np.sin, np.cos), "squares": (np.square, lambda x: 2 * x)}
    f, g = pairs[loss]
    found = Counter[str]()
    for n, seed in [(30, 0), (30, 1), (300, 0), (300, 3), (3000, 1)]:
        x = np.random.default_rng([n, seed]).standard_normal(n)

        def printed(x: Any) -> float:
            return float(np.round(np.sum(f(x)), digits))

        assert fg.gradient_check(printed, g(x), x, mode="search", rng=seed).verdict != "failed"
        claim = g(x)
        claim[n // 2] = -claim[n // 2] - 1.0
        found[fg.gradient_check(printed, claim, x, mode="search", rng=seed).verdict] += 1
    assert found["failed"] >= 4
    assert not found["passed"]


def test_a_missing_mask_is_seen_where_no_unit_is_on() -> None:
    for n in (30, 3000):
        x = -np.abs(np.random.default_rng(n).standard_normal(n)) - 0.02
        check = fg.gradient_check(lambda x: float(np.sum(np.maximum(x, 0))), np.ones(n), x, mode="search", rng=n)
        assert check.verdict == "failed"
