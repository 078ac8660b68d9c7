"""Differences along all entries of a colour at once, and what each entry of a sparse Jacobian reads from them.

The values of f along a colour are added up in one line, as the stencil weights them; an entry (i, j) of the Jacobian is
element i of the line of j's colour, over the width of j. The buffer handed to f is kept from one Jacobian to the next. After
each call it must hold, bit for bit, what was written into it; where it does not, all is measured again with a fresh
copy a call. A buffer that somebody kept is replaced by a fresh one.
"""
from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport int32_t
from libc.string cimport memcmp

import numpy

from fastgrad._kernels.buffers cimport (
    Frame, call, double_buffer, flat, frame_of, fresh_copy, is_laid_out, same_frame, same_shape)
from fastgrad._kernels.columns cimport (
    COLUMNS, add_apart, add_up, below, common_row, copy_members, gather, move, read_off, restore)
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.differences cimport Scheme
from fastgrad._kernels.indices cimport index, inside
from fastgrad._kernels.wide cimport real

cdef type ndarray = numpy.ndarray


cdef class Work:
    """What the measurement of Jacobians at points like x, of an f with m values, writes into: once for all of them.

    ``buffer`` is handed to f, ``line`` is what it must hold, ``total`` (m,) the values along a colour as weighted, ``centre``
    and ``aside`` (m,) values of f, ``block`` the columns of a dense Jacobian that are still to be written.
    """
    cdef object buffer, line
    cdef tuple shape
    cdef double[::1] total, centre, aside
    cdef double[:, ::1] block
    cdef Py_ssize_t calls

    def __init__(self, x, m, is_dense):
        self.buffer = None
        self.line = numpy.empty(x.size, x.dtype)
        self.shape = None
        self.total = numpy.empty(m)
        self.centre = self.aside = None
        self.block = numpy.empty((min(COLUMNS, x.size), m)) if is_dense else None

    cdef int add(self, double[::1] to, object y, Py_ssize_t i, Py_ssize_t offset, object reader, double weight,
                 bint is_first) except -1:
        """Add the values y, as weighted, to a line, or write them there first."""
        cdef Py_buffer view
        cdef const double[::1] values
        if self.shape is not None and type(y) is ndarray and double_buffer(y, &view):
            if same_shape(&view, self.shape) and view.len == to.shape[0] * <Py_ssize_t>sizeof(double):
                add_up(to, <const double *>view.buf, weight, is_first)
                PyBuffer_Release(&view)
                return 0
            PyBuffer_Release(&view)
        array = reader.array(y, i, offset, self.shape)
        if array.size != to.shape[0]:
            raise ValueError("f has not as many values as there are rows")
        self.shape = array.shape
        if array.size:
            values = array.reshape(-1)
            add_up(to, &values[0], weight, is_first)
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

    cdef int renew(self, object x, Py_ssize_t size) except -1:
        """Take a fresh buffer, which holds what the line does."""
        self.buffer = fresh_copy(x, size)
        self.buffer[...] = self.line.reshape(x.shape)
        return 0


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (c + 1,)  members (at most n,), each once: colour by colour
# starts (n + 1,), rows (nnz,): by columns  targets (nnz,) or (0,): where in data each goes  data (nnz,), written
# reader: array(y, i, offset, shape), note(error, i, offset), of which i is the first member of a colour
def sparse(f, x, const double[::1] h, Scheme scheme, bounds, members, starts, rows, targets, Work work, data, reader):
    """Write the differences of f along each colour into data, where its columns have entries; return the calls of f."""
    if rows.dtype.itemsize == 4:
        if x.dtype.char == "d":
            measure[double, int32_t](f, x, flat(x), h, scheme, bounds, members, starts, rows, targets, work, data, reader)
        else:
            measure[float, int32_t](f, x, flat(x), h, scheme, bounds, members, starts, rows, targets, work, data, reader)
    elif x.dtype.char == "d":
        measure[double, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, starts, rows, targets, work, data, reader)
    else:
        measure[float, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, starts, rows, targets, work, data, reader)
    return work.calls


# x (n-d, C order, n entries)  h (1,) or (n,)  bounds (n + 1,): 0, 1, ... n  data (m * n,), written
def dense(f, x, const double[::1] h, Scheme scheme, bounds, Work work, data, reader):
    """Write the differences of f along each entry into data, row by row; return the calls of f."""
    if len(bounds) == 0:
        raise ValueError("the arrays do not fit each other")
    none, members = bounds[:0], bounds[:len(bounds) - 1]
    if x.dtype.char == "d":
        measure[double, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, none, none, none, work, data, reader)
    else:
        measure[float, Py_ssize_t](f, x, flat(x), h, scheme, bounds, members, none, none, none, work, data, reader)
    return work.calls


cdef int measure(
        object f, object x, const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] rows, const index[::1] targets, Work work,
        real[::1] data, object reader) except -1:
    cdef Py_ssize_t n = base.shape[0], m = work.total.shape[0]
    if (not inside(bounds, members, n) or members.shape[0] > n or work.line.size != n
            or (h.shape[0] != 1 and h.shape[0] != n)
            or (scheme.which.shape[0] != 1 and scheme.which.shape[0] != n)):
        raise ValueError("the arrays do not fit each other")
    if work.block is not None:
        if members.shape[0] != n or data.shape[0] != m * n:
            raise ValueError("the arrays do not fit each other")
    elif (starts.shape[0] != n + 1 or data.shape[0] != rows.shape[0] or not inside(starts, rows, m)
            or (targets.shape[0] and (targets.shape[0] != rows.shape[0] or not below(targets, data.shape[0])))):
        raise ValueError("the arrays do not fit each other")
    work.calls = 0
    if bounds.shape[0] < 2:
        return 0
    if FASTGRAD_COUNTS_ARE_EXACT and run(
            f, x, base, h, scheme, bounds, members, starts, rows, targets, work, data, reader, True):
        return 0
    run(f, x, base, h, scheme, bounds, members, starts, rows, targets, work, data, reader, False)
    return 0


cdef bint run(
        object f, object x, const real[::1] base, const double[::1] h, Scheme scheme, const index[::1] bounds,
        const index[::1] members, const index[::1] starts, const index[::1] rows, const index[::1] targets, Work work,
        real[::1] data, object reader, bint in_place) except -1:
    """Measure colour by colour; in place, return False as soon as f is seen to have written into its argument."""
    cdef real[::1] line = work.line, point
    cdef Frame frame
    cdef Py_ssize_t c, k, first, last, row, offset = 0, i = 0, count = 0, size = base.shape[0] * sizeof(real)
    cdef double weight
    cdef bint in_f = False
    line[...] = base
    if work.buffer is None or not in_place:
        work.buffer = fresh_copy(x, size)
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
            first = bounds[c]
            last = bounds[c + 1]
            if first == last:
                continue
            i = members[first]
            row = common_row(scheme.which, members[first:last])
            for k in range(scheme.offsets.shape[1]):
                offset = move(base, h, scheme, members[first:last], k, line)
                if offset:
                    if in_place:
                        copy_members(line, members[first:last], point)
                    else:
                        work.renew(x, size)
                        buffer = work.buffer
                    work.calls += 1
                    in_f = True
                    y = call(f, buffer)
                    in_f = False
                    if in_place and not (same_frame(buffer, &frame, x) and memcmp(&point[0], &line[0], size) == 0):
                        work.buffer = None
                        return False
                    if row >= 0:
                        work.add(work.total, y, i, offset, reader, scheme.weights[row, k], k == 0)
                    else:
                        if work.aside is None:
                            work.aside = numpy.empty(work.total.shape[0])
                        work.add(work.aside, y, i, offset, reader, 1.0, True)
                        add_apart(scheme, members[first:last], starts, rows, k, False, work.aside, work.total)
                    y = None
                    if in_place and Py_REFCNT(buffer) != count:
                        work.renew(x, size)
                        buffer = work.buffer
                        point = flat(buffer)
                        frame = frame_of(buffer)
                        count = Py_REFCNT(buffer)
                if scheme.has_centre:
                    if row < 0:
                        add_apart(scheme, members[first:last], starts, rows, k, True, work.centre, work.total)
                    elif scheme.offsets[row, k] == 0 and scheme.weights[row, k] != 0.0 and work.total.shape[0]:
                        add_up(work.total, &work.centre[0], scheme.weights[row, k], False)
            restore(base, members[first:last], line)
            if in_place:
                copy_members(line, members[first:last], point)
            if work.block is None:
                read_off(h, scheme, members[first:last], starts, rows, targets, work.total, data)
            else:
                gather(h, scheme, c, base.shape[0], work.total, work.block, data)
    except BaseException as error:
        work.buffer = None  # what f raised may hold on to it
        if in_place and isinstance(error, Exception) and work.calls > 1 and not (
                same_frame(buffer, &frame, x) and memcmp(&point[0], &line[0], size) == 0):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            reader.note(error, i, offset)
        raise
    if not in_place:
        work.buffer = None  # f may have changed more of it than its numbers
    return True
