"""gradient_check: the forms of its arguments."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import reference
from tests.unit.squares import X, f, gradient, off_by_one


@pytest.mark.parametrize(
    "claim",
    [
        gradient,
        gradient(X),
        gradient(X).tolist(),
        lambda x: 2 * x.reshape(-1),
        gradient(X).ravel(),
        gradient(X).T.copy().T,
    ],
    ids=["callable", "array", "list", "flat callable", "flat array", "Fortran order"],
)
def test_a_claim_may_come_as(claim: Any) -> None:
    check = fg.gradient_check(f, claim, X)
    assert check.verdict == "passed"
    assert (check.compared, check.shape, check.calls) == (6, (2, 3), 12)
    assert reference.gradient_check(f, claim, X) == (True, check.max_error)


def test_with_true_f_returns_value_and_gradient() -> None:
    calls = []

    def both(x: Any) -> tuple[float, Any]:
        calls.append(x.shape)
        return f(x), gradient(x)

    assert fg.gradient_check(both, True, X).passed
    assert calls == [(2, 3)] * 13
    assert fg.gradient_check(lambda x: (f(x), off_by_one(x)), True, X).verdict == "failed"
    assert reference.gradient_check(both, True, X)[0]


@pytest.mark.parametrize("returned", [1.0, (1.0, X, X), (1.0,), np.array([1.0, 2.0]), None])
def test_with_true_f_must_return_a_pair(returned: Any) -> None:
    sentence = rf"must return \(value, gradient\) where .*; it returned {type(returned).__name__}\."
    for verb in (fg.gradient_check, reference.gradient_check):
        with pytest.raises(TypeError, match=sentence):
            verb(lambda x: returned, True, X)


@pytest.mark.parametrize("shape", [(3, 2), (5,), (7,), (6, 1), (1, 6), (2, 3, 1), ()])
def test_a_claim_of_another_shape_is_an_error_that_shows_both(shape: tuple[int, ...]) -> None:
    for verb in (fg.gradient_check, reference.gradient_check):
        with pytest.raises(fg.ShapeError) as caught:
            verb(f, np.zeros(shape), X)
        assert f"has shape {shape}" in str(caught.value)
        assert "x has (2, 3)" in str(caught.value)


@pytest.mark.parametrize(
    "claim",
    [
        None, "no numbers", 1j * X, np.array([[object()] * 3] * 2), [[1.0], [2.0, 3.0]], np.ma.masked_less(X, 0),
        X.T, X[..., None], X[:1], 3.0, lambda x: None, lambda x: X.T,
    ],
)  # fmt: skip
def test_both_twins_refuse_a_claim_with_one_sentence(claim: Any) -> None:
    sentences = []
    for verb in (fg.gradient_check, reference.gradient_check):
        with pytest.raises((TypeError, fg.ShapeError)) as caught:
            verb(f, claim, X)
        sentences.append((type(caught.value), str(caught.value)))
    assert sentences[0] == sentences[1]
    assert "claimed gradient" in sentences[0][1]


def test_a_claim_that_is_none_names_the_missing_return() -> None:
    for verb in (fg.gradient_check, reference.gradient_check):
        with pytest.raises(TypeError, match="is None: does the function that claims it lack a return"):
            verb(f, lambda x: None, X)


def test_a_masked_or_ragged_claim_is_refused() -> None:
    with pytest.raises(TypeError, match="masked"):
        fg.gradient_check(f, np.ma.masked_less(X, 0), X)
    with pytest.raises(fg.ShapeError, match="shaped like x"):
        fg.gradient_check(f, [[1.0, 2.0], [3.0]], X)


def test_the_claim_sees_a_copy_and_the_caller_keeps_his_arrays() -> None:
    def meddling(x: Any) -> Any:
        g = 2 * x
        x[:] = 0
        return g

    x = X.copy()
    assert fg.gradient_check(f, meddling, x).passed
    np.testing.assert_array_equal(x, X)
    claim = gradient(X)
    fg.gradient_check(f, claim, X)
    np.testing.assert_array_equal(claim, gradient(X))


def test_arguments_reach_both_functions() -> None:
    def g(x: Any, a: float, b: float = 0.0) -> float:
        return float(np.sum(a * x**2 + b * x))

    def slope(x: Any, a: float, b: float = 0.0) -> Any:
        return 2 * a * x + b

    assert fg.gradient_check(g, slope, X, args=(3.0,), kwargs={"b": 2.0}).passed
    assert not fg.gradient_check(g, slope(X, 3.0), X, args=(3.0,), kwargs={"b": 2.0}).passed


def test_a_claim_in_single_precision_is_judged_by_its_tolerances() -> None:
    single = fg.gradient_check(f, gradient(X).astype(np.float32) * np.float32(1.003), X)
    assert (single.verdict, single.atol, single.rtol) == ("passed", 1e-3, 1e-2)
    double = fg.gradient_check(f, gradient(X) * 1.003, X)
    assert (double.verdict, double.atol, double.rtol) == ("failed", 1e-6, 1e-5)
    point = fg.gradient_check(f, gradient, X.astype(np.float32))
    assert (point.verdict, point.atol, point.eps) == ("passed", 1e-3, "0.00390625")
    assert fg.gradient_check(f, gradient(X).astype(np.float32) * np.float32(1.03), X).verdict == "failed"
    assert not reference.gradient_check(f, gradient(X).astype(np.float32) * np.float32(1.03), X)[0]
    assert reference.gradient_check(f, gradient(X).astype(np.float32) * np.float32(1.003), X)[0]


def test_integers_are_taken_as_doubles() -> None:
    assert fg.gradient_check(f, lambda x: 2 * x, np.array([1, 2, 3])).passed
    assert fg.gradient_check(f, [2, 4, 6], [1, 2, 3]).passed


@pytest.mark.parametrize(
    ("indices", "expected"),
    [
        ([5, 0], [5, 0]),
        (-1, [5]),
        (np.array([[0, 1], [2, 5]]), [0, 1, 2, 5]),
        (X < 0, [1, 5]),
        (([1, 0], [2, 1]), [5, 1]),
        ((1, 2), [5]),
        ([], []),
    ],
)
def test_indices_choose_entries(indices: Any, expected: list[int]) -> None:
    seen = []

    def watched(x: Any) -> float:
        assert x.shape == X.shape
        seen.extend(np.flatnonzero(x != X).tolist())
        return f(x)

    check = fg.gradient_check(watched, gradient(X), X, indices=indices)
    assert check.passed
    assert seen == [i for i in expected for _ in (1, -1)]
    assert check.compared == len(expected)
    wrong = fg.gradient_check(f, gradient(X) + 1, X, indices=indices)
    assert wrong.wrong.indices.tolist() == expected
    assert wrong.passed == (not expected)


def test_indices_leave_out_what_is_wrong_elsewhere() -> None:
    assert fg.gradient_check(f, off_by_one, X, indices=[0, 1, 2, 3, 4]).passed
    check = fg.gradient_check(f, off_by_one, X, indices=X < 0)
    assert check.worst is not None
    assert (check.worst.name, check.worst.index) == ("x[1, 2]", (1, 2))


def test_indices_that_mean_no_entries_are_refused() -> None:
    with pytest.raises(IndexError, match="lies outside x, which has 6 entries"):
        fg.gradient_check(f, gradient, X, indices=[6])
    with pytest.raises(IndexError, match="lies outside x, which has 6 entries"):
        fg.gradient_check(f, gradient, X, indices=[-7])
    with pytest.raises(fg.ShapeError, match=r"shaped like x, \(2, 3\); got \(6,\)"):
        fg.gradient_check(f, gradient, X, indices=[True] * 6)
    with pytest.raises(TypeError, match="flat integers"):
        fg.gradient_check(f, gradient, X, indices=[0.5])
    with pytest.raises((IndexError, ValueError)):
        fg.gradient_check(f, gradient, X, indices=([2], [0]))


@pytest.mark.parametrize("eps", [None, 1e-5, 1, np.full(X.shape, 1e-4), "auto"])
def test_the_step_takes_all_its_forms(eps: Any) -> None:
    assert fg.gradient_check(f, gradient, X, eps).passed
    assert fg.gradient_check(f, off_by_one, X, eps).verdict == "failed"


def test_an_impossible_step_is_refused() -> None:
    for eps in (0.0, -1e-5, np.nan, "small"):
        with pytest.raises(fg.StepError):
            fg.gradient_check(f, gradient, X, eps)
    with pytest.raises(fg.StepError, match="lost to rounding at x"):
        fg.gradient_check(f, gradient, [1e15])


@pytest.mark.parametrize("value", [-1e-6, np.nan])
def test_an_impossible_tolerance_is_refused(value: float) -> None:
    for verb in (fg.gradient_check, reference.gradient_check):
        with pytest.raises(ValueError, match="atol must be a number that is not negative"):
            verb(f, gradient, X, None, value)
        with pytest.raises(ValueError, match="rtol must be a number that is not negative"):
            verb(f, gradient, X, rtol=value)


def test_tolerances_add_up() -> None:
    claim = gradient(X) + 0.01
    assert fg.gradient_check(f, claim, X, None, 0.02, rtol=1e-9).passed
    assert not fg.gradient_check(f, claim, X, None, 0.009, rtol=1e-9).passed
    assert fg.gradient_check(f, gradient(X) * 1.01, X, None, 1e-9, rtol=0.02).passed
    assert not fg.gradient_check(f, gradient(X) * 1.01, X, None, 1e-9, rtol=0.005).passed


def test_rtol_zero_is_the_textbooks_rule_and_nothing_else() -> None:
    measured = fg.numerical_gradient(f, X)
    error = np.max(np.abs(measured - gradient(X)))
    for atol, passed in ((np.nextafter(error, 1), True), (error, False)):
        check = fg.gradient_check(f, gradient, X, 1e-5, atol, rtol=0)
        assert (check.passed, check.max_error) == (passed, error)
        assert reference.gradient_check(f, gradient, X, 1e-5, atol, rtol=0) == (passed, error)
        assert check.calls == 12
    noisy = fg.gradient_check(lambda x: np.float32(f(x)), gradient, X, rtol=0)
    assert noisy.verdict == "failed"
    assert noisy.calls == 12
    assert np.isnan(noisy.wrong.error_bound).all()


def test_the_reference_counts_noise_against_the_claim() -> None:
    def single(x: Any) -> Any:
        return np.float32(f(x))

    assert not reference.gradient_check(single, gradient, X)[0]
    assert fg.gradient_check(single, gradient, X).verdict == "inconclusive"


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_an_empty_x_passes_if_the_claim_is_empty_too(shape: tuple[int, ...]) -> None:
    check = fg.gradient_check(f, np.zeros(shape), np.zeros(shape))
    assert (check.verdict, check.max_error, check.worst, check.compared, check.calls) == ("passed", 0.0, None, 0, 0)
    assert fg.gradient_check(f, np.zeros(shape), np.zeros(shape), rtol=0).passed
    assert reference.gradient_check(f, np.zeros(shape), np.zeros(shape)) == (True, 0.0)
    with pytest.raises(fg.ShapeError):
        fg.gradient_check(f, np.zeros(1), np.zeros(shape))


@pytest.mark.parametrize("x", [3.0, np.float64(3.0), np.array(3.0), 3])
def test_a_single_number(x: Any) -> None:
    check = fg.gradient_check(lambda x: x * x, lambda x: 2 * x, x)
    assert (check.passed, check.shape) == (True, ())
    wrong = fg.gradient_check(lambda x: x * x, 5.0, x)
    assert wrong.worst is not None
    assert (wrong.worst.name, wrong.worst.index, wrong.worst.claimed) == ("x", (), 5.0)
    assert reference.gradient_check(lambda x: x * x, lambda x: 2 * x, x)[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_claim_that_is_not_finite_fails(bad: float) -> None:
    claim = gradient(X)
    claim[0, 1] = bad
    for rtol in (None, 0):
        check = fg.gradient_check(f, claim, X, rtol=rtol)
        assert check.verdict == "failed"
        assert check.worst is not None
        assert check.worst.name == "x[0, 1]"
        assert check.wrong.indices.tolist() == [1]
        assert not reference.gradient_check(f, claim, X, rtol=rtol)[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_at_x_fails(bad: float) -> None:
    check = fg.gradient_check(lambda x: bad if x[0] == 1 else f(x), lambda x: 2 * x, [1.0, 2.0])
    assert check.verdict == "failed"
    assert check.wrong.indices.tolist() == [1]


def test_a_value_that_is_never_finite_is_told_as_such() -> None:
    assert "f is nan at x itself" in str(fg.gradient_check(lambda x: np.nan, [1.0, 4.0], [1.0, 2.0]))
    assert "at x itself" not in str(fg.gradient_check(f, [1.0, 4.0], [1.0, 2.0]))


def test_a_step_out_of_the_domain_is_shortened_before_it_counts_against_the_claim() -> None:
    def log(x: Any) -> float:
        with np.errstate(all="ignore"):
            return float(np.sum(np.log(x)))

    x = np.array([1e-9, 1.0])
    assert fg.gradient_check(log, lambda x: 1 / x, x).verdict != "failed"
    assert fg.gradient_check(log, lambda x: [2.0, 1.0] / x, x).verdict == "failed"


def test_the_second_look_does_not_ask_f_to_be_defined_beyond_the_callers_step() -> None:
    def guarded(x: Any) -> float:
        if abs(x[0] - 1.0) > 1.1e-5:
            raise ValueError("out of the domain")
        return float(x[0] ** 2)

    check = fg.gradient_check(guarded, [3.0], [1.0])
    assert (check.verdict, check.wrong.indices.tolist()) == ("failed", [0])


def test_an_f_that_has_values_at_the_smallest_steps_alone_and_stands_still_there() -> None:
    """A value of few decimals, 1.1 say, might stand still there because it is rounded."""
    island = lambda x: np.pi if abs(x[0] - 1.0) < 1e-9 else np.nan  # noqa: E731
    assert fg.gradient_check(island, [0.0], [1.0]).verdict == "passed"
    assert fg.gradient_check(island, [1.0], [1.0]).verdict == "failed"
    rounded = lambda x: 1.1 if abs(x[0] - 1.0) < 1e-9 else np.nan  # noqa: E731
    assert fg.gradient_check(rounded, [1.0], [1.0]).verdict == "inconclusive"
