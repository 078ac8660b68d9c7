# The points of a stack: x with one entry moved, a row each. Which entries those are, what is done with all of them, and
# the differences of f's values there.
cimport cython
from libc.string cimport memcmp

from fastgrad._kernels.buffers cimport same_bits
from fastgrad._kernels.wide cimport real

cdef enum Visit:
    UNTOUCHED  # do the entries to be moved equal x's?
    MOVE       # write them
    MOVED      # do they hold what was written?
    ALONE      # does all else equal x?
    RESTORE    # write x's back


@cython.final
cdef class Table:
    cdef const Py_ssize_t[:, ::1] offsets
    cdef const double[:, ::1] weights
    cdef const double[::1] widths
    cdef const unsigned char[::1] which
    cdef const double[::1] h
    cdef Py_ssize_t n, start, stop, first, last

    cdef bint has_centre(self) noexcept
    cdef Py_ssize_t advance(self, Py_ssize_t rows) noexcept nogil

    cdef inline Py_ssize_t row(self, Py_ssize_t i) noexcept nogil:
        return self.which[i if self.which.shape[0] > 1 else 0]

    cdef inline double step(self, Py_ssize_t i) noexcept nogil:
        return self.h[i if self.h.shape[0] > 1 else 0]


# stack (rows, n)  base (n,)
cdef inline int visit(Table t, real[:, ::1] stack, const real[::1] base, Visit what) except -1 nogil:
    """Do one thing with the moved entry of each row, or with all but it; return whether all is as it should be."""
    cdef Py_ssize_t i, k, w, r = 0, n = base.shape[0]
    cdef double step
    cdef real moved
    for i in range(t.start, t.stop):
        w, step = t.row(i), t.step(i)
        for k in range(t.offsets.shape[1]):
            if t.weights[w, k] == 0.0:
                break
            if t.offsets[w, k] == 0:
                continue
            moved = <real>(base[i] + t.offsets[w, k] * step)
            if what == MOVE:
                stack[r, i] = moved
            elif what == RESTORE:
                stack[r, i] = base[i]
            elif what == UNTOUCHED:
                if not same_bits(&stack[r, i], &base[i]):
                    return False
            elif what == MOVED:
                if not same_bits(&stack[r, i], &moved):
                    return False
            elif (memcmp(&stack[r, 0], &base[0], i * sizeof(real)) != 0
                    or (i + 1 < n and memcmp(&stack[r, i + 1], &base[i + 1], (n - i - 1) * sizeof(real)) != 0)):
                return False
            r += 1
    return True


# stack (rows, n)  base (n,)
cdef inline int is_whole(const real[:, ::1] stack, const real[::1] base) except -1 nogil:
    """Tell whether each row is x, bit for bit."""
    cdef Py_ssize_t r
    for r in range(stack.shape[0]):
        if memcmp(&stack[r, 0], &base[0], base.shape[0] * sizeof(real)) != 0:
            return False
    return True


# values (rows, m)  centre (m,)  J (m, n), whose columns [start, stop) are written
cdef inline int combine(Table t, const double[::1] values, const double[::1] centre, real[:, ::1] J) except -1 nogil:
    cdef Py_ssize_t i, k, s, w, r, at = 0, m = J.shape[0]
    cdef double total, width
    for i in range(t.start, t.stop):
        w = t.row(i)
        width = t.widths[w] * t.step(i)
        for s in range(m):
            r, total = at, 0.0
            for k in range(t.offsets.shape[1]):
                if t.weights[w, k] == 0.0:
                    break
                if t.offsets[w, k] == 0:
                    total = total + t.weights[w, k] * centre[s]
                    continue
                if k == 0:  # not added to 0, which would take the sign of -0
                    total = t.weights[w, k] * values[r * m + s]
                else:
                    total = total + t.weights[w, k] * values[r * m + s]
                r += 1
            J[s, i] = <real>(total / width)
        for k in range(t.offsets.shape[1]):
            if t.weights[w, k] == 0.0:
                break
            at += t.offsets[w, k] != 0
    return 0
