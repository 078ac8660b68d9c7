"""What a test problem is: a function, the point to differentiate it at, and its exact derivative."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError
from fastgrad._typing import Array, Float64Array, IndexArray

__all__ = ["Pattern", "ScalarProblem", "VectorProblem"]


@dataclass(frozen=True, eq=False)
class ScalarProblem:
    """A function of one variable with its exact derivative.

    Attributes
    ----------
    name : str
    f, derivative : callable
        Elementwise functions of a number or an array of any shape. Outside the domain of f they are NaN or infinite,
        without a warning. The derivative is a closed form, good to a few units in the last place at `x`.
    x : float
        The point that makes the problem interesting.
    note : str
        What is hard about it, and where it comes from.
    natural_size : float or None
        The size of f's derivative around x, given only where f and f' both vanish at x.
    noise : float
        The absolute error with which f is evaluated, where that is far above rounding in the value of f.
    takes_complex : bool
        Whether f takes complex arguments and is analytic around x.

    Examples
    --------
    >>> from fastgrad import problems
    >>> tan = problems.scalar("tan_near_pole")
    >>> tan.x, float(tan.f(0.0)), float(tan.derivative(0.0))
    (1.5703125, 0.0, 1.0)
    """

    name: str
    f: Callable[[Any], Any]
    x: float
    derivative: Callable[[Any], Any]
    note: str
    natural_size: float | None = None
    noise: float = 0.0
    takes_complex: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "f", _elementwise(self.f))
        object.__setattr__(self, "derivative", _elementwise(self.derivative))

    @property
    def exact(self) -> float:
        """The derivative of f at x."""
        return float(self.derivative(self.x))

    @property
    def size(self) -> float:
        """What an error is measured against: the larger of |f'(x)| and |f(x)| / max(1, |x|), or `natural_size`."""
        if self.natural_size is not None:
            return self.natural_size
        return max(abs(self.exact), abs(float(self.f(self.x))) / max(1.0, abs(self.x)))

    def digits(self, measured: float) -> float:
        """Return how many digits of `size` a measured derivative at x has right: 0 (NaN included) to 16."""
        error = abs(float(measured) - self.exact) / self.size
        if not error < 1:
            return 0.0
        return float(-np.log10(max(error, 1e-16)))


@dataclass(frozen=True, eq=False)
class Pattern:
    """The entries of a Jacobian that are not zero for every x.

    Attributes
    ----------
    rows, cols : ndarray of intp, shape (k,)
        Their positions, each once.
    values : callable
        From x to the entries there, shape (k,).
    """

    rows: IndexArray
    cols: IndexArray
    values: Callable[[Array], Float64Array]

    def dense(self, m: int, n: int) -> Callable[[Array], Float64Array]:
        """Return the Jacobian, shape (m, n), as a function of x."""

        def jacobian(x: Array) -> Float64Array:
            J = np.zeros((m, n))
            J[self.rows, self.cols] = self.values(x)
            return J

        return jacobian


@dataclass(frozen=True, eq=False)
class VectorProblem:
    """Residuals r of n variables with their exact Jacobian; the objective is the sum of their squares.

    Attributes
    ----------
    name : str
    residual : callable
        From x, shape (n,), real or complex, to r, shape (m,). All residuals here are analytic around `x0`.
    x0 : ndarray of float64, shape (n,)
        The standard starting point; read-only.
    m : int
        The number of residuals.
    jacobian : callable
        From x to dr/dx, shape (m, n), in closed form.
    number : int or None
        The number of the problem in Moré, Garbow and Hillstrom's collection.
    minimum : float or None
        The least value of the objective, as published.
    minimizer : ndarray of float64, shape (n,), or None
        Where the objective takes its published value, where that point is known in closed form.
    pattern : Pattern or None
        Where the Jacobian is sparse; then `gradient` never forms a dense matrix.

    Examples
    --------
    >>> from fastgrad import problems
    >>> valley = problems.rosenbrock()
    >>> float(valley.objective(valley.x0)), valley.gradient(valley.x0)
    (24.199999999999996, array([-215.6,  -88. ]))
    """

    name: str
    residual: Callable[[Array], Array]
    x0: Float64Array
    m: int
    jacobian: Callable[[Array], Float64Array]
    number: int | None = None
    minimum: float | None = None
    minimizer: Float64Array | None = None
    pattern: Pattern | None = None

    def __post_init__(self) -> None:
        for name in ("x0", "minimizer"):
            if getattr(self, name) is not None:
                point = np.array(getattr(self, name), dtype=np.float64)
                point.flags.writeable = False
                object.__setattr__(self, name, point)
        for name in ("residual", "jacobian"):
            object.__setattr__(self, name, _of_shape(getattr(self, name), self.name, self.x0.shape))

    @property
    def n(self) -> int:
        """The number of variables."""
        return self.x0.size

    def objective(self, x: Array) -> Any:
        """Return the sum of the squares of the residuals at x."""
        r = self.residual(x)
        with np.errstate(all="ignore"):
            return r @ r

    def gradient(self, x: Array) -> Float64Array:
        """Return the gradient of the objective at x, 2 Jᵀr, shape (n,)."""
        r = self.residual(x)
        with np.errstate(all="ignore"):
            half: Any
            if self.pattern is None:
                half = self.jacobian(x).T @ r
            else:
                products = self.pattern.values(np.asarray(x)) * r[self.pattern.rows]
                half = np.bincount(self.pattern.cols, weights=products, minlength=self.n)
            return np.asarray(2.0 * half)


def _elementwise(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let f see arrays of floating or complex numbers only, and none of its warnings be heard."""

    @wraps(f)
    def quiet(x: Any) -> Any:
        x = np.asarray(x)
        with np.errstate(all="ignore"):
            return np.asarray(f(x if x.dtype.kind in "fc" else x.astype(np.float64)))[()]

    return quiet


def _of_shape(f: Callable[[Array], Array], problem: str, shape: tuple[int, ...]) -> Callable[[Array], Array]:
    """Let f see arrays of the problem's own shape only, and none of its warnings be heard."""

    @wraps(f)
    def quiet(x: Array) -> Array:
        x = np.asarray(x)
        if x.shape != shape:
            raise ShapeError(f"the problem {problem} takes x of shape {shape}; got {x.shape}.")
        with np.errstate(all="ignore"):
            return f(x if x.dtype.kind in "fc" else x.astype(np.float64))

    return quiet
