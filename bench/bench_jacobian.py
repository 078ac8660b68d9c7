"""Jacobians and Hessians, sparse and dense, beside SciPy's `approx_derivative` and the bare calls of f."""

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy import optimize, sparse
from scipy.optimize._numdiff import approx_derivative, group_columns

import fastgrad as fg
from bench._harness import Effort, Ratio, interleave
from bench._limits import Limits
from bench._report import Figure, Floor, Row, at_least, at_most
from fastgrad import sparsity

TITLE = "Jacobians and Hessians, sparse and dense, central differences, against SciPy and the bare calls of f"

Vector = Callable[[Any], Any]


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield what was promised: sparse Jacobians, a dense one, Hessians, and detection."""
    for n in (10**3, 10**4, 10**5, 10**6):
        yield _sparse("tridiagonal", _broyden, *_band(n), effort)
    for n in (10**3, 10**4, 10**5, 10**6):
        yield _sparse("Brusselator", _brusselator, *_reactor(n // 2), effort)
    yield _dense(1000, effort)
    yield _hessian_from_values(100, effort)
    yield _sparse_hessian(10**5, effort)
    yield _detection(100, effort)


def _sparse(name: str, f: Vector, x: Any, pattern: Any, exact: Callable[[Any], Any], effort: Effort) -> Row:
    n = x.size
    coloring = sparsity.color(pattern)
    groups = group_columns(pattern, np.arange(n))
    plan = fg.plan_jacobian(f, x, sparsity=pattern)
    out = plan(x)
    many = 2 * coloring.n_colors

    def calls() -> None:
        for _ in range(many):
            f(x)

    def ours() -> Any:
        return fg.numerical_jacobian(f, x, sparsity=pattern)

    def theirs() -> Any:
        return approx_derivative(f, x, method="3-point", sparsity=pattern)

    def grouped() -> Any:
        return approx_derivative(f, x, method="3-point", sparsity=(pattern, groups))

    times = interleave(
        {
            "SciPy": theirs,
            "SciPy with groups": grouped,
            "fastgrad": ours,
            "unverified": lambda: fg.numerical_jacobian(f, x, sparsity=pattern, verify=False),
            "plan": lambda: plan(x),
            "filled": lambda: plan(x, out=out),
            "bare": calls,
        },
        effort,
    )
    right = exact(x)
    off, off_scipy = (float(abs(J - right).max()) for J in (ours(), theirs()))
    large, small = n >= 10**4, n == 10**3
    faster = at_least(8.0) if large else at_least(5.0) if small else None
    return Row(
        f"{name}, n = {n}",
        times.best("fastgrad"),
        [
            Figure("SciPy / fastgrad", times.ratio("SciPy", "fastgrad"), faster),
            Figure("SciPy / fastgrad unverified", times.ratio("SciPy", "unverified")),
            Figure("SciPy with groups / plan", times.ratio("SciPy with groups", "plan"), faster),
            Figure("plan / bare calls", times.ratio("plan", "bare"), at_most(5.0) if large else None),
            Figure("plan(out) / bare calls", times.ratio("filled", "bare")),
            Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare")),
            Figure("SciPy with groups / bare calls", times.ratio("SciPy with groups", "bare")),
            Figure("peak memory / SciPy's", _same(_peak(ours) / _peak(theirs)), at_most(1 / 3)),
            Figure(
                "plan's peak memory / SciPy's with groups",
                _same(_peak(lambda: plan(x)) / _peak(grouped)),
                at_most(1 / 3),
            ),
            Figure("largest error / SciPy's", _same(off / off_scipy), at_most(2.0)),
        ],
        [f"{coloring.n_colors} colours, SciPy {int(groups.max()) + 1} in natural order"],
    )


def _dense(n: int, effort: Effort) -> Row:
    A, x = np.random.default_rng(0).normal(size=(n, n)), np.ones(n)
    out, plan = np.empty((n, n)), fg.plan_jacobian(lambda x: A @ x, x)

    def bare() -> None:
        for _ in range(2 * n):
            A @ x

    times = interleave(
        {
            "fastgrad": lambda: fg.numerical_jacobian(lambda x: A @ x, x, out=out),
            "plan": lambda: plan(x, out=out),
            "SciPy": lambda: approx_derivative(lambda x: A @ x, x, method="3-point"),
            "bare": bare,
        },
        effort,
    )
    return Row(
        f"dense, y = Ax, n = {n}",
        times.best("fastgrad"),
        [
            Figure("SciPy / fastgrad", times.ratio("SciPy", "fastgrad")),
            Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare"), at_most(1.15)),
            Figure("plan(out) / bare calls", times.ratio("plan", "bare"), at_most(1.15)),
        ],
    )


def _hessian_from_values(n: int, effort: Effort) -> Row:
    x = np.linspace(-1.0, 1.5, n)
    calls = n * n + n + 1

    def bare() -> None:
        for _ in range(calls):
            optimize.rosen(x)

    contenders: dict[str, Callable[[], Any]] = {
        "fastgrad": lambda: fg.numerical_hessian(optimize.rosen, x),
        "bare": bare,
    }
    notes = []
    floors: dict[str, Floor] = {"numdifftools": at_least(30.0), "statsmodels": at_least(2.3)}
    for name, run in (("numdifftools", _numdifftools), ("statsmodels", _statsmodels)):
        try:
            contenders[name] = run(x)
        except ImportError:
            notes.append(f"{name} is not installed")
    times = interleave(contenders, effort)
    figures = [
        Figure(f"{name} / fastgrad", times.ratio(name, "fastgrad"), floors[name])
        for name in floors
        if name in contenders
    ]
    figures.append(Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare"), at_most(1.1)))
    return Row(f"Hessian from values, Rosenbrock, n = {n}", times.best("fastgrad"), figures, notes)


def _sparse_hessian(n: int, effort: Effort) -> Row:
    x = np.linspace(-1.0, 1.5, n)
    pattern = _band(n)[1]
    coloring = sparsity.color(pattern, "symmetric")

    def bare() -> None:
        for _ in range(2 * coloring.n_colors):
            optimize.rosen_der(x)

    def ours() -> Any:
        return fg.numerical_hessian(None, x, grad=optimize.rosen_der, sparsity=pattern)

    times = interleave({"fastgrad": ours, "bare": bare}, effort)
    return Row(
        f"sparse Hessian from a gradient, Rosenbrock, n = {n}",
        times.best("fastgrad"),
        [
            Figure("fastgrad / bare calls", times.ratio("fastgrad", "bare")),
            Figure("seconds", _same(times.best("fastgrad")), at_most(5.0), " s"),
            Figure("peak bytes an entry", _same(_peak(ours) / pattern.nnz), at_most(200.0)),
        ],
        [f"{coloring.n_colors} colours"],
    )


def _detection(side: int, effort: Effort) -> Row:
    n = side * side
    x = np.linspace(0.5, 1.5, n)

    def laplace(x: Any) -> Any:
        u = np.pad(x.reshape(side, side), 1)
        return (4 * u[1:-1, 1:-1] - u[:-2, 1:-1] - u[2:, 1:-1] - u[1:-1, :-2] - u[1:-1, 2:]).reshape(-1) + x**2

    line = sparse.diags_array([np.ones(side - 1), np.ones(side - 1)], offsets=[-1, 1])
    one = sparse.eye_array(side)
    true = sparsity.as_pattern(sparse.kron(line, one) + sparse.kron(one, line) + sparse.eye_array(n))
    times = interleave({"fastgrad": lambda: sparsity.detect(laplace, x)}, effort)
    found = sparsity.detect(laplace, x)
    return Row(
        f"detection, 5-point stencil, n = {n}",
        times.best("fastgrad"),
        [
            Figure("calls", _same(found.calls), at_most(n / 4)),
            Figure("entries wrong", _same((found.pattern | true).nnz - min(found.pattern.nnz, true.nnz)), at_most(0.0)),
        ],
    )


def _band(n: int) -> tuple[Any, Any, Callable[[Any], Any]]:
    """Return a point, the pattern of Broyden's tridiagonal function, and its Jacobian."""
    pattern = sparse.csr_array(sparse.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1]))

    def exact(x: Any) -> Any:
        return sparse.diags_array([np.full(n - 1, -1.0), 3 - 4 * x, np.full(n - 1, -2.0)], offsets=[-1, 0, 1])

    return np.linspace(-1.0, 1.0, n), pattern, exact


def _broyden(x: Any) -> Any:
    y = (3 - 2 * x) * x + 1
    y[1:] -= x[:-1]
    y[:-1] -= 2 * x[1:]
    return y


def _reactor(cells: int) -> tuple[Any, Any, Callable[[Any], Any]]:
    """Return a point, the pattern of the Brusselator on a line, all u before all v, and its Jacobian."""
    spread = 0.02 * (cells + 1) ** 2
    line = sparse.diags_array([np.ones(cells - 1), np.ones(cells), np.ones(cells - 1)], offsets=[-1, 0, 1])
    one = sparse.eye_array(cells)
    pattern = sparse.csr_array(sparse.block_array([[line, one], [one, line]]))
    x = np.concatenate([1 + np.sin(2 * np.pi * np.arange(cells) / cells), np.full(cells, 3.0)])

    def exact(x: Any) -> Any:
        u, v = x[:cells], x[cells:]
        made, far = u * v, spread * (line - one)
        by_u, by_v = sparse.diags_array(2 * made - 4 - 2 * spread), sparse.diags_array(u * u)
        rest = sparse.diags_array(3 - 2 * made), sparse.diags_array(-u * u - 2 * spread)
        return sparse.block_array([[by_u + far, by_v], [rest[0], rest[1] + far]])

    return x, pattern, exact


def _brusselator(x: Any) -> Any:
    """Return the rates of Hairer and Wanner's Brusselator (Solving Ordinary Differential Equations II, IV.10)."""
    cells = x.size // 2
    spread = 0.02 * (cells + 1) ** 2
    u, v = x[:cells], x[cells:]
    y = x * (-2 * spread)
    made = u * u
    made *= v
    y[:cells] += made
    y[cells:] -= made
    linear = u * 4
    y[:cells] -= linear
    y[:cells] += 1
    linear -= u
    y[cells:] += linear
    moved = x * spread
    for part, near, end in ((y[:cells], moved[:cells], 1.0), (y[cells:], moved[cells:], 3.0)):
        part[1:] += near[:-1]
        part[:-1] += near[1:]
        part[0] += spread * end
        part[-1] += spread * end
    return y


def _numdifftools(x: Any) -> Callable[[], Any]:
    import numdifftools

    return lambda: numdifftools.Hessian(optimize.rosen)(x)


def _statsmodels(x: Any) -> Callable[[], Any]:
    from statsmodels.tools.numdiff import approx_hess

    return lambda: approx_hess(x, optimize.rosen)


def _peak(run: Callable[[], Any]) -> int:
    """Return the most bytes that Python and NumPy hold at once during a run."""
    run()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def _same(value: float) -> Ratio:
    return Ratio(value, value)
