"""Differences along all entries of a colour at once, and what each entry of a sparse Jacobian reads from them.

The values of f along a colour are added up in one line, as the stencil weights them; an entry (i, j) of the Jacobian is
element i of the line of j's colour, over the width of j. The buffer handed to f is kept from one Jacobian to the next.
After each call the members of the colour must hold, bit for bit, what was written into them, and all else what x holds;
where that is not so, all is measured again with a fresh copy a call. A buffer that somebody kept is replaced.
"""
from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t, uint8_t, uint16_t

import numpy

from fastgrad._kernels.buffers cimport (
    Frame, call, double_buffer, flat, frame_of, fresh_copy, is_laid_out, same_frame, same_shape)
from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.columns cimport add_apart, common_row, gather, read_off
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.differences cimport Scheme, stencils
from fastgrad._kernels.gathered cimport add_up
from fastgrad._kernels.indices cimport index, inside, rise, rises
from fastgrad._kernels.members cimport STAY, first_offset, move, moves_on
from fastgrad._kernels.spans cimport Stencils
from fastgrad._kernels.wide cimport real

cdef type ndarray = numpy.ndarray


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

    cdef int add_centre(self, double weight) except -1:
        """Add the values of f at x, as weighted, to the line."""
        if self.total.shape[0]:
            add_up(&self.total[0], &self.centre[0], weight, self.total.shape[0], False)
        return 0

    cdef int lay_aside(self, object y, Py_ssize_t i, Py_ssize_t offset, object reader) except -1:
        """Keep the values y as they are, for members that weight them differently."""
        if self.aside is None:
            self.aside = numpy.empty(self.total.shape[0])
        self.add(self.aside, y, i, offset, reader, 1.0, True)
        return 0


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (c + 1,)  members (at most n,), each once: colour by colour
# starts (l + 1,), indices (nnz,): the entries, by rows or by columns  data (nnz,), written
# ends (c + 1,)  codes: which entries are read from each colour, as `entries.by_color` writes them; or
# table (c, m): the same, as `entries.by_row` writes it; (0, 0) with codes
# reader: array(y, i, offset, shape), note(error, i, offset), of which i is the first member of a colour
def sparse(f, x, const double[::1] h, Scheme scheme, bounds, members, starts, indices, bint by_rows, ends, codes,
           table, Work work, data, reader):
    """Write the differences of f along each colour into data, where entries are read from it; return the calls of f."""
    by_types(f, x, h, scheme, bounds, members, starts, indices, by_rows, ends, codes, table, work, data, reader)
    return work.calls


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (n + 1,): 0, 1, ... n  data (m * n,), written
def dense(f, x, const double[::1] h, Scheme scheme, bounds, Work work, data, reader):
    """Write the differences of f along each entry into data, row by row; return the calls of f."""
    if len(bounds) == 0:
        raise ValueError("the arrays do not fit each other")
    none, members, codes = bounds[:0], bounds[:len(bounds) - 1], numpy.empty(0, numpy.uint16)
    table = numpy.empty((0, 0), numpy.uint8)
    by_types(f, x, h, scheme, bounds, members, none, none, True, none, codes, table, work, data, reader)
    return work.calls


cdef int by_types(object f, object x, const double[::1] h, Scheme scheme, object bounds, object members, object starts,
                  object indices, bint by_rows, object ends, object codes, object table, Work work, object data,
                  object reader) except -1:
    if x.dtype.char == "d" and indices.dtype.itemsize == 4:
        measure[double, int32_t](f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes,
                                 table, work, data, reader)
    elif x.dtype.char == "d":
        measure[double, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes,
                                    table, work, data, reader)
    elif indices.dtype.itemsize == 4:
        measure[float, int32_t](f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes,
                                table, work, data, reader)
    else:
        measure[float, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, starts, indices, by_rows, ends, codes,
                                   table, work, data, reader)
    return 0


cdef int measure(
        object f, object x, const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] indices, bint by_rows,
        const Py_ssize_t[::1] ends, const uint16_t[::1] codes, const uint8_t[:, ::1] table, Work work,
        real[::1] data, object reader) except -1:
    cdef Py_ssize_t n = base.shape[0], m = work.total.shape[0]
    cdef Stencils s = stencils(scheme, &h[0] if h.shape[0] else NULL, h.shape[0], n)
    if not inside(bounds, members, n) or not rises(bounds, members) or work.size != n:
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
            f, x, base, s, scheme.has_centre, bounds, members, starts, indices, by_rows, ends, codes, table, work, data,
            reader, True):
        return 0
    work.buffer = None  # f wrote into it
    run(f, x, base, s, scheme.has_centre, bounds, members, starts, indices, by_rows, ends, codes, table, work, data,
        reader, False)
    return 0


cdef int weigh(
        object y, Py_ssize_t i, Py_ssize_t offset, object reader, Work work, Stencils s, bint has_centre,
        Py_ssize_t row, Py_ssize_t k, const index[::1] starts, const index[::1] indices, bint by_rows,
        const uint16_t[::1] codes, const uint8_t *places) except -1:
    """Add to the line what f has at the k-th points of a colour, as weighted: y where one moves, its values at x."""
    cdef Py_ssize_t at = row * s.length + k
    if row < 0:
        if offset:
            work.lay_aside(y, i, offset, reader)
            add_apart(s, starts, indices, by_rows, codes, places, k, False, work.aside, work.total)
        if has_centre:
            add_apart(s, starts, indices, by_rows, codes, places, k, True, work.centre, work.total)
    elif offset:
        work.add(work.total, y, i, offset, reader, s.weights[at], k == 0)
    elif has_centre and s.weights[at] != 0.0:
        work.add_centre(s.weights[at])
    return 0


cdef bint run(
        object f, object x, const real[::1] base, Stencils s, bint has_centre, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] indices, bint by_rows,
        const Py_ssize_t[::1] ends, const uint16_t[::1] codes, const uint8_t[:, ::1] table, Work work,
        real[::1] data, object reader, bint in_place) except -1:
    """Measure colour by colour; in place, return False as soon as f is seen to have written into its argument."""
    cdef real[::1] point
    cdef const index[::1] group
    cdef const uint16_t[::1] entries = codes
    cdef const uint8_t *places = NULL
    cdef Frame frame
    cdef Py_ssize_t c, k, then, row, offset = 0, i = 0, count, points = s.length
    cdef bint in_f = False, is_away = False  # is_away: the members may stand at their points, not at x
    if work.buffer is None or not in_place:
        work.buffer = work.fresh(x)
    else:
        work.buffer[...] = x
    buffer, y = work.buffer, None
    point = flat(buffer)
    if not is_laid_out(buffer, &point[0]):
        in_place = False
    frame = frame_of(buffer)
    count = Py_REFCNT(buffer)
    if has_centre:
        work.take_centre(f, x, reader)
    try:
        for c in range(bounds.shape[0] - 1):
            PyErr_CheckSignals()
            group = members[bounds[c]:bounds[c + 1]]
            if group.shape[0] == 0:
                continue
            if table.shape[0] and table.shape[1]:
                places = &table[c, 0]
            elif work.block is None:
                entries = codes[ends[c]:ends[c + 1]]
            i = group[0]
            row = common_row(s, group)
            offset = move(base, s, group, 0, point)
            for k in range(points):
                is_away = True
                then = k + 1 if k + 1 < points else STAY
                if offset:
                    work.calls += 1
                    in_f = True
                    y = call(f, buffer)
                    in_f = False
                    if in_place and not same_frame(buffer, &frame, x):
                        return False
                weigh(y, i, offset, reader, work, s, has_centre, row, k, starts, indices, by_rows, entries, places)
                y = None
                if in_place and Py_REFCNT(buffer) == count:
                    if not moves_on(base, s, group, k, then, point):
                        return False
                    offset = first_offset(s, group, then)
                else:
                    if in_place and not moves_on(base, s, group, k, k, point):
                        return False
                    work.buffer = buffer = work.fresh(x)
                    point = flat(buffer)
                    frame = frame_of(buffer)
                    count = Py_REFCNT(buffer)
                    offset = 0 if then == STAY else move(base, s, group, then, point)
                is_away = False
            if work.block is None:
                read_off(s, starts, indices, by_rows, entries, places, work.total, data)
            else:
                gather(s, c, base.shape[0], work.total, work.block, data)
    except BaseException as error:
        work.buffer = None  # what f raised may hold on to it
        if in_place and is_away and isinstance(error, Exception) and work.calls > 1 and not (
                same_frame(buffer, &frame, x) and moves_on(base, s, group, k, k, point)):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            reader.note(error, i, offset)
        raise
    if not in_place:
        work.buffer = None  # f may have changed more of it than its numbers
    return True
