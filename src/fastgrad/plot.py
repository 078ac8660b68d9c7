"""The textbook's pictures: the landscape of a squared loss, its descent field, loss curves, weights; and patterns.

Each function draws into the axes that it is given, or into new ones, and returns them; nothing is shown, saved or
styled beyond these axes. matplotlib (extra ``plot``) is imported when the first new axes are made.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._arrays import real_array
from fastgrad._drawing import FAINT, MARKER, Axes, axes, colours, dress, logarithmic
from fastgrad._errors import ShapeError
from fastgrad._landscape_picture import descent_field, loss_grid, loss_landscape
from fastgrad._pattern_picture import sparsity
from fastgrad._typing import Float64Array

__all__ = ["descent_field", "loss_curve", "loss_grid", "loss_landscape", "sparsity", "weights"]


def loss_curve(
    losses: ArrayLike | Mapping[str, ArrayLike],
    ax: Axes = None,
    *,
    optimum: float | None = None,
    title: str = "Gradient descent",
    xlabel: str = "step",
) -> Axes:
    """Draw losses against steps on a logarithmic scale, of one descent or of several by name.

    A curve that rises beyond ten times the first loss leaves the picture, which follows the others; the legend says so.
    Losses that are not finite, or not positive, are left out; where none is positive, the scale is linear.

    Parameters
    ----------
    losses : array_like or mapping of str to array_like, shape (n_steps,)
        As `fastgrad.least_squares_gd` returns them.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    optimum : float, optional
        The least possible loss, drawn as a dashed line.
    title, xlabel : str
        What stands above and below.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If the losses of a descent are not one array of numbers in a row.
    TypeError
        If they are no real numbers.
    ImportError
        If new axes are wanted and matplotlib is missing.

    Examples
    --------
    >>> ax = loss_curve({"slow": [4.0, 3.0, 2.0], "fast": [4.0, 1.0, 0.5]}, optimum=0.25)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['slow', 'fast', 'optimum 0.25']
    """
    curves = losses if isinstance(losses, Mapping) else {"loss": losses}
    arrays = {name: _row(values, f"the losses of {name!r}") for name, values in curves.items()}
    ax = axes(ax)
    bounds: list[float] = []
    for colour, (name, values) in zip(colours(len(arrays)), arrays.items(), strict=True):
        finite = values[np.isfinite(values) & (values > 0)]
        top = 10 * float(finite[0]) if finite.size else 1.0
        leaves = finite.size < np.sum(values != 0) or bool(np.any(finite > top))
        # What is far above the picture would overflow matplotlib's own scales.
        shown = np.where(values > 0, np.minimum(values, 1e4 * top), np.nan)
        ax.plot(shown, color=colour, linewidth=2, label=f"{name} (diverges)" if leaves else name)
        bounds += [float(finite.min()), 0.4 * top if leaves else float(finite.max())] if finite.size else []
    if optimum is not None:
        ax.axhline(optimum, color=MARKER, linestyle=(0, (5, 3)), linewidth=1.4, label=f"optimum {optimum:.6g}")
        bounds.append(optimum)
    logarithmic(ax, [value for value in bounds if value > 0])
    ax.set_ylabel("loss")
    if len(arrays) > 1 or optimum is not None:
        ax.legend(frameon=False)
    return dress(ax, title, xlabel)


def weights(
    vectors: Mapping[str, ArrayLike],
    ax: Axes = None,
    *,
    names: Sequence[str] | None = None,
    title: str = "Weights side by side",
) -> Axes:
    """Draw vectors of weights side by side as bars: a group for each weight, a colour for each vector.

    Parameters
    ----------
    vectors : mapping of str to array_like, shape (p,)
        The vectors by the name that the legend gives them.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    names : sequence of str, optional
        What the p weights are called; None numbers them.
    title : str
        What stands above.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError
        If there is no vector, or the vectors or the names differ in length.
    TypeError
        If the vectors are no mapping, or no real numbers.
    ImportError
        If new axes are wanted and matplotlib is missing.

    Examples
    --------
    >>> ax = weights({"closed form": [1.0, -2.0], "descent": [0.9, -1.8]}, names=["age", "mass"])
    >>> [label.get_text() for label in ax.get_xticklabels()]
    ['age', 'mass']
    """
    if not isinstance(vectors, Mapping):
        raise TypeError(
            f'vectors must be a mapping from names to vectors, as {{"w": w}}; got {type(vectors).__name__}.'
        )
    rows = {name: _row(values, f"the weights {name!r}") for name, values in vectors.items()}
    sizes = [len(row) for row in rows.values()] + ([] if names is None else [len(names)])
    if not rows or len(set(sizes)) != 1:
        raise ShapeError(f"weights side by side need vectors, and names, of one length; got lengths {sizes}.")
    ax = axes(ax)
    places, width = np.arange(sizes[0]), 0.8 / len(rows)
    for k, (colour, (name, row)) in enumerate(zip(colours(len(rows)), rows.items(), strict=True)):
        ax.bar(places + (k - (len(rows) - 1) / 2) * width, row, 0.92 * width, label=name, color=colour)
    ax.axhline(0.0, color=FAINT, linewidth=0.8)
    ax.set_xticks(places, [str(k) for k in places] if names is None else list(names))
    ax.set_ylabel("weight")
    ax.legend(frameon=False)
    return dress(ax, title, "")


def _row(values: ArrayLike, name: str) -> Float64Array:
    row = real_array(values, name)
    if row.ndim != 1:
        raise ShapeError(f"{name} must be numbers in a row, of shape (n,); got shape {row.shape}.")
    return row.astype(np.float64)
