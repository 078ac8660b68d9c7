"""The entries of a sparse Jacobian: which are read from which colour, and whether they explain what a move of x did."""
from libc.math cimport fabs
from libc.stdint cimport int32_t, uint8_t, uint16_t

from fastgrad._kernels.columns cimport FAR, NONE
from fastgrad._kernels.indices cimport index, inside
from fastgrad._kernels.wide cimport real


# starts (m + 1,), indices (nnz,) below n: by rows  cursor (n,): where each column starts, overwritten  targets (nnz,)
def places(starts, indices, cursor, targets):
    """Write where in the order of rows each entry lies, in the order of columns."""
    cdef bint fits
    if indices.dtype.itemsize == 4:
        fits = place[int32_t](starts, indices, cursor, targets)
    else:
        fits = place[Py_ssize_t](starts, indices, cursor, targets)
    if not fits:
        raise ValueError("the arrays are not the compressed form of a pattern")


cdef bint place(
        const index[::1] starts, const index[::1] indices, index[::1] cursor, index[::1] targets) noexcept nogil:
    cdef Py_ssize_t i, p
    cdef index at
    if not inside(starts, indices, cursor.shape[0]) or targets.shape[0] != indices.shape[0]:
        return False
    for i in range(starts.shape[0] - 1):
        for p in range(starts[i], starts[i + 1]):
            at = cursor[indices[p]]
            if at < 0 or at >= targets.shape[0]:
                return False
            targets[at] = <index>p
            cursor[indices[p]] = at + 1
    return True


# starts (l + 1,), indices (nnz,): by rows or by columns  colors (n,) of the columns, -1 for none
# last (c,), overwritten  bounds (c + 1,), of intp  codes (bounds[c],) or (0,), of uint16
def by_color(starts, indices, colors, bint by_rows, last, Py_ssize_t[::1] bounds, uint16_t[::1] codes):
    """Write which entries have a column of each colour, as steps from one to the next; or the bounds of these alone.

    Those of colour k are codes[bounds[k]] to below codes[bounds[k + 1]]: the first entry and what to add to go on, each
    after as many codes of the largest value as have to be added before. No codes, and the bounds are written.
    """
    cdef bint fits
    if len(starts) == 0 or len(bounds) != len(last) + 1 or starts[len(starts) - 1] != len(indices):
        raise ValueError("the arrays do not fit each other")
    if not by_rows and len(colors) != len(starts) - 1:
        raise ValueError("the arrays do not fit each other")
    if indices.dtype.itemsize == 4:
        fits = choose[int32_t](starts, indices, colors, by_rows, last, bounds, codes)
    else:
        fits = choose[Py_ssize_t](starts, indices, colors, by_rows, last, bounds, codes)
    if not fits:
        raise ValueError("an index, a colour or a bound lies outside its range")


cdef bint choose(const index[::1] starts, const index[::1] indices, const int32_t[::1] colors, bint by_rows,
                 index[::1] last, Py_ssize_t[::1] bounds, uint16_t[::1] codes) noexcept nogil:
    cdef Py_ssize_t line, p, k, count = last.shape[0]
    cdef bint writes = codes.shape[0] > 0
    if not inside(starts, indices, colors.shape[0] if by_rows else (<Py_ssize_t>1 << 62)):
        return False
    for k in range(colors.shape[0]):
        if colors[k] >= count:
            return False
    for k in range(count):
        last[k] = 0
        if not writes:
            bounds[k + 1] = 0
    if not writes:
        bounds[0] = 0
    if by_rows:
        for p in range(indices.shape[0]):
            if not note(p, colors[indices[p]], last, bounds, codes):
                return False
    else:
        for line in range(starts.shape[0] - 1):
            for p in range(starts[line], starts[line + 1]):
                if not note(p, colors[line], last, bounds, codes):
                    return False
    if writes:
        for k in range(count, 0, -1):
            bounds[k] = bounds[k - 1]
        bounds[0] = 0
    else:
        for k in range(count):
            bounds[k + 1] += bounds[k]
    return True


cdef inline bint note(Py_ssize_t p, int color, index[::1] last, Py_ssize_t[::1] bounds,
                      uint16_t[::1] codes) noexcept nogil:
    """Write entry p as the next one of a colour, or count its codes; return False where it has no room."""
    cdef Py_ssize_t at, step
    if color < 0:
        return True
    step = p - last[color]
    last[color] = <index>p
    if codes.shape[0] == 0:
        bounds[color + 1] += 1
        if step >= FAR:
            bounds[color + 1] += step // FAR
        return True
    at = bounds[color]
    while step >= FAR and 0 <= at < codes.shape[0]:
        codes[at] = FAR
        at += 1
        step -= FAR
    if not 0 <= at < codes.shape[0]:
        return False
    codes[at] = <uint16_t>step
    bounds[color] = at + 1
    return True


# starts (m + 1,), indices (nnz,): by rows  colors (n,) of the columns, -1 for none  table (c, m), written
def by_row(starts, indices, colors, uint8_t[:, ::1] table):
    """Write which of its entries each row has of each colour, 255 for none; return how many have a colour, or -1.

    It is -1 where a row has two entries of a colour, or one of them after 255 others, which a table cannot say.
    """
    cdef Py_ssize_t told
    if indices.dtype.itemsize == 4:
        told = tabulate[int32_t](starts, indices, colors, table)
    else:
        told = tabulate[Py_ssize_t](starts, indices, colors, table)
    if told < -1:
        raise ValueError("an index or a colour lies outside its range")
    return told


cdef Py_ssize_t tabulate(const index[::1] starts, const index[::1] indices, const int32_t[::1] colors,
                         uint8_t[:, ::1] table) noexcept nogil:
    cdef Py_ssize_t i, p, first, end, m = table.shape[1], count = 0, told = 0
    cdef int32_t color, most = -1
    if starts.shape[0] != m + 1 or not inside(starts, indices, colors.shape[0]):
        return -2
    for p in range(colors.shape[0]):
        most = max(most, colors[p])
    if most >= table.shape[0]:
        return -2
    table[:, :] = NONE
    for i in range(m):
        first, end = starts[i], starts[i + 1]
        for p in range(first, end):
            color = colors[indices[p]]
            if color < 0:
                continue
            if p - first >= NONE:
                return -1
            table[color, i] = <uint8_t>(p - first)
            count += 1
    if count:
        told = count_places(&table[0, 0], table.shape[0] * m)  # an entry after another of its colour takes its place
    return count if told == count else -1


cdef Py_ssize_t count_places(const uint8_t* places, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i, k, count = 0
    cdef uint8_t here
    for k in range((size + NONE - 1) // NONE):
        here = 0
        for i in range(k * NONE, min((k + 1) * NONE, size)):
            here += places[i] != NONE
        count += here
    return count


# starts (l + 1,), indices (nnz,): by rows or by columns  data (nnz,)  moves (n,)  after, before (m,): values of f
# sums (3, m), overwritten; by rows (3, 0)
def unexplained(starts, indices, bint by_rows, data, const double[::1] moves, const double[::1] after,
                const double[::1] before, double rounding, double share, double[:, ::1] sums):
    """Return the first row whose change is not what its entries make of the moves of x; -1 where all are explained.

    A row may be off by `rounding` times its larger value, times four more than it has entries, and by a `share` of what
    its entries do, all taken as positive. What is not finite counts as explained.
    """
    cdef Py_ssize_t row
    if (len(starts) != (len(after) if by_rows else len(moves)) + 1 or len(before) != len(after)
            or len(data) != len(indices) or sums.shape[0] != 3 or sums.shape[1] != (0 if by_rows else len(after))):
        raise ValueError("the arrays do not fit each other")
    if indices.dtype.itemsize == 4:
        if data.dtype.char == "d":
            row = astray[int32_t, double](
                starts, indices, by_rows, data, moves, after, before, rounding, share, sums)
        else:
            row = astray[int32_t, float](
                starts, indices, by_rows, data, moves, after, before, rounding, share, sums)
    elif data.dtype.char == "d":
        row = astray[Py_ssize_t, double](starts, indices, by_rows, data, moves, after, before, rounding, share, sums)
    else:
        row = astray[Py_ssize_t, float](starts, indices, by_rows, data, moves, after, before, rounding, share, sums)
    if row < -1:
        raise ValueError("the arrays do not fit each other")
    return row


cdef Py_ssize_t astray(
        const index[::1] starts, const index[::1] indices, bint by_rows, const real[::1] data, const double[::1] moves,
        const double[::1] after, const double[::1] before, double rounding, double share,
        double[:, ::1] sums) noexcept nogil:
    cdef Py_ssize_t i, j, p
    cdef double change, size, term
    if not inside(starts, indices, moves.shape[0] if by_rows else after.shape[0]):
        return -2
    if by_rows:
        for i in range(after.shape[0]):
            change = size = 0.0
            for p in range(starts[i], starts[i + 1]):
                term = moves[indices[p]] * data[p]
                change = change + term
                size = size + fabs(term)
            if off(after[i], before[i], change, share * size, rounding * (4 + starts[i + 1] - starts[i])):
                return i
        return -1
    sums[:, :] = 0.0
    for j in range(moves.shape[0]):
        for p in range(starts[j], starts[j + 1]):
            i = indices[p]
            term = moves[j] * data[p]
            sums[0, i] += term
            sums[1, i] += fabs(term)
            sums[2, i] += 1.0
    for i in range(after.shape[0]):
        if off(after[i], before[i], sums[0, i], share * sums[1, i], rounding * (4 + sums[2, i])):
            return i
    return -1


cdef inline bint off(double after, double before, double change, double allowed, double rounding) noexcept nogil:
    cdef double larger = fabs(after) if fabs(after) > fabs(before) else fabs(before)
    return fabs(after - before - change) > rounding * larger + allowed
