"""Differences of a Python callable on one private buffer, perturbed in place.

The buffer handed to f owns its memory, so that whatever keeps it, or a view of it, holds a reference that shows in its
count; the loop then goes on with a fresh one. Before an entry is perturbed its bits must equal x's; after each call it
must hold what was written, and the buffer must have the shape, strides, dtype, flags and memory that it had; the rest of
it must equal x at the end, and on the way at entries 0, 1, 2, 4, 8, ... so that an f that writes and takes it back call
after call is seen. One that does so once in a while, before the entry's own turn, is not: to look at all entries after
each call would take longer than many an f does. Where f did write, all is measured again with a fresh copy a call.
"""
from cpython.exc cimport PyErr_CheckSignals
from cpython.function cimport PyFunction_Check
from libc.math cimport fabs
from libc.string cimport memcmp

from fastgrad._kernels.buffers cimport (
    Frame, call, caller_of, equal_but_for, frame_of, fresh_copy, is_laid_out, same_bits, same_frame, vectorcallfunc)
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.sinks cimport GradientSink, JacobianSink, Sink
from fastgrad._kernels.spans cimport Stencils
from fastgrad._kernels.views cimport unpack
from fastgrad._kernels.wide cimport real

cdef class Scheme:
    """Stencils: entry i is differenced by Σ_k weights[w, k]·f(x + offsets[w, k]·h e_i) / (widths[w]·h), w = which[i]."""
    def __init__(self, offsets, weights, widths, which):
        cdef Py_ssize_t w, k
        self.offsets = offsets
        self.weights = weights
        self.widths = widths
        self.which = which
        self.has_centre = False
        for w in range(self.offsets.shape[0]):
            for k in range(self.offsets.shape[1]):
                self.has_centre = self.has_centre or (self.offsets[w, k] == 0 and self.weights[w, k] != 0.0)


# x (n-d, C order)  h (1,) or (n,)  out (n entries, C order), written  reader: scalar(y, i, offset), note(error, i, offset),
# pace(i) -> the next i to tell it of
def gradient(f, x, h, Scheme scheme, out, reader):
    """Write the differences of the scalar f at x into out; return the number of calls of f."""
    cdef GradientSink sink = GradientSink(reader, out)
    if x.itemsize == sizeof(double):
        differences(f, x, <double*> NULL, h, scheme, sink, reader)
    else:
        differences(f, x, <float*> NULL, h, scheme, sink, reader)
    return sink.calls


# x (n-d, C order, n > 0)  h (1,) or (n,)  allocate: y.shape -> J (y.shape + x.shape), C order, written
# reader: array(y, i, offset, shape), note(error, i, offset), pace(i) -> the next i to tell it of
def jacobian(f, x, h, Scheme scheme, allocate, reader):
    """Return the array that allocate gives for the shape of f's first value, filled with f's differences."""
    cdef JacobianSink sink = JacobianSink(reader, x, allocate)
    if x.itemsize == sizeof(double):
        differences(f, x, <double*> NULL, h, scheme, sink, reader)
    else:
        differences(f, x, <float*> NULL, h, scheme, sink, reader)
    return sink.J


# x (n-d, C order)  h (1,) or (n,)
def first_lost_step(x, h):
    """Return the first flat index at which the realised step differs from h by more than 1 %, or -1."""
    if x.itemsize == sizeof(double):
        return lost_step[double](x, NULL, h)
    return lost_step[float](x, NULL, h)


# The second argument is where the array's entries lie, found here: its type says which.
cdef Py_ssize_t lost_step(object array, real* x, object steps) except -2:
    cdef double* h
    cdef Py_ssize_t i, n = unpack(array, &x, False), each = 0 if unpack(steps, &h, False) == 1 else 1
    cdef double plus, minus, step
    for i in range(n):
        step = h[i * each]
        plus = <real>(x[i] + step)
        minus = <real>(x[i] - step)
        if fabs(0.5 * (plus - minus) - step) > 0.01 * step:
            return i
    return -1


cdef int differences(
        object f, object x, real* base, object steps, Scheme scheme, Sink sink, object reader) except -1:
    cdef double* h
    cdef Py_ssize_t n = unpack(x, &base, False), count = unpack(steps, &h, False)
    cdef Stencils s = stencils(scheme, h, count, n)
    if n and not (FASTGRAD_COUNTS_ARE_EXACT and in_place(f, x, base, n, s, scheme.has_centre, sink, reader)):
        on_copies(f, x, base, n, s, scheme.has_centre, sink, reader)
    sink.finish()
    return 0


cdef bint in_place(
        object f, object x, const real* base, Py_ssize_t n, Stencils s, bint has_centre, Sink sink,
        object reader) except -1:
    """Measure every entry on a shared buffer; return False as soon as f is seen to have written into it."""
    cdef object buffer = fresh_copy(x, n * sizeof(real)), y
    cdef real* point
    cdef Frame frame = frame_of(buffer)
    cdef Py_ssize_t count = Py_REFCNT(buffer), i = 0, k, offset = 0, due = 0, row
    cdef vectorcallfunc caller = caller_of(f)
    cdef bint in_f = False, asks = not PyFunction_Check(f)  # which hears of Ctrl-C itself, as it begins
    cdef double step, weight
    cdef real moved
    unpack(buffer, &point, True)
    if not is_laid_out(buffer, point):
        return False
    if has_centre:
        take_centre(f, x, sink, reader)
    try:
        for i in range(n):
            if asks:
                PyErr_CheckSignals()
            if i == due:
                due = reader.pace(i)
            if not same_bits(&point[i], &base[i]):
                return False
            step = s.h[i * s.each_step]
            row = s.which[i * s.each_row]
            for k in range(s.length):
                weight = s.weights[row * s.length + k]
                if weight == 0.0:
                    break
                offset = s.offsets[row * s.length + k]
                if offset == 0:
                    sink.add_centre(weight)
                    continue
                moved = <real>(base[i] + offset * step)
                point[i] = moved
                sink.calls += 1
                in_f = True
                y = call(f, buffer, caller)
                in_f = False
                if not (same_frame(buffer, &frame, x) and same_bits(&point[i], &moved)):
                    return False
                if k == 0 and (i & (i - 1)) == 0 and not equal_but_for(point, base, n, i):
                    return False
                sink.take(y, i, offset, weight, k == 0)
                y = None
                if Py_REFCNT(buffer) != count:
                    if not equal_but_for(point, base, n, i):
                        return False
                    buffer = fresh_copy(x, n * sizeof(real))
                    unpack(buffer, &point, True)
                    frame = frame_of(buffer)
                    count = Py_REFCNT(buffer)
            sink.close(i, s.widths[row] * step)
            point[i] = base[i]
    except BaseException as error:
        if isinstance(error, Exception) and sink.calls > 1 and not (
                same_frame(buffer, &frame, x) and equal_but_for(point, base, n, i)):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            reader.note(error, i, offset)
        raise
    return memcmp(point, base, n * sizeof(real)) == 0


cdef int take_centre(object f, object x, Sink sink, object reader) except -1:
    """Let the sink have f at x itself, on a copy of its own."""
    sink.calls += 1
    try:
        y = call(f, x.copy())
    except BaseException as error:
        reader.note(error, 0, 0)
        raise
    sink.take_centre(y)
    return 0


cdef int on_copies(
        object f, object x, const real* base, Py_ssize_t n, Stencils s, bint has_centre, Sink sink,
        object reader) except -1:
    """Measure every entry on fresh copies, as the reference does."""
    cdef object buffer
    cdef real* point
    cdef Py_ssize_t i, k, offset, row, due = 0
    cdef double step, weight
    if has_centre:
        take_centre(f, x, sink, reader)
    for i in range(n):
        PyErr_CheckSignals()
        if i == due:
            due = reader.pace(i)
        step = s.h[i * s.each_step]
        row = s.which[i * s.each_row]
        for k in range(s.length):
            weight = s.weights[row * s.length + k]
            if weight == 0.0:
                break
            offset = s.offsets[row * s.length + k]
            if offset == 0:
                sink.add_centre(weight)
                continue
            buffer = x.copy()
            unpack(buffer, &point, True)
            point[i] = <real>(base[i] + offset * step)
            sink.calls += 1
            try:
                y = call(f, buffer)
            except BaseException as error:
                reader.note(error, i, offset)
                raise
            sink.take(y, i, offset, weight, k == 0)
        sink.close(i, s.widths[row] * step)
    return 0
