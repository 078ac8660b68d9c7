# Arrays as pointers, and pointers as the memoryviews that cores take, without the interpreter: neither owns anything, and
# nothing may keep it.
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer)

from fastgrad._kernels.wide cimport real

cdef extern from *:
    """
    #define fastgrad_line(v, p, n) ((v).memview = NULL, (v).data = (char *)(p), (v).shape[0] = (n), \
        (v).strides[0] = (Py_ssize_t)sizeof *(p), (v).suboffsets[0] = -1)
    #define fastgrad_table(v, p, m, n) (fastgrad_line(v, p, m), (v).shape[1] = (n), \
        (v).strides[1] = (v).strides[0], (v).suboffsets[1] = -1, (v).strides[0] *= (n))
    """
    # v becomes p's n entries in a line, or its (m, n) entries in C order
    void line "fastgrad_line"(const double[::1] v, const double* p, Py_ssize_t n) noexcept nogil
    void table "fastgrad_table"(const double[:, ::1] v, const double* p, Py_ssize_t m, Py_ssize_t n) noexcept nogil
    void float_table "fastgrad_table"(const float[:, ::1] v, const float* p, Py_ssize_t m, Py_ssize_t n) noexcept nogil


cdef inline Py_ssize_t unpack(object a, real** to, bint is_written) except -1:
    """Point to the entries of a C-ordered array of any axes, and return how many there are; the caller holds the array.

    A typed memoryview says the same, and takes three times as long to make.
    """
    cdef Py_buffer view
    cdef bint fits
    PyObject_GetBuffer(a, &view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS | (PyBUF_WRITABLE if is_written else 0))
    fits = view.format[0] == (c"d" if sizeof(real) == sizeof(double) else c"f") and view.format[1] == 0
    to[0] = <real*>view.buf
    PyBuffer_Release(&view)
    if not fits:
        raise ValueError("the array holds other numbers than it should")
    return view.len // <Py_ssize_t>sizeof(real)
