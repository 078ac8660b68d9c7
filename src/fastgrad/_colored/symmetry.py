"""The symmetry of a sparse Hessian: its star colouring, and each entry from where it stands alone.

T. F. Coleman and J. J. Moré, "Estimation of sparse Hessian matrices and graph coloring problems", Math. Programming 28
(1984), theorem 3.1.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._colored.compression import pattern_of
from fastgrad._point import Point
from fastgrad._typing import Array
from fastgrad.sparsity._color import color
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


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

    One of the two at least stands alone in the line of its colour; where both do, they are averaged, so that the result
    is symmetric, bit for bit. The pattern being symmetric, entry p by rows is the mirror image of entry p by columns.
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
