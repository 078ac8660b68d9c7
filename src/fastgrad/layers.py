"""Layers with backward passes: what a gradient checker is asked about. Rows of a batch are samples.

Nothing here measures: a backward that is to be checked must not be its own witness.
"""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._layer_arrays import (
    class_targets,
    cotangent,
    float_dtype,
    generator,
    layer_shape,
    not_forward_yet,
    samples,
)
from fastgrad._typing import Array
from fastgrad._weight_gradient import masked_weight_gradient, weight_gradient

__all__ = ["LinearLayer", "TwoLayerNet", "relu", "relu_derivative", "softmax_cross_entropy", "weight_gradient"]


def relu(x: ArrayLike) -> Array:
    """Return max(0, x), entry by entry.

    Parameters
    ----------
    x : array_like
        Any shape. float32 stays float32; integers become float64.

    Returns
    -------
    ndarray
        Shaped like `x`, a NumPy scalar for a number; NaN where x is NaN.

    Raises
    ------
    TypeError
        If `x` is complex, of half or extended precision, masked or not numeric.

    Examples
    --------
    >>> relu([-1.0, 0.0, 2.5])
    array([0. , 0. , 2.5])
    """
    result: Array = np.maximum(0, real_array(x, "x"))
    return result


def relu_derivative(x: ArrayLike) -> Array:
    """Return 1 where x > 0 and 0 elsewhere: the derivative of relu, taken as 0 at 0.

    Parameters
    ----------
    x : array_like
        Any shape.

    Returns
    -------
    ndarray
        Shaped like `x`, a NumPy scalar for a number; of x's dtype where that is a float, else float64; 0 for NaN.

    Raises
    ------
    TypeError
        If `x` is complex, of half or extended precision, masked or not numeric.

    Examples
    --------
    >>> relu_derivative([-1.0, 0.0, 2.5])
    array([0., 0., 1.])
    """
    values = real_array(x, "x")
    result: Array = (values > 0).astype(values.dtype)
    return result


def softmax_cross_entropy(scores: ArrayLike, y: ArrayLike) -> tuple[float, Array]:
    """Return the loss −Σ_i y_i log softmax(scores)_i and its gradient by the scores.

    Parameters
    ----------
    scores : array_like, shape (k,) or (B, k)
        The scores before the softmax; the rows of a batch are samples, over which the loss sums.
    y : array_like
        A weight for each score, shaped like `scores` (probabilities, usually; they need not add up to 1), or integer
        labels, those of the right classes: a scalar, or shape (B,).

    Returns
    -------
    loss : float
        Formed in double precision, also from float32 scores.
    gradient : ndarray
        softmax(scores)·Σy − y, shaped like `scores` and of their dtype (integers count as float64).

    Raises
    ------
    ShapeError
        If `scores` are not one or two dimensional or hold no class, or `y` does not fit them.
    TypeError
        If an argument is complex, of half or extended precision, masked or not numeric, or labels are no integers.
    ValueError
        If a label is negative or at least k.

    Notes
    -----
    The largest score is subtracted from all, which leaves the softmax as it is and cannot overflow. A term with y_i = 0
    counts as 0 whatever its score. The gradient is derived in C. M. Bishop, Pattern Recognition and Machine Learning,
    section 4.3.4, for Σy = 1.

    Examples
    --------
    >>> loss, gradient = softmax_cross_entropy([1e4, 0.0], 1)
    >>> loss, gradient
    (10000.0, array([ 1., -1.]))
    """
    given = real_array(scores, "scores")
    if given.ndim not in (1, 2) or given.shape[-1] == 0:
        raise ShapeError(f"scores have shape {given.shape}; expected (k,) or (B, k), for k > 0 classes.")
    weights = class_targets(y, given.shape)
    with np.errstate(invalid="ignore"):  # infinite scores give NaN, which shows without a warning
        shifted = given.astype(np.float64)
        shifted -= shifted.max(axis=-1, keepdims=True)
        powers = np.exp(shifted)
        totals = powers.sum(axis=-1, keepdims=True)
        shifted -= np.log(totals)
        loss = 0.0 - np.sum(np.multiply(weights, shifted, where=weights != 0, out=np.zeros_like(shifted)))
        powers *= weights.sum(axis=-1, keepdims=True) / totals
        powers -= weights
    return float(loss), powers.astype(given.dtype, copy=False)


class LinearLayer:
    """y = Wx + b, with its backward pass.

    Parameters
    ----------
    in_features, out_features : int
        The sizes n of x and m of y.
    rng : numpy.random.Generator or seed, optional
        Where the weights are drawn from, as `numpy.random.default_rng` takes it. None draws from NumPy's global
        generator, so that `numpy.random.seed` reproduces them.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W : ndarray, shape (m, n)
        Normal draws times 0.1.
    b : ndarray, shape (m,)
        Zeros.
    x : ndarray or None
        A copy of what forward was given last.
    gradient_names : tuple of str
        What backward returns, in its order.

    Examples
    --------
    >>> import numpy as np
    >>> layer = LinearLayer(3, 2, rng=0)
    >>> layer.forward(np.ones(3)).shape
    (2,)
    >>> grad_x, grad_W, grad_b = layer.backward(np.array([0.5, -0.25]))
    >>> grad_W
    array([[ 0.5 ,  0.5 ,  0.5 ],
           [-0.25, -0.25, -0.25]])
    """

    gradient_names: ClassVar[tuple[str, ...]] = ("x", "W", "b")

    def __init__(self, in_features: int, out_features: int, *, rng: Any = None, dtype: DTypeLike = np.float64) -> None:
        (self.W,) = _draw([(out_features, in_features)], rng, dtype)
        self.b: Array = np.zeros(self.W.shape[0], self.W.dtype)
        self.x: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return Wx + b of one sample (n,) or of each row of a batch (B, n), and keep a copy of x.

        Raises ShapeError for other shapes and TypeError for what is no array of real numbers.
        """
        self.x = np.array(samples(x, self.W.shape[1], "x"), order="C")
        y: Array = self.x @ self.W.T + self.b if self.x.ndim == 2 else self.W @ self.x + self.b
        return y

    def backward(self, grad_output: ArrayLike) -> tuple[Array, Array, Array]:
        """Return dL/dx, dL/dW and dL/db, given dL/dy at the last forward; those of W and b sum over a batch.

        Raises RuntimeError before any forward, ShapeError where `grad_output` is not shaped like forward's result.
        """
        if self.x is None:
            raise not_forward_yet(self)
        g = cotangent(grad_output, (*self.x.shape[:-1], self.W.shape[0]), "grad_output")
        if g.ndim == 2:
            return g @ self.W, weight_gradient(g, self.x), g.sum(axis=0)
        return self.W.T @ g, weight_gradient(g, self.x), g.copy()


class TwoLayerNet:
    """y = W2 relu(W1 x), with its backward pass.

    Parameters
    ----------
    d_in, d_hidden, d_out : int
        The sizes of x, of the hidden layer and of y.
    rng : numpy.random.Generator or seed, optional
        Where the weights are drawn from, W1 before W2, as `numpy.random.default_rng` takes it. None draws from NumPy's
        global generator, so that `numpy.random.seed` reproduces them.
    dtype : dtype, optional
        float64 or float32.

    Attributes
    ----------
    W1 : ndarray, shape (d_hidden, d_in)
        Normal draws times 0.1.
    W2 : ndarray, shape (d_out, d_hidden)
        Normal draws times 0.1.
    x, z1, a1, y : ndarray or None
        What the last forward was given (a copy), W1 x, relu(z1) and what it returned.
    gradient_names : tuple of str
        What backward returns, in its order.

    Examples
    --------
    >>> import numpy as np
    >>> net = TwoLayerNet(4, 3, 2, rng=0)
    >>> y = net.forward(np.ones(4))
    >>> grad_W1, grad_W2 = net.backward(np.ones(2))
    >>> grad_W1.shape, grad_W2.shape
    ((3, 4), (2, 3))
    """

    gradient_names: ClassVar[tuple[str, ...]] = ("W1", "W2")

    def __init__(self, d_in: int, d_hidden: int, d_out: int, *, rng: Any = None, dtype: DTypeLike = np.float64) -> None:
        self.W1, self.W2 = _draw([(d_hidden, d_in), (d_out, d_hidden)], rng, dtype)
        self.x: Array | None = None
        self.z1: Array | None = None
        self.a1: Array | None = None
        self.y: Array | None = None

    def forward(self, x: ArrayLike) -> Array:
        """Return W2 relu(W1 x) of one sample (d_in,) or of each row of a batch (B, d_in), and keep x, z1, a1 and y.

        Raises ShapeError for other shapes and TypeError for what is no array of real numbers.
        """
        self.x = np.array(samples(x, self.W1.shape[1], "x"), order="C")
        self.z1 = self.x @ self.W1.T if self.x.ndim == 2 else self.W1 @ self.x
        self.a1 = relu(self.z1)
        self.y = self.a1 @ self.W2.T if self.x.ndim == 2 else self.W2 @ self.a1
        return self.y

    def backward(self, grad_y: ArrayLike) -> tuple[Array, Array]:
        """Return dL/dW1 and dL/dW2, given dL/dy at the last forward, summed over a batch.

        Raises RuntimeError before any forward, ShapeError where `grad_y` is not shaped like forward's result.
        """
        if self.x is None or self.z1 is None or self.a1 is None:
            raise not_forward_yet(self)
        g = cotangent(grad_y, (*self.x.shape[:-1], self.W2.shape[0]), "grad_y")
        grad_a1 = g @ self.W2 if g.ndim == 2 else self.W2.T @ g
        return masked_weight_gradient(grad_a1, self.z1, self.x), weight_gradient(g, self.a1)


def _draw(shapes: list[tuple[int, int]], rng: Any, dtype: DTypeLike) -> list[Array]:
    """Draw matrices one after the other: in double, rounded last, so that both dtypes are drawn alike."""
    kind = float_dtype(dtype)
    sizes = [layer_shape(m, n) for m, n in shapes]
    if rng is None:
        return [(np.random.randn(m, n) * 0.1).astype(kind) for m, n in sizes]  # noqa: NPY002 - as np.random.seed expects
    source = generator(rng)
    return [(source.standard_normal(size) * 0.1).astype(kind) for size in sizes]
