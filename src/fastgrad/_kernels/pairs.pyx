"""Second differences of a Python callable on one private buffer, one or two of whose entries move at a time.

The manners are those of the first differences: before an entry moves its bits must equal x's; after each call what was
moved must hold what was written, and the buffer have the frame that it had; the rest must equal x at the end of each
row, at calls 1, 2, 4, 8, ... and where somebody kept the buffer, which is then replaced. Where f did write into it, all is
measured again with a fresh copy a call.
"""
from cpython.exc cimport PyErr_CheckSignals
from libc.math cimport fabs
from libc.string cimport memcmp, memcpy

import numpy

from fastgrad._kernels.buffers cimport Frame, call, flat, frame_of, is_laid_out, same_frame
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.sinks cimport GradientSink
from fastgrad._kernels.wide cimport real

# Rows and columns of the square that is made symmetric at a time: two of them stay in the nearest cache.
cdef enum:
    TILE = 32


# axis (s, k), 0 where a row has ended  seconds (s, k)  second_widths (s,)  which (1,) or (n,): the row that entry i takes
# corners (s, s, p, 2), 0 where they have ended  weights (s, s, p)  sides (s, s, 2, k)  widths (s, s)
cdef class Pairing:
    """Which points make a second derivative; each value of f counts as its change from the value at x.

    With s = which[i], t = which[j], and F(a, b) the change of f where entry i is moved by a and entry j by b of its
    steps, H[i, i] = Σ_k seconds[s, k] F(axis[s, k]) / (second_widths[s] h_i²), and H[i, j] = (Σ_p weights[s, t, p]
    F(corners[s, t, p]) + Σ_k sides[s, t, 0, k] F(axis[s, k], 0) + Σ_k sides[s, t, 1, k] F(0, axis[t, k])) /
    (widths[s, t] h_i h_j).
    """
    cdef const Py_ssize_t[:, ::1] axis
    cdef const double[:, ::1] seconds
    cdef const double[::1] second_widths
    cdef const Py_ssize_t[:, :, :, ::1] corners
    cdef const double[:, :, ::1] weights
    cdef const double[:, :, :, ::1] sides
    cdef const double[:, ::1] widths
    cdef const unsigned char[::1] which

    def __init__(self, axis, seconds, second_widths, corners, weights, sides, widths, which):
        self.axis = axis
        self.seconds = seconds
        self.second_widths = second_widths
        self.corners = corners
        self.weights = weights
        self.sides = sides
        self.widths = widths
        self.which = which


# x (n-d, C order)  h (1,) or (n,)  values (n + 1, k), H (n, n), both C order, written
# reader: scalar(y, i * n + j, offset of i), note(error, i * n + j, offset of i); with offset 0 for x itself
def hessian(f, x, const double[::1] h, Pairing pairing, double[:, ::1] values, H, reader):
    """Write second differences of the scalar f into H, symmetric; return the number of calls of f.

    Row i of `values` receives f's changes along entry i, and the last row begins with f at x itself.
    """
    cdef Walk walk
    if x.size == 0:
        return 0
    walk = Walk(f, x, h, reader, values)
    if not (walk.can_be_watched() and walk.fill(pairing, values, H)):
        walk.on_copies, walk.is_spoiled = True, False
        walk.fill(pairing, values, H)
    return walk.calls


# J (n, n), C order, written
def symmetrize(J):
    """Replace J by (J + Jᵀ)/2, the same bits on both sides of the diagonal; return the largest |J - Jᵀ|."""
    if J.dtype.char == "d":
        return symmetric[double](J)
    return symmetric[float](J)


cdef double symmetric(real[:, ::1] J) except? -1.0 nogil:
    cdef Py_ssize_t n = J.shape[0], tiles = (n + TILE - 1) // TILE, i, j, row, column, top, left
    cdef double apart = 0.0, difference
    for row in range(tiles):
        top = row * TILE
        for column in range(row, tiles):
            left = column * TILE
            for i in range(top, min(top + TILE, n)):
                for j in range(max(i + 1, left), min(left + TILE, n)):
                    difference = fabs(<double>J[i, j] - <double>J[j, i])
                    if not difference <= apart and apart == apart:
                        apart = difference
                    J[i, j] = <real>(0.5 * <double>J[i, j] + 0.5 * <double>J[j, i])
                    J[j, i] = J[i, j]
    return apart


# The entries of the buffer and of x are held as rows of bytes, point and base (n, itemsize): NaNs have bits, too.
cdef class Walk:
    """f around x, on a buffer whose entries are moved in place and moved back."""
    cdef object f, x, reader, buffer
    cdef const double[::1] h
    cdef GradientSink sink
    cdef unsigned char[:, ::1] point
    cdef const unsigned char[:, ::1] base
    cdef Frame frame
    cdef Py_ssize_t n, width, count, calls
    cdef bint on_copies, is_spoiled

    def __cinit__(self, f, x, const double[::1] h, reader, double[:, ::1] values):
        self.f = f
        self.x = x
        self.h = h
        self.reader = reader
        self.sink = GradientSink(reader, numpy.asarray(values))
        self.n = x.size
        self.width = x.itemsize
        self.base = flat(x).view(numpy.uint8).reshape(self.n, self.width)
        self.renew()

    cdef int renew(self) except -1:
        """Take a fresh buffer."""
        self.point = None
        self.buffer = self.x.copy()
        self.point = flat(self.buffer).view(numpy.uint8).reshape(self.n, self.width)
        self.frame = frame_of(self.buffer)
        self.count = Py_REFCNT(self.buffer)
        return 0

    cdef bint can_be_watched(self) except -1:
        """Tell whether what f does to the buffer can be seen."""
        return FASTGRAD_COUNTS_ARE_EXACT and is_laid_out(self.buffer, &self.point[0, 0])

    cdef int fill(self, Pairing p, double[:, ::1] values, object H) except -1:
        """Write all of H; return 0 as soon as f is seen to have written into the buffer, and 1 at the end."""
        cdef double[:, ::1] H64
        cdef float[:, ::1] H32
        cdef bint is_double = H.dtype.char == "d"
        cdef Py_ssize_t i, j
        cdef double found
        if is_double:
            H64 = H
        else:
            H32 = H
        values[self.n, 0] = self.centre()
        for i in range(self.n):
            self.along(p, i, values)
            if self.is_spoiled:
                return 0
        for i in range(self.n):
            for j in range(i, self.n):
                found = self.second(p, i, values) if i == j else self.mixed(p, i, j, values)
                if self.is_spoiled:
                    return 0
                if is_double:
                    H64[i, j] = H64[j, i] = found
                else:
                    H32[i, j] = H32[j, i] = <float>found
            if not (self.on_copies or self.is_whole(i, i, False)):
                return 0
        return 1

    cdef double centre(self) except? -1.0:
        self.calls += 1
        try:
            y = call(self.f, self.x.copy())
        except BaseException as error:
            self.reader.note(error, 0, 0)
            raise
        return self.sink.value(y, 0, 0)

    cdef int along(self, Pairing p, Py_ssize_t i, double[:, ::1] values) except -1:
        cdef Py_ssize_t k, s = p.which[i % p.which.shape[0]]
        for k in range(p.axis.shape[1]):
            values[i, k] = 0.0
            if p.axis[s, k] != 0 and not self.is_spoiled:
                values[i, k] = self.at(i, p.axis[s, k], i, 0) - values[self.n, 0]
        return 0

    cdef double second(self, Pairing p, Py_ssize_t i, const double[:, ::1] values) except? -1.0:
        cdef Py_ssize_t k, s = p.which[i % p.which.shape[0]]
        cdef double total = 0.0, h = self.h[i % self.h.shape[0]]
        for k in range(p.axis.shape[1]):
            if p.seconds[s, k] != 0.0:
                total = total + p.seconds[s, k] * values[i, k]
        return total / (p.second_widths[s] * h) / h

    cdef double mixed(self, Pairing p, Py_ssize_t i, Py_ssize_t j, const double[:, ::1] values) except? -1.0:
        cdef Py_ssize_t k, a, s = p.which[i % p.which.shape[0]], t = p.which[j % p.which.shape[0]]
        cdef double total = 0.0
        for k in range(p.corners.shape[2]):
            a = p.corners[s, t, k, 0]
            if a != 0 and not self.is_spoiled:
                total = total + p.weights[s, t, k] * (self.at(i, a, j, p.corners[s, t, k, 1]) - values[self.n, 0])
        for k in range(p.axis.shape[1]):
            if p.sides[s, t, 0, k] != 0.0:
                total = total + p.sides[s, t, 0, k] * values[i, k]
        for k in range(p.axis.shape[1]):
            if p.sides[s, t, 1, k] != 0.0:
                total = total + p.sides[s, t, 1, k] * values[j, k]
        return total / (p.widths[s, t] * self.h[i % self.h.shape[0]]) / self.h[j % self.h.shape[0]]

    cdef double at(self, Py_ssize_t i, Py_ssize_t a, Py_ssize_t j, Py_ssize_t b) except? -1.0:
        """Return f with entry i moved by a of its steps and, where b is not 0, entry j by b of its own.

        Where f is seen to have written into the buffer, that is noted, and nothing is returned that counts.
        """
        cdef double value
        cdef unsigned char[16] moved
        cdef bint in_f = True
        PyErr_CheckSignals()
        if self.on_copies:
            self.renew()
        elif not (self.is_base(i) and self.is_base(j)):
            return self.spoiled()
        self.move(i, a, &moved[0])
        if b != 0:
            self.move(j, b, &moved[8])
        self.calls += 1
        try:
            y = call(self.f, self.buffer)
            in_f = False
            if not self.on_copies and not (same_frame(self.buffer, &self.frame, self.x) and self.holds(i, &moved[0])
                                           and (b == 0 or self.holds(j, &moved[8]))):
                return self.spoiled()
            if not self.on_copies and (self.calls & (self.calls - 1)) == 0 and not self.is_whole(i, j, True):
                return self.spoiled()
            value = self.sink.value(y, i * self.n + j, a)
        except BaseException as error:
            if isinstance(error, Exception) and not self.on_copies and self.calls > 2 and not (
                    same_frame(self.buffer, &self.frame, self.x) and self.is_whole(i, j, True)):
                return self.spoiled()  # what f wrote in an earlier call may be the reason
            if in_f:
                self.reader.note(error, i * self.n + j, a)
            raise
        if self.on_copies:
            return value
        y = None
        if Py_REFCNT(self.buffer) != self.count:
            if not self.is_whole(i, j, True):
                return self.spoiled()
            self.renew()
        else:
            memcpy(&self.point[i, 0], &self.base[i, 0], self.width)
            memcpy(&self.point[j, 0], &self.base[j, 0], self.width)
        return value

    cdef double spoiled(self) noexcept:
        self.is_spoiled = True
        return 0.0

    cdef int move(self, Py_ssize_t i, Py_ssize_t offset, unsigned char *moved) except -1:
        """Move an entry by so many of its steps, and note the bits that it has now."""
        cdef double step = offset * self.h[i % self.h.shape[0]]
        if self.width == sizeof(double):
            (<double *>moved)[0] = (<const double *>&self.base[i, 0])[0] + step
        else:
            (<float *>moved)[0] = <float>((<const float *>&self.base[i, 0])[0] + step)
        memcpy(&self.point[i, 0], moved, self.width)
        return 0

    cdef bint is_base(self, Py_ssize_t i) except -1:
        return memcmp(&self.point[i, 0], &self.base[i, 0], self.width) == 0

    cdef bint holds(self, Py_ssize_t i, const unsigned char *moved) except -1:
        return memcmp(&self.point[i, 0], moved, self.width) == 0

    cdef bint is_whole(self, Py_ssize_t i, Py_ssize_t j, bint but_for) except -1:
        """Tell whether the buffer is x bit for bit, entries i ≤ j apart if `but_for`."""
        if not but_for:
            return memcmp(&self.point[0, 0], &self.base[0, 0], self.n * self.width) == 0
        return self.is_same(0, i) and self.is_same(i + 1, j) and self.is_same(j + 1, self.n)

    cdef bint is_same(self, Py_ssize_t start, Py_ssize_t stop) except -1:
        return start >= stop or memcmp(&self.point[start, 0], &self.base[start, 0], (stop - start) * self.width) == 0
