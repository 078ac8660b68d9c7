"""Differences of a Python callable that takes many points at once: a stack of copies of x, perturbed in place.

Each row of the stack is x with one entry moved. Between two calls of f only these entries are written, back and anew:
the stack is never refilled. Before entries are moved their bits must equal x's; after each call they must hold what was
written, and the stack must have the shape, strides, dtype, flags and memory that it had; the rest of it must equal x
after the last call, and on the way after calls 1, 2, 4, 8, ... Where f did write into it, all is measured again with a
fresh stack a call. A stack that f has kept, or a view of it, shows in its count of references, and is left to f.
"""
from cpython.buffer cimport PyBuffer_Release
from cpython.exc cimport PyErr_CheckSignals

from fastgrad._kernels.buffers cimport Frame, call, double_buffer, flat, frame_of, is_laid_out
from fastgrad._kernels.counts cimport FASTGRAD_COUNTS_ARE_EXACT, Py_REFCNT
from fastgrad._kernels.stack_points cimport (
    ALONE, MOVE, MOVED, RESTORE, UNTOUCHED, Table, combine, is_whole, visit,
)
from fastgrad._kernels.wide cimport real

cdef class Target:
    """Where the derivative goes: made by `allocate` for the shape of a value, of a scalar by `()`."""
    cdef object reader, allocate, out, shape, centre
    cdef bint is_scalar
    cdef Py_ssize_t size, calls

    def __init__(self, reader, allocate, is_scalar):
        self.reader, self.allocate, self.is_scalar = reader, allocate, is_scalar
        self.out = self.shape = self.centre = None
        self.size, self.calls = 1, 0

    cdef int begin(self, object shape) except -1:
        cdef Py_ssize_t length
        self.shape, self.size = shape, 1
        for length in shape:
            self.size *= length
        if self.out is None:
            self.out = self.allocate(shape)
        return 0

    cdef object read(self, object y, Table t, Py_ssize_t count, bint is_centre):
        """Return y as doubles of shape (count, *shape), the form that all rules are about."""
        if is_centre:
            values = self.reader.values(y, 0, 0, 0, 0, 1, self.shape, self.is_scalar)
        else:
            values = self.reader.values(
                y, t.start, t.first, t.stop - 1, t.last, count, self.shape, self.is_scalar)
        if self.shape is None:
            self.begin(values.shape[1:])
        return values

    cdef bint has_plain_form(self, object y, object x, Py_ssize_t count) except -1:
        """Tell whether y is a plain array of one double for each point, which asks for no reading."""
        cdef Py_buffer view
        if self.shape is None or len(self.shape) or type(y) is not type(x) or not double_buffer(y, &view):
            return False
        cdef bint is_plain = view.ndim == 1 and view.shape[0] == count
        PyBuffer_Release(&view)
        return is_plain


# x (n-d, C order)  h (1,) or (n,)  offsets, weights (s, k), widths (s,), which (1,) or (n,): as Table has them
# rows: points in a stack, but for an entry with more
# out (n entries, C order), written  reader: values(y, i, offset, j, last, count, shape, is_scalar), note_stack(...), pace
def gradient(f, x, h, offsets, weights, widths, which, Py_ssize_t rows, out, reader):
    """Write the differences of the scalar f at x into out, by stacks of points; return the number of calls of f."""
    cdef Target target = Target(reader, lambda shape: out, True)
    target.begin(())
    run(f, x, Table(h, offsets, weights, widths, which, x.size), rows, 0, target)
    return target.calls


# as above; room: the doubles that f may return at once, but for an entry with more; allocate: y.shape -> J, C order
def jacobian(f, x, h, offsets, weights, widths, which, Py_ssize_t rows, Py_ssize_t room, allocate, reader):
    """Return the array that allocate gives for the shape of one value of f, filled with f's differences."""
    cdef Target target = Target(reader, allocate, False)
    run(f, x, Table(h, offsets, weights, widths, which, x.size), rows, room, target)
    return target.out


cdef int run(object f, object x, Table t, Py_ssize_t rows, Py_ssize_t room, Target target) except -1:
    if x.size == 0:
        return 0
    if x.dtype.char == "d":
        measure[double](f, x, flat(x), t, rows, room, target)
    else:
        measure[float](f, x, flat(x), t, rows, room, target)
    return 0


cdef int measure(
        object f, object x, const real[::1] base, Table t, Py_ssize_t rows, Py_ssize_t room,
        Target target) except -1:
    if not (FASTGRAD_COUNTS_ARE_EXACT and in_stacks(f, x, base, t, rows, room, target, True)):
        t.stop = 0
        in_stacks(f, x, base, t, rows, room, target, False)
    return 0


cdef object fresh_stack(object x, Py_ssize_t count):
    cdef object stack = type(x)((count, *x.shape), x.dtype)
    stack[...] = x
    return stack


cdef int take_centre(object f, object x, Table t, Target target) except -1:
    target.calls += 1
    try:
        y = call(f, fresh_stack(x, 1))
    except BaseException as error:
        target.reader.note_stack(error, 0, 0, 0, 0, 1)
        raise
    target.centre = target.read(y, t, 1, True).copy()
    return 0


cdef bint in_stacks(
        object f, object x, const real[::1] base, Table t, Py_ssize_t rows, Py_ssize_t room, Target target,
        bint shares) except -1:
    """Measure every entry; return False as soon as f is seen to have written into a stack that calls share."""
    cdef object stack = None, y, shape = None, strides = None
    cdef real[:, ::1] points
    cdef real[:, ::1] J
    cdef Frame frame
    cdef Frame now
    cdef Py_ssize_t count = 0, used, due = 0, done = 0, held = 0
    cdef const double[::1] centre
    cdef const double[::1] values
    cdef bint in_f = False, is_checked = False, has_target = False
    cdef Py_ssize_t limit = rows
    if t.has_centre():
        take_centre(f, x, t, target)
        centre = target.centre.reshape(-1)
    try:
        while t.stop < t.n:
            PyErr_CheckSignals()
            if room:  # one entry at first, to see how large a value is
                limit = 1 if target.shape is None else max(1, min(rows, room // max(1, target.size)))
            used = t.advance(limit)
            if t.start >= due:
                due = target.reader.pace(t.start)
            if stack is None or used != count or not shares:
                if stack is not None and shares and not is_checked and not is_whole(points, base):
                    return False
                stack = fresh_stack(x, used)
                points = stack.reshape(used, base.shape[0])
                frame, count, held = frame_of(stack), used, Py_REFCNT(stack)
                shape, strides = stack.shape, stack.strides
                if shares and not is_laid_out(stack, &points[0, 0]):
                    return False
            elif not visit(t, points, base, UNTOUCHED):
                return False
            visit(t, points, base, MOVE)
            done += 1
            target.calls += 1
            in_f = True
            y = call(f, stack)
            in_f = False
            if shares:
                now = frame_of(stack)
                if not (now.data == frame.data and now.descr == frame.descr and now.flags == frame.flags
                        and stack.shape == shape and stack.strides == strides
                        and visit(t, points, base, MOVED)):
                    return False
                is_checked = (done & (done - 1)) == 0 or t.stop == t.n
                if is_checked and not visit(t, points, base, ALONE):
                    return False
            if not target.has_plain_form(y, x, used):
                y = target.read(y, t, used, False).reshape(-1)
            if not has_target:
                J = target.out.reshape(target.size, base.shape[0])
                has_target = True
            values = y
            combine(t, values, centre, J)
            values = None
            y = None
            if not shares:
                continue
            if Py_REFCNT(stack) != held:
                if not visit(t, points, base, ALONE):
                    return False
                stack = None
            else:
                visit(t, points, base, RESTORE)
    except BaseException as error:
        if isinstance(error, Exception) and shares and done > 1 and stack is not None and not (
                visit(t, points, base, MOVED) and visit(t, points, base, ALONE)):
            return False  # what f wrote in an earlier call may be the reason
        if in_f:
            target.reader.note_stack(error, t.start, t.first, t.stop - 1, t.last, used)
        raise
    return True
