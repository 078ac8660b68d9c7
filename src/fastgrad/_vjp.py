"""Products with a cotangent, without the matrix: uᵀJ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastgrad._calls import Calls
from fastgrad._colored.product import compressed_product
from fastgrad._errors import ShapeError
from fastgrad._gradient import numerical_gradient
from fastgrad._point import as_point, bound
from fastgrad._reading import Reader
from fastgrad._stencils.scheme import planned
from fastgrad._typing import Float64Array, Step, VectorFunction


def numerical_vjp(
    f: VectorFunction,
    x: Any,
    u: Any,
    eps: Step = None,
    *,
    method: str | None = None,
    order: int | None = None,
    bounds: Any = None,
    sparsity: Any = None,
    workers: Any = None,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Return uᵀJ, the product of a vector with the Jacobian of the array-valued f at x (reverse mode's VJP).

    This is what a layer's backward returns for the cotangent u: the gradient of Σ u·f(x). The Jacobian is not formed;
    f is called 2n + 1 times, and with `sparsity` twice for each of its colours and once more. Differences are taken
    value by value before they are summed, so that outputs which an entry does not move add no rounding.

    Parameters
    ----------
    f : callable
        Takes an array of x's shape and dtype and returns a number, an array or a list of numbers.
    x : array_like or tree of arrays
        The point, of any shape, as `numerical_gradient` takes it.
    u : array_like
        The cotangent, of the shape of f's value.
    eps, method, order, bounds : optional
        As `numerical_gradient` takes them; with `sparsity`, "adaptive" is not to be had.
    sparsity : pattern, Coloring or "detect", optional
        Which of f's values, flat, each entry of x moves: what `fastgrad.sparsity.color` takes, or returned. Entries
        that share no value are moved at once. Of a layer of m outputs and n inputs an entry of the weights moves one:
        its m·n entries take 2n calls. What the pattern leaves out is not measured.
    workers : optional
        As `numerical_gradient` takes them, but for the first call, at x.
    args, kwargs : sequence and mapping, optional
        Passed on to f after x.

    Returns
    -------
    ndarray or tree of arrays
        Shaped like x, of its working dtype.

    Raises
    ------
    ShapeError
        If u has not the shape of f's value.
    StepError, ValueError, TypeError, Exception
        As `numerical_gradient`.

    Examples
    --------
    >>> import numpy as np
    >>> import fastgrad as fg
    >>> W = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> fg.numerical_vjp(lambda x: W @ x, np.ones(3), [1.0, 10.0]).round(6)
    array([41., 52., 63.])
    """
    point = as_point(x)
    calls = Calls(f, args, kwargs, False, workers)
    g = bound(f, args, kwargs)
    base = _reader_of_moves().at_x(g, point.shown(point.array.copy())).copy()
    weights = np.asarray(u)
    if weights.dtype.kind not in "biuf":
        raise TypeError(f"u must hold real numbers; got dtype {weights.dtype}.")
    if weights.shape != base.shape:
        raise ShapeError(f"u must have the shape of f's value, {base.shape}; got {weights.shape}.")
    line = weights.astype(np.float64).reshape(-1)
    if sparsity is None:
        product = _Product(f, args, kwargs, line, base)
        return numerical_gradient(product, x, eps, method=method, order=order, bounds=bounds, workers=workers)
    if method in ("adaptive", "complex"):
        raise TypeError("with sparsity, differences are central, forward or backward ones: leave other methods out.")
    found = compressed_product(calls, point, planned(point, eps, method, order, bounds), sparsity, line)
    return point.restore(found.astype(point.array.dtype).reshape(point.array.shape))


class _Product:
    """The sum of f's values as a cotangent weights them, less that at x; it can be sent to where f can be."""

    def __init__(self, f: Any, args: Any, kwargs: Any, line: Float64Array, base: Float64Array) -> None:
        self._f, self._args, self._kwargs, self._line, self._base = f, args, kwargs, line, base

    def __call__(self, moved: Any) -> float:
        """Return the sum at a moved x."""
        y = bound(self._f, self._args, self._kwargs)(moved)
        with np.errstate(over="ignore", invalid="ignore"):
            change = _reader_of_moves().array(y, 0, 1, self._base.shape) - self._base
            return float(self._line @ change.reshape(-1))


def _reader_of_moves() -> Reader:
    return Reader(lambda i: "x with an entry moved by")
