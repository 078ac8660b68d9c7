"""Gradients of functions in machine code, beside a plain loop in C that perturbs x in place."""

from collections.abc import Iterator

import numpy as np

import fastgrad as fg
from bench._harness import Effort, interleave
from bench._limits import Limits
from bench._report import Figure, Row, at_most

TITLE = "Gradient of a native function"
_SIZES = (3, 10, 100, 1000, 10_000)
_CALL = 6e-6  # seconds that a call of the verb itself may take
_SIGNATURE = "double (const double *, intptr_t, void *)"
_H = 1e-5


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield a row for each function and size."""
    for n in _SIZES:
        if effort.quick and n > 1000:
            continue
        for name, address in limits.addresses().items():
            yield _row(name, address, n, limits, effort)


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
