"""Random directions that are never stored, and cost no more than the reading of a few numbers from the first cache.

A direction is cut into runs of 512 entries. Each run shows 512 neighbours of a table of 1024 random entries ±(½ + k/512),
from a place in it and with a sign of its own: entry r·512 + j of the direction with a key is s_r·t[o_r + j], where t[i] is
entry i of hashes.pxd, and o_r and s_r are bits 1 to 9 and bit 0 of hash number 1024 + r.
"""
from libc.stdint cimport uint32_t

from fastgrad._kernels.ahead cimport soon_read, soon_written    # in C alone
from fastgrad._kernels.hashes cimport entry, hash_of
from fastgrad._kernels.lanes cimport (
    add, add_product, fill, lanes, load, load_doubles, multiply, save, subtract, total,
)
from fastgrad._kernels.rows cimport up_to_line
from fastgrad._kernels.wide cimport part_int, real, wide_int

cdef enum:
    RUN = 512               # neighbours in the table that a direction shows at a time
    TABLE = 1024            # random entries; what begins in its first half fits a run
    POINTS = 5              # at most, that rows stand at: x, and both sides of two directions


# x (n,)  out (n,), written
def move(x, Py_ssize_t start, unsigned int key, double h, out):
    """Write x + h·a into out, which may be x, a the direction with this key from entry `start` on."""
    if out.dtype.char == "d":
        move_all[double](x, start, key, h, out)
    else:
        move_all[float](x, start, key, h, out)


# v (n,)  x (n,)
def project(v, x, unsigned int key, double h):
    """Return the inner product of v with ((x + h·a) - (x - h·a))/2h, a the direction with this key: steps as rounded."""
    if v.dtype.char == "d":
        return project_all[double](v, x, key, h)
    return project_all[float](v, x, key, h)


# v (n,)
def inner(v, Py_ssize_t start, unsigned int key, unsigned int other):
    """Return the inner products of v with the directions of two keys, from entry `start` on."""
    cdef double[2] found
    if v.dtype.char == "d":
        inner_of_all[double](v, start, key, other, found)
    else:
        inner_of_all[float](v, start, key, other, found)
    return found[0], found[1]


# x (m, n)  v (n,)  out (5, m) or, onward, (3, m), written
def products(const double[:, ::1] x, Py_ssize_t start, const double[::1] v, unsigned int key, unsigned int other, double h,
             bint onward, double[:, :] out):
    """Write the products with v of rows x, and of what they are when moved along the directions from entry `start` on.

    With a and b the directions of the two keys, these are x, x + h·a, x - h·a, x + h·b and x - h·b; onward, x, x + h·a
    and (x + h·a) + h·b.
    """
    products_of_all(x, start, v, key, other, h, onward, out)


cdef wide_int fill_table(uint32_t key, double* table) noexcept nogil:
    cdef uint32_t i
    for i in range(TABLE):
        table[i] = entry(key, i)
    return 0


# The place in the table and the sign of a run.
cdef inline Py_ssize_t place_of(uint32_t key, Py_ssize_t run, double* sign) noexcept nogil:
    cdef uint32_t u = hash_of(key, <uint32_t> (TABLE + run))
    sign[0] = -1.0 if u & 1 else 1.0
    return (u >> 1) & (RUN - 1)


# x and out may be the same, which the compiler would have to take for an overlap. Shapes: x, a, out (n,).
cdef wide_int move_run(const real* x, const double* a, double h, Py_ssize_t n, real* out) noexcept nogil:
    cdef lanes step, t, u
    cdef Py_ssize_t j, k, first = up_to_line(out, n), whole = (n - first) // 8
    fill(&step, h)
    for j in range(first):
        out[j] = <real> (x[j] + h * a[j])
    for k in range(whole):
        j = first + k * 8
        soon_read(x + j)
        soon_written(out + j)
        load(&t, x + j)
        load_doubles(&u, a + j)
        multiply(&u, &step)
        add(&t, &u)
        save(out + j, &t)
    for j in range(first + whole * 8, n):
        out[j] = <real> (x[j] + h * a[j])
    return 0


cdef int move_all(const real[::1] x, Py_ssize_t start, uint32_t key, double h, real[::1] out) except -1:
    cdef double[TABLE] table
    cdef double sign
    cdef Py_ssize_t skipped = start % RUN, run = start // RUN, done = 0, width, at, n = x.shape[0]
    if out.shape[0] != n:
        raise ValueError("the arrays do not fit each other")
    with nogil:
        fill_table(key, table)
        while done < n:
            width = min(RUN - skipped, n - done)
            at = place_of(key, run, &sign) + skipped
            move_run(&x[done], table + at, h * sign, width, &out[done])
            done += width
            run += 1
            skipped = 0
    return 0


# The sum of v times what is moved between x - h·a and x + h·a, in eight lanes. Shapes: v, x, a (n,).
cdef double project_run(const real* v, const real* x, const double* a, double h, Py_ssize_t n) noexcept nogil:
    cdef double[8] sums
    cdef double result = 0.0
    cdef Py_ssize_t j, k
    for k in range(8):
        sums[k] = 0.0
    for j in range(n):
        sums[j & 7] += v[j] * (<double> (<real> (x[j] + h * a[j])) - <double> (<real> (x[j] - h * a[j])))
    for k in range(8):
        result += sums[k]
    return result


cdef double project_all(const real[::1] v, const real[::1] x, uint32_t key, double h) except? -1.0:
    cdef double[TABLE] table
    cdef double sign, result = 0.0
    cdef Py_ssize_t run, start, at, n = v.shape[0]
    if x.shape[0] != n:
        raise ValueError("the arrays do not fit each other")
    with nogil:
        fill_table(key, table)
        for run in range((n + RUN - 1) // RUN):
            start = run * RUN
            at = place_of(key, run, &sign)
            result += project_run(&v[start], &x[start], table + at, h * sign, min(<Py_ssize_t> RUN, n - start))
    return result / (2.0 * h)


# Σ_j v_j a_j and Σ_j v_j b_j, each in two times eight lanes, which are added in a fixed order. Shapes: v, a, b (n,).
cdef wide_int inner_run(const real* v, const double* a, const double* b, Py_ssize_t n, double* found) noexcept nogil:
    cdef lanes a0, a1, b0, b1, t, u
    cdef Py_ssize_t j, start, whole = n - n % 16
    fill(&a0, 0.0)
    fill(&a1, 0.0)
    fill(&b0, 0.0)
    fill(&b1, 0.0)
    for start in range(0, whole, 16):
        load(&t, v + start)
        load_doubles(&u, a + start)
        add_product(&a0, &t, &u)
        load_doubles(&u, b + start)
        add_product(&b0, &t, &u)
        load(&t, v + start + 8)
        load_doubles(&u, a + start + 8)
        add_product(&a1, &t, &u)
        load_doubles(&u, b + start + 8)
        add_product(&b1, &t, &u)
    add(&a0, &a1)
    add(&b0, &b1)
    found[0] = total(&a0)
    found[1] = total(&b0)
    for j in range(whole, n):
        found[0] += v[j] * a[j]
        found[1] += v[j] * b[j]
    return 0


cdef int inner_of_all(const real[::1] v, Py_ssize_t start, uint32_t key, uint32_t other, double* found) except -1:
    cdef double[TABLE] table, beside
    cdef double[2] sums
    cdef double sign, sign_beside
    cdef Py_ssize_t skipped = start % RUN, run = start // RUN, done = 0, width, at, at_beside, n = v.shape[0]
    found[0] = found[1] = 0.0
    with nogil:
        fill_table(key, table)
        fill_table(other, beside)
        while done < n:
            width = min(RUN - skipped, n - done)
            at = place_of(key, run, &sign) + skipped
            at_beside = place_of(other, run, &sign_beside) + skipped
            inner_run(&v[done], table + at, beside + at_beside, width, sums)
            found[0] += sign * sums[0]
            found[1] += sign_beside * sums[1]
            done += width
            run += 1
            skipped = 0
    return 0


# The points that rows stand at, entry by entry. The sums are in eight lanes, and one for what is left of a run.
cdef struct Sums:
    lanes[POINTS] wide
    double[POINTS] rest


# Eight entries. Shapes: x, v, a, b (8,).
cdef inline part_int add_points(Sums* sums, const double* x, const double* v, const double* a, const double* b,
                                const lanes* step, const lanes* beside, bint onward) noexcept nogil:
    cdef lanes at, moved, move, weight
    load_doubles(&at, x)
    load_doubles(&weight, v)
    add_product(&sums.wide[0], &at, &weight)
    load_doubles(&move, a)
    multiply(&move, step)
    moved = at
    add(&moved, &move)
    add_product(&sums.wide[1], &moved, &weight)
    if onward:
        load_doubles(&move, b)
        multiply(&move, beside)
        add(&moved, &move)
        add_product(&sums.wide[2], &moved, &weight)
        return 0
    moved = at
    subtract(&moved, &move)
    add_product(&sums.wide[2], &moved, &weight)
    load_doubles(&move, b)
    multiply(&move, beside)
    moved = at
    add(&moved, &move)
    add_product(&sums.wide[3], &moved, &weight)
    subtract(&at, &move)
    add_product(&sums.wide[4], &at, &weight)
    return 0


# The same for one entry.
cdef inline part_int add_point(double* rest, double x, double v, double move, double beside, bint onward) noexcept nogil:
    rest[0] += x * v
    rest[1] += (x + move) * v
    if onward:
        rest[2] += ((x + move) + beside) * v
        return 0
    rest[2] += (x - move) * v
    rest[3] += (x + beside) * v
    rest[4] += (x - beside) * v
    return 0


# A row, whose entries have the directions' entries from `start` on. Shapes: x, v (n,), tables (TABLE,), found (POINTS,).
cdef wide_int products_of_row(const double* x, const double* v, Py_ssize_t n, Py_ssize_t start, uint32_t key,
                              const double* table, uint32_t other, const double* table_beside, double h, bint onward,
                              double* found) noexcept nogil:
    cdef Sums sums
    cdef lanes step, beside
    cdef double sign, sign_beside
    cdef const double* a
    cdef const double* b
    cdef Py_ssize_t j, k, width, run, skipped, whole
    cdef int point
    for point in range(POINTS):
        fill(&sums.wide[point], 0.0)
        sums.rest[point] = 0.0
    j = 0
    while j < n:
        run = (start + j) // RUN
        skipped = (start + j) % RUN
        width = min(RUN - skipped, n - j)
        whole = width - width % 8
        a = table + place_of(key, run, &sign) + skipped
        b = table_beside + place_of(other, run, &sign_beside) + skipped
        fill(&step, h * sign)
        fill(&beside, h * sign_beside)
        if onward:
            for k in range(0, whole, 8):
                soon_read(x + j + k)
                add_points(&sums, x + j + k, v + j + k, a + k, b + k, &step, &beside, True)
        else:
            for k in range(0, whole, 8):
                soon_read(x + j + k)
                add_points(&sums, x + j + k, v + j + k, a + k, b + k, &step, &beside, False)
        for k in range(whole, width):
            add_point(sums.rest, x[j + k], v[j + k], h * sign * a[k], h * sign_beside * b[k], onward)
        j += width
    for point in range(POINTS):
        found[point] = total(&sums.wide[point]) + sums.rest[point]
    return 0


cdef int products_of_all(const double[:, ::1] x, Py_ssize_t start, const double[::1] v, uint32_t key, uint32_t other,
                         double h, bint onward, double[:, :] out) except -1:
    cdef double[TABLE] table, beside
    cdef double[POINTS] found
    cdef Py_ssize_t i, m = x.shape[0], n = x.shape[1]
    cdef int point, points = 3 if onward else POINTS
    if v.shape[0] != n or out.shape[0] != points or out.shape[1] != m:
        raise ValueError("the arrays do not fit each other")
    if n == 0:
        out[:, :] = 0.0
        return 0
    with nogil:
        fill_table(key, table)
        fill_table(other, beside)
        for i in range(m):
            products_of_row(&x[i, 0], &v[0], n, start + i * n, key, table, other, beside, h, onward, found)
            for point in range(points):
                out[point, i] = found[point]
    return 0
