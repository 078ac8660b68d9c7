"""The loss of a two-layer net, by either of its weights or by its inputs."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._errors import ShapeError
from fastgrad._losses.criteria import Criterion, Directions, Lines, held, rows
from fastgrad._losses.input_moves import input_differences
from fastgrad._losses.named import LossLike, bind
from fastgrad._losses.parts import (
    SidedLoop,
    along_lines,
    apply,
    argument,
    doubles,
    forward_by_rows,
    matrix,
    of_terms,
    on_both_sides,
    output_shape,
    samples,
    unlike,
)
from fastgrad._typing import Array, Float64Array, Forward, RowLoop


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
    >>> from fastgrad.losses import TwoLayerLoss
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

    @property
    def __fastgrad_is_linear__(self) -> bool:
        """Whether the loss is linear in the outputs, and so, but for kinks, in what it is a function of."""
        return self._criterion.linear

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

    def __fastgrad_choices__(self, x: Array, h: Float64Array, least: Array, largest: Array) -> int:
        """Write the ends of what any slopes of relu between 0 and 1, one for each kink, give at entries at a kink.

        Where several samples have their kinks at one entry, the slopes of the whole loss on its two sides lie in
        between, and relu'(0) = 0 in all samples may not. Elsewhere both are the central differences.
        """
        if self.wrt != "W1" or self._sizes[-1] == 1:
            return self.__fastgrad_slopes__(x, h, least, largest)
        lines, inputs = self._lines(x), doubles(self._held["x"])
        low, high, left, right = (np.zeros(x.shape) for _ in range(4))
        evaluations = 1
        for b in range(len(inputs)):
            evaluations += along_lines(lines.sample(b), inputs[b : b + 1], h, True)(0, len(x), left, right)
            low += np.minimum(left, right)
            high += np.maximum(left, right)
        least[...], largest[...] = low, high
        return evaluations

    def __fastgrad_rows__(self, x: Array, h: Float64Array) -> RowLoop | None:
        """Return what measures rows of x, which are units of a layer; None where x is the inputs."""
        if x.shape != self._shape:
            raise unlike(x, self._shape, self.wrt)
        return None if self.wrt == "x" else on_both_sides(self._rows(x, h, 0))

    def __fastgrad_forward__(self) -> Forward | None:
        """Return what makes the products of rows of W1 or W2, and the loss of all; None where f is of the inputs."""
        if self.wrt == "x":
            return None
        if self.wrt == "W2":
            return forward_by_rows(self._hidden(self._held["W1"])[1], lambda y: self._criterion.value(doubles(y)))
        W2 = self._held["W2"]
        return forward_by_rows(self._held["x"], lambda z: self._criterion.value(doubles(apply(W2, np.maximum(z, 0)))))

    def _measure(self, x: Array, h: Float64Array, left: Array, right: Array) -> int:
        if x.shape != self._shape:
            raise unlike(x, self._shape, self.wrt)
        if self.wrt != "x":
            return self._rows(x, h, left.nbytes)(0, len(x), left, right)
        z, a = self._hidden(x)
        steps = rows(np.broadcast_to(h if h.size == 1 else h.reshape(x.shape), x.shape), self._columns)
        W1, W2 = doubles(self._held["W1"]), doubles(self._held["W2"])
        sides = rows(left, self._columns), rows(right, self._columns)
        halved = input_differences(self._criterion, W1, W2, doubles(z), self._outputs(x, a), steps, *sides)
        return 2 * x.size + 2 * halved

    def _lines(self, x: Array) -> Lines:
        """Return how the loss runs as each hidden unit moves."""
        z, a = self._hidden(x)
        return self._criterion.along(None, doubles(z), doubles(a), self._directions)

    def _rows(self, x: Array, h: Float64Array, nbytes: int) -> SidedLoop:
        if self.wrt == "W1":
            return along_lines(self._lines(x), doubles(self._held["x"]), h, True)
        _, a = self._hidden(x)
        terms = self._criterion.terms
        if terms is not None and h.size == 1:
            return of_terms(x, doubles(a)[0], terms, h, nbytes)
        return along_lines(self._criterion.own(self._outputs(x, a)), doubles(a), h, False)
