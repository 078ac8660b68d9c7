"""Digits for points: the adaptive method and the complex step beside the peers, error bars, and automatic steps.

A digit is −log₁₀ of the error over the problem's size, at most 16; a point is one evaluation of f. Peers that are not
installed are left out (the dependency group `peers` has them). The complex step takes analytic functions alone, and its
means are over those that it takes. Everything is deterministic.
"""

import argparse
import json
import math
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import fastgrad as fg
from bench import _automatic
from fastgrad._adaptive.method import adaptive_derivative
from fastgrad._complex.step import complex_gradient
from fastgrad._point import as_point
from fastgrad.problems import SCALAR, ScalarProblem

#: Takes f and x; returns the derivative and its error bar, NaN where the method has none.
Method = Callable[[Callable[[Any], Any], float], tuple[float, float]]
#: An error beyond three times the bar and one unit in the last place is a bar that was wrong.
HONEST, ULP = 3.0, 2.0**-52


@dataclass(frozen=True)
class Score:
    """What one method made of one problem."""

    problem: str
    method: str
    value: float
    error: float
    bar: float
    digits: float
    points: int
    ulp: float

    @property
    def is_honest(self) -> bool:
        """Whether the bar, as far as there is one, covers the error."""
        return self.error <= HONEST * (self.bar + self.ulp)


class _Counted:
    """f, its points counted."""

    def __init__(self, f: Callable[[Any], Any]) -> None:
        self._f = f
        self.points = 0

    def __call__(self, x: Any) -> Any:
        self.points += np.size(x)
        return self._f(x)


def _adaptive(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    point = np.float64(x)
    found = adaptive_derivative(lambda t: float(f(point + t)), abs(x), realised=fg.steps.realised(point))
    return found.value, found.error


def _complex(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    found = complex_gradient(f, as_point(x), details=True)
    return float(found.value), float(found.error)


def _textbook(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
    return (f(x + 1e-5) - f(x - 1e-5)) / 2e-5, math.nan


def _jacobi() -> Method:
    import jacobi

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        value, bar = jacobi.jacobi(f, x)
        return float(value), float(bar)

    return method


def _numdifftools() -> Method:
    import numdifftools

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        found = numdifftools.Derivative(f, full_output=True)(x)
        return float(np.ravel(found.estimate)[0]), float(np.ravel(found.error_estimate)[0])

    return method


def _scipy_differentiate() -> Method:
    from scipy.differentiate import derivative

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        found = derivative(f, x)
        return float(found.df), float(found.error)

    return method


def _scipy_3_point() -> Method:
    from scipy.optimize._numdiff import approx_derivative

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        return float(np.ravel(approx_derivative(lambda y: f(y[0]), np.array([x]), method="3-point"))[0]), math.nan

    return method


def _statsmodels() -> Method:
    from statsmodels.tools.numdiff import approx_fprime

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        return float(np.ravel(approx_fprime(np.array([x]), lambda y: f(y[0]), centered=True))[0]), math.nan

    return method


def _differences(**options: Any) -> Method:
    """Return differences with error bars; NaN where the step is lost to rounding of x."""

    def method(f: Callable[[Any], Any], x: float) -> tuple[float, float]:
        try:
            found = fg.numerical_gradient(lambda point: f(point[0]), np.array([x]), details=True, **options)
        except fg.StepError:
            return math.nan, math.nan
        return float(found.value[0]), float(found.error[0])

    return method


#: Differences by stencils, with ``details=True``: what their bars are worth. Points and bars of the adaptive method, by
#: which doubtful entries are judged, included.
DIFFERENCES: dict[str, Method] = {
    f"{name} {order}, eps={eps}": _differences(eps=eps, method=name, order=order)
    for name, order in (("central", 2), ("central", 4), ("central", 8), ("forward", 1), ("forward", 2), ("backward", 4))
    for eps in (1e-5, "auto")
}

PEERS: dict[str, Callable[[], Method]] = {
    "jacobi": _jacobi,
    "numdifftools": _numdifftools,
    "scipy.differentiate": _scipy_differentiate,
    "scipy 3-point": _scipy_3_point,
    "statsmodels": _statsmodels,
}


def methods() -> dict[str, Method]:
    """Return fastgrad's methods, and those of the peers that are installed."""
    found: dict[str, Method] = {"adaptive": _adaptive, "complex": _complex, "eps=1e-5": _textbook}
    for name, load in PEERS.items():
        try:
            found[name] = load()
        except ImportError:
            print(f"{name} is not installed and left out.", file=sys.stderr)
    return found


def score(problem: ScalarProblem, name: str, method: Method) -> Score:
    """Return what the method makes of the problem; an exception counts as NaN, and a refusal is no score."""
    f = _Counted(problem.f)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value, bar = method(f, problem.x)
        except fg.AnalyticityError:
            return Score(problem.name, name, math.nan, math.nan, math.nan, math.nan, f.points, math.nan)
        except Exception as raised:
            print(f"{name} raised on {problem.name}: {raised!r}", file=sys.stderr)
            value, bar = math.nan, math.nan
    error = abs(value - problem.exact)
    return Score(problem.name, name, value, error, bar, problem.digits(value), f.points, ULP * abs(problem.exact))


def summary(scores: list[Score]) -> dict[str, float]:
    """Return the means over the problems that the method takes, and what the bars are worth."""
    scores = [s for s in scores if not math.isnan(s.digits)]
    barred = [s for s in scores if not math.isnan(s.bar)]
    ratios = [s.bar / s.error for s in barred if s.error > 0 and math.isfinite(s.error)]
    return {
        "digits": float(np.mean([s.digits for s in scores])),
        "points": float(np.mean([s.points for s in scores])),
        "worst": min(s.digits for s in scores),
        "without a digit": sum(s.digits < 1 for s in scores),
        "honest": sum(s.is_honest for s in barred) / len(barred) if barred else math.nan,
        "bar / error": float(np.median(ratios)) if ratios else math.nan,
    }


def _cell(s: Score) -> str:
    return "refused" if math.isnan(s.digits) else f"{s.digits:.1f} / {s.points}"


def table(scores: dict[str, list[Score]]) -> str:
    """Return the table in Markdown: a row a problem, digits / points a method, and the summary below."""
    lines = ["| digits / points | " + " | ".join(scores) + " |", "|---" * (len(scores) + 1) + "|"]
    rows = zip(*scores.values(), strict=True)
    lines += [f"| {row[0].problem} | " + " | ".join(map(_cell, row)) + " |" for row in rows]
    sums = [summary(column) for column in scores.values()]
    lines += [f"| **{key}** | " + " | ".join(f"{s[key]:.3g}" for s in sums) + " |" for key in sums[0]]
    return "\n".join(lines)


def bars(scores: dict[str, list[Score]]) -> str:
    """Return the table of what bars are worth, in Markdown: a row a method, a column each part of the summary."""
    sums = {name: summary(column) for name, column in scores.items()}
    keys = list(next(iter(sums.values())))
    lines = ["| with error bars | " + " | ".join(keys) + " |", "|---" * (len(keys) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(f"{value:.3g}" for value in found.values()) + " |" for name, found in sums.items()
    ]
    return "\n".join(lines)


def main() -> int:
    """Print the tables; write the scores where told to."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy", description=__doc__)
    parser.add_argument("--json", type=Path, help="a file for the scores and their summary")
    options = parser.parse_args()
    scores = {name: [score(p, name, method) for p in SCALAR] for name, method in methods().items()}
    systems, catalog = _automatic.systems(), _automatic.catalog()
    print(table(scores))
    by_differences = {name: [score(p, name, method) for p in SCALAR] for name, method in DIFFERENCES.items()}
    print("\n" + bars(by_differences))
    scores |= by_differences
    print(f"\nRelative errors on the 35 problems of Moré, Garbow and Hillstrom\n\n{_automatic.systems_table(systems)}")
    print(f"\nAutomatic steps and the textbook's on the catalog\n\n{_automatic.catalog_table(catalog)}")
    if options.json:
        of_methods = {
            name: {"summary": summary(column), "scores": [asdict(s) for s in column]} for name, column in scores.items()
        }
        data = {
            "methods": of_methods,
            "systems": [asdict(row) for row in systems],
            "automatic": [asdict(row) for row in catalog],
        }
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
