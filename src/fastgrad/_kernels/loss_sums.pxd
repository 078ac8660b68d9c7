# The losses of a descent as sums of what each step takes from them, and whether they are as exact as residuals make them.
from libc.math cimport fabs, sqrt


# How far the recurrence may be from the residual, on their scale: 256 roundings.
cdef inline double few() noexcept nogil:
    return 2.0**-44


# A loss formed from a residual has an error on the scale of b, whose square is `scale`. A sum of `parts` has one on theirs.
cdef inline bint poor(double loss, double parts, double scale) noexcept nogil:
    cdef double beyond = parts - 4.0 * loss
    return beyond > 0.0 and not beyond * beyond <= 16.0 * loss * scale


# Turns what the steps from `turn` on take from the loss into losses, from the last backward; returns the loss at `turn`.
# The sums are compensated. `exact` becomes False where one is small beside its parts.
cdef inline double backward(double[::1] losses, Py_ssize_t turn, double scale, bint* exact) noexcept nogil:
    cdef double sum = losses[losses.shape[0] - 1], rest = 0.0, parts = sum, new, part
    cdef Py_ssize_t k
    for k in range(losses.shape[0] - 2, turn - 1, -1):
        parts += fabs(losses[k])
        new = sum + losses[k]
        part = new - sum
        rest += (sum - (new - part)) + (losses[k] - part)
        sum = new
        losses[k] = sum + rest
        if poor(losses[k], parts, scale):
            exact[0] = False
    return sum + rest


# The same for the steps before `turn`, from the first loss forward.
cdef inline double forward(double[::1] losses, Py_ssize_t turn, double first, double scale, bint* exact) noexcept nogil:
    cdef double sum = first, rest = 0.0, parts = first, new, part, taken
    cdef Py_ssize_t k
    for k in range(turn):
        taken = losses[k]
        losses[k] = sum + rest
        if poor(losses[k], parts, scale):
            exact[0] = False
        parts += fabs(taken)
        new = sum - taken
        part = new - sum
        rest += (sum - (new - part)) - (taken + part)
        sum = new
    return sum + rest


# Fills in the losses; each is summed from the end whose parts are smaller: from the last where the loss falls, from the
# first where it rises. Says whether all are as exact as residuals would make them, and whether both sums meet.
cdef inline bint settle(double[::1] losses, double first, double size, double scale) noexcept nogil:
    cdef double parts = 0.0, before = first, behind = losses[losses.shape[0] - 1], one, other
    cdef Py_ssize_t k, count = losses.shape[0] - 1, turn = 0
    cdef bint exact = True
    for k in range(count):
        behind += fabs(losses[k])
    while turn < count and before < behind:
        before += fabs(losses[turn])
        behind -= fabs(losses[turn])
        turn += 1
    one = backward(losses, turn, scale, &exact)
    other = forward(losses, turn, first, scale, &exact)
    return exact and fabs(one - other) <= few() * (fabs(one) + sqrt(fabs(one) * size))
