"""Which entries of x a stack is made for, and at which points: as many entries as have theirs among its rows."""
cimport cython


# offsets (s, k)  weights (s, k), 0 where a row has ended  widths (s,)  which (1,) or (n,): the row that entry i takes
@cython.final
cdef class Table:
    """The stencils, and the entries [start, stop) that the stack is made for."""
    def __init__(self, h, offsets, weights, widths, which, n):
        self.h, self.offsets, self.weights, self.widths, self.which, self.n = h, offsets, weights, widths, which, n
        self.start = self.stop = self.first = self.last = 0
        if h.shape[0] not in (1, n) or which.shape[0] not in (1, n):
            raise ValueError("steps and choices are one for all entries, or one each")

    cdef bint has_centre(self) noexcept:
        cdef Py_ssize_t w, k
        for w in range(self.offsets.shape[0]):
            for k in range(self.offsets.shape[1]):
                if self.offsets[w, k] == 0 and self.weights[w, k] != 0.0:
                    return True
        return False

    cdef Py_ssize_t advance(self, Py_ssize_t rows) noexcept nogil:
        """Go on to the next entries, as many as have their points among so many, but one at least; return the points."""
        cdef Py_ssize_t w, k, count, used = 0
        self.start = self.stop
        while self.stop < self.n:
            w, count = self.row(self.stop), 0
            for k in range(self.offsets.shape[1]):
                if self.weights[w, k] == 0.0:
                    break
                if self.offsets[w, k] != 0:
                    count += 1
                    if self.stop == self.start and count == 1:
                        self.first = self.offsets[w, k]
                    if used + count <= rows or self.stop == self.start:
                        self.last = self.offsets[w, k]
            if used + count > rows and self.stop > self.start:
                break
            used += count
            self.stop += 1
        return used
