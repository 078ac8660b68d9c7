"""The pictures of ‖Ax − b‖² for two unknowns: its landscape, and the field of its negative gradient."""

import numpy as np
from numpy.typing import ArrayLike

from fastgrad._arrays import real_array
from fastgrad._drawing import (
    Axes,
    Span,
    axes,
    coordinates_around,
    dress_plane,
    even_in_root,
    inside,
    levels,
    mark_minimum,
    round_ticks,
)
from fastgrad._errors import ShapeError
from fastgrad._typing import Float64Array

__all__ = ["descent_field", "loss_grid", "loss_landscape"]


def loss_grid(A: ArrayLike, b: ArrayLike, x1: ArrayLike, x2: ArrayLike) -> Float64Array:
    """Return ‖Ax − b‖² at every point of a grid.

    Parameters
    ----------
    A : array_like, shape (n, 2)
        The matrix.
    b : array_like, shape (n,)
        The values that Ax should come near.
    x1, x2 : array_like, shapes (p,) and (q,)
        The coordinates of the grid.

    Returns
    -------
    ndarray of float64, shape (q, p)
        Entry (i, j) belongs to the point (x1[j], x2[i]), as `numpy.meshgrid` lays out a grid.

    Raises
    ------
    ShapeError
        If A has not two columns, or b does not fit it.
    TypeError
        If A or b is complex, of half or extended precision, masked or not numeric.

    Examples
    --------
    >>> loss_grid([[1.0, 0.0], [0.0, 2.0]], [0.0, 0.0], [0.0, 1.0], [0.0, 1.0, 2.0])
    array([[ 0.,  1.],
           [ 4.,  5.],
           [16., 17.]])
    """
    matrix, values = _problem(A, b)
    points = np.stack(np.meshgrid(x1, x2), axis=-1)
    residuals = points @ matrix.T - values
    return np.asarray((residuals**2).sum(axis=-1), dtype=np.float64)


def loss_landscape(
    A: ArrayLike, b: ArrayLike, ax: Axes = None, *, x1: Span | None = None, x2: Span | None = None, n_levels: int = 24
) -> Axes:
    """Draw the landscape of ‖Ax − b‖² for two unknowns as filled contours, and its minimum.

    Parameters
    ----------
    A : array_like, shape (n, 2)
        The matrix.
    b : array_like, shape (n,)
        The values that Ax should come near.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    x1, x2 : pair of float, optional
        What to show of both unknowns; None is 2.5 to either side of the minimum.
    n_levels : int
        How many contours; they are even in the root of the loss, so that a round bowl has even rings.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError, TypeError
        As `loss_grid`.
    ImportError
        If new axes are wanted and matplotlib is missing.

    Examples
    --------
    >>> ax = loss_landscape([[2.0, 1.0], [1.0, 3.0]], [4.0, 5.0], x1=(-1.0, 4.0))
    >>> [float(end) for end in ax.get_xlim()]
    [-1.0, 4.0]
    """
    matrix, values = _problem(A, b)
    minimum = np.linalg.lstsq(matrix, values, rcond=None)[0]
    across, up = coordinates_around(minimum, x1, x2, 161)
    losses = loss_grid(matrix, values, across, up)
    ax = axes(ax)
    bounds = levels(losses, n_levels)
    filled = ax.contourf(across, up, losses, levels=bounds, cmap="Blues_r", norm=even_in_root(bounds))
    ax.contour(across, up, losses, levels=bounds[1::3], colors="white", linewidths=0.5, alpha=0.7)
    bar = ax.figure.colorbar(filled, ax=ax, ticks=round_ticks(bounds), format="{x:g}")
    bar.set_label(r"$\|Ax-b\|^2$")
    bar.outline.set_visible(False)
    mark_minimum(ax, minimum)
    return dress_plane(ax, "The loss and its minimum", across, up)


def descent_field(
    A: ArrayLike, b: ArrayLike, ax: Axes = None, *, x1: Span | None = None, x2: Span | None = None, arrows: int = 12
) -> Axes:
    """Draw the negative gradient −2Aᵀ(Ax − b) of ‖Ax − b‖² as a field of arrows over its contours.

    Parameters
    ----------
    A, b, ax, x1, x2
        As for `loss_landscape`.
    arrows : int
        How many to a side; their lengths are in proportion, the longest not quite twice the distance between two.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError, TypeError, ImportError
        As `loss_landscape`.

    Examples
    --------
    >>> descent_field([[2.0, 1.0], [1.0, 3.0]], [4.0, 5.0]).get_title(loc="left")
    'The negative gradient points downhill'
    """
    matrix, values = _problem(A, b)
    minimum = np.linalg.lstsq(matrix, values, rcond=None)[0]
    across, up = coordinates_around(minimum, x1, x2, 121)
    losses = loss_grid(matrix, values, across, up)
    ax = axes(ax)
    ax.contour(across, up, losses, levels=levels(losses, 12)[1:-1], colors="#5B8DB8", linewidths=0.8, alpha=0.8)
    X1, X2 = np.meshgrid(*(inside(coordinates, arrows) for coordinates in (across, up)))
    points = np.stack([X1, X2], axis=-1)
    descent = -2 * (points @ matrix.T - values) @ matrix
    longest = float(np.hypot(descent[..., 0], descent[..., 1]).max())
    cell = (across[-1] - across[0]) / arrows
    ax.quiver(
        X1, X2, descent[..., 0], descent[..., 1],
        angles="xy", scale_units="xy", scale=longest / (1.8 * cell) if longest else 1.0,
        color="#22313F", alpha=0.85, width=0.0035, headwidth=4, minlength=0.6,
    )  # fmt: skip
    mark_minimum(ax, minimum)
    return dress_plane(ax, "The negative gradient points downhill", across, up)


def _problem(A: ArrayLike, b: ArrayLike) -> tuple[Float64Array, Float64Array]:
    matrix, values = real_array(A, "A"), real_array(b, "b")
    if matrix.ndim != 2 or matrix.shape[1] != 2 or len(matrix) == 0:
        raise ShapeError(f"a landscape over two unknowns needs A of shape (n, 2), n > 0; got {matrix.shape}.")
    if values.shape != matrix.shape[:1]:
        raise ShapeError(f"b has shape {values.shape}; A of shape {matrix.shape} needs {matrix.shape[:1]}.")
    return matrix.astype(np.float64), values.astype(np.float64)
