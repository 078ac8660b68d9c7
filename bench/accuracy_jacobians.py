"""Jacobians of Moré, Garbow and Hillstrom's 35 problems: errors, error bars and calls, beside the peers.

The error of a Jacobian is its largest, over its largest element. Peers that are not installed are left out (the
dependency group `peers` has them). Everything is deterministic.
"""

import sys
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import fastgrad as fg
from bench.accuracy import HONEST, ULP
from fastgrad._typing import Array
from fastgrad.problems import VectorProblem, more_garbow_hillstrom

#: Takes f and x; returns the Jacobian and its error bars, NaN where the method has none.
Method = Callable[[Callable[[Array], Array], Array], tuple[Array, Array]]


def _ours(**options: Any) -> Method:
    def method(f: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        found = fg.numerical_jacobian(f, x, details=True, **options)
        return found.value, found.error

    return method


def _scipy() -> Method:
    from scipy.optimize._numdiff import approx_derivative

    def method(f: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        J = np.atleast_2d(approx_derivative(f, x, method="3-point"))
        return J, np.full_like(J, np.nan)

    return method


def _jacobi() -> Method:
    import jacobi

    def method(f: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        value, bar = jacobi.jacobi(f, x)
        return value, bar

    return method


def _numdifftools() -> Method:
    import numdifftools

    def method(f: Callable[[Array], Array], x: Array) -> tuple[Array, Array]:
        found = numdifftools.Jacobian(f, full_output=True)(x)
        return np.atleast_2d(found.estimate), np.reshape(found.error_estimate, np.shape(found.estimate))

    return method


OURS: dict[str, Method] = {
    "eps=1e-5": _ours(),
    'eps="auto"': _ours(eps="auto"),
    "order 4": _ours(order=4),
    "adaptive": _ours(method="adaptive"),
}
PEERS: dict[str, Callable[[], Method]] = {"scipy 3-point": _scipy, "jacobi": _jacobi, "numdifftools": _numdifftools}


def methods() -> dict[str, Method]:
    """Return fastgrad's methods, and those of the peers that are installed."""
    found = dict(OURS)
    for name, load in PEERS.items():
        try:
            found[name] = load()
        except ImportError:
            print(f"{name} is not installed and left out.", file=sys.stderr)
    return found


class Score:
    """What one method made of one problem: relative error, calls, and element by element error, bar and exact value."""

    def __init__(self, problem: VectorProblem, method: Method) -> None:
        self.calls = 0

        def f(x: Array) -> Array:
            self.calls += 1
            return problem.residual(x)

        exact = problem.jacobian(problem.x0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                value, bar = method(f, problem.x0.copy())
            except Exception as raised:
                print(f"{problem.name}: {raised!r}", file=sys.stderr)
                value = bar = np.full_like(exact, np.nan)
        self.n = problem.n
        self.off = np.abs(value - exact).reshape(-1)
        self.bar = np.asarray(bar).reshape(-1)
        self.ulp = ULP * np.abs(exact).reshape(-1)
        self.relative = float(np.max(self.off) / np.max(np.abs(exact)))


def row(scores: list[Score]) -> list[str]:
    """Return the last rows of a method: mean digits, none where it failed; calls a column; what its bars are worth."""
    errors = np.array([s.relative for s in scores])
    off, bar, ulp = (np.concatenate([getattr(s, name) for s in scores]) for name in ("off", "bar", "ulp"))
    known = ~np.isnan(bar) & ~np.isnan(off)
    over = (bar / np.where(off > 0, off, np.nan))[known & np.isfinite(bar)]
    return [
        f"{np.mean(-np.log10(np.clip(np.nan_to_num(errors, nan=1.0), 1e-16, 1.0))):.2f}",
        str(int(np.sum(errors > 1e-8))),
        str(int(np.isnan(errors).sum())),
        f"{sum(s.calls for s in scores) / sum(s.n for s in scores):.1f}",
        f"{np.mean((off <= HONEST * (bar + ulp))[known]):.4f}" if known.any() else "",
        f"{np.nanmedian(over):.3g}" if known.any() else "",
    ]


def main() -> int:
    """Print the table."""
    problems = more_garbow_hillstrom()
    scores = {name: [Score(p, method) for p in problems] for name, method in methods().items()}
    print("| relative error / calls | " + " | ".join(scores) + " |")
    print("|---" * (len(scores) + 1) + "|")
    for k, problem in enumerate(problems):
        cells = (f"{column[k].relative:.0e} / {column[k].calls}" for column in scores.values())
        print(f"| {problem.name} | " + " | ".join(cells) + " |")
    ends = [row(column) for column in scores.values()]
    labels = ("mean digits", "beyond 1e-8", "NaN or raised", "calls a column", "honest bars", "bar / error")
    for label, cells_of_one in zip(labels, zip(*ends, strict=True), strict=True):
        print(f"| **{label}** | " + " | ".join(cells_of_one) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
