"""Central differences of a Python callable on one private buffer, perturbed in place.

The buffer handed to f owns its memory, so that whatever keeps it, or a view of it, holds a reference that shows in its
count; the loop then goes on with a fresh one. Before an entry is perturbed its bits must equal x's; after each call it
must hold what was written, and the buffer must have the shape, strides, dtype, flags and memory that it had; the rest of
it must equal x at the end, and on the way at entries 0, 1, 2, 4, 8, ... so that no f that writes and takes it back goes
unseen. Where f did write into it, all is measured again with a fresh copy a call.
"""
cimport cython
from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals
from cpython.float cimport PyFloat_AS_DOUBLE, PyFloat_CheckExact
from libc.math cimport fabs
from libc.string cimport memcmp, memcpy

import numpy

from fastgrad._kernels.buffers cimport (
    Frame, call, double_buffer, equal_but_for, flat, frame_of, is_laid_out, same_bits, same_frame, same_shape)
from fastgrad._kernels.wide cimport real

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(object o)

cdef extern from *:
    """
    #ifdef Py_GIL_DISABLED
    #define FASTGRAD_COUNTS_ARE_EXACT 0
    #else
    #define FASTGRAD_COUNTS_ARE_EXACT 1
    #endif
    """
    const bint FASTGRAD_COUNTS_ARE_EXACT

cdef type ndarray = numpy.ndarray
cdef type float64 = numpy.float64
cdef type float32 = numpy.float32

# Columns of a Jacobian that are gathered before they are written: one cache line of doubles a row.
cdef enum:
    COLUMNS = 8


# x (n-d, C order)  h (1,) or (n,)  out (n entries, C order), written  reader: scalar(y, i, sign), note(error, i, sign)
def gradient(f, x, const double[::1] h, out, reader):
    """Write the central differences of the scalar f at x into out; return the number of calls of f."""
    cdef GradientSink sink = GradientSink(reader, out)
    if x.dtype.char == "d":
        differences[double](f, x, flat(x), h, sink, reader)
    else:
        differences[float](f, x, flat(x), h, sink, reader)
    return sink.calls


# x (n-d, C order, n > 0)  h (1,) or (n,)  allocate: y.shape -> J (y.shape + x.shape), C order, written
# reader: array(y, i, sign, shape), note(error, i, sign)
def jacobian(f, x, const double[::1] h, allocate, reader):
    """Return the array that allocate gives for the shape of f's first value, filled with f's central differences."""
    cdef JacobianSink sink = JacobianSink(reader, x, allocate)
    if x.dtype.char == "d":
        differences[double](f, x, flat(x), h, sink, reader)
    else:
        differences[float](f, x, flat(x), h, sink, reader)
    return sink.J


# x (n-d, C order)  h (1,) or (n,)
def first_lost_step(x, const double[::1] h):
    """Return the first flat index at which the realised step differs from h by more than 1 %, or -1."""
    if x.dtype.char == "d":
        return lost_step[double](flat(x), h)
    return lost_step[float](flat(x), h)


cdef Py_ssize_t lost_step(const real[::1] x, const double[::1] h) noexcept nogil:
    cdef Py_ssize_t i, each = 0 if h.shape[0] == 1 else 1
    cdef double plus, minus, step
    for i in range(x.shape[0]):
        step = h[i * each]
        plus = <real>(x[i] + step)
        minus = <real>(x[i] - step)
        if fabs(0.5 * (plus - minus) - step) > 0.01 * step:
            return i
    return -1


cdef class Sink:
    """Takes the values of f one by one, the minus side of an entry after its plus side, and keeps their difference."""
    cdef object reader
    cdef Py_ssize_t calls

    cdef int take(self, object y, Py_ssize_t i, int sign, double width) except -1:
        raise AssertionError("a sink takes")

    cdef int finish(self) except -1:
        return 0


@cython.final
cdef class GradientSink(Sink):
    cdef double plus
    cdef bint is_double
    cdef object trusted
    cdef double[::1] out64
    cdef float[::1] out32

    def __cinit__(self, reader, out):
        self.reader = reader
        self.is_double = out.dtype.char == "d"
        if self.is_double:
            self.out64 = flat(numpy.asarray(out))
        else:
            self.out32 = flat(numpy.asarray(out))

    cdef double value(self, object y, Py_ssize_t i, int sign) except? -1.0:
        cdef Py_buffer view
        cdef double value
        if PyFloat_CheckExact(y) or type(y) is float64:
            return PyFloat_AS_DOUBLE(y)
        if type(y) is self.trusted:
            try:
                return float(y)
            except OverflowError:
                return self.reader.scalar(y, i, sign)
        if type(y) is ndarray and double_buffer(y, &view):
            if view.len == sizeof(double):
                value = (<double *>view.buf)[0]
                PyBuffer_Release(&view)
                return value
            PyBuffer_Release(&view)
        value = self.reader.scalar(y, i, sign)
        if type(y) is int or type(y) is float32:
            self.trusted = type(y)
        return value

    cdef int take(self, object y, Py_ssize_t i, int sign, double width) except -1:
        cdef double quotient, value = self.value(y, i, sign)
        if sign > 0:
            self.plus = value
            return 0
        quotient = (self.plus - value) / width
        if self.is_double:
            self.out64[i] = quotient
        else:
            self.out32[i] = <float>quotient
        return 0


@cython.final
cdef class JacobianSink(Sink):
    cdef object x, J, allocate
    cdef bint is_double
    cdef tuple shape
    cdef double[::1] plus
    cdef double[:, ::1] block
    cdef double[:, ::1] J64
    cdef float[:, ::1] J32
    cdef Py_ssize_t last

    def __cinit__(self, reader, x, allocate):
        self.reader = reader
        self.x = x
        self.allocate = allocate
        self.is_double = x.dtype.char == "d"
        self.shape = None
        self.last = -1

    cdef int prepare(self, tuple shape) except -1:
        self.J = self.allocate(shape)
        rows = numpy.asarray(self.J).reshape(-1 if self.J.size else 0, self.x.size)
        if self.is_double:
            self.J64 = rows
        else:
            self.J32 = rows
        self.shape = shape
        self.plus = numpy.empty(rows.shape[0])
        self.block = numpy.empty((min(COLUMNS, self.x.size), rows.shape[0]))
        return 0

    cdef int take(self, object y, Py_ssize_t i, int sign, double width) except -1:
        cdef Py_buffer view
        cdef const double[::1] values
        if self.shape is not None and type(y) is ndarray and double_buffer(y, &view):
            if same_shape(&view, self.shape):
                self.keep(<const double *>view.buf, i, sign, width)
                PyBuffer_Release(&view)
                return 0
            PyBuffer_Release(&view)
        array = self.reader.array(y, i, sign, self.shape)
        if self.shape is None:
            self.prepare(array.shape)
        if array.size:
            values = array.reshape(-1)
            self.keep(&values[0], i, sign, width)
        return 0

    cdef int keep(self, const double *values, Py_ssize_t i, int sign, double width) except -1:
        cdef Py_ssize_t r, m = self.plus.shape[0]
        if m == 0:
            return 0
        if sign > 0:
            memcpy(&self.plus[0], values, m * sizeof(double))
            return 0
        for r in range(m):
            self.block[i % COLUMNS, r] = (self.plus[r] - values[r]) / width
        self.last = i
        if i % COLUMNS == COLUMNS - 1:
            self.flush()
        return 0

    cdef int flush(self) except -1:
        if self.is_double:
            scatter[double](self.block, self.last, self.J64)
        else:
            scatter[float](self.block, self.last, self.J32)
        return 0

    cdef int finish(self) except -1:
        if self.last >= 0 and self.last % COLUMNS != COLUMNS - 1:
            self.flush()
        return 0


cdef int scatter(const double[:, ::1] block, Py_ssize_t last, real[:, ::1] J) except -1 nogil:
    """Write the gathered columns, the last of which is column `last`, into J."""
    cdef Py_ssize_t r, k, first = last - last % COLUMNS
    for r in range(J.shape[0]):
        for k in range(last - first + 1):
            J[r, first + k] = <real>block[k, r]
    return 0


cdef int differences(object f, object x, const real[::1] base, const double[::1] h, Sink sink, object reader) except -1:
    if not (FASTGRAD_COUNTS_ARE_EXACT and in_place(f, x, base, h, sink, reader)):
        on_copies(f, x, base, h, sink, reader)
    sink.finish()
    return 0


cdef bint in_place(
        object f, object x, const real[::1] base, const double[::1] h, Sink sink, object reader) except -1:
    """Measure every entry on a shared buffer; return False as soon as f is seen to have written into it."""
    cdef object buffer = x.copy(), y
    cdef real[::1] point = flat(buffer)
    cdef Frame frame = frame_of(buffer)
    cdef Py_ssize_t count = Py_REFCNT(buffer), i = 0, each = 0 if h.shape[0] == 1 else 1
    cdef int sign = 1
    cdef bint in_f = False
    cdef double step
    cdef real moved
    if base.shape[0] == 0:
        return True
    if not is_laid_out(buffer, &point[0]):
        return False
    try:
        for i in range(base.shape[0]):
            PyErr_CheckSignals()
            if not same_bits(&point[i], &base[i]):
                return False
            step = h[i * each]
            for sign in range(1, -2, -2):
                moved = <real>(base[i] + sign * step)
                point[i] = moved
                sink.calls += 1
                in_f = True
                y = call(f, buffer)
                in_f = False
                if not (same_frame(buffer, &frame, x) and same_bits(&point[i], &moved)):
                    return False
                if sign > 0 and (i & (i - 1)) == 0 and not equal_but_for(point, base, i):
                    return False
                sink.take(y, i, sign, 2.0 * step)
                y = None
                if Py_REFCNT(buffer) != count:
                    if not equal_but_for(point, base, i):
                        return False
                    buffer = x.copy()
                    point = flat(buffer)
                    frame = frame_of(buffer)
                    count = Py_REFCNT(buffer)
            point[i] = base[i]
    except BaseException as error:
        if isinstance(error, Exception) and sink.calls > 1 and not (
                same_frame(buffer, &frame, x) and equal_but_for(point, base, i)):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            reader.note(error, i, sign)
        raise
    return memcmp(&point[0], &base[0], base.shape[0] * sizeof(real)) == 0


cdef int on_copies(
        object f, object x, const real[::1] base, const double[::1] h, Sink sink, object reader) except -1:
    """Measure every entry on fresh copies, as the reference does."""
    cdef object buffer
    cdef real[::1] point
    cdef Py_ssize_t i, each = 0 if h.shape[0] == 1 else 1
    cdef int sign
    cdef double step
    for i in range(base.shape[0]):
        PyErr_CheckSignals()
        step = h[i * each]
        for sign in range(1, -2, -2):
            buffer = x.copy()
            point = flat(buffer)
            point[i] = <real>(base[i] + sign * step)
            point = None
            sink.calls += 1
            try:
                y = call(f, buffer)
            except BaseException as error:
                reader.note(error, i, sign)
                raise
            sink.take(y, i, sign, 2.0 * step)
    return 0
