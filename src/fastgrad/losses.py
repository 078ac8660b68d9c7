"""Losses that know how a single weight moves them: callables with a compiled difference loop of their own.

Called, each is the honest loss of the whole forward computation. Differentiated, it forms only the terms that move when
one weight does, at plus and minus the step, and subtracts them: still a finite difference of the forward value, from
which no derivative was taken, but a constant number of operations an entry. Whatever is measured so uses structure.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._losses.criteria import (
    NOTHING,
    Criterion,
    CrossEntropy,
    Directions,
    LossLike,
    SquaredError,
    bind,
    held,
    rows,
)
from fastgrad._losses.input_moves import input_differences
from fastgrad._losses.parts import apply, argument, doubles, matrix, measure, measure_terms, output_shape, samples
from fastgrad._typing import Array, Float64Array

__all__ = ["CrossEntropy", "LinearLoss", "SquaredError", "TwoLayerLoss"]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class LinearLoss:
    """The loss of a linear layer y = W x + b, as a function of W, of b or of x.

    Parameters
    ----------
    layer_or_W : object with attributes W and b, or array_like, shape (m, n)
        The layer, or its weights. They are copied, as is all that is given.
    x : array_like, shape (n,) or (B, n)
        One sample, or a batch whose rows are samples; shape (n, p) with `columns`.
    b : array_like, shape (m,), optional
        The bias of weights given as an array; none by default.
    loss : {"sum"}, array_like, SquaredError or CrossEntropy
        What is made of the outputs y, of shape (m,) or (B, m): their sum; Σ v·y for an array v of their shape, as a
        backward pass receives it; the squared error; the softmax cross-entropy. Samples add up.
    wrt : {"W", "b", "x"}
        What the loss is a function of; all else stays as given here.
    columns : bool
        Whether the samples are columns, as in ‖WX − Y‖²_F: `x` is (n, p), the outputs and targets are (m, p).

    Raises
    ------
    ShapeError
        If shapes do not fit each other, here or when called.
    TypeError
        If an array is complex, of half or extended precision, masked or not numeric; or b is given beside a layer.
    ValueError
        If `loss` or `wrt` names nothing known, a label is out of range, or ``wrt="b"`` and there is no bias.

    Notes
    -----
    Weight (i, j) moves the output y_i of each sample by h·x_j, and of the loss only the terms of y_i: v_i·y_i, or
    (y_i − t_i)², whose difference is (a − b)(a + b) for the residuals a and b at both ends, or
    log Σ_k exp y_k − t_i·y_i, whose logarithm is known from the softmax. Entry k of a sample x moves y along a column w
    of W: by inner products with it formed once, and by moments Σ_k p_k w_k^q of order eight at most where they give the
    logarithm to rounding, |h·w_k| ≤ 1/32; by its definition elsewhere.

    For one sample and one step, the loop forms W x itself, in double precision, row by row as it writes.

    The object is immutable, can be pickled, and keeps nothing of a call: threads may share it.

    Examples
    --------
    >>> import numpy as np
    >>> W = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> f = LinearLoss(W, [1.0, -1.0], loss=SquaredError([0.0, 0.0]))
    >>> f(W)
    2.0
    >>> G = np.empty_like(W)
    >>> f.__fastgrad_gradient__(W, np.array([2.0**-17]), G)
    8
    >>> G
    array([[-2.,  2.],
           [-2.,  2.]])
    """

    wrt: Literal["W", "b", "x"]
    _held: dict[str, Any]
    _shape: tuple[int, ...]
    _sizes: tuple[int, ...]
    _columns: bool
    _criterion: Criterion
    _inputs: Float64Array
    _directions: Directions

    def __init__(
        self,
        layer_or_W: Any,
        x: ArrayLike,
        b: ArrayLike | None = None,
        *,
        loss: LossLike,
        wrt: Literal["W", "b", "x"] = "W",
        columns: bool = False,
    ) -> None:
        if wrt not in ("W", "b", "x"):
            raise ValueError(f"wrt must be 'W', 'b' or 'x', got {wrt!r}.")
        if hasattr(layer_or_W, "W"):
            if b is not None:
                raise TypeError("b was given beside a layer, which has its own; give the weights alone: layer.W.")
            layer_or_W, b = layer_or_W.W, getattr(layer_or_W, "b", None)
        W = matrix(layer_or_W, "W")
        bias = None if b is None else real_array(b, "b")
        if bias is not None and bias.shape != W.shape[:1]:
            raise ShapeError(f"b has shape {bias.shape}; W of shape {W.shape} needs {W.shape[:1]}.")
        if wrt == "b" and bias is None:
            raise ValueError("wrt='b', but there is no bias; give b, or a layer that has one.")
        X = samples(x, W.shape[1], columns)
        dtype = np.result_type(W, X, *([] if bias is None else [bias]))
        parts: dict[str, Any] = {"W": W, "b": bias, "x": rows(X, columns)}
        self.__dict__.update(
            wrt=wrt,
            _held={name: None if a is None or name == wrt else held(a, dtype) for name, a in parts.items()},
            _shape={"W": W.shape, "b": W.shape[:1], "x": X.shape}[wrt],
            _sizes=(*W.shape, len(parts["x"])),
            _columns=columns,
            _criterion=bind(loss, output_shape(X, len(W), columns), columns),
            _inputs=held(parts["x"] if wrt == "W" else np.ones((len(parts["x"]) if wrt == "b" else 1, 1)), np.float64),
        )
        if wrt == "x":
            self.__dict__.update(_directions=self._criterion.directions(held(W, np.float64)))

    def __call__(self, x: ArrayLike, /) -> float:
        """Return the loss with `x` in the place of what `wrt` names, by the whole forward computation."""
        return self._criterion.value(self._outputs(argument(x, self._shape, self.wrt)))

    def __repr__(self) -> str:
        m, n, n_samples = self._sizes
        return f"LinearLoss({n} -> {m}, {n_samples} samples, {type(self._criterion).__name__}, wrt={self.wrt!r})"

    def _outputs(self, x: Array) -> Float64Array:
        parts = {**self._held, self.wrt: rows(x, self._columns) if self.wrt == "x" else x}
        y = apply(parts["W"], parts["x"])
        return doubles(y if parts["b"] is None else y + parts["b"])

    def __fastgrad_gradient__(self, x: Array, h: Float64Array, out: Array) -> int:
        """Write the central differences at x with the steps h into `out`; return 2·x.size, the evaluations they are."""
        terms, b = self._criterion.terms, self._held["b"]
        if self.wrt == "W" and terms is not None and h.size == 1:
            shift = terms.shift if b is None else terms.shift + b
            measure_terms(x, self._inputs[0], terms._replace(shift=shift), h, out, out)
        elif self.wrt == "x":
            self._differences_by_inputs(self._outputs(x), x, h, out)
        else:
            table = out.reshape(self._sizes[0], -1)
            measure(self._criterion.own(self._outputs(x)), self._inputs, h, False, table, table)
        return 2 * x.size

    def _differences_by_inputs(self, y: Float64Array, x: Array, h: Float64Array, out: Array) -> None:
        z = doubles(rows(x, self._columns))
        lines = self._criterion.along(y, z, z, self._directions)
        steps = h if h.size == 1 else rows(h.reshape(x.shape), self._columns)
        result = rows(out, self._columns)
        for b in range(len(z)):
            column = np.empty((z.shape[1], 1), out.dtype)
            h_b = np.ascontiguousarray(h if h.size == 1 else steps[b])
            measure(lines.sample(b), self._inputs, h_b, False, column, column)
            result[b] = column[:, 0]


@dataclass(frozen=True, eq=False, init=False, repr=False)
class TwoLayerLoss:
    """The loss of the two-layer net y = W2 relu(W1 x), as a function of W1, of W2 or of x.

    Parameters
    ----------
    net : object with attributes W1 and W2, or pair of array_like
        The net, or its weights, of shapes (hidden, n) and (m, hidden). They are copied, as is all that is given.
    x : array_like, shape (n,) or (B, n)
        One sample, or a batch whose rows are samples; shape (n, p) with `columns`.
    loss, columns
        As for `LinearLoss`.
    wrt : {"W1", "W2", "x"}
        What the loss is a function of; all else stays as given here.

    Raises
    ------
    ShapeError, TypeError, ValueError
        As for `LinearLoss`.

    Notes
    -----
    Weight (i, j) of W1 moves the pre-activation z_i of each sample by h·x_j, and so y along column i of W2, by
    relu(z_i ± h·x_j) − relu(z_i). With w that column, δ such a move and r the residual, the terms that move are
    δ·⟨v, w⟩ for weights v of the outputs, δ·(2⟨r, w⟩ + δ‖w‖²) for the squared error, and
    log Σ_k p_k exp(w_k δ) − δ⟨t, w⟩ for the cross-entropy, as `LinearLoss` says. W2 is a linear layer on relu(z). An
    entry of x moves all of z, and is measured through the second layer.

    relu has a kink at 0. An entry within whose step a pre-activation crosses zero, 0 < |z_i| ≤ h·|x_j|, is measured
    again with the step halved until none does, at most 8 times. Where z_i = 0 and x_j ≠ 0, or a kink is still within
    the step then, the entry is at a kink: its central difference is the mean of two one-sided ones, which
    ``__fastgrad_slopes__`` gives.

    The object is immutable, can be pickled, and keeps nothing of a call: threads may share it.

    Examples
    --------
    >>> import numpy as np
    >>> W1, W2 = np.array([[1.0], [-1.0]]), np.array([[3.0, 5.0]])
    >>> f = TwoLayerLoss((W1, W2), [2.0], loss="sum", wrt="W1")
    >>> f(W1)
    6.0
    >>> G = np.empty_like(W1)
    >>> f.__fastgrad_gradient__(W1, np.array([2.0**-17]), G)
    4
    >>> G
    array([[6.],
           [0.]])
    """

    wrt: Literal["W1", "W2", "x"]
    _held: dict[str, Array]
    _shape: tuple[int, ...]
    _sizes: tuple[int, ...]
    _columns: bool
    _criterion: Criterion
    _directions: Directions

    def __init__(
        self,
        net: Any,
        x: ArrayLike,
        *,
        loss: LossLike,
        wrt: Literal["W1", "W2", "x"],
        columns: bool = False,
    ) -> None:
        if wrt not in ("W1", "W2", "x"):
            raise ValueError(f"wrt must be 'W1', 'W2' or 'x', got {wrt!r}.")
        if not hasattr(net, "W1") and not (isinstance(net, tuple | list) and len(net) == 2):
            raise TypeError(
                f"net must have the attributes W1 and W2, or be the pair (W1, W2); got {type(net).__name__}."
            )
        first, second = (net.W1, net.W2) if hasattr(net, "W1") else net
        W1, W2 = matrix(first, "W1"), matrix(second, "W2")
        if W2.shape[1] != len(W1):
            raise ShapeError(f"W2 has shape {W2.shape}; W1 of shape {W1.shape} needs (m, {len(W1)}).")
        X = samples(x, W1.shape[1], columns)
        dtype = np.result_type(W1, W2, X)
        parts = {"W1": W1, "W2": W2, "x": rows(X, columns)}
        self.__dict__.update(
            wrt=wrt,
            _held={name: held(a, dtype) for name, a in parts.items() if name != wrt},
            _shape={"W1": W1.shape, "W2": W2.shape, "x": X.shape}[wrt],
            _sizes=(W1.shape[1], *W2.shape[::-1], len(parts["x"])),
            _columns=columns,
            _criterion=bind(loss, output_shape(X, len(W2), columns), columns),
        )
        if wrt == "W1":
            self.__dict__.update(_directions=self._criterion.directions(doubles(self._held["W2"])))

    def __call__(self, x: ArrayLike, /) -> float:
        """Return the loss with `x` in the place of what `wrt` names, by the whole forward computation."""
        x = argument(x, self._shape, self.wrt)
        return self._criterion.value(self._outputs(x, self._hidden(x)[1]))

    def __repr__(self) -> str:
        n, hidden, m, n_samples = self._sizes
        loss = type(self._criterion).__name__
        return f"TwoLayerLoss({n} -> {hidden} -> {m}, {n_samples} samples, {loss}, wrt={self.wrt!r})"

    def _hidden(self, x: Array) -> tuple[Array, Array]:
        parts = {**self._held, self.wrt: rows(x, self._columns) if self.wrt == "x" else x}
        z = apply(parts["W1"], parts["x"])
        return z, np.maximum(z, 0)

    def _outputs(self, x: Array, a: Array) -> Float64Array:
        return doubles(apply(x if self.wrt == "W2" else self._held["W2"], a))

    def __fastgrad_gradient__(self, x: Array, h: Float64Array, out: Array) -> int:
        """Write the central differences at x with the steps h into `out`; return the evaluations they are.

        These are 2·x.size, and two more for each entry whose step was halved.
        """
        return self._measure(x, h, out, out)

    def __fastgrad_slopes__(self, x: Array, h: Float64Array, left: Array, right: Array) -> int:
        """Write the differences to the left and to the right at entries at a kink, the central ones elsewhere.

        Returns the evaluations as `__fastgrad_gradient__` does, and one more, for the value at x itself.
        """
        return self._measure(x, h, left, right) + 1

    def _measure(self, x: Array, h: Float64Array, left: Array, right: Array) -> int:
        z, a = self._hidden(x)
        terms = self._criterion.terms
        if self.wrt == "W2" and terms is not None and h.size == 1:
            measure_terms(x, doubles(a)[0], terms, h, left, right)
            return 2 * x.size
        y = NOTHING if self.wrt == "W1" and self._criterion.linear else self._outputs(x, a)
        if self.wrt == "W1":
            lines = self._criterion.along(y, doubles(z), doubles(a), self._directions)
            redone = measure(lines, doubles(self._held["x"]), h, True, left, right)
        elif self.wrt == "W2":
            redone = measure(self._criterion.own(y), doubles(a), h, False, left, right)
        else:
            steps = rows(np.broadcast_to(h if h.size == 1 else h.reshape(x.shape), x.shape), self._columns)
            W1, W2 = doubles(self._held["W1"]), doubles(self._held["W2"])
            sides = rows(left, self._columns), rows(right, self._columns)
            redone = input_differences(self._criterion, W1, W2, doubles(z), y, steps, *sides)
        return 2 * x.size + 2 * redone
