"""What the loops of differences do with the values of f: add them up as a stencil weights them, and write quotients."""
cimport cython
from cpython.buffer cimport PyBuffer_Release

import numpy

from fastgrad._kernels.buffers cimport double_buffer, same_shape
from fastgrad._kernels.cache cimport COLUMNS
from fastgrad._kernels.gathered cimport add_up, quotients, scatter
from fastgrad._kernels.views cimport unpack

cdef type ndarray = numpy.ndarray
cdef type float32 = numpy.float32


@cython.final
cdef class GradientSink:
    def __cinit__(self, reader, out):
        self.reader = reader
        self.out = out  # which holds what the pointers point to
        self.float64 = numpy.float64
        self.is_double = out.itemsize == sizeof(double)
        if self.is_double:
            unpack(out, &self.out64, True)
        else:
            unpack(out, &self.out32, True)

    # The values of other types.
    cdef double read(self, object y, Py_ssize_t i, Py_ssize_t offset) except? -1.0:
        cdef Py_buffer view
        cdef double value
        if type(y) is self.trusted:
            try:
                return float(y)
            except OverflowError:
                return self.reader.scalar(y, i, offset)
        if type(y) is ndarray and double_buffer(y, &view):
            if view.len == sizeof(double):
                value = (<double *>view.buf)[0]
                PyBuffer_Release(&view)
                return value
            PyBuffer_Release(&view)
        value = self.reader.scalar(y, i, offset)
        if type(y) is int or type(y) is float32:
            self.trusted = type(y)
        return value


@cython.final
cdef class JacobianSink:
    def __cinit__(self, reader, x, allocate):
        self.reader = reader
        self.x = x
        self.allocate = allocate
        self.is_double = x.itemsize == sizeof(double)
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
        self.total = numpy.empty(rows.shape[0])
        self.block = numpy.empty((min(COLUMNS, self.x.size), rows.shape[0]))
        return 0

    cdef int take_centre(self, object y) except -1:
        array = self.reader.array(y, 0, 0, self.shape)
        if self.shape is None:
            self.prepare(array.shape)
        self.centre = array.reshape(-1).copy()
        return 0

    cdef int take(self, object y, Py_ssize_t i, Py_ssize_t offset, double weight, bint is_first) except -1:
        cdef Py_buffer view
        cdef const double[::1] values
        if self.shape is not None and type(y) is ndarray and double_buffer(y, &view):
            if same_shape(&view, self.shape):
                self.add(<const double *>view.buf, weight, is_first)
                PyBuffer_Release(&view)
                return 0
            PyBuffer_Release(&view)
        array = self.reader.array(y, i, offset, self.shape)
        if self.shape is None:
            self.prepare(array.shape)
        if array.size:
            values = array.reshape(-1)
            self.add(&values[0], weight, is_first)
        return 0

    cdef int add_centre(self, double weight) except -1:
        if self.centre.shape[0]:
            self.add(&self.centre[0], weight, False)
        return 0

    cdef int add(self, const double *values, double weight, bint is_first) except -1:
        if self.total.shape[0]:
            add_up(&self.total[0], values, weight, self.total.shape[0], is_first)
        return 0

    cdef int close(self, Py_ssize_t i, double width) except -1:
        if self.total.shape[0]:
            quotients(&self.block[i % COLUMNS, 0], &self.total[0], width, self.total.shape[0])
        self.last = i
        if i % COLUMNS == COLUMNS - 1:
            self.flush()
        return 0

    cdef int flush(self) except -1:
        cdef Py_ssize_t m = self.total.shape[0], k = self.last % COLUMNS
        if m == 0:
            return 0
        if self.is_double:
            scatter[double](&self.block[0, 0], k + 1, m, &self.J64[0, 0], self.J64.shape[1], self.last - k)
        else:
            scatter[float](&self.block[0, 0], k + 1, m, &self.J32[0, 0], self.J32.shape[1], self.last - k)
        return 0

    cdef int finish(self) except -1:
        if self.last >= 0 and self.last % COLUMNS != COLUMNS - 1:
            self.flush()
        return 0
