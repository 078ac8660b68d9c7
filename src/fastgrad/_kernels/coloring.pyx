"""Greedy colourings of sparse patterns, and the members of each colour.

A column may share its colour with another where no row has entries in both. The colours that are taken at a row are the
bits of one word, so that those which a column may not have are the union of its rows' words: one pass over the entries
gives the first 64 colours, and another over what is left each further 64.
"""
from libc.stdint cimport int32_t, uint64_t

from fastgrad._kernels.indices cimport index, inside
from fastgrad._kernels.wide cimport wide_int

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define fastgrad_lowest_bit(word) __builtin_ctzll(word)
    #else
    static int fastgrad_lowest_bit(unsigned long long word) {
        int k = 0;
        while (!(word & 1)) { word >>= 1; k++; }
        return k;
    }
    #endif
    """
    int fastgrad_lowest_bit(unsigned long long word) noexcept nogil

cdef enum:
    COLORS = 64                    # that fit a word
    OUTSIDE = -1                   # an index lies outside its array
    FEW = 8                        # colours that are looked for one after another


# starts (n + 1,), indices (nnz,): the rows of each column; queue (at most n,): the columns in order, overwritten;
# taken (m,), overwritten; colors (n,), written for the columns in queue. A column without entries is given -1.
cdef wide_int lowest(const index[::1] starts, const index[::1] indices, index[::1] queue, uint64_t[::1] taken,
                     int32_t[::1] colors) except -2 nogil:
    cdef Py_ssize_t left = queue.shape[0], kept, k, p, j, m = taken.shape[0]
    cdef uint64_t full = ~(<uint64_t> 0), union, bit
    cdef int base = 0, found = 0, color
    while left:
        for p in range(m):
            taken[p] = 0
        kept = 0
        for k in range(left):
            j = queue[k]
            if j < 0 or j >= colors.shape[0] or starts[j] < 0 or starts[j + 1] > indices.shape[0]:
                return OUTSIDE
            union = 0
            for p in range(starts[j], starts[j + 1]):
                if indices[p] < 0 or indices[p] >= m:
                    return OUTSIDE
                union |= taken[indices[p]]
            if union == full:
                queue[kept] = <index> j
                kept += 1
                continue
            if starts[j] >= starts[j + 1]:
                colors[j] = -1
                continue
            color = fastgrad_lowest_bit(~union)
            bit = <uint64_t> 1 << color
            for p in range(starts[j], starts[j + 1]):
                taken[indices[p]] |= bit
            color += base
            colors[j] = color
            if color >= found:
                found = color + 1
        left = kept
        base += COLORS
    return found


def first_fit(starts, indices, queue, taken, colors):
    """Give each column in queue the lowest colour that none before it with a common row has; return their number."""
    cdef int found
    if len(starts) != len(colors) + 1:
        raise ValueError("starts does not fit colors")
    if indices.dtype.itemsize == 4:
        found = lowest[int32_t](starts, indices, queue, taken, colors)
    else:
        found = lowest[Py_ssize_t](starts, indices, queue, taken, colors)
    if found < 0:
        raise ValueError("an index lies outside its array")
    return found


# As above. A column takes the first colour that it may have after the last one given, around the end of the palette,
# to which a colour is added where it finds none; more than COLORS are a failure.
cdef wide_int following(const index[::1] starts, const index[::1] indices, const index[::1] order,
                        uint64_t[::1] taken, int palette, int32_t[::1] colors) except -2 nogil:
    cdef Py_ssize_t k, p, j, m = taken.shape[0]
    cdef uint64_t union, may, after, bit
    cdef int color = -1
    for p in range(m):
        taken[p] = 0
    for k in range(order.shape[0]):
        j = order[k]
        if j < 0 or j >= colors.shape[0] or starts[j] < 0 or starts[j + 1] > indices.shape[0]:
            return OUTSIDE
        if starts[j] >= starts[j + 1]:
            colors[j] = -1
            continue
        union = 0
        for p in range(starts[j], starts[j + 1]):
            if indices[p] < 0 or indices[p] >= m:
                return OUTSIDE
            union |= taken[indices[p]]
        may = ~union & (~(<uint64_t> 0) >> (COLORS - palette))
        if may == 0:
            if palette == COLORS:
                return COLORS + 1
            color = palette
            palette += 1
        else:
            after = 0 if color >= COLORS - 1 else may & (~(<uint64_t> 0) << (color + 1))
            color = fastgrad_lowest_bit(after if after else may)
        bit = <uint64_t> 1 << color
        for p in range(starts[j], starts[j + 1]):
            taken[indices[p]] |= bit
        colors[j] = color
    return palette


def next_fit(starts, indices, order, taken, int palette, colors):
    """Give each column the next colour of the palette that it may have; return how many it took, 65 for too many."""
    cdef int found
    if len(starts) != len(colors) + 1:
        raise ValueError("starts does not fit colors")
    if not 1 <= palette <= COLORS:
        raise ValueError("a palette has from 1 to 64 colours")
    if indices.dtype.itemsize == 4:
        found = following[int32_t](starts, indices, order, taken, palette, colors)
    else:
        found = following[Py_ssize_t](starts, indices, order, taken, palette, colors)
    if found < 0:
        raise ValueError("an index lies outside its array")
    return found


# starts (m + 1,), indices (nnz,) below n: by rows, rising in each; colors (n,), written. -1: an index lies outside
cdef int distinct(
        const index[::1] starts, const index[::1] indices, Py_ssize_t period, int32_t[::1] colors) noexcept nogil:
    cdef Py_ssize_t i, p, j, n = colors.shape[0], last = 0, first = 0, color = 0, first_color = 0
    cdef Py_ssize_t begin = 0, end = 0, following = 0  # columns from begin to below end have colours, and which is next
    cdef uint64_t seen, bit
    cdef bint is_short
    if not inside(starts, indices, n):
        return OUTSIDE
    for j in range(n):
        colors[j] = -1
    for i in range(starts.shape[0] - 1):
        if starts[i] == starts[i + 1]:
            continue
        j, last = indices[starts[i]], indices[starts[i + 1] - 1]
        is_short = last - j == starts[i + 1] - 1 - starts[i] and last - j < period
        if is_short and begin <= j <= end:  # as in a band, where each column is so seen once, and not in each row
            while end <= last:
                colors[end] = <int32_t>following
                end += 1
                following = following + 1 if following + 1 < period else 0
            continue
        seen = 0
        last, color = first, first_color
        for p in range(starts[i], starts[i + 1]):
            j = indices[p]
            color += j - last  # a division a row or none, where neighbours are near
            if color >= period:
                color -= period
            if not 0 <= color < period:
                color = j % period
            last = j
            if p == starts[i]:
                first, first_color = j, color
            bit = <uint64_t> 1 << color
            if seen & bit:
                return 0
            seen |= bit
            colors[j] = <int32_t>color
        if is_short:
            begin, end = first, last + 1
            following = color + 1 if color + 1 < period else 0
    return 1


def by_period(starts, indices, period, colors):
    """Give column j, if it has entries, the colour j mod period; return whether no row has a colour twice."""
    cdef int found
    if len(starts) == 0 or not 1 <= period <= COLORS:
        raise ValueError("starts needs an entry more than there are rows, and a period is from 1 to 64")
    if indices.dtype.itemsize == 4:
        found = distinct[int32_t](starts, indices, period, colors)
    else:
        found = distinct[Py_ssize_t](starts, indices, period, colors)
    if found < 0:
        raise ValueError("an index lies outside its array")
    return found == 1


# colors (n,), -1 for those without; starts (n_colors + 1,), members (those with a colour,), written
cdef int sort_by_color(const int32_t[::1] colors, index[::1] starts, index[::1] members) except -1 nogil:
    cdef Py_ssize_t j, k, n_colors = starts.shape[0] - 1
    cdef int32_t most = -1
    cdef index at
    for j in range(n_colors + 1):
        starts[j] = 0
    for j in range(colors.shape[0]):
        most = max(most, colors[j])
    if most >= n_colors:
        return 1
    if n_colors <= FEW:  # to look up a count is to wait for what was last written there
        for k in range(n_colors):
            starts[k + 1] = <index>count_of(colors, <int32_t>k)
    else:
        for j in range(colors.shape[0]):
            if colors[j] >= 0:
                starts[colors[j] + 1] += 1
    for j in range(n_colors):
        starts[j + 1] += starts[j]
    if starts[n_colors] != members.shape[0]:
        return 1
    if n_colors <= FEW:
        for k in range(n_colors):
            write_members(colors, <int32_t>k, members[starts[k]:starts[k + 1]])
        return 0
    for j in range(colors.shape[0]):
        if colors[j] >= 0:
            at = starts[colors[j]]
            members[at] = <index> j
            starts[colors[j]] = at + 1
    for j in range(n_colors, 0, -1):
        starts[j] = starts[j - 1]
    starts[0] = 0
    return 0


cdef void write_members(const int32_t[::1] colors, int32_t color, index[::1] members) noexcept nogil:
    """Write who has a colour, for all of whom there is room."""
    cdef Py_ssize_t j, at = 0
    for j in range(colors.shape[0]):
        if colors[j] == color:  # as often foreseen: colours come round in most patterns
            members[at] = <index> j
            at += 1


cdef Py_ssize_t count_of(const int32_t[::1] colors, int32_t color) noexcept nogil:
    cdef Py_ssize_t j, count = 0
    for j in range(colors.shape[0]):
        count += colors[j] == color
    return count


def group(colors, starts, members):
    """Write the members of each colour in rising order, those of colour c from starts[c] to starts[c + 1]."""
    cdef int wrong
    if len(starts) == 0:
        raise ValueError("starts needs an entry more than there are colours")
    if members.dtype.itemsize == 4:
        wrong = sort_by_color[int32_t](colors, starts, members)
    else:
        wrong = sort_by_color[Py_ssize_t](colors, starts, members)
    if wrong:
        raise ValueError("starts or members do not fit the colours")
