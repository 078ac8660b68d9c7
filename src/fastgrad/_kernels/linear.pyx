"""The difference loop of a polynomial of a linear layer's outputs, which forms the outputs as it goes."""
from cpython.exc cimport PyErr_CheckSignals

from fastgrad._kernels.ahead cimport soon_read, soon_written
from fastgrad._kernels.lanes cimport add, add_product, fill, lanes, load, load_doubles, total
from fastgrad._kernels.rows cimport (
    HELD, LINEAR, SQUARE, Line, Shape, exact_inverse, form, held, set_line, write_row,
)
from fastgrad._kernels.signals cimport SPAN
from fastgrad._kernels.streams cimport AROUND_FROM, HAS_STREAMS, settle, stream
from fastgrad._kernels.wide cimport part_int, real, wide_double, wide_int

cdef enum:
    PAIR = 16               # entries that are taken together: two times eight lanes; a number where `range` needs one
    BLOCK = 1024            # entries formed in the first cache before they are streamed
    LEAD = PAIR             # entries by which reading goes before writing: where both lie alike in their pages, a
                            # processor that compares the last bits of addresses has a load wait for an earlier store

# How a row's loss runs along its output z: z·(c + z·q); with the step, and 1/(2·h) where that is exact, else 0.
cdef struct Move:
    double h, inverse, z, c, q


# Σ_j w_j x_j in two times eight lanes, which are added in a fixed order, as far as it has come.
cdef struct Product:
    lanes a, b


# Shapes: w, x (n,), n a multiple of PAIR.
cdef inline part_int go_on(Product* product, const real* w, const double* x, Py_ssize_t n) noexcept nogil:
    cdef lanes t, u, a = product.a, b = product.b
    cdef Py_ssize_t j
    for j in range(0, n, 16):
        soon_read(w + j)
        soon_read(w + j + 8)
        load(&t, w + j)
        load_doubles(&u, x + j)
        add_product(&a, &t, &u)
        load(&t, w + j + 8)
        load_doubles(&u, x + j + 8)
        add_product(&b, &t, &u)
    product.a, product.b = a, b
    return 0


# What the product comes to with its last terms, fewer than PAIR. Shapes: w, x (n,).
cdef inline double ended(Product* product, const real* w, const double* x, Py_ssize_t n) noexcept nogil:
    cdef double rest = 0.0
    cdef Py_ssize_t k
    for k in range(n):
        rest += w[k] * x[k]
    add(&product.a, &product.b)
    return total(&product.a) + rest


# The product's first terms. Shapes: w, x (n,), n a multiple of PAIR.
cdef inline part_int begin(Product* product, const real* w, const double* x, Py_ssize_t n) noexcept nogil:
    fill(&product.a, 0.0)
    fill(&product.b, 0.0)
    return go_on(product, w, x, n)


# Shapes: w, x (n,).
cdef wide_double row_product(const real* w, const double* x, Py_ssize_t n) noexcept nogil:
    cdef Product product
    cdef Py_ssize_t whole = n - n % PAIR
    begin(&product, w, x, whole)
    return ended(&product, w + whole, x + whole, n - whole)


# Entries of a row are formed while a product goes on, of w and v: what one waits for, the other computes meanwhile. The
# inputs are read once for both: v is how x goes on after its first LEAD entries, or n is LEAD.
# Shapes: out, x, w, v (n,), n a multiple of PAIR.
cdef inline part_int form_and_read(real* out, const double* x, Py_ssize_t n, const Line* line, Shape shape, const real* w,
                                   const double* v, Product* product) noexcept nogil:
    cdef lanes t, u, first, second, a = product.a, b = product.b
    cdef Py_ssize_t j
    if n == 0:
        return 0
    load_doubles(&first, x)
    load_doubles(&second, x + 8)
    for j in range(0, n, 16):
        soon_written(out + j)
        soon_written(out + j + 8)
        soon_read(w + j)
        soon_read(w + j + 8)
        load_doubles(&u, v + j)
        load(&t, w + j)
        add_product(&a, &t, &u)
        form(out + j, &first, line, shape)
        first = u
        load_doubles(&u, v + j + 8)
        load(&t, w + j + 8)
        add_product(&b, &t, &u)
        form(out + j + 8, &second, line, shape)
        second = u
    product.a, product.b = a, b
    return 0


# The same, block by block where the entries are streamed.
cdef inline part_int write_and_go_on(real* out, const double* x, Py_ssize_t n, const Line* line, Shape shape, bint streams,
                                     const real* w, const double* v, Product* product) noexcept nogil:
    cdef real[BLOCK] formed
    cdef Py_ssize_t block, start, width
    if not streams:
        return form_and_read(out, x, n, line, shape, w, v, product)
    for block in range((n + BLOCK - 1) // BLOCK):
        start = block * BLOCK
        width = min(<Py_ssize_t> BLOCK, n - start)
        form_and_read(&formed[0], x + start, width, line, shape, w + start, v + start, product)
        stream(out + start, &formed[0], width)
    return 0


# Entries of a row, block by block where they are streamed. Shapes: x, out (n,).
cdef inline part_int write_whole(real* out, const double* x, Py_ssize_t n, const Move* move, bint streams) noexcept nogil:
    cdef real[BLOCK] formed
    cdef Py_ssize_t block, start, width
    if not streams:
        return write_row(out, x, n, move.h, move.inverse, move.z, 0.0, move.c, move.q)
    for block in range((n + BLOCK - 1) // BLOCK):
        start = block * BLOCK
        width = min(<Py_ssize_t> BLOCK, n - start)
        write_row(&formed[0], x + start, width, move.h, move.inverse, move.z, 0.0, move.c, move.q)
        stream(out + start, &formed[0], width)
    return 0


# A row of the result where c or q is zero and 1/(2·h) exact, and the product of the next row, w. Shapes: out, x, w (n,).
cdef wide_double write_and_read(real* out, const double* x, Py_ssize_t n, const Move* move, bint streams,
                                const real* w) noexcept nogil:
    cdef Line line
    cdef Product product
    cdef Py_ssize_t lead = LEAD if n >= LEAD else 0, whole = n - n % PAIR, turn = whole - lead
    set_line(&line, move.h, move.inverse, move.z, 0.0, move.c, move.q)
    begin(&product, w, x, lead)
    if move.q != 0.0:
        write_and_go_on(out, x, turn, &line, SQUARE, streams, w + lead, x + lead, &product)
    else:
        write_and_go_on(out, x, turn, &line, LINEAR, streams, w + lead, x + lead, &product)
    write_whole(out + turn, x + turn, n - turn, move, streams)
    return ended(&product, w + whole, x + whole, n - whole)


# Row after row. Shapes: W, out (m, n), x (n,), shift, c, q (m,).
cdef wide_int write_rows(
        const real[:, ::1] W, const double* x, const double[::1] shift, const double[::1] c, const double[::1] q,
        double h, double inverse, Py_ssize_t first, Py_ssize_t last, bint streams, real[:, ::1] out) except -1 nogil:
    cdef Py_ssize_t i, n = W.shape[1]
    cdef double product = row_product(&W[first, 0], x, n)
    cdef Move move
    move.h, move.inverse = h, inverse
    for i in range(first, last):
        move.z, move.c, move.q = product + shift[i], c[i], q[i]
        if i + 1 < last and inverse != 0.0 and (move.c == 0.0 or move.q == 0.0):
            product = write_and_read(&out[i, 0], x, n, &move, streams, &W[i + 1, 0])
            continue
        write_whole(&out[i, 0], x, n, &move, streams)
        if i + 1 < last:
            product = row_product(&W[i + 1, 0], x, n)
    if streams:
        settle()
    return 0


# Rows in spans of SPAN terms, with a look for signals after each. Shapes: as write_rows has them, and h (1,).
cdef Py_ssize_t measure_layer(const real[:, ::1] W, const double[::1] x, const double[::1] shift, const double[::1] c,
                              const double[::1] q, const double[::1] h, Py_ssize_t nbytes,
                              real[:, ::1] out) except -1:
    cdef Py_ssize_t first, last, m = W.shape[0], n = W.shape[1]
    cdef Py_ssize_t rows = 1 + SPAN // (n + 1)
    cdef double inverse = exact_inverse(h)
    cdef bint streams = HAS_STREAMS and nbytes >= AROUND_FROM
    cdef double[HELD] room
    cdef const double* inputs
    if (x.shape[0] != n or shift.shape[0] != m or c.shape[0] != m or q.shape[0] != m or h.shape[0] != 1
            or out.shape[0] != m or out.shape[1] != n):
        raise ValueError("the arrays do not fit each other")
    if m == 0 or n == 0:
        return 0
    inputs = held(&x[0], n, <const double*> &out[0, 0], False, room)
    for first in range(0, m, rows):
        last = min(m, first + rows)
        with nogil:
            write_rows(W, inputs, shift, c, q, h[0], inverse, first, last, streams, out)
        PyErr_CheckSignals()
    return 0


# W, out (m, n)  x (n,)  shift, c, q (m,)  h (1,)
def layer_differences(W, x, shift, c, q, h, Py_ssize_t nbytes, out):
    """Form Wx and write the differences of every entry of W into out, row by row, for one sample and one step."""
    if out.dtype.char == 'd':
        measure_layer[double](W, x, shift, c, q, h, nbytes, out)
    else:
        measure_layer[float](W, x, shift, c, q, h, nbytes, out)
