"""Star colouring of symmetric patterns: neighbours differ, and no path of four vertices has but two colours.

Vertex x is the hub of its entry (x, w) where it has another neighbour of the colour of w: then nobody may close the path
v - w - x - y, in which y is that other neighbour, by giving v the colour of x.
"""
from libc.stdint cimport int32_t, uint8_t

from fastgrad._kernels.indices cimport index, inside


# starts (n + 1,), indices (nnz,): the neighbours of each vertex, symmetric; mirror (nnz,), written: where (w, v) lies for
# each (v, w); cursor (n,), overwritten
cdef int reflect(const index[::1] starts, const index[::1] indices, index[::1] mirror, index[::1] cursor) noexcept nogil:
    cdef Py_ssize_t v, w, p, n = starts.shape[0] - 1
    for v in range(n):
        cursor[v] = starts[v]
    for v in range(n):
        for p in range(starts[v], starts[v + 1]):
            w = indices[p]
            if cursor[w] >= starts[w + 1] or indices[cursor[w]] != v:
                return 1
            mirror[p] = cursor[w]
            cursor[w] += 1
    return 0


# order (at most n,); hubs (nnz,), zeros at first; stamps (3, n), overwritten; colors (n,), -1 at first
cdef int run(const index[::1] starts, const index[::1] indices, const index[::1] order, index[::1] mirror,
             uint8_t[::1] hubs, index[:, ::1] stamps, int32_t[::1] colors) except -2 nogil:
    cdef index[::1] forbidden = stamps[0], met = stamps[1], repeated = stamps[2]
    cdef Py_ssize_t k, v, w, x, p, q, n = colors.shape[0]
    cdef int found = 0, c
    if not inside(starts, indices, n) or reflect(starts, indices, mirror, met):
        return -1
    for k in range(n):
        forbidden[k] = met[k] = repeated[k] = -1
    for k in range(order.shape[0]):
        v = order[k]
        if v < 0 or v >= n or colors[v] >= 0:
            return -1
        if starts[v] == starts[v + 1]:
            continue
        for p in range(starts[v], starts[v + 1]):
            c = colors[indices[p]]
            if c < 0:
                continue
            if met[c] == v:
                repeated[c] = <index> v
            met[c] = forbidden[c] = <index> v
        for p in range(starts[v], starts[v + 1]):
            w = indices[p]
            if colors[w] < 0:
                continue
            for q in range(starts[w], starts[w + 1]):
                x = indices[q]
                if x != w and colors[x] >= 0 and (hubs[mirror[q]] or repeated[colors[w]] == v):
                    forbidden[colors[x]] = <index> v
        c = 0
        while forbidden[c] == v:
            c += 1
        found = max(found, c + 1)
        for p in range(starts[v], starts[v + 1]):
            w = indices[p]
            if colors[w] < 0:
                continue
            for q in range(starts[w], starts[w + 1]):
                if colors[indices[q]] == c:
                    hubs[q] = hubs[mirror[p]] = 1
            if repeated[colors[w]] == v:
                hubs[p] = 1
        colors[v] = c
    return found


def star(starts, indices, order, mirror, hubs, stamps, colors):
    """Give each vertex in order the lowest colour that makes no path of four of two colours; return their number."""
    cdef int found
    n = len(colors)
    if len(starts) != n + 1 or len(mirror) != len(indices) or len(hubs) != len(indices) or stamps.shape != (3, n):
        raise ValueError("the arrays do not fit each other")
    if n == 0:
        return 0
    if indices.dtype.itemsize == 4:
        found = run[int32_t](starts, indices, order, mirror, hubs, stamps, colors)
    else:
        found = run[Py_ssize_t](starts, indices, order, mirror, hubs, stamps, colors)
    if found < 0:
        raise ValueError("the pattern is not symmetric, or an index lies outside its array")
    return found
