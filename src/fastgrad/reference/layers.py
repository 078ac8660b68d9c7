"""The layers after the textbook's code, in plain NumPy: slow, obvious, the oracle of `fastgrad.layers`.

A batch is the same thing once a sample: forward stacks the rows, backward adds up what each row gives.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._layer_arrays import (
    check_out,
    class_targets,
    cotangent,
    float_dtype,
    generator,
    layer_shape,
    missing_out,
    not_forward_yet,
    outer_pair,
    samples,
)
from fastgrad._typing import Array

__all__ = ["LinearLayer", "TwoLayerNet", "relu", "relu_derivative", "softmax_cross_entropy", "weight_gradient"]


def weight_gradient(grad_output: ArrayLike, x: ArrayLike, out: Array | None = None, accumulate: bool = False) -> Array:
    """Return dL/dW of y = Wx, given dL/dy and x: their outer product, summed over the rows of a batch.

    Parameters
    ----------
    grad_output, x : array_like
        Shapes (m,) and (n,), or (B, m) and (B, n).
    out : ndarray, shape (m, n), optional
        Where to write the result, or what to add it to.
    accumulate : bool, optional
        Add to what `out` holds.

    Returns
    -------
    ndarray, shape (m, n)
        ``out`` if it was given.

    Examples
    --------
    >>> weight_gradient([1.0, 2.0], [1.0, 10.0])
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    g, columns = outer_pair(grad_output, x)
    product = np.zeros((g.shape[-1], columns.shape[-1]), g.dtype)
    if out is not None:
        check_out(out, product.shape, product.dtype, (grad_output, x))
    elif accumulate:
        raise missing_out()
    with np.errstate(all="ignore"):
        if g.ndim == 1:
            product = np.outer(g, columns)
        else:
            for row_g, row_x in zip(g, columns, strict=True):
                product += np.outer(row_g, row_x)
        if out is None:
            return product
        out[...] = out + product if accumulate else product
    return out


def relu(x: ArrayLike) -> Array:
    """Return max(0, x), entry by entry.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    ndarray
        Shaped like `x`, in its float dtype.

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.5])
    array([0. , 0. , 2.5])
    """
    result: Array = np.maximum(0, real_array(x, "x"))
    return result


def relu_derivative(x: ArrayLike) -> Array:
    """Return 1 where x > 0 and 0 elsewhere, in the float dtype of x.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    ndarray
        Shaped like `x`, in its float dtype.

    Examples
    --------
    >>> relu_derivative([-1.0, 0.0, 2.5])
    array([0., 0., 1.])
    """
    values = real_array(x, "x")
    result: Array = (values > 0).astype(values.dtype)
    return result


def softmax_cross_entropy(scores: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
    """Return the loss −Σ_i y_i log softmax(scores)_i and its gradient softmax(scores)·Σy − y, over all rows.

    Parameters
    ----------
    scores : array_like, shape (k,) or (B, k)
        The scores before the softmax.
    y : array_like
        Weights shaped like `scores`, or integer labels.

    Returns
    -------
    loss : float
        Summed over the rows.
    gradient : ndarray
        Shaped like `scores`.

    Examples
    --------
    >>> softmax_cross_entropy([1e4, 0.0], 1)
    (10000.0, array([ 1., -1.]))
    """
    given = real_array(scores, "scores")
    if given.ndim not in (1, 2) or given.shape[-1] == 0:
        raise ShapeError(f"scores have shape {given.shape}; expected (k,) or (B, k), for k > 0 classes.")
    weights = class_targets(y, given.shape)
    gradient = np.empty_like(given)
    loss = 0.0
    with np.errstate(all="ignore"):
        for row in np.ndindex(given.shape[:-1]):
            s, t = given[row].astype(np.float64), weights[row]
            shifted = s - np.max(s)
            log_softmax = shifted - np.log(np.sum(np.exp(shifted)))
            loss -= float(np.sum(t[t != 0] * log_softmax[t != 0]))
            gradient[row] = np.exp(log_softmax) * np.sum(t) - t
    return loss, gradient


class LinearLayer:
    """y = Wx + b, as `fastgrad.layers.LinearLayer`.

    Examples
    --------
    >>> layer = LinearLayer(3, 2, rng=0)
    >>> layer.forward([1.0, 2.0, 3.0]).shape
    (2,)
    """

    gradient_names: ClassVar[tuple[str, ...]] = ("x", "W", "b")

    def __init__(self, in_features: int, out_features: int, *, rng: Any = None, dtype: DTypeLike = np.float64) -> None:
        kind, normal = float_dtype(dtype), _normal(rng)
        self.W = normal(out_features, in_features).astype(kind)
        self.b: Array = np.zeros(out_features, kind)
        self.x: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return Wx + b, of one sample or of each row."""
        self.x = samples(x, self.W.shape[1], "x").copy()
        if self.x.ndim == 1:
            y: Array = self.W @ self.x + self.b
            return y
        return _rows([self.W @ row + self.b for row in self.x], self.W.shape[0], np.result_type(self.W, self.x, self.b))

    def backward(self, grad_output: ArrayLike) -> tuple[Array, Array, Array]:
        """Return dL/dx, dL/dW and dL/db, given dL/dy."""
        if self.x is None:
            raise not_forward_yet(self)
        g = cotangent(grad_output, (*self.x.shape[:-1], self.W.shape[0]), "grad_output")
        if g.ndim == 1:
            return self.W.T @ g, weight_gradient(g, self.x), g.copy()
        grad_x = _rows([self.W.T @ row for row in g], self.W.shape[1], np.result_type(self.W, g))
        return grad_x, weight_gradient(g, self.x), np.sum(g, axis=0)


class TwoLayerNet:
    """y = W2 relu(W1 x), as `fastgrad.layers.TwoLayerNet`.

    Examples
    --------
    >>> net = TwoLayerNet(4, 3, 2, rng=0)
    >>> net.forward([1.0, 2.0, 3.0, 4.0]).shape
    (2,)
    """

    gradient_names: ClassVar[tuple[str, ...]] = ("W1", "W2")

    def __init__(self, d_in: int, d_hidden: int, d_out: int, *, rng: Any = None, dtype: DTypeLike = np.float64) -> None:
        kind, normal = float_dtype(dtype), _normal(rng)
        self.W1 = normal(d_hidden, d_in).astype(kind)
        self.W2 = normal(d_out, d_hidden).astype(kind)
        self.x: Array | None = None
        self.z1: Array | None = None
        self.a1: Array | None = None
        self.y: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return W2 relu(W1 x), of one sample or of each row."""
        self.x = samples(x, self.W1.shape[1], "x").copy()
        if self.x.ndim == 1:
            self.z1 = self.W1 @ self.x
            self.a1 = relu(self.z1)
            self.y = self.W2 @ self.a1
            return self.y
        self.z1 = _rows([self.W1 @ row for row in self.x], self.W1.shape[0], np.result_type(self.W1, self.x))
        self.a1 = relu(self.z1)
        self.y = _rows([self.W2 @ row for row in self.a1], self.W2.shape[0], np.result_type(self.W2, self.a1))
        return self.y

    def backward(self, grad_y: ArrayLike) -> tuple[Array, Array]:
        """Return dL/dW1 and dL/dW2, given dL/dy."""
        if self.x is None or self.z1 is None or self.a1 is None:
            raise not_forward_yet(self)
        g = cotangent(grad_y, (*self.x.shape[:-1], self.W2.shape[0]), "grad_y")
        if g.ndim == 1:
            grad_a1: Array = self.W2.T @ g
        else:
            grad_a1 = _rows([self.W2.T @ row for row in g], self.W2.shape[1], np.result_type(self.W2, g))
        with np.errstate(invalid="ignore"):
            grad_z1 = grad_a1 * relu_derivative(self.z1)
        return weight_gradient(grad_z1, self.x), weight_gradient(g, self.a1)


def _normal(rng: Any) -> Any:
    """Return a function that draws an (m, n) matrix of the textbook's initial weights."""
    source = None if rng is None else generator(rng)

    def draw(m: int, n: int) -> Array:
        m, n = layer_shape(m, n)
        if source is None:
            return np.random.randn(m, n) * 0.1  # noqa: NPY002 - as np.random.seed expects
        return source.standard_normal((m, n)) * 0.1

    return draw


def _rows(rows: list[Array], n: int, dtype: np.dtype[Any]) -> Array:
    """Stack the rows of a batch, of which there may be none."""
    return np.array(rows, dtype).reshape(len(rows), n)
