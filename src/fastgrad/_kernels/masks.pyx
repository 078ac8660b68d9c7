"""Blocks of entries moved together, each by its own step along a random direction, and what that does to a claim.

Entry i of the block [lo, hi) moves by step·a_i·(origin + slope·(i - lo))·max(h_i, least·|x_i|), a the direction with the
key, as hashes.pxd tells: origin 1 and slope 0 move it plainly, another slope writes the position into the size of the
step. `least` keeps a step from being lost beside its entry.
"""
from libc.math cimport fabs
from libc.stdint cimport uint32_t

from fastgrad._kernels.hashes cimport entry
from fastgrad._kernels.wide cimport real, wide_int

cdef enum:
    LANES = 32              # of sums, fixed so that the bits do not depend on the registers
    RUN = 512               # entries whose moves are formed together: a multiple of LANES


# Where a block begins, and how its entries move: what the module's docstring has.
cdef struct Block:
    double least, origin, slope, step
    uint32_t key
    Py_ssize_t lo, hi
    bint has_one_step


# x (n,)  h (1,) or (n,)  out (n,), written
def move(x, const double[::1] h, double least, unsigned int key, Py_ssize_t lo, Py_ssize_t hi, double origin,
         double slope, double step, out):
    """Write x into out, moved within the block [lo, hi)."""
    cdef Block block = Block(least, origin, slope, step, key, lo, hi, h.shape[0] == 1)
    if out.dtype.char == "d":
        move_core[double](x, h, &block, out)
    else:
        move_core[float](x, h, &block, out)


# x (n,)  h (1,) or (n,)  out (n,), written
def apart(x, const double[::1] h, double least, unsigned int key, Py_ssize_t lo, Py_ssize_t hi, double origin,
          double slope, double step, double[::1] out):
    """Write into out the difference of x moved by step and by -step: the moves as rounded, and 0 outside the block."""
    cdef Block block = Block(least, origin, slope, step, key, lo, hi, h.shape[0] == 1)
    if x.dtype.char == "d":
        apart_core[double](x, h, &block, out)
    else:
        apart_core[float](x, h, &block, out)


# v (n,)  x (n,)  h (1,) or (n,)  out (n,), written, or None
def project(v, x, const double[::1] h, double least, unsigned int key, Py_ssize_t lo, Py_ssize_t hi, double origin,
            double slope, double step, out):
    """Return the inner product of v with the difference of x moved by step and by -step: the moves as rounded.

    Write x moved by step into out, where that is not None: both take little longer than either.
    """
    cdef Block block = Block(least, origin, slope, step, key, lo, hi, h.shape[0] == 1)
    if x.dtype.char == "d":
        return project_core[double, double](v, x, h, &block, out)
    if v.dtype.char == "d":
        return project_core[double, float](v, x, h, &block, out)
    return project_core[float, float](v, x, h, &block, out)


# v (n,)
def sizes(v):
    """Return the largest magnitude in v and the sum of the squares; the sum is not finite where an entry is not."""
    cdef double[2] found
    if v.dtype.char == "d":
        sizes_core[double](v, found)
    else:
        sizes_core[float](v, found)
    return found[0], found[1]


ctypedef fused claimed:
    float
    double


# The moves of n entries from entry `lo` + `start` on. Their places are counted in 32 bits, for which every register width
# has conversions. Shapes: x (n,), h (1,) or (n,), moves (n,), n at most RUN.
cdef wide_int form_moves(const real* x, const double* h, const Block* block, Py_ssize_t start, int n,
                         double* moves) noexcept nogil:
    cdef uint32_t key = block.key, first = <uint32_t> (block.lo + start)
    cdef double least = block.least, origin = block.origin, slope = block.slope, step = block.step
    cdef double floor, unit = h[0], place = <double> start
    cdef int k
    if block.has_one_step:
        for k in range(n):
            floor = least * fabs(<double> x[k])
            moves[k] = unit if unit > floor else floor
    else:
        for k in range(n):
            floor = least * fabs(<double> x[k])
            moves[k] = h[k] if h[k] > floor else floor
    if slope == 0.0:
        for k in range(n):
            moves[k] = entry(key, first + <uint32_t> k) * (step * origin) * moves[k]
    else:
        for k in range(n):
            moves[k] = entry(key, first + <uint32_t> k) * (step * (origin + slope * (place + <double> k))) * moves[k]
    return 0


# The moves of the entries of a block from entry i on, RUN at most; returns how many.
# Shapes: x (n,), h (1,) or (n,), moves (RUN,).
cdef inline int form_run(const real[::1] x, const double[::1] h, const Block* block, Py_ssize_t i,
                         double* moves) noexcept nogil:
    cdef int count = <int> min(<Py_ssize_t> RUN, block.hi - i)
    form_moves(&x[i], &h[0 if block.has_one_step else i], block, i - block.lo, count, moves)
    return count


# Shapes: x, moves, out (n,).
cdef wide_int add_moves(const real* x, const double* moves, int n, real* out) noexcept nogil:
    cdef int k
    for k in range(n):
        out[k] = <real> (x[k] + moves[k])
    return 0


# What lies outside the block stays. Shapes: x, out (n,).
cdef int keep_rest(const real[::1] x, const Block* block, real[::1] out) except -1 nogil:
    cdef Py_ssize_t i
    for i in range(block.lo):
        out[i] = x[i]
    for i in range(block.hi, x.shape[0]):
        out[i] = x[i]
    return 0


# Shapes: x, out (n,), h (1,) or (n,).
cdef int move_core(const real[::1] x, const double[::1] h, const Block* block, real[::1] out) except -1 nogil:
    cdef double[RUN] moves
    cdef Py_ssize_t i = block.lo
    cdef int count
    keep_rest(x, block, out)
    while i < block.hi:
        count = form_run(x, h, block, i, moves)
        add_moves(&x[i], moves, count, &out[i])
        i += count
    return 0


# What lies outside the block does not move. Shapes: out (n,).
cdef int clear_rest(const Block* block, double[::1] out) except -1 nogil:
    cdef Py_ssize_t i
    for i in range(block.lo):
        out[i] = 0.0
    for i in range(block.hi, out.shape[0]):
        out[i] = 0.0
    return 0


# Shapes: x, moves, out (n,).
cdef wide_int part(const real* x, const double* moves, int n, double* out) noexcept nogil:
    cdef int k
    for k in range(n):
        out[k] = difference(x[k], moves[k])
    return 0


cdef inline double difference(real x, double move) noexcept nogil:
    return <double> (<real> (x + move)) - <double> (<real> (x - move))


# Shapes: x, out (n,), h (1,) or (n,).
cdef int apart_core(const real[::1] x, const double[::1] h, const Block* block, double[::1] out) except -1 nogil:
    cdef double[RUN] moves
    cdef Py_ssize_t i = block.lo
    cdef int count
    clear_rest(block, out)
    while i < block.hi:
        count = form_run(x, h, block, i, moves)
        part(&x[i], moves, count, &out[i])
        i += count
    return 0


# Adds a run's terms to sums that are kept side by side. Shapes: v, x, moves (n,), sums (LANES,).
cdef wide_int add_terms(const claimed* v, const real* x, const double* moves, int n, double* sums) noexcept nogil:
    cdef double[LANES] partial
    cdef int j, k
    for k in range(LANES):
        partial[k] = sums[k]
    for j in range(n // LANES):
        for k in range(LANES):
            partial[k] = partial[k] + term(v[j * LANES + k], x[j * LANES + k], moves[j * LANES + k])
    for j in range(n - n % LANES, n):
        partial[j % LANES] = partial[j % LANES] + term(v[j], x[j], moves[j])
    for k in range(LANES):
        sums[k] = partial[k]
    return 0


cdef inline double term(claimed v, real x, double move) noexcept nogil:
    return v * difference(x, move)


# Shapes: v, x (n,), h (1,) or (n,), out (n,) or None.
cdef double project_core(const claimed[::1] v, const real[::1] x, const double[::1] h, const Block* block,
                         object out) except? -1.0:
    cdef double[RUN] moves
    cdef double[LANES] sums
    cdef double total = 0.0
    cdef Py_ssize_t i = block.lo
    cdef int k, count
    cdef real[::1] to = out
    cdef bint writes = out is not None
    with nogil:
        if writes:
            keep_rest(x, block, to)
        for k in range(LANES):
            sums[k] = 0.0
        while i < block.hi:
            count = form_run(x, h, block, i, moves)
            add_terms(&v[i], &x[i], moves, count, sums)
            if writes:
                add_moves(&x[i], moves, count, &to[i])
            i += count
        for k in range(LANES):
            total += sums[k]
    return total


# Shapes: v (n,), found (2,): the largest magnitude and the sum of the squares, written.
cdef wide_int sizes_core(const real[::1] v, double* found) except -1 nogil:
    cdef double[LANES] sums, tops
    cdef double a
    cdef Py_ssize_t j, k, n = v.shape[0]
    for k in range(LANES):
        sums[k] = tops[k] = 0.0
    for j in range(n // LANES):
        for k in range(LANES):
            a = fabs(v[j * LANES + k])
            sums[k] = sums[k] + a * a
            tops[k] = a if a > tops[k] else tops[k]
    for j in range(n - n % LANES, n):
        a = fabs(v[j])
        sums[j % LANES] = sums[j % LANES] + a * a
        tops[j % LANES] = a if a > tops[j % LANES] else tops[j % LANES]
    found[0] = found[1] = 0.0
    for k in range(LANES):
        found[0] = tops[k] if tops[k] > found[0] else found[0]
        found[1] += sums[k]
    return 0
