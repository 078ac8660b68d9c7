"""The picture of a sparsity pattern, its entries in the colours of what measures them."""

from typing import Any

import numpy as np

from fastgrad._drawing import COLOURS, Axes, axes
from fastgrad._typing import Array, Float64Array
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._makers import as_pattern
from fastgrad.sparsity._pattern import Pattern

__all__ = ["sparsity"]

#: Cells to a side beyond which several entries share one.
_CELLS = 1000
_INK = "#22313F"


def sparsity(pattern: Any, ax: Axes = None, *, title: str | None = None) -> Axes:
    """Draw a sparsity pattern; of a colouring, each entry in the colour of the column or row that it is read from.

    Parameters
    ----------
    pattern : Pattern, Coloring, or what `fastgrad.sparsity.as_pattern` takes
        Beyond a thousand rows or columns several entries share a cell, which has the colour of the last of them.
    ax : matplotlib Axes, optional
        Where to draw; None makes a new figure.
    title : str, optional
        What stands above; None tells the entries, or the colours and calls.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ShapeError, TypeError
        If there is no pattern to be read.
    ImportError
        If new axes are wanted and matplotlib is missing.

    Examples
    --------
    >>> from fastgrad import plot
    >>> plot.sparsity([[1.0, 0.0], [2.0, 3.0]]).get_title(loc="left")
    'Pattern(2 x 2, 3 entries)'
    """
    coloring = pattern if isinstance(pattern, Coloring) else None
    drawn = coloring.pattern if coloring is not None else as_pattern(pattern)
    inks = _inks(coloring) if coloring is not None else np.broadcast_to(_rgb([_INK]), (drawn.nnz, 3))
    ax = axes(ax)
    m, n = drawn.shape
    ax.imshow(
        _cells(drawn, inks),
        extent=(-0.5, max(n, 1) - 0.5, max(m, 1) - 0.5, -0.5),
        interpolation="nearest",
        aspect="equal" if 1 / 8 <= max(m, 1) / max(n, 1) <= 8 else "auto",
    )
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    ax.set_title(repr(pattern if coloring is not None else drawn) if title is None else title, loc="left", wrap=True)
    return ax


def _cells(pattern: Pattern, inks: Float64Array) -> Float64Array:
    """Return the picture, shape (height, width, 3)."""
    m, n = (max(size, 1) for size in pattern.shape)
    height, width = min(m, _CELLS), min(n, _CELLS)
    cells = np.ones((height, width, 3))
    cells[pattern.rows * height // m, pattern.cols * width // n] = inks
    return cells


def _inks(coloring: Coloring) -> Float64Array:
    """Return red, green and blue of each entry, shape (nnz, 3)."""
    p, by_column = coloring.pattern, coloring.alone_by_column
    of_row = coloring.column_colors if coloring.partition == "symmetric" else coloring.row_colors
    number = np.where(by_column, coloring.column_colors[p.cols], of_row[p.rows])
    if coloring.partition != "symmetric":
        number = np.where(by_column, number, number + coloring.n_column_colors)
    return np.asarray(_palette(max(coloring.n_colors, 1))[number])


def _palette(count: int) -> Float64Array:
    """Return so many colours: those of all pictures, or where they do not suffice hues a golden section apart."""
    if count <= len(COLOURS):
        return _rgb(COLOURS[:count])
    from matplotlib.colors import hsv_to_rgb

    k = np.arange(count)
    hsv = np.stack([k * 0.6180339887498949 % 1, 0.55 + 0.3 * (k % 2), 0.85 - 0.25 * (k % 3 == 0)], axis=1)
    return np.asarray(hsv_to_rgb(hsv))


def _rgb(colours: Any) -> Array:
    return np.array([[int(c[k : k + 2], 16) / 255 for k in (1, 3, 5)] for c in colours])
