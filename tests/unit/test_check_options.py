"""Options of a check that make no sense are refused in a sentence, in every mode, before f is called."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg

X = np.array([1.0, 2.0, 3.0])


def never(x: Any) -> float:
    return pytest.fail("f was called")


@pytest.mark.parametrize("mode", ["auto", "full", "search", "sample"])
@pytest.mark.parametrize("rng", ["a", -1, 1.5, True, [1, 2], np.random.RandomState(0), np.timedelta64(3)])
def test_an_rng_that_is_none_is_refused_even_where_nothing_is_drawn(mode: str, rng: Any) -> None:
    with pytest.raises(TypeError, match="rng must be None, a seed"):
        fg.gradient_check(never, 2 * X, X, mode=mode, rng=rng)


def test_a_generator_is_not_drawn_from_where_nothing_is_random() -> None:
    rng = np.random.default_rng(3)
    before = rng.bit_generator.state
    fg.gradient_check(lambda x: float(x @ x), 2 * X, X, rng=rng)
    assert rng.bit_generator.state == before


@pytest.mark.parametrize("name", ["atol", "rtol"])
@pytest.mark.parametrize("value", ["1", b"1", [1e-6], np.full(3, 1e-6), 1j, np.complex128(1e-6), (1,), {}])
@pytest.mark.parametrize("check", [fg.gradient_check, fg.reference.gradient_check])
def test_a_tolerance_that_is_no_number_is_refused(check: Any, name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} must be a number that is not negative; got "):
        check(lambda x: float(x @ x), 2 * X, X, **{name: value})


@pytest.mark.parametrize("name", ["atol", "rtol"])
@pytest.mark.parametrize("check", [fg.gradient_check, fg.reference.gradient_check])
def test_a_tolerance_that_everything_would_pass_is_refused(check: Any, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a number that is not negative, and finite; got inf"):
        check(lambda x: float(x @ x), 2 * X, X, **{name: np.inf})


@pytest.mark.parametrize("budget", [np.timedelta64(3, "s"), 1.5, True])
def test_a_budget_that_is_neither_calls_nor_time_is_refused(budget: Any) -> None:
    with pytest.raises(TypeError, match="budget must be an integer, the calls of f, or a time"):
        fg.gradient_check(never, 2 * X, X, budget=budget)


@pytest.mark.parametrize(
    ("indices", "kind", "words"),
    [
        ((7,), IndexError, "outside axis 0 of x, which has the length 3: the indices run from 7 to 7"),
        ((-4,), IndexError, "outside axis 0 of x"),
        ((), fg.ShapeError, "one for each of the 1 axes of x; got 0"),
        ((0, 1), fg.ShapeError, "one for each of the 1 axes of x; got 2. Flat indices are a list or an array."),
        ((X > 1,), TypeError, "a mask is given by itself"),
        (([0.5],), TypeError, "must be flat integers, a boolean mask or a tuple of index arrays; got float64"),
        ([[0, 1], [2]], fg.ShapeError, "indices must be a regular array"),
        ([2**63], IndexError, "3 entries: the indices run from 9223372036854775808 to 9223372036854775808"),
        (np.array([2**64 - 1], np.uint64), IndexError, "the indices run from 18446744073709551615 to"),
    ],
)
def test_indices_that_make_no_sense_are_refused(indices: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        fg.gradient_check(never, 2 * X, X, indices=indices)


@pytest.mark.parametrize("indices", [[1, 1], [2, -1, 2], ([1, -2],), np.array([[0, 1], [1, 0]])])
@pytest.mark.parametrize("options", [{}, {"rtol": 0, "atol": 1e-6}, {"mode": "search"}, {"mode": "sample"}])
def test_an_entry_that_is_chosen_twice_is_measured_once(indices: Any, options: Any) -> None:
    """Moved at one of two places of a list, it would stand still."""
    check = fg.gradient_check(lambda x: float(x @ x), 2 * X, X, indices=indices, rng=0, **options)
    assert check.passed
    if options.get("mode") != "search":
        assert (check.compared, check.calls) == (len(np.unique(np.asarray(indices) % 3)), 2 * check.compared)


def test_indices_of_axes_count_from_the_end_too_and_fit_each_other() -> None:
    x = np.arange(6.0).reshape(2, 3)
    claim = 2 * x + np.eye(2, 3)
    check = fg.gradient_check(lambda x: float(np.sum(x**2)), claim, x, indices=([[0], [-1]], [0, -2]))
    assert (check.compared, check.wrong.indices.tolist()) == (4, [0, 4])


def test_what_is_no_point_before_is_called_by_its_name() -> None:
    with pytest.raises(TypeError, match="previous has dtype"):
        fg.gradient_check(lambda x: float(x @ x), X, X, previous="x")


def test_a_step_that_leads_out_of_all_numbers_is_not_called_too_small() -> None:
    with pytest.raises(fg.StepError, match=r"1e\+308 leads out of all numbers at x\[0\] = 1: .* Give a smaller eps"):
        fg.numerical_gradient(never, X, 1e308)


@pytest.mark.parametrize("bounds", [(None, None), (0, None), (np.nan, 5), ([0, 0, np.nan], 5)])
def test_a_bound_that_is_no_number_is_told_as_such(bounds: Any) -> None:
    with pytest.raises(ValueError, match="Where there is no bound, give -inf or inf in place of None or NaN"):
        fg.numerical_gradient(never, X, bounds=bounds)


def test_the_step_along_a_direction_is_one_number() -> None:
    for ask in (fg.directional_derivative, fg.hessian_vector_product):
        with pytest.raises(fg.ShapeError, match=r"one number; got an array of shape \(3,\)"):
            ask(never, X, X, [1e-5] * 3)
        with pytest.raises(fg.StepError, match='eps="noise" asks an ordinary callable'):
            ask(never, X, X, "noise")


LOSS = fg.losses.LinearLoss(np.ones((2, 3)), np.ones(3), loss="sum")


@pytest.mark.parametrize("given", [{"args": (1,)}, {"kwargs": {"a": 1}}])
@pytest.mark.parametrize("claim", [np.ones((2, 3)), lambda W, *args, **kwargs: np.ones((2, 3))])
def test_what_a_structured_callable_cannot_be_given_is_not_left_out_in_silence(given: Any, claim: Any) -> None:
    with pytest.raises(TypeError, match="a structured callable takes x alone"):
        fg.gradient_check(LOSS, claim, np.ones((2, 3)), **given)
    with pytest.raises(TypeError, match="a structured callable takes x alone"):
        fg.numerical_gradient(LOSS, np.ones((2, 3)), **given)


@pytest.mark.parametrize("given", [{"method": "forward"}, {"order": 4}, {"bounds": (0, 2)}, {"vectorized": True}])
def test_a_structured_callable_has_no_other_loop_than_its_own(given: Any) -> None:
    with pytest.raises(TypeError, match=r"measures by its own loop: .*vectorized do not reach it"):
        fg.numerical_gradient(LOSS, np.ones((2, 3)), **given)
