"""The Hessian of a scalar function as a SciPy sparse array, from its gradient, by a star colouring."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._compression import Compression, pattern_of
from fastgrad._direction import in_line
from fastgrad._missing_entries import refuse_missing
from fastgrad._point import Point
from fastgrad._sparse_array import Form
from fastgrad._stencils.scheme import planned
from fastgrad._typing import Array, Step
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


def sparse_hessian(
    grad: Callable[..., Any],
    point: Point,
    eps: Step,
    bounds: Any,
    sparsity: Any,
    format: str | None,
    *,
    verify: bool,
    out: Any,
) -> Any:
    """Return the Hessian, shape (n, n), from two calls for each colour of the gradient, which takes what x is.

    Of an entry and its mirror image one at least stands alone in the line of its colour; where both do, they are
    averaged, so that the result is symmetric, bit for bit.

    T. F. Coleman and J. J. Moré, "Estimation of sparse Hessian matrices and graph coloring problems", Math. Programming
    28 (1984), theorem 3.1.
    """

    def line(x: Any) -> Array:
        return in_line(point, grad(x), "what grad returns")

    coloring, format = symmetric_coloring(line, point, sparsity, format)
    by = Compression(coloring, "csr" if format == "csc" else format)
    form = Form(coloring.pattern, format)
    dtype = point.array.dtype
    data = np.zeros(coloring.pattern.nnz, dtype) if out is None else form.data_of(out, dtype)
    plan = planned(point, "auto" if eps is None else eps, None, None, bounds)
    reader = by.reader(point)
    by.measure(point.of_array(line), point, plan, by.work(point), data, reader)
    symmetrize(data, coloring)
    if verify and point.array.size:
        refuse_missing(line, point, plan, by, data, reader)
    return form.made(data) if out is None else out


def symmetric_coloring(
    line: Callable[[Any], Array], point: Point, sparsity: Any, format: str | None
) -> tuple[Coloring, str]:
    """Return the colouring by which a Hessian is measured, and the format that it shall have.

    Raises
    ------
    ValueError
        If sparsity, or a colouring, is none of a symmetric matrix.
    """
    pattern, format = pattern_of(line, point, sparsity, format)
    if not isinstance(pattern, Coloring):
        return color(pattern, "symmetric"), format
    if not pattern.pattern.is_symmetric or pattern.partition not in ("symmetric", "columns"):
        raise ValueError("a Hessian takes a colouring of columns of a symmetric pattern, or a 'symmetric' one.")
    return pattern, format


def symmetrize(data: Array, coloring: Coloring) -> None:
    """Take each entry from where it stands alone: from its own column, from that of its mirror image, or from both.

    The pattern being symmetric, entry p by rows is the mirror image of entry p by columns.
    """
    mirror = mirror_images(coloring.pattern)
    own = coloring.alone_by_column
    if own.all():
        data[...] = data / 2 + data[mirror] / 2
        return
    other = data[mirror]
    both = own & own[mirror]
    data[~own] = other[~own]
    data[both] = data[both] / 2 + other[both] / 2


def mirror_images(pattern: Pattern) -> Array:
    """Return where, in the order of rows, the mirror image of each entry of a symmetric pattern is."""
    starts, indices = pattern.csr
    mirror = np.empty_like(indices)
    _backend.entries.places(starts, indices, starts[:-1].copy(), mirror)
    return mirror
