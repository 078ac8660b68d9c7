"""Accuracy of automatic steps: on systems and fits of many variables, and beside the textbook's on the catalog."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np

import fastgrad as fg
from fastgrad.problems import SCALAR, more_garbow_hillstrom

#: The relative error that is to be reached on each system.
FLOOR = 1e-8
#: Why it is not, where it is not.
REASONS = {
    "osborne_1": "exp(-x t), t up to 320, changes on the scale 1/320 in x = 0.01 and 0.02: the step truncates",
}


@dataclass(frozen=True)
class System:
    """Relative errors of the gradient and the Jacobian of one problem, by three methods."""

    number: int
    problem: str
    n: int
    m: int
    gradient_auto: float
    jacobian_auto: float
    gradient_adaptive: float
    gradient_complex: float
    jacobian_complex: float
    reason: str

    @property
    def reaches(self) -> bool:
        """Whether automatic steps reach the floor."""
        return max(self.gradient_auto, self.jacobian_auto) <= FLOOR


@dataclass(frozen=True)
class Pair:
    """Digits of a function of one variable with automatic steps and with the textbook's."""

    problem: str
    auto: float
    textbook: float


def systems() -> list[System]:
    """Return the errors on Moré, Garbow and Hillstrom's problems at their standard points."""
    found = []
    for p in more_garbow_hillstrom():
        gradient, jacobian = p.gradient(p.x0), p.jacobian(p.x0)
        found.append(
            System(
                number=p.number or 0,
                problem=p.name,
                n=p.n,
                m=p.m,
                gradient_auto=_error(fg.numerical_gradient(p.objective, p.x0, "auto"), gradient),
                jacobian_auto=_error(fg.numerical_jacobian(p.residual, p.x0, "auto"), jacobian),
                gradient_adaptive=_error(fg.numerical_gradient(p.objective, p.x0, method="adaptive"), gradient),
                gradient_complex=_error(fg.numerical_gradient(p.objective, p.x0, method="complex"), gradient),
                jacobian_complex=_error(fg.numerical_jacobian(p.residual, p.x0, method="complex"), jacobian),
                reason=REASONS.get(p.name, ""),
            )
        )
    return found


def catalog() -> list[Pair]:
    """Return the digits on the catalog's functions of one variable."""

    def digits(problem: Any, eps: float | str) -> float:
        try:
            return float(problem.digits(fg.numerical_gradient(problem.f, problem.x, eps)))
        except fg.StepError:
            return 0.0

    return [Pair(p.name, digits(p, "auto"), digits(p, 1e-5)) for p in SCALAR]


def systems_table(rows: list[System]) -> str:
    """Return the systems in Markdown."""
    lines = [
        '| problem | n × m | gradient, eps="auto" | Jacobian, eps="auto" | gradient, adaptive | gradient, complex | |',
        "|---" * 7 + "|",
    ]
    lines += [
        f"| {r.number} {r.problem} | {r.n} × {r.m} | {r.gradient_auto:.0e} | {r.jacobian_auto:.0e} "
        f"| {r.gradient_adaptive:.0e} | {r.gradient_complex:.0e} | {'' if r.reaches else r.reason} |"
        for r in rows
    ]
    columns = ("gradient_auto", "jacobian_auto", "gradient_adaptive", "gradient_complex")
    worst = " | ".join(f"{max(map(attrgetter(name), rows)):.0e}" for name in columns)
    return "\n".join([*lines, f"| **worst** | | {worst} | |"])


def catalog_table(rows: list[Pair]) -> str:
    """Return the pairs in Markdown, and below them their means and the greatest loss."""
    lines = ['| digits | eps="auto" | eps=1e-5 | gained |', "|---" * 4 + "|"]
    lines += [f"| {r.problem} | {r.auto:.1f} | {r.textbook:.1f} | {r.auto - r.textbook:+.1f} |" for r in rows]
    auto, textbook = (float(np.mean([getattr(r, name) for r in rows])) for name in ("auto", "textbook"))
    least = min(r.auto - r.textbook for r in rows)
    return "\n".join([*lines, f"| **mean** (and least gain) | {auto:.2f} | {textbook:.2f} | {least:+.1f} |"])


def _error(found: Any, exact: Any) -> float:
    return float(np.max(np.abs(found - exact)) / np.max(np.abs(exact)))
