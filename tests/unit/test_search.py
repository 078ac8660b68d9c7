"""Mode "search": its arguments, what its result says, and what f may do meanwhile."""

import pickle
from typing import Any

import numpy as np
import pytest

import fastgrad as fg

R = np.random.default_rng(4)
N = 5000
T = R.standard_normal(N)
X = R.standard_normal(N)


def f(x: Any) -> float:
    d = x.reshape(-1) - T
    return 0.5 * float(d @ d)


def off(*where: int, by: float = 0.3) -> Any:
    claim = X - T
    claim[list(where)] += by
    return claim


def test_auto_measures_few_entries_one_by_one_and_searches_among_many() -> None:
    def square(x: Any) -> float:
        return 0.5 * float(x @ x)

    assert fg.gradient_check(square, X[:2000], X[:2000]).mode == "full"
    many = fg.gradient_check(square, X[:2001], X[:2001])
    assert (many.mode, many.verdict, many.max_error_is_bound) == ("search", "passed", True)
    assert many.calls < 60
    assert fg.gradient_check(square, X[:2001], X[:2001], rtol=0).mode == "full"
    W = R.standard_normal((50, 50))
    loss = fg.losses.LinearLoss(W, X[:50], loss="sum")
    assert fg.gradient_check(loss, np.outer(np.ones(50), X[:50]), W).mode == "full"
    assert fg.gradient_check(loss, np.outer(np.ones(50), X[:50]), W, mode="search").mode == "search"


def test_what_is_no_mode_or_seed_is_refused() -> None:
    with pytest.raises(ValueError, match='mode must be "auto"'):
        fg.gradient_check(f, X - T, X, mode="fast")
    with pytest.raises(ValueError, match="textbook's rule"):
        fg.gradient_check(f, X - T, X, mode="search", rtol=0)
    for rng in (-1, 0.5, "seed", True):
        with pytest.raises(TypeError, match="rng must be"):
            fg.gradient_check(f, X - T, X, rng=rng)


def test_a_seed_replays_a_check() -> None:
    first = fg.gradient_check(f, off(7), X)
    again = fg.gradient_check(f, off(7), X, rng=first.seed)
    assert str(first) == str(again)
    assert first.seed is not None
    assert fg.gradient_check(f, off(7), X).seed != first.seed
    drawn = fg.gradient_check(f, off(7), X, rng=np.random.default_rng(3))
    assert drawn.seed == fg.gradient_check(f, off(7), X, rng=np.random.default_rng(3)).seed


def test_the_wrong_entry_is_named_with_its_error() -> None:
    check = fg.gradient_check(f, off(1234), X, rng=1)
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [1234]
    assert check.worst is not None
    assert check.worst.name == "x[1234]"
    assert check.worst.error == pytest.approx(0.3, rel=1e-6)
    assert not check.max_error_is_bound
    assert check.calls < 70
    assert pickle.loads(pickle.dumps(check)).seed == 1


@pytest.mark.parametrize("where", [(0,), (N - 1,), (0, 1), (10, 11, 12), (0, N - 1), tuple(range(40, 60))])
def test_entries_anywhere_are_found(where: tuple[int, ...]) -> None:
    check = fg.gradient_check(f, off(*where), X, rng=2)
    assert check.verdict == "failed"
    assert set(check.wrong.indices) <= set(where)
    if len(where) < 12:
        assert check.wrong.indices.tolist() == list(where)


def test_equal_and_opposite_errors_do_not_cancel() -> None:
    claim = X - T
    claim[100] += 0.3
    claim[4000] -= 0.3
    for seed in range(5):
        assert fg.gradient_check(f, claim, X, rng=seed).wrong.indices.tolist() == [100, 4000]


@pytest.mark.parametrize("claim", [2 * (X - T), T - X, 0 * X, np.roll(X - T, 1), (X - T) + 0.1 * X])
def test_a_wholly_wrong_gradient_fails_soon_with_its_norm(claim: Any) -> None:
    check = fg.gradient_check(f, claim, X, rng=3)
    assert check.verdict == "failed"
    assert check.calls < 700
    assert check.error_norm is not None
    low, high = check.error_norm
    assert low / 1.5 < np.linalg.norm(claim - (X - T)) < 1.5 * high
    assert "More is wrong than could be named" in str(check)


def test_x_may_have_any_shape_or_be_a_tree() -> None:
    x = X.reshape(50, 100)
    claim = off(723).reshape(50, 100)
    check = fg.gradient_check(f, claim, x, rng=1)
    assert check.worst is not None
    assert check.worst.name == "x[7, 23]"

    def g(p: Any) -> float:
        return f(np.concatenate([p["a"].reshape(-1), p["b"]]))

    tree = {"a": X[:3000].reshape(30, 100), "b": X[3000:]}
    bad = off(3007)
    check = fg.gradient_check(g, {"a": bad[:3000].reshape(30, 100), "b": bad[3000:]}, tree, rng=1)
    assert check.worst is not None
    assert check.worst.name == 'x["b"][7]'


def test_some_entries_alone_are_searched() -> None:
    claim = off(7, 2500)
    where = np.arange(100, 4900)
    check = fg.gradient_check(f, claim, X, indices=where, mode="search", rng=1)
    assert check.wrong.indices.tolist() == [2500]
    assert check.compared == 4800
    assert fg.gradient_check(f, off(7), X, indices=where, mode="search", rng=1).passed


@pytest.mark.parametrize("n", [1, 2, 3, 10])
def test_few_entries_can_be_searched_too(n: int) -> None:
    t = T[:n]

    def g(x: Any) -> float:
        return 0.5 * float(np.sum((x - t) ** 2))

    claim = X[:n] - t
    assert fg.gradient_check(g, claim, X[:n], mode="search", rng=0).passed
    claim[-1] += 0.1
    assert fg.gradient_check(g, claim, X[:n], mode="search", rng=0).wrong.indices.tolist() == [n - 1]
    assert fg.gradient_check(g, [], [], mode="search").passed


@pytest.mark.parametrize("eps", [1e-5, "auto", np.full(N, 1e-6), np.geomspace(1e-7, 1e-4, N)])
def test_the_step_takes_all_its_forms(eps: Any) -> None:
    assert fg.gradient_check(f, X - T, X, eps, mode="search", rng=1).passed
    assert fg.gradient_check(f, off(99), X, eps, mode="search", rng=1).wrong.indices.tolist() == [99]


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e3, 1e9])
def test_entries_of_any_size_are_moved(scale: float) -> None:
    x = X * np.where(np.arange(N) % 2, 1.0, scale)

    def g(x: Any) -> float:
        return float(np.sum(np.sin(x[1::2]))) + float(np.sum(x[::2])) / scale

    claim = np.where(np.arange(N) % 2, np.cos(x), 1.0 / scale)
    right = fg.gradient_check(g, claim, x, rng=1)
    assert right.verdict == "passed"
    claim[300] *= 1.5
    claim[301] += max(0.1, 2 * right.resolution)
    found = fg.gradient_check(g, claim, x, rng=1).wrong.indices.tolist()
    assert 301 in found
    assert set(found) <= {300, 301}


def test_a_claim_that_is_not_finite_fails_without_a_call() -> None:
    claim = X - T
    claim[[3, 70]] = np.nan, np.inf
    check = fg.gradient_check(f, claim, X)
    assert (check.verdict, check.calls) == ("failed", 0)
    assert check.wrong.indices.tolist() == [3, 70]


def test_an_f_that_is_not_finite_never_passes() -> None:
    assert fg.gradient_check(lambda x: np.nan, X - T, X).verdict == "failed"
    edge = fg.gradient_check(lambda x: f(x) if (x == X).all() else np.inf, X - T, X)
    assert edge.verdict == "inconclusive"
    assert "no finite values around x" in str(edge)


def test_an_exception_at_x_arrives_and_one_beside_it_shrinks_the_step() -> None:
    def never(x: Any) -> float:
        raise KeyError("weights")

    with pytest.raises(KeyError, match="weights") as caught:
        fg.gradient_check(never, X - T, X)
    assert "x itself" in caught.value.__notes__[0]

    def near(x: Any) -> float:
        if np.max(np.abs(x - X)) > 3e-7:
            raise ValueError("too far")
        return f(x)

    assert fg.gradient_check(near, X - T, X, rng=0).verdict == "passed"

    def nowhere(x: Any) -> float:
        if (x != X).any():
            raise ValueError("too far")
        return f(x)

    check = fg.gradient_check(nowhere, X - T, X, rng=0)
    assert check.verdict == "inconclusive"
    assert "ValueError: too far" in str(check)


def test_an_f_that_is_random_is_named() -> None:
    r = np.random.default_rng(0)
    check = fg.gradient_check(lambda x: f(x * (r.random(N) < 0.9)), X - T, X, rng=0)
    assert check.verdict == "inconclusive"
    assert "different values for the same x" in str(check)


def test_an_f_of_single_precision_in_disguise_is_named() -> None:
    check = fg.gradient_check(lambda x: f(x.astype(np.float32).astype(float)), X - T, X, rng=0)
    assert check.verdict != "failed"
    rounded = fg.gradient_check(lambda x: float(np.float32(f(x))), X - T, X, rng=0)
    assert rounded.verdict == "inconclusive"
    assert "single precision" in str(rounded)


def test_x_and_the_claim_stay_as_they_are_whatever_f_does() -> None:
    x, claim = X.copy(), X - T
    kept = []

    def rude(y: Any) -> float:
        value = f(y)
        kept.append((y, y.copy()))
        y[...] = 0.0
        return value

    assert fg.gradient_check(rude, claim, x, rng=0).passed
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(claim, X - T)
    assert all(not y.any() for y, _ in kept)
    assert len({id(y) for y, _ in kept}) == len(kept)

    held = []

    def keeping(y: Any) -> float:
        held.append((y, y.copy()))
        return f(y)

    assert fg.gradient_check(keeping, claim, x, rng=0).passed
    assert all(np.array_equal(y, copy) for y, copy in held)


def test_a_point_at_kinks_everywhere_is_no_endless_search_and_accuses_nobody() -> None:
    z, v = R.standard_normal(60), R.standard_normal(60)
    W = np.zeros((60, 60))

    def g(W: Any) -> float:
        return float(v @ np.maximum(W @ z, 0.0))

    for share in (0.0, 0.5):
        check = fg.gradient_check(g, share * np.outer(v, z), W, mode="search", rng=0)
        assert check.verdict != "failed"
        assert check.calls < 1000
    assert fg.gradient_check(g, 2.0 * np.outer(v, z), W, mode="search", rng=0).verdict == "failed"

    def pooled(x: Any) -> float:
        return float(x.reshape(-1, 4).max(1).sum())

    first = np.where(np.arange(4000) % 4, 0.0, 1.0)
    assert fg.gradient_check(pooled, first, np.ones(4000), rng=0).verdict != "failed"


def test_an_entry_that_does_not_move_f_is_named_where_the_claim_says_it_does() -> None:
    claim = np.zeros(N)
    assert fg.gradient_check(lambda x: 5.0, claim, X, rng=0).passed
    claim[5] = 1.0
    assert fg.gradient_check(lambda x: 5.0, claim, X, rng=0).wrong.indices.tolist() == [5]


def test_kinks_at_x_are_judged_by_the_slopes_on_both_sides() -> None:
    x = X.copy()
    x[[40, 2000]] = 0.0

    def g(x: Any) -> float:
        return float(np.sum(np.abs(x)) + 0.5 * (x @ x))

    claim = np.sign(x) + x
    claim[40], claim[2000] = 0.7, -1.0
    check = fg.gradient_check(g, claim, x, rng=0)
    assert check.verdict == "passed"
    assert set(check.kinks.indices) <= {40, 2000}
    claim[2000] = 1.5
    check = fg.gradient_check(g, claim, x, rng=0)
    assert check.wrong.indices.tolist() == [2000]
