"""Digits and calls of Hessians over Moré, Garbow and Hillstrom's problems, and the time that Rosenbrock's takes.

Exact is the Hessian by the complex step in the problems' exact gradients, or by differences of eighth order of these
where they take no complex numbers, good to some 13 digits; a digit is one of the Hessian's largest entry. Peers that
are not installed are left out.
"""

import argparse
import json
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import fastgrad as fg
from fastgrad import problems

Method = Callable[[Callable[[Any], float], Any], Any]
#: Rosenbrock's function of so many variables is timed, so many times each, in turns.
SIZE, ROUNDS = 100, 5


def _numdifftools() -> Method:
    import numdifftools

    return lambda f, x: numdifftools.Hessian(f)(x)


def _statsmodels() -> Method:
    from statsmodels.tools.numdiff import approx_hess

    return lambda f, x: approx_hess(x, f)


def methods() -> dict[str, Method]:
    """Return fastgrad's ways from values, and those of the peers that are installed."""
    found: dict[str, Method] = {
        "fastgrad": fg.numerical_hessian,
        "adaptive": lambda f, x: fg.numerical_hessian(f, x, method="adaptive"),
    }
    for name, load in (("numdifftools", _numdifftools), ("statsmodels", _statsmodels)):
        try:
            found[name] = load()
        except ImportError:
            print(f"{name} is not installed and left out.", file=sys.stderr)
    return found


def exact(problem: problems.VectorProblem) -> Any:
    """Return the Hessian of a problem's objective."""
    x = problem.x0
    if problem.pattern is not None or problem.name == "watson":
        J = fg.numerical_jacobian(problem.gradient, x, method="central", order=8)
        return (J + J.T) / 2
    columns = []
    for j in range(problem.n):
        z = x.astype(complex)
        z[j] += 1e-30j
        columns.append(problem.gradient(z).imag / 1e-30)
    H = np.array(columns)
    return (H + H.T) / 2


def digits(found: Any, H: Any) -> float:
    """Return how many digits of H's largest entry are right, 0 to 16."""
    error = float(np.max(np.abs(found - H)) / np.max(np.abs(H)))
    return float(min(16.0, max(0.0, -np.log10(max(error, 1e-16))))) if np.isfinite(error) else 0.0


def rosenbrock(x: Any) -> float:
    """Return Rosenbrock's function, chained."""
    return float(np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2))


def rosenbrock_hessian(x: Any) -> Any:
    """Return its Hessian."""
    H = np.diag(np.append(1200 * x[:-1] ** 2 - 400 * x[1:] + 2, 0.0) + np.append(0.0, np.full(x.size - 1, 200.0)))
    side = -400 * x[:-1]
    return H + np.diag(side, 1) + np.diag(side, -1)


def counted(f: Callable[[Any], float]) -> tuple[Callable[[Any], float], list[int]]:
    calls = [0]

    def g(x: Any) -> float:
        calls[0] += 1
        return f(x)

    return g, calls


def _objective(problem: problems.VectorProblem, x: Any) -> float:
    return float(problem.objective(x))


def over_problems(ways: dict[str, Method]) -> dict[str, dict[str, list[float]]]:
    """Return digits and calls over n² of each problem and way."""
    table: dict[str, dict[str, list[float]]] = {}
    for problem in problems.more_garbow_hillstrom():
        H = exact(problem)
        table[problem.name] = {}
        for name, method in ways.items():
            f, calls = counted(partial(_objective, problem))
            table[problem.name][name] = [digits(method(f, problem.x0), H), calls[0] / problem.n**2]
    return table


def timed(ways: dict[str, Method]) -> dict[str, dict[str, float]]:
    """Return digits, calls and seconds for Rosenbrock's Hessian, and seconds over those of n² + n + 1 bare calls."""
    x = np.random.default_rng(0).normal(size=SIZE)
    H = rosenbrock_hessian(x)
    seconds: dict[str, list[float]] = {name: [] for name in [*ways, "bare"]}
    for _ in range(ROUNDS):
        for name, method in ways.items():
            if name == "numdifftools" and seconds[name]:
                continue
            start = time.perf_counter()
            method(rosenbrock, x)
            seconds[name].append(time.perf_counter() - start)
        start = time.perf_counter()
        for _ in range(SIZE * SIZE + SIZE + 1):
            rosenbrock(x)
        seconds["bare"].append(time.perf_counter() - start)
    found = {}
    for name, method in ways.items():
        f, calls = counted(rosenbrock)
        right = digits(method(f, x), H)
        best = min(seconds[name])
        found[name] = {"digits": right, "calls": calls[0], "seconds": best, "over bare": best / min(seconds["bare"])}
    return found


def main() -> int:
    """Print both tables; write them where told to."""
    parser = argparse.ArgumentParser(prog="python -m bench.accuracy_hessian", description=__doc__)
    parser.add_argument("--json", type=Path, help="a file for the numbers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ways = methods()
    table = over_problems(ways)
    print("| digits / calls over n² | " + " | ".join(ways) + " |\n" + "|---" * (len(ways) + 1) + "|")
    for problem, row in table.items():
        print(f"| {problem} | " + " | ".join(f"{d:.1f} / {c:.1f}" for d, c in row.values()) + " |")
    means = {name: [float(np.mean([row[name][k] for row in table.values()])) for k in (0, 1)] for name in ways}
    print("| **mean** | " + " | ".join(f"{d:.1f} / {c:.1f}" for d, c in means.values()) + " |\n")
    times = timed(ways)
    print(f"| Rosenbrock, n = {SIZE} | digits | calls | seconds | over n² + n + 1 bare calls |\n|---|---|---|---|---|")
    for name, t in times.items():
        print(f"| {name} | {t['digits']:.1f} | {t['calls']:.0f} | {t['seconds']:.3g} | {t['over bare']:.3g} |")
    if options.json:
        options.json.write_text(json.dumps({"problems": table, "mean": means, "rosenbrock": times}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
