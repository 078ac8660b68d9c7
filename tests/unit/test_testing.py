"""The assertions: what they return, what they raise, and what a failing test shows of it."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad.testing import assert_gradient

pytest_plugins = ["pytester"]

X = np.array([1.0, -2.0, 3.0])


def squares(x: Any) -> float:
    return float(np.sum(x**2))


def test_what_is_right_is_returned() -> None:
    check = assert_gradient(squares, 2 * X, X)
    assert isinstance(check, fg.GradientCheck)
    assert check.verdict == "passed"


def test_what_is_wrong_is_raised_as_the_report() -> None:
    claim = 2 * X
    claim[1] = 4.0
    with pytest.raises(fg.GradientMismatch) as caught:
        assert_gradient(squares, claim, X)
    assert str(caught.value) == str(fg.gradient_check(squares, claim, X))


def test_what_cannot_be_resolved_is_raised_beside_it() -> None:
    with pytest.raises(fg.InconclusiveError, match="inconclusive") as caught:
        assert_gradient(lambda x: np.round(squares(x), 5), 2 * X / 3, X / 3)
    assert isinstance(caught.value, AssertionError)
    assert not isinstance(caught.value, fg.GradientMismatch)


def test_all_arguments_arrive() -> None:
    def f(x: Any, a: float, *, b: float) -> float:
        return a * squares(x) + b

    check = assert_gradient(f, 6 * X[:2], X[:2], 1e-4, 1e-3, rtol=1e-2, args=(3.0,), kwargs={"b": 1.0}, indices=[1])
    assert (check.atol, check.rtol, check.eps, check.compared) == (1e-3, 1e-2, "0.0001", 1)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        assert_gradient(squares, 2 * X, X, colour="red")


def test_an_error_that_is_no_verdict_is_no_assertion() -> None:
    with pytest.raises(fg.ShapeError):
        assert_gradient(squares, np.zeros(7), X)


def test_a_failing_test_shows_the_table_and_none_of_our_source(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import numpy as np
        from fastgrad.testing import assert_gradient

        def test_it():
            assert_gradient(lambda x: float(np.sum(x**2)), lambda x: [2.0, 3.0] * x, np.array([1.0, -2.0]))
        """
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["E *gradient check failed: 1 of 2 entries wrong*", "E *x?1?  *-6  *-4 *"])
    done.stdout.no_fnmatch_line("*def assert_gradient*")
    done.stdout.no_fnmatch_line("*def raise_if_failed*")
