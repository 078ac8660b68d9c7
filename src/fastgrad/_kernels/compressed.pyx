"""Differences along all entries of a colour at once, and what each entry of a sparse Jacobian reads from them.

The values of f along a colour are added up in one line, as the stencil weights them; an entry (i, j) of the Jacobian is
element i of the line of j's colour, over the width of j. The buffer handed to f is kept from one Jacobian to the next.
After each call the members of the colour must hold, bit for bit, what was written into them, and all else what x holds;
where that is not so, all is measured again with a fresh copy a call. A buffer that somebody kept is replaced.
"""
from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, uint8_t, uint16_t, uint32_t

import numpy

from fastgrad._kernels.buffers cimport (
    Frame, call, double_buffer, flat, frame_of, fresh_copy, is_laid_out, same_frame, same_shape)
from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.columns cimport (
    add_apart, add_apart_in_rows, add_words, common_row, first_offset, gather, move, offset_of, read_off, read_off_rows)
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.differences cimport Scheme
from fastgrad._kernels.gathered cimport add_up
from fastgrad._kernels.indices cimport index, inside, rise, rises
from fastgrad._kernels.wide cimport real, wide_int

cdef type ndarray = numpy.ndarray

cdef enum:
    SPAN = 1 << 10  # entries that are looked at and moved on at a time: they stay in the nearest cache
    STAY = -1       # no point: x itself


cdef class Work:
    """What the measurement of Jacobians at points like x, of an f with m values, writes into: once for all of them.

    ``buffer`` is handed to f, ``total`` (m,) the values along a colour as weighted, ``centre`` and ``aside`` (m,)
    values of f, ``block`` the columns of a dense Jacobian that are still to be written.
    """
    cdef object buffer
    cdef Py_ssize_t size
    cdef tuple shape
    cdef double[::1] total, centre, aside
    cdef double[:, ::1] block
    cdef Py_ssize_t calls

    def __init__(self, x, m, is_dense):
        self.buffer = None
        self.size = x.size
        self.shape = None
        self.total = numpy.empty(m)
        self.centre = self.aside = None
        self.block = numpy.empty((min(COLUMNS, x.size), m)) if is_dense else None

    cdef object fresh(self, x):
        """Return a copy of x, at the beginning of a line of cache where there is memory to spare beside the result."""
        return x.copy() if self.block is None else fresh_copy(x, x.nbytes)

    cdef int add(self, double[::1] to, object y, Py_ssize_t i, Py_ssize_t offset, object reader, double weight,
                 bint is_first) except -1:
        """Add the values y, as weighted, to a line, or write them there first."""
        cdef Py_buffer view
        cdef const double[::1] values
        cdef Py_ssize_t m = to.shape[0]
        if self.shape is not None and type(y) is ndarray and double_buffer(y, &view):
            if same_shape(&view, self.shape) and view.len == m * <Py_ssize_t>sizeof(double):
                if m:
                    add_up(&to[0], <const double *>view.buf, weight, m, is_first)
                PyBuffer_Release(&view)
                return 0
            PyBuffer_Release(&view)
        array = reader.array(y, i, offset, self.shape)
        if array.size != m:
            raise ValueError("f has not as many values as there are rows")
        self.shape = array.shape
        if m:
            values = array.reshape(-1)
            add_up(&to[0], &values[0], weight, m, is_first)
        return 0

    cdef int take_centre(self, object f, object x, object reader) except -1:
        """Keep the values of f at x itself, called with a copy of its own."""
        self.calls += 1
        try:
            y = call(f, x.copy())
        except BaseException as error:
            reader.note(error, 0, 0)
            raise
        if self.centre is None:
            self.centre = numpy.empty(self.total.shape[0])
        self.add(self.centre, y, 0, 0, reader, 1.0, True)
        return 0


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (c + 1,)  members (at most n,), each once: colour by colour
# starts (l + 1,), indices (nnz,): the entries, by rows or by columns  data (nnz,), written
# ends (c + 1,)  codes: which entries are read from each colour, as `entries.by_color` writes them; or
# table (c, m): the same, as `entries.by_row` writes it; (0, 0) with codes
# reader: array(y, i, offset, shape), note(error, i, offset), of which i is the first member of a colour
def sparse(f, x, const double[::1] h, Scheme scheme, bounds, members, starts, indices, bint by_rows, ends, codes,
           table, Work work, data, reader):
    """Write the differences of f along each colour into data, where entries are read from it; return the calls of f."""
    if indices.dtype.itemsize == 4:
        if x.dtype.char == "d":
            measure[double, int32_t](
                f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work,
                data, reader)
        else:
            measure[float, int32_t](
                f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work,
                data, reader)
    elif x.dtype.char == "d":
        measure[double, Py_ssize_t](
            f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work,
            data, reader)
    else:
        measure[float, Py_ssize_t](
            f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work,
            data, reader)
    return work.calls


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (n + 1,): 0, 1, ... n  data (m * n,), written
def dense(f, x, const double[::1] h, Scheme scheme, bounds, Work work, data, reader):
    """Write the differences of f along each entry into data, row by row; return the calls of f."""
    if len(bounds) == 0:
        raise ValueError("the arrays do not fit each other")
    none, members, codes = bounds[:0], bounds[:len(bounds) - 1], numpy.empty(0, numpy.uint16)
    table = numpy.empty((0, 0), numpy.uint8)
    if x.dtype.char == "d":
        measure[double, Py_ssize_t](
            f, x, flat(x), h, scheme, bounds, members, none, none, True, none, codes, table, work, data, reader)
    else:
        measure[float, Py_ssize_t](
            f, x, flat(x), h, scheme, bounds, members, none, none, True, none, codes, table, work, data, reader)
    return work.calls


cdef int measure(
        object f, object x, const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] indices, bint by_rows,
        const Py_ssize_t[::1] ends, const uint16_t[::1] codes, const uint8_t[:, ::1] table, Work work,
        real[::1] data, object reader) except -1:
    cdef Py_ssize_t n = base.shape[0], m = work.total.shape[0]
    if (not inside(bounds, members, n) or not rises(bounds, members) or work.size != n
            or (h.shape[0] != 1 and h.shape[0] != n)
            or (scheme.which.shape[0] != 1 and scheme.which.shape[0] != n)):
        raise ValueError("the arrays do not fit each other")
    if work.block is not None:
        if members.shape[0] != n or data.shape[0] != m * n:
            raise ValueError("the arrays do not fit each other")
    elif (starts.shape[0] != (m if by_rows else n) + 1 or data.shape[0] != indices.shape[0]
            or not inside(starts, indices, n if by_rows else m) or starts[starts.shape[0] - 1] != indices.shape[0]
            or (table.shape[0] == 0 and (ends.shape[0] != bounds.shape[0] or not rise(ends, codes.shape[0])))
            or (table.shape[0] != 0 and (
                not by_rows or table.shape[0] != bounds.shape[0] - 1 or table.shape[1] != m))):
        raise ValueError("the arrays do not fit each other")
    work.calls = 0
    if bounds.shape[0] < 2:
        return 0
    if FASTGRAD_COUNTS_ARE_EXACT and run(
            f, x, base, h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work, data,
            reader, True):
        return 0
    run(f, x, base, h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work, data, reader,
        False)
    return 0


cdef bint run(
        object f, object x, const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] indices, bint by_rows,
        const Py_ssize_t[::1] ends, const uint16_t[::1] codes, const uint8_t[:, ::1] table, Work work,
        real[::1] data, object reader, bint in_place) except -1:
    """Measure colour by colour; in place, return False as soon as f is seen to have written into its argument."""
    cdef real[::1] point
    cdef const index[::1] group
    cdef const uint16_t[::1] entries = codes
    cdef const uint8_t[::1] places
    cdef Frame frame
    cdef Py_ssize_t c, k = 0, row, offset = 0, i = 0, count = 0
    cdef Py_ssize_t points = scheme.offsets.shape[1]
    cdef bint in_f = False, is_away = False
    if work.buffer is None or not in_place:
        work.buffer = work.fresh(x)
    else:
        work.buffer[...] = x
    buffer = work.buffer
    point = flat(buffer)
    if not is_laid_out(buffer, &point[0]):
        in_place = False
    frame = frame_of(buffer)
    count = Py_REFCNT(buffer)
    if scheme.has_centre:
        work.take_centre(f, x, reader)
    try:
        for c in range(bounds.shape[0] - 1):
            PyErr_CheckSignals()
            group = members[bounds[c]:bounds[c + 1]]
            if group.shape[0] == 0:
                continue
            if table.shape[0]:
                places = table[c]
            elif work.block is None:
                entries = codes[ends[c]:ends[c + 1]]
            i = group[0]
            row = common_row(scheme.which, group)
            offset = move(base, h, scheme, group, 0, point)
            for k in range(points):
                is_away = True
                if offset:
                    work.calls += 1
                    in_f = True
                    y = call(f, buffer)
                    in_f = False
                    if in_place and not same_frame(buffer, &frame, x):
                        work.buffer = None
                        return False
                    if row >= 0:
                        work.add(work.total, y, i, offset, reader, scheme.weights[row, k], k == 0)
                    else:
                        if work.aside is None:
                            work.aside = numpy.empty(work.total.shape[0])
                        work.add(work.aside, y, i, offset, reader, 1.0, True)
                        if table.shape[0]:
                            add_apart_in_rows(scheme, starts, indices, places, k, False, work.aside, work.total)
                        else:
                            add_apart(scheme, starts, indices, by_rows, entries, k, False, work.aside, work.total)
                    y = None
                if scheme.has_centre:
                    if row < 0 and table.shape[0]:
                        add_apart_in_rows(scheme, starts, indices, places, k, True, work.centre, work.total)
                    elif row < 0:
                        add_apart(scheme, starts, indices, by_rows, entries, k, True, work.centre, work.total)
                    elif scheme.offsets[row, k] == 0 and scheme.weights[row, k] != 0.0 and work.total.shape[0]:
                        add_up(&work.total[0], &work.centre[0], scheme.weights[row, k], work.total.shape[0], False)
                if not in_place or Py_REFCNT(buffer) != count:
                    if in_place and not moves_on(base, h, scheme, group, k, k, point):
                        work.buffer = None
                        return False
                    work.buffer = work.fresh(x)
                    is_away = False
                    buffer = work.buffer
                    point = flat(buffer)
                    frame = frame_of(buffer)
                    count = Py_REFCNT(buffer)
                    offset = move(base, h, scheme, group, k + 1, point) if k + 1 < points else 0
                else:
                    if not moves_on(base, h, scheme, group, k, k + 1 if k + 1 < points else STAY, point):
                        work.buffer = None
                        return False
                    is_away = False
                    offset = first_offset(scheme, group, k + 1) if k + 1 < points else 0
            if table.shape[0]:
                read_off_rows(h, scheme, starts, indices, places, work.total, data)
            elif work.block is None:
                read_off(h, scheme, starts, indices, by_rows, entries, work.total, data)
            else:
                gather(h, scheme, c, base.shape[0], work.total, work.block, data)
    except BaseException as error:
        work.buffer = None  # what f raised may hold on to it
        if in_place and is_away and isinstance(error, Exception) and work.calls > 1 and not (
                same_frame(buffer, &frame, x) and moves_on(base, h, scheme, group, k, k, point)):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            reader.note(error, i, offset)
        raise
    if not in_place:
        work.buffer = None  # f may have changed more of it than its numbers
    return True


cdef bint moves_on(const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] members, Py_ssize_t k,
                   Py_ssize_t then, real[::1] point) except -1:
    """Move the members from their k-th point to another, or back; tell whether all entries held what they should.

    They should hold what was written, bit for bit. Where one does not, what is moved is not said.
    """
    cdef Py_ssize_t first, end, q = 0, j, offset, left = 0, n = base.shape[0]
    cdef Py_ssize_t each = 0 if h.shape[0] == 1 else 1
    cdef bint is_uniform = each == 0 and scheme.which.shape[0] == 1
    cdef double step = 0.0, next_step = 0.0
    cdef real held
    if is_uniform:
        step = offset_of(scheme, 0, k) * h[0]
        next_step = 0.0 if then == STAY else offset_of(scheme, 0, then) * h[0]
        is_uniform = step != 0.0 and (then == STAY or next_step != 0.0)
    for first in range(0, n, SPAN):
        end = min(first + SPAN, n)
        left = differing(<const uint32_t *>&base[first], <const uint32_t *>&point[first],
                         <int>((end - first) * (sizeof(real) // 4)))
        while q < members.shape[0] and members[q] < end:
            j = members[q]
            q += 1
            if is_uniform:
                held = <real>(base[j] + step)
            else:
                offset = offset_of(scheme, j, k)
                held = <real>(base[j] + offset * h[j * each]) if offset else base[j]
            if add_words(&held, &point[j]) != 0:
                return False
            left -= add_words(&base[j], &held)
            if then == STAY:
                point[j] = base[j]
            elif is_uniform:
                point[j] = <real>(base[j] + next_step)
            else:
                offset = offset_of(scheme, j, then)
                point[j] = <real>(base[j] + offset * h[j * each]) if offset else base[j]
        if left != 0:
            return False
    return True


cdef wide_int differing(const uint32_t *a, const uint32_t *b, int count) noexcept nogil:
    """Return how many words are not the same."""
    cdef int k, found = 0
    for k in range(count):
        found += a[k] != b[k]
    return found
