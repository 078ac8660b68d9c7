"""The loss of a linear layer, by its weights, its bias or its inputs."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._losses.criteria import Criterion, Directions, Terms, held, rows
from fastgrad._losses.named import LossLike, bind
from fastgrad._losses.parts import (
    SidedLoop,
    along_lines,
    apply,
    argument,
    doubles,
    forward_by_rows,
    matrix,
    measure_terms,
    of_terms,
    on_both_sides,
    output_shape,
    samples,
    unlike,
)
from fastgrad._typing import Array, Float64Array, Forward, RowLoop


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
    >>> from fastgrad.losses import LinearLoss, SquaredError
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
    _terms: Terms | None = None

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
        elif wrt == "W" and self._criterion.terms is not None:
            terms, shift = self._criterion.terms, self._held["b"]
            self.__dict__.update(_terms=terms if shift is None else terms._replace(shift=terms.shift + shift))

    def __call__(self, x: ArrayLike, /) -> float:
        """Return the loss with `x` in the place of what `wrt` names, by the whole forward computation."""
        return self._criterion.value(self._outputs(argument(x, self._shape, self.wrt)))

    def __repr__(self) -> str:
        m, n, n_samples = self._sizes
        return f"LinearLoss({n} -> {m}, {n_samples} samples, {type(self._criterion).__name__}, wrt={self.wrt!r})"

    def _outputs(self, x: Array) -> Float64Array:
        parts = {**self._held, self.wrt: rows(x, self._columns) if self.wrt == "x" else x}
        return _biased(apply(parts["W"], parts["x"]), parts["b"])

    @property
    def __fastgrad_is_linear__(self) -> bool:
        """Whether the loss is linear in the outputs, and so, but for kinks, in what it is a function of."""
        return self._criterion.linear

    def __fastgrad_gradient__(self, x: Array, h: Float64Array, out: Array) -> int:
        """Write the central differences at x with the steps h into `out`; return 2·x.size, the evaluations they are."""
        if x.shape != self._shape:
            raise unlike(x, self._shape, self.wrt)
        if self.wrt == "x":
            self._differences_by_inputs(self._outputs(x), x, h, out)
            return 2 * x.size
        if self._terms is not None and h.size == 1:
            return measure_terms(x, self._inputs[0], self._terms, h, out.nbytes, out)
        return self._rows(x, h, out.nbytes)(0, len(x), out, out)

    def __fastgrad_rows__(self, x: Array, h: Float64Array) -> RowLoop | None:
        """Return what measures rows of x, which are outputs of the layer; None where x is the inputs."""
        if x.shape != self._shape:
            raise unlike(x, self._shape, self.wrt)
        return None if self.wrt == "x" else on_both_sides(self._rows(x, h, 0))

    def __fastgrad_forward__(self) -> Forward | None:
        """Return what makes the products of rows of W, and the loss of all; None where f is of b or x.

        None as well where the samples are many, as `forward_by_rows` has it.
        """
        if self.wrt != "W":
            return None
        bias = self._held["b"]
        return forward_by_rows(self._held["x"], lambda products: self._criterion.value(_biased(products, bias)))

    def _rows(self, x: Array, h: Float64Array, nbytes: int) -> SidedLoop:
        if self._terms is not None and h.size == 1:
            return of_terms(x, self._inputs[0], self._terms, h, nbytes)
        return along_lines(self._criterion.own(self._outputs(x)), self._inputs, h, False)

    def _differences_by_inputs(self, y: Float64Array, x: Array, h: Float64Array, out: Array) -> None:
        z = doubles(rows(x, self._columns))
        lines = self._criterion.along(y, z, z, self._directions)
        steps = h if h.size == 1 else rows(h.reshape(x.shape), self._columns)
        result = rows(out, self._columns)
        for b in range(len(z)):
            column = np.empty((z.shape[1], 1), out.dtype)
            h_b = np.ascontiguousarray(h if h.size == 1 else steps[b])
            along_lines(lines.sample(b), self._inputs, h_b, False)(0, len(column), column, column)
            result[b] = column[:, 0]


def _biased(products: Array, b: Array | None) -> Float64Array:
    return doubles(products if b is None else products + b)
