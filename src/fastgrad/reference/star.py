"""Star colouring of symmetric patterns, from its definition.

Neighbours differ in colour, and no path of four vertices has but two colours. Then each entry of a symmetric matrix
stands alone in a difference along the columns of one colour, itself or its mirror image (T. F. Coleman and J. J. Moré,
Estimation of sparse Hessian matrices and graph coloring problems, Mathematical Programming 28 (1984), 243-270;
A. H. Gebremedhin, F. Manne and A. Pothen, What color is your Jacobian? Graph coloring for computing derivatives, SIAM
Review 47 (2005), 629-705, section 6).
"""

import numpy as np

from fastgrad._typing import Array

__all__ = ["star"]


def star(starts: Array, indices: Array, order: Array, mirror: Array, hubs: Array, stamps: Array, colors: Array) -> int:
    """Give each vertex in order the lowest colour that makes no path of four of two colours; return their number.

    Parameters
    ----------
    starts, indices : ndarray of int32 or intp
        Shapes (n + 1,) and (nnz,): the neighbours of each vertex; vertices themselves, on the diagonal, do not count.
    order : ndarray of the same dtype
        The vertices to be coloured, in their order.
    mirror, hubs, stamps : ndarray
        Room for the compiled twin: (nnz,) and (3, n) of the same dtype, hubs (nnz,) of uint8, zeros.
    colors : ndarray of int32, shape (n,)
        -1 at first, written; a vertex without entries keeps its -1.

    Raises
    ------
    ValueError
        If the arrays do not fit, an index lies outside its array, or the pattern is not symmetric.
    """
    n = len(colors)
    if len(starts) != n + 1 or len(mirror) != len(indices) or len(hubs) != len(indices) or stamps.shape != (3, n):
        raise ValueError("the arrays do not fit each other")
    lines = [[int(j) for j in indices[starts[v] : starts[v + 1]]] for v in range(n)]
    rows = np.repeat(np.arange(n), [len(line) for line in lines])
    if set(zip(rows, indices, strict=True)) != set(zip(indices, rows, strict=True)):
        raise ValueError("the pattern is not symmetric, or an index lies outside its array")
    graph = [[w for w in line if w != v] for v, line in enumerate(lines)]
    if np.any(order < 0) or np.any(order >= n) or np.any(colors[order] >= 0):
        raise ValueError("the pattern is not symmetric, or an index lies outside its array")
    for v in order:
        if lines[v]:
            colors[v] = next(c for c in range(n) if _may_have(int(v), c, graph, colors))
    return int(max(colors, default=-1)) + 1


def _may_have(v: int, c: int, graph: list[list[int]], colors: Array) -> bool:
    """Tell whether vertex v may be given the colour c: no neighbour has it, and no path of four has two colours."""
    for w in graph[v]:
        if colors[w] < 0:
            continue
        if colors[w] == c:
            return False
        for x in graph[w]:
            if colors[x] != c:
                continue
            ends = any(colors[y] == colors[w] for y in graph[x] if y != w)  # v - w - x - y
            inside = any(colors[u] == colors[w] for u in graph[v] if u != w)  # u - v - w - x
            if ends or inside:
                return False
    return True
