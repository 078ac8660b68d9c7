"""The sparse Hessian of a scalar function, from its gradient: with error bars, with workers, and from stacks too."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression
from fastgrad._colored.forms import Form
from fastgrad._colored.missing_entries import refuse_missing
from fastgrad._colored.symmetry import mirror_images, symmetric_coloring, symmetrize
from fastgrad._direction import in_line
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan, planned
from fastgrad._two_steps import UNITS, truncation, with_other_steps
from fastgrad._typing import Array, Float64Array, Step


def colored_hessian(
    calls: Calls,
    point: Point,
    eps: Step,
    bounds: Any,
    sparsity: Any,
    format: str | None,
    *,
    verify: bool,
    details: bool,
    out: Any,
) -> Any:
    """Return the Hessian as a SciPy array of the pattern, or with `details` a Derivative of such arrays.

    The gradient is called twice for each colour. For error bars all is measured with a second step, too. The calls are
    those of each column, shaped like x: those of a colour stand with its first entry.
    """
    whole = calls.whole(point)

    def line(x: Any) -> Array:
        return in_line(point, whole(x), "what grad returns")

    coloring, format = symmetric_coloring(line, point, sparsity, format)
    made = _Hessian(calls, point, Compression(coloring, "csr" if format == "csc" else format))
    form, dtype = Form(coloring.pattern, format), point.array.dtype
    data = np.zeros(coloring.pattern.nnz, dtype) if out is None else form.data_of(out, dtype)
    plan = planned(point, "auto" if eps is None else eps, None, None, bounds)
    size = np.zeros(point.array.size) if details else None
    made.measure(plan, data, size)
    plain = data.copy() if details else data
    symmetrize(data, coloring)
    if verify and point.array.size:
        made.calls[:1] += refuse_missing(line, point, plan, made.by, data, made.by.reader(point))
    H = form.made(data) if out is None else out
    if size is None:
        return H
    error, step = _bars(made, point, plan, bounds, (plain, data, size))
    flags = {name: np.zeros(data.size, np.bool_) for name in FLAGS}
    flags["undefined"] = np.isnan(data)
    sided = np.broadcast_to(plan.which, point.array.size) > 0
    rows, cols = coloring.pattern.rows, coloring.pattern.cols
    flags["one-sided"] |= sided[rows] | sided[cols]
    error = np.where(np.isfinite(error) & np.isfinite(data), error, np.inf).astype(data.dtype)
    found = {name: form.made(mask) for name, mask in flags.items()}
    return Derivative(H, form.made(error), made.calls.reshape(point.array.shape), form.made(step), found)


class _Hessian:
    """The calls of a gradient for one plan after another, by the colours of a symmetric pattern."""

    def __init__(self, calls: Calls, point: Point, by: Compression) -> None:
        self.by = by
        self.calls = np.zeros(point.array.size, np.intp)
        self._calls, self._point = calls, point

    def measure(self, plan: Plan, data: Array, size: Float64Array | None = None) -> None:
        """Write what each entry is by its own column, not made symmetric yet; and the size of the values of a row."""
        by, point = self.by, self._point
        bounds, members = by.coloring.grouped_columns

        def loop(f: Callable[[Array], Any]) -> int:
            if size is not None:
                size[:] = 0.0

            def line(x: Array) -> Float64Array:
                g = in_line(point, f(x), "what grad returns")
                if size is not None:
                    np.fmax(size, np.abs(g), out=size)
                return g

            return by.measure(line, point, plan, by.work(point), data, by.reader(point))

        made = int(self._calls.run(loop, np.broadcast_to(0.0, point.array.size), point))
        firsts = members[bounds[:-1][np.diff(bounds) > 0]]
        self.calls[firsts] += made // max(firsts.size, 1)
        self.calls[firsts[:1]] += made % max(firsts.size, 1)


def _bars(
    made: _Hessian, point: Point, plan: Plan, bounds: Any, first: tuple[Array, Array, Float64Array]
) -> tuple[Float64Array, Float64Array]:
    """Return the error bars of the entries, and their steps: what twice the step, or half of it, shows otherwise."""
    plain, data, size = first
    pattern = made.by.coloring.pattern
    mirror = mirror_images(pattern)
    h = np.broadcast_to(plan.h, point.array.size)
    other, factor = with_other_steps(
        lambda h: planned(point, h.reshape(point.array.shape), None, None, bounds), attrgetter("h"), h
    )
    again = np.zeros_like(data)
    made.measure(other, again)
    symmetrize(again, made.by.coloring)
    own = made.by.coloring.alone_by_column
    with np.errstate(all="ignore"):
        apart = np.where(own & own[mirror], np.abs(plain.astype(np.float64) - plain[mirror]) / 2, 0.0)
        rows, cols = pattern.rows, pattern.cols
        unit = UNITS * float(np.finfo(data.dtype).eps) / 2
        rounding = unit * np.maximum(size[rows] / h[cols], size[cols] / h[rows])
        return np.maximum(truncation(data, again, factor), apart) + rounding, np.maximum(h[rows], h[cols])
