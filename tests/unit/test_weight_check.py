"""weight_gradient_check does what its docstring says: no right claim fails, none off by its resolution passes."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastgrad as fg


def factors(rng: np.random.Generator, sizes: tuple[int, int, int], dtype: Any) -> tuple[Any, Any]:
    batch, m, n = sizes
    scale = 10.0 ** rng.integers(-3, 4, (1, n))
    return rng.standard_normal((batch, m)).astype(dtype), (rng.standard_normal((batch, n)) * scale).astype(dtype)


SIZES = st.tuples(st.integers(1, 40), st.integers(1, 12), st.integers(1, 80))


@settings(max_examples=60)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float64, np.float32]))
def test_a_right_claim_passes_in_whatever_order_it_was_summed(sizes: Any, seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    g, x = factors(rng, sizes, dtype)
    by_rows = np.zeros((sizes[1], sizes[2]), dtype)
    for a, b in zip(g[::-1], x[::-1], strict=True):
        by_rows += np.outer(a, b)
    for claim in (g.T @ x, by_rows, fg.weight_gradient(g, x), np.einsum("bi,bj->ij", g, x)):
        check = fg.weight_gradient_check(g, x, claim, rng=seed)
        assert check.verdict == "passed", check
        assert check.max_error_is_bound
        assert check.max_error == check.resolution


@settings(max_examples=60)
@given(sizes=SIZES, seed=st.integers(0, 2**32 - 1), dtype=st.sampled_from([np.float64, np.float32]))
def test_a_single_error_of_the_resolution_is_seen_and_named(sizes: Any, seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    g, x = factors(rng, sizes, dtype)
    claim = fg.weight_gradient(g, x).astype(np.float64)
    i, j = int(rng.integers(sizes[1])), int(rng.integers(sizes[2]))
    right = fg.weight_gradient_check(g, x, claim, rng=seed)
    claim[i, j] += 1.01 * right.resolution * rng.choice([-1.0, 1.0])
    check = fg.weight_gradient_check(g, x, claim, rng=seed + 1)
    assert check.verdict == "failed", (right, check)
    assert check.worst is not None
    assert check.worst.index == (i, j)
    assert check.rows.tolist() == [i]
    assert check.columns.tolist() == [j]


@pytest.fixture
def case(rng: np.random.Generator) -> tuple[Any, Any, Any]:
    g, x = rng.standard_normal((16, 50)), rng.standard_normal((16, 70))
    return g, x, g.T @ x


SABOTAGE: dict[str, Any] = {
    "sign of a row": lambda claim, g, x: np.r_[claim[:3], -claim[3:4], claim[4:]],
    "zero column": lambda claim, g, x: claim * (np.arange(70) != 9),
    "mean for sum": lambda claim, g, x: claim / 16,
    "one sample": lambda claim, g, x: np.outer(g[0], x[0]),
    "last sample forgotten": lambda claim, g, x: g[:-1].T @ x[:-1],
    "shifted": lambda claim, g, x: np.roll(claim, 1, axis=1),
    "a pair that cancels": lambda claim, g, x: claim + np.eye(50, 70)[:, ::-1] - np.eye(50, 70)[:, ::-1][:, ::-1],
    "two neighbours that cancel": lambda claim, g, x: claim + (np.arange(70) == 4) * 1e-6 - (np.arange(70) == 5) * 1e-6,
    "rounded to single": lambda claim, g, x: claim.astype(np.float32).astype(np.float64),
    "all zero": lambda claim, g, x: 0 * claim,
    "NaN": lambda claim, g, x: np.where(np.arange(70) == 69, np.nan, claim),
    "infinite": lambda claim, g, x: np.where(np.arange(70) == 0, np.inf, claim),
}


@pytest.mark.parametrize("bug", SABOTAGE)
def test_a_wrong_claim_fails_and_all_its_wrong_entries_are_named(bug: str, case: tuple[Any, Any, Any]) -> None:
    g, x, right = case
    claim = SABOTAGE[bug](right, g, x)
    check = fg.weight_gradient_check(g, x, claim, rng=1)
    assert check.verdict == "failed"
    assert not check
    off = ~(np.abs(claim - right) <= 1e-12)
    if bug != "rounded to single":  # there some entries are off by no more than rounding
        assert check.wrong.indices.tolist() == np.flatnonzero(off).tolist()
    assert set(check.rows) <= set(np.flatnonzero(off.any(1)))
    with pytest.raises(fg.GradientMismatch, match="entries wrong beyond rounding"):
        check.raise_if_failed()


def test_one_sample_lists_and_strange_layouts(case: tuple[Any, Any, Any]) -> None:
    g, x, claim = case
    assert fg.weight_gradient_check([0.5, -0.25], [1.0, 2.0, 4.0], [[0.5, 1, 2], [-0.25, -0.5, -1]]).passed
    assert fg.weight_gradient_check(g[0], x[0], np.outer(g[0], x[0])).passed
    assert not fg.weight_gradient_check([1, 2], [1, 2, 3], [[1, 2, 3], [2, 4, 7]]).passed
    store = np.asfortranarray(np.repeat(claim, 2, axis=1))
    for array in (g, x, claim, store):
        array.flags.writeable = False
    assert fg.weight_gradient_check(g[:, ::-1], x[::1], store[::-1, ::2]).passed
    assert fg.weight_gradient_check(g[::-1], x[::-1], claim).passed
    assert fg.weight_gradient_check(np.asfortranarray(g), x.astype(np.float32), (g.T @ x.astype(np.float32))).passed


def test_single_precision_is_allowed_its_rounding_and_no_more(rng: np.random.Generator) -> None:
    g, x = (rng.standard_normal((64, k)).astype(np.float32) for k in (300, 500))
    claim = g.T @ x
    assert fg.weight_gradient_check(g, x, claim).passed
    claim[7, 9] *= 1.01
    check = fg.weight_gradient_check(g, x, claim)
    assert check.resolution < 0.05
    claim[7, 9] += check.resolution
    assert fg.weight_gradient_check(g, x, claim).worst.index == (7, 9)  # type: ignore[union-attr]


def test_empty_ones() -> None:
    for batch, m, n in [(0, 3, 4), (2, 0, 4), (2, 3, 0)]:
        g, x = np.ones((batch, m)), np.ones((batch, n))
        assert fg.weight_gradient_check(g, x, np.zeros((m, n))).passed == (batch == 0 or m * n == 0)
    assert not fg.weight_gradient_check(np.ones((0, 3)), np.ones((0, 4)), np.ones((3, 4))).passed


def test_nothing_that_is_not_finite_passes() -> None:
    g, x = np.ones((2, 3)), np.ones((2, 4))
    x[1, 2] = np.nan
    check = fg.weight_gradient_check(g, x, g.T @ x)
    assert check.verdict == "failed"
    assert check.columns.tolist() == [2]
    assert np.isnan(check.max_error)
    x[1, 2] = np.inf
    assert fg.weight_gradient_check(g, x, np.ones((3, 4))).verdict == "failed"
    assert fg.weight_gradient_check(g, x, g.T @ x).verdict == "failed"


def test_numbers_that_overflow_on_the_way_are_left_open() -> None:
    g, x = np.full((1, 40), 1e154), np.full((1, 40), 1e154)
    check = fg.weight_gradient_check(g, x, g.T @ x)
    assert check.verdict == "inconclusive"
    with pytest.raises(fg.InconclusiveError, match="nothing is wrong for certain"):
        check.raise_if_failed()


def test_the_result(case: tuple[Any, Any, Any]) -> None:
    g, x, claim = case
    claim[3, 4] += 1
    check = fg.weight_gradient_check(g, x, claim, rng=5)
    passed, max_error = check
    assert (passed, round(float(max_error), 6)) == (False, 1.0)
    assert (check.calls, check.seed, check.shape, check.products) == (0, 5, (50, 70), 9)
    assert check.name(3 * 70 + 4) == "W[3, 4]"
    assert str(pickle.loads(pickle.dumps(check))) == str(check)
    assert json.loads(json.dumps(check.to_dict()))["worst"]["index"] == [3, 4]
    assert "W[3, 4]" in str(check)
    assert "1 of 3500 entries wrong beyond rounding, in 1 of 50 rows and 1 of 70 columns" in " ".join(
        str(check).split()
    )
    assert max(map(len, str(check).splitlines())) <= 100
    claim[3, 4] -= 1
    assert "would have been seen" in str(fg.weight_gradient_check(g, x, g.T @ x))


def test_the_seed_replays(case: tuple[Any, Any, Any]) -> None:
    g, x, claim = case
    first = fg.weight_gradient_check(g, x, claim)
    assert str(fg.weight_gradient_check(g, x, claim, rng=first.seed)) == str(first)
    assert fg.weight_gradient_check(g, x, claim).seed != first.seed


def test_errors_are_sentences() -> None:
    with pytest.raises(fg.ShapeError, match=r"claimed has shape \(4, 3\); .* has shape \(3, 4\)"):
        fg.weight_gradient_check(np.ones(3), np.ones(4), np.ones((4, 3)))
    with pytest.raises(fg.ShapeError, match="grad_output has shape"):
        fg.weight_gradient_check(np.ones((2, 3)), np.ones(4), np.ones((3, 4)))
    with pytest.raises(TypeError, match="claimed has dtype complex128"):
        fg.weight_gradient_check(np.ones(3), np.ones(4), 1j * np.ones((3, 4)))
