# What the loops look at in the arrays that go into f and come out of it, inline.
from cpython.buffer cimport (
    PyBUF_C_CONTIGUOUS, PyBUF_FORMAT, PyBuffer_Release, PyObject_GetBuffer)
from cpython.function cimport PyFunction_Check
from cpython.ref cimport PyObject
from libc.string cimport memcmp

from fastgrad._kernels.cache cimport LINE
from fastgrad._kernels.wide cimport real

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object f, PyObject **args, size_t nargsf, PyObject *kwnames)
    object PyObject_Vectorcall(object f, PyObject **args, size_t nargsf, PyObject *kwnames)
    vectorcallfunc PyVectorcall_Function(object f)
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET

# The head of an ndarray, which has been the same from NumPy 1.7 to 2.x (NumPy's PyArrayObject_fields). It is read only:
# asking Python for shape, strides, dtype and flags would take longer than many an f does.
cdef extern from *:
    """
    typedef struct {
        PyObject_HEAD
        char *data;
        int nd;
        Py_ssize_t *dimensions, *strides;
        PyObject *base, *descr;
        int flags;
    } fastgrad_head;
    """
    ctypedef struct Head "fastgrad_head":
        char *data
        int nd
        Py_ssize_t *dimensions
        Py_ssize_t *strides
        PyObject *descr
        int flags

ctypedef struct Frame:
    char *data
    PyObject *descr
    int flags


cdef enum:
    ATTEMPTS = 6      # to be given memory that begins with a line of cache
    SMALL = 1 << 11   # bytes below which the place of a buffer makes no difference to f
    LARGE = 1 << 17   # bytes above which memory is not held to that end


cdef inline bint begins_line(object a):
    return <size_t>(<Head *><PyObject *>a).data % LINE == 0


cdef inline object fresh_copy(object x, Py_ssize_t size):
    """Return a copy of x, of this size in bytes, that owns its memory and, where the allocator can be brought to it,
    begins with a line of cache: an inner product of vectors whose loads straddle lines takes a quarter longer.
    """
    cdef object copy, spacers = []
    cdef Py_ssize_t k
    if SMALL <= size <= LARGE:
        for k in range(ATTEMPTS):
            copy = type(x)(x.shape, x.dtype)
            if begins_line(copy):
                copy[...] = x
                return copy
            spacers.append(copy)  # what is held moves the next one on, by its own size and a few bytes more
            spacers.append(bytes(LINE // 4 * (k + 1)))
    return x.copy()


cdef inline object flat(object a):
    """Return all entries of the C-ordered array a as one line that shares its memory."""
    return a if a.ndim == 1 else a.reshape(-1)


cdef inline bint is_laid_out(object buffer, const void *data):
    """Tell whether the head says of this array what its attributes say: a NumPy that moved the fields is not believed."""
    cdef Head *head = <Head *><PyObject *>buffer
    return <const void *>head.data == data and head.nd == buffer.ndim and head.descr == <PyObject *>buffer.dtype


cdef inline Frame frame_of(object buffer):
    """Return all of a fresh C-ordered array but its numbers, its shape and its strides."""
    cdef Head *head = <Head *><PyObject *>buffer
    return Frame(head.data, head.descr, head.flags)


cdef inline bint same_frame(object buffer, const Frame *frame, object x):
    """Tell whether buffer still has this frame, and the shape and strides of x, of which it was a copy."""
    cdef Head *a = <Head *><PyObject *>buffer
    cdef Head *b = <Head *><PyObject *>x
    cdef int k
    if not (a.data == frame.data and a.descr == frame.descr and a.flags == frame.flags and a.nd == b.nd):
        return False
    for k in range(b.nd):  # one or two: a call of memcmp would take longer
        if a.dimensions[k] != b.dimensions[k] or a.strides[k] != b.strides[k]:
            return False
    return True


cdef inline bint double_buffer(object y, Py_buffer *view):
    """Open y's buffer where it holds C-ordered native doubles; no exception is left behind where it does not."""
    try:
        PyObject_GetBuffer(y, view, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS)
    except (ValueError, BufferError):
        return False
    if view.itemsize == sizeof(double) and view.format[0] == c"d" and view.format[1] == 0:
        return True
    PyBuffer_Release(view)
    return False


cdef inline bint same_shape(Py_buffer *view, tuple shape):
    cdef Py_ssize_t k, length
    if view.ndim != len(shape):
        return False
    for k in range(view.ndim):
        length = shape[k]
        if view.shape[k] != length:
            return False
    return True


cdef inline vectorcallfunc caller_of(object f) noexcept:
    """Return what calls f: of a function of Python its own way in, whose results nobody need check for their form."""
    return PyVectorcall_Function(f) if PyFunction_Check(f) else PyObject_Vectorcall


cdef inline object call(object f, object buffer, vectorcallfunc caller = PyObject_Vectorcall):
    cdef PyObject *args[2]
    args[0] = NULL
    args[1] = <PyObject *>buffer
    return caller(f, args + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL)


cdef inline bint same_bits(const real *a, const real *b) noexcept nogil:
    return memcmp(a, b, sizeof(real)) == 0


cdef inline bint equal_but_for(const real *a, const real *b, Py_ssize_t n, Py_ssize_t i) noexcept nogil:
    """Tell whether the n entries of a and b are equal bit for bit, entry i apart."""
    return (memcmp(a, b, i * sizeof(real)) == 0
            and memcmp(a + i + 1, b + i + 1, (n - i - 1) * sizeof(real)) == 0)
