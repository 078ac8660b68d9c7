"""eps="auto" on published problems: against exact derivatives, and beside the textbook's step."""

from typing import Any

import numpy as np
import pytest

import fastgrad as fg
from fastgrad import problems
from fastgrad.problems import SCALAR, ScalarProblem, VectorProblem

#: Where 1e-8 is not reached, and what is. In Osborne 1, two entries are decay rates: exp(-x t) with t up to 320 changes
#: on the scale 1/320, which nobody can tell from x = 0.01 and 0.02; a step of 2⁻¹⁸ truncates by (320 h)²/6.
KNOWN = {"osborne_1": 5e-7}


def error(found: Any, exact: Any) -> float:
    return float(np.max(np.abs(np.subtract(found, exact))) / np.max(np.abs(exact)))


@pytest.mark.parametrize("problem", problems.more_garbow_hillstrom(), ids=lambda p: p.name)
def test_systems_and_fits_are_differentiated_to_eight_digits(problem: VectorProblem) -> None:
    x, most = problem.x0, KNOWN.get(problem.name, 1e-8)
    assert error(fg.numerical_gradient(problem.objective, x, "auto"), problem.gradient(x)) <= most
    assert error(fg.numerical_jacobian(problem.residual, x, "auto"), problem.jacobian(x)) <= most


@pytest.mark.parametrize("name", KNOWN)
def test_the_reason_is_the_step(name: str) -> None:
    """A sixteenth of it is enough: it is truncation, and neither noise nor a flaw of the problem."""
    problem = getattr(problems, name)()
    h = fg.steps.auto(problem.x0) / 16
    assert error(fg.numerical_gradient(problem.objective, problem.x0, h), problem.gradient(problem.x0)) <= 1e-8
    adaptive = fg.numerical_gradient(problem.objective, problem.x0, method="adaptive")
    assert error(adaptive, problem.gradient(problem.x0)) <= 1e-10


def digits(problem: ScalarProblem, eps: float | str) -> float:
    try:
        return problem.digits(fg.numerical_gradient(problem.f, problem.x, eps))
    except fg.StepError:
        return 0.0


def test_no_function_loses_more_than_a_digit_to_the_textbooks_step_and_more_are_gained() -> None:
    auto, textbook = (np.array([digits(p, eps) for p in SCALAR]) for eps in ("auto", 1e-5))
    worse = {p.name: (a, t) for p, a, t in zip(SCALAR, auto, textbook, strict=True) if a < t - 1}
    assert not worse
    assert auto.mean() >= textbook.mean() + 0.9
