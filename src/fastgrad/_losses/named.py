"""What the user names as a loss: `SquaredError`, `CrossEntropy`, an array of weights, ``"sum"``; bound to a shape."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastgrad._arrays import real_array
from fastgrad._errors import ShapeError
from fastgrad._layer_arrays import class_targets
from fastgrad._losses.criteria import Criterion, Entropy, Squared, Weighted, held, rows
from fastgrad._typing import Array

LossLike = Any  # "sum" | ArrayLike | SquaredError | CrossEntropy


@dataclass(frozen=True, eq=False, init=False)
class SquaredError:
    """The squared error ‖y − target‖², summed over outputs and samples.

    Parameters
    ----------
    target : array_like
        Shaped like the outputs y. It is copied.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.losses import LinearLoss, SquaredError
    >>> f = LinearLoss(np.eye(2), [3.0, 5.0], loss=SquaredError([1.0, 1.0]))
    >>> f(np.eye(2))
    20.0
    """

    target: Array

    def __init__(self, target: ArrayLike) -> None:
        object.__setattr__(self, "target", held(real_array(target, "target"), None))


@dataclass(frozen=True, eq=False, init=False)
class CrossEntropy:
    """The softmax cross-entropy −Σ_k t_k log softmax(y)_k, summed over samples.

    Parameters
    ----------
    target : array_like
        Weights t shaped like the outputs y, whose sum need not be 1; or integer labels, one a sample. It is copied.

    Examples
    --------
    >>> import numpy as np
    >>> from fastgrad.losses import CrossEntropy, LinearLoss
    >>> f = LinearLoss(np.eye(2), [1e4, 0.0], loss=CrossEntropy(1))
    >>> f(np.eye(2))
    10000.0
    """

    target: NDArray[Any]

    def __init__(self, target: ArrayLike) -> None:
        given = np.asarray(target)
        object.__setattr__(
            self, "target", held(given if given.dtype.kind in "iu" else real_array(target, "target"), None)
        )


def bind(loss: LossLike, shape: tuple[int, ...], columns: bool) -> Criterion:
    """Return the criterion that `loss` names, for outputs of this shape; its rows are samples unless `columns`.

    Raises
    ------
    ShapeError
        If the target or the weights do not fit the outputs.
    TypeError, ValueError
        If `loss` names no criterion.
    """
    if isinstance(loss, str):
        if loss != "sum":
            raise ValueError(
                "loss must be 'sum', an array shaped like the outputs, SquaredError(...) or CrossEntropy(...); "
                f"got {loss!r}."
            )
        return Weighted(held(rows(np.ones(shape), columns), np.float64))
    if isinstance(loss, CrossEntropy):
        by_rows = len(shape) == 2 and columns
        target = loss.target.T if by_rows and loss.target.ndim == 2 else loss.target
        weights = class_targets(target, shape[::-1] if by_rows else shape)
        return Entropy(held(rows(weights, False), np.float64))
    is_error = isinstance(loss, SquaredError)
    given = real_array(loss.target, "target") if is_error else real_array(loss, "loss")
    if given.shape != shape:
        name = "the target of SquaredError" if is_error else "the array given as loss"
        raise ShapeError(f"{name} has shape {given.shape}; the outputs have shape {shape}.")
    bound = held(rows(given, columns), np.float64)
    return Squared(bound) if is_error else Weighted(bound)
