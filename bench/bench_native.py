"""Gradients of functions in machine code, beside a plain loop in C that perturbs x in place."""

from collections.abc import Callable, Iterator

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most

TITLE = "Gradient of a native function"
_SIZES = (3, 10, 100, 1000, 10_000)
_GROWTH = (100, 1000, 10_000, 100_000, 1_000_000)
_CONSTANT = "first times last"  # what takes the same time at any n: what is left is the loop's own cost
_CALL = 6e-6  # seconds that a call of the verb itself may take
_SIGNATURE = "double (const double *, intptr_t, void *)"
_H = 1e-5


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    for n in _SIZES:
        if effort.quick and n > 1000:
            continue
        for name, address in limits.addresses().items():
            if name != _CONSTANT:
                yield _row(name, address, n, limits, effort)
    yield from _growth(limits, effort)


def _growth(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each size, with the cost of an entry beside the cost at a thousand entries.

    A call of the other functions costs in proportion to n, so that all their entries cost n²: they are held against the
    loop in C, whose cost grows as theirs is to grow. A function of two entries shows what is left when f costs nothing:
    comparing all of x, some log2(n) times.
    """
    address, times_over = limits.addresses()[_CONSTANT], {n: max(1, 10**5 // n) for n in _GROWTH}

    def through_the_door(n: int) -> Callable[[], None]:
        x, out, work = np.random.default_rng(n).standard_normal((3, n))
        return lambda: limits.through_the_door(address, x, _H, out, work, times_over[n])

    times = interleave(
        {str(n): through_the_door(n) for n in _GROWTH},
        effort,
        scale={str(n): 1 / (n * times_over[n]) for n in _GROWTH},
    )
    for n in _GROWTH:
        figure = Figure("cost of an entry over that at n = 1000", times.ratio(str(n), "1000"))
        yield Row(f"{_CONSTANT}, n = {n}, `cython_api`", n * times.best(str(n)), [figure])


def _row(name: str, address: int, n: int, limits: Limits, effort: Effort) -> Row:
    x = np.random.default_rng(1).standard_normal(n)
    f = fg.native.function(address, signature=_SIGNATURE)
    own, out, work = x.copy(), np.empty(n), np.empty(n)
    count = max(1, 20_000 // n**2)
    limits.perturb(address, own, _H, out, 1)
    for found in (fg.numerical_gradient(f, x), fg.numerical_gradient(f, x, workers=2)):
        if not np.array_equal(found, out):
            raise AssertionError(f"{name}, n = {n}: the gradient is not that of the loop in C.")
    times = interleave(
        {
            "C": lambda: limits.perturb(address, own, _H, out, count),
            "door": lambda: limits.through_the_door(address, x, _H, out, work, count),
            "verb": lambda: fg.numerical_gradient(f, x),
            "two": lambda: fg.numerical_gradient(f, x, workers=2),
        },
        effort,
        scale={"C": 1 / count, "door": 1 / count},
    )
    return Row(
        f"{name}, n = {n}",
        times.best("verb"),
        [
            Figure("verb over C", times.ratio("verb", "C")),
            Figure("verb less 6 µs, over C", times.excess_ratio("verb", "C", _CALL), at_most(1.05)),
            Figure(
                "`cython_api` over C",
                times.ratio("door", "C"),
                None if n < 10 else at_most(1.3 if n < 100 else 1.05),
            ),
            Figure("two threads over C", times.ratio("two", "C"), at_most(0.55) if n >= 1000 else None),
        ],
    )
