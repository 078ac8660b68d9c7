"""The same gradients of ordinary Python callables by the packages that people use for that, in one run."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
from scipy.optimize._numdiff import approx_derivative

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Floor, Row, at_least
from fastgrad._typing import Array

TITLE = "Gradient of the same Python callable by other packages; autograd's is exact, by reverse mode, for scale"
BESIDE = ("scipy", "numdifftools", "jacobi", "statsmodels", "autograd")
_SIZES = (3, 100, 1000)
#: What was promised for np.dot at n = 100.
_FLOORS = {"SciPy 3-point": 8.0, "numdifftools": 40.0, "jacobi": 220.0, "statsmodels": 2.2}
_MANY_CALLS = ("numdifftools", "jacobi")  # some 15 times the reference's: seconds, where f reads a million numbers
_WRONG = 1e-4  # a relative error that has to be told

Scalar = Callable[[Any], Any]
Gradient = Callable[[], Any]


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    del limits
    for name, make in _FUNCTIONS.items():
        for n in _SIZES:
            yield _row(name, make, n, effort)


def _dot(n: int, xp: Any) -> Scalar:
    a = np.random.default_rng(n).standard_normal(n)
    return lambda x: xp.dot(a, x)


def _square(n: int, xp: Any) -> Scalar:
    del n
    return lambda x: xp.dot(x, x) if xp is not np else x @ x


def _form(n: int, xp: Any) -> Scalar:
    A = np.random.default_rng(n).standard_normal((n, n))
    return lambda x: xp.dot(xp.dot(x, A), x) if xp is not np else x @ A @ x


def _rosenbrock(n: int, xp: Any) -> Scalar:
    del n
    return lambda x: xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


#: Each takes n and the module to compute with: NumPy, or autograd's NumPy.
_FUNCTIONS: dict[str, Callable[[int, Any], Scalar]] = {
    "`np.dot(a, x)`": _dot,
    "`x @ x`": _square,
    "`x @ A @ x`": _form,
    "Rosenbrock": _rosenbrock,
}


def _row(name: str, make: Callable[[int, Any], Scalar], n: int, effort: Effort) -> Row:
    x = np.random.default_rng(1).standard_normal(n)
    f = make(n, np)
    contenders: dict[str, Gradient] = {"fastgrad": lambda: fg.numerical_gradient(f, x)}
    contenders |= {peer: gradient for peer, gradient in _peers(f, x) if gradient is not None}
    if effort.quick and make is _form and n > 100:
        contenders = {peer: gradient for peer, gradient in contenders.items() if peer not in _MANY_CALLS}
    if find_spec("autograd"):
        contenders["autograd"] = _exact(make, n, x)
    errors = _errors(contenders)
    if errors["fastgrad"] > _WRONG:
        raise AssertionError(f"{name}, n = {n}: the gradient is not what the others say.")
    times = interleave(contenders, effort)
    return Row(
        f"{name}, n = {n}",
        times.best("fastgrad"),
        [
            Figure(f"{peer} / fastgrad", times.ratio(peer, "fastgrad"), _floor(name, n, peer))
            for peer in contenders
            if peer != "fastgrad"
        ],
        [
            *(
                f"{peer} errs by {100 * error:.1g} % of the largest entry"
                for peer, error in errors.items()
                if error > _WRONG
            ),
            *(f"{peer} was left out" for peer in _FLOORS if peer not in contenders),
        ],
    )


def _errors(contenders: dict[str, Gradient]) -> dict[str, float]:
    """Return each one's largest difference to the median of all, over the largest entry."""
    found = {peer: np.asarray(gradient(), dtype=float) for peer, gradient in contenders.items()}
    middle = np.median(list(found.values()), axis=0)
    return {peer: float(np.max(np.abs(one - middle)) / np.max(np.abs(middle))) for peer, one in found.items()}


def _floor(name: str, n: int, peer: str) -> Floor | None:
    promised = name == "`np.dot(a, x)`" and n == 100 and peer in _FLOORS
    return at_least(_FLOORS[peer]) if promised else None


def _peers(f: Scalar, x: Array) -> Iterator[tuple[str, Gradient | None]]:
    """Yield each package's call, as its manual has it for a gradient; None where it is not installed."""
    yield "SciPy 3-point", lambda: approx_derivative(f, x, method="3-point")
    yield "numdifftools", _numdifftools(f, x) if find_spec("numdifftools") else None
    yield "jacobi", _jacobi(f, x) if find_spec("jacobi") else None
    yield "statsmodels", _statsmodels(f, x) if find_spec("statsmodels") else None


def _numdifftools(f: Scalar, x: Array) -> Gradient:
    import numdifftools

    return lambda: numdifftools.Gradient(f)(x)


def _jacobi(f: Scalar, x: Array) -> Gradient:
    from jacobi import jacobi

    return lambda: jacobi(f, x)[0]


def _statsmodels(f: Scalar, x: Array) -> Gradient:
    from statsmodels.tools.numdiff import approx_fprime

    return lambda: approx_fprime(x, f, centered=True)


def _exact(make: Callable[[int, Any], Scalar], n: int, x: Array) -> Gradient:
    import autograd.numpy
    from autograd import grad

    gradient = grad(make(n, autograd.numpy))
    return lambda: gradient(x)
