"""The sparse Jacobian: by the plain loop or other methods, with error bars, with workers, and from stacks."""

from typing import Any

import numpy as np

from fastgrad._arrays import same_everywhere
from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression, Vjp, compression
from fastgrad._colored.missing_entries import refuse_missing
from fastgrad._colored.reader import ColorReader
from fastgrad._errors import own_steps
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point
from fastgrad._stencils.scheme import Plan, planned
from fastgrad._typing import Array, Step
from fastgrad.sparsity._coloring import Coloring
from fastgrad.sparsity._pattern import Pattern


def colored_jacobian(
    calls: Calls,
    point: Point,
    eps: Step,
    method: str | None,
    order: int | None,
    bounds: Any,
    sparsity: Any,
    format: str | None,
    *,
    vjp: Vjp | None,
    verify: bool,
    details: bool,
    out: Any,
) -> Any:
    """Return the Jacobian of f as a SciPy array of the pattern, or with `details` a Derivative of such arrays.

    All that a Derivative holds has the pattern's entries, but for the calls, which are shaped like x: those of a colour
    stand with its first entry.

    Raises
    ------
    TypeError
        If the options do not go together.
    """
    if point.array.dtype.kind == "c":
        raise TypeError("a sparse Jacobian is measured at real x: leave sparsity out for holomorphic functions.")
    if vjp is not None and (details or method in ("adaptive", "complex")):
        raise TypeError("rows measured by a vjp have no error bars and no method: leave vjp out, or the others.")
    plan, asked = _plan(calls, point, eps, method, order, bounds)
    whole = calls.whole(point)
    by = compression(whole, point, sparsity, format, by_rows=vjp is not None)
    data = by.room(point) if out is None else by.form.data_of(out, point.array.dtype)
    found: Derivative | None = None
    reader = by.reader(point)
    if method == "complex":
        from fastgrad._colored.complex import complex_by_colors

        found = complex_by_colors(calls, point, by, details=details)
    elif method == "adaptive":
        from fastgrad._colored.adaptive import adaptive_by_colors

        found = adaptive_by_colors(calls, point, by, bounds)
    elif details:
        from fastgrad._colored.bars import bars_by_colors

        found = bars_by_colors(calls, point, plan, by).after(asked)
    else:
        reader = _measure(calls, point, plan, by, data, vjp)
    if found is not None:
        data[...] = found.value
    if verify and point.array.size:
        made = refuse_missing(whole, point, plan, by, data, reader)
        found = found.after(made) if found is not None else None
    if method == "complex":
        from fastgrad._colored.complex import refuse_others_than_analytic

        refuse_others_than_analytic(calls.alone(point), point, by, data, bounds)
    if found is not None and details:
        return _in_form(found, by.form.made(data) if out is None else out, by)
    return by.form.made(data, gives_up=not isinstance(sparsity, Pattern | Coloring)) if out is None else out


def _plan(
    calls: Calls, point: Point, eps: Step, method: str | None, order: int | None, bounds: Any
) -> tuple[Plan, int]:
    """Return stencils and steps, and the calls of f made to find them; "auto", where a method picks its own."""
    if method in ("complex", "adaptive"):
        if eps is not None or order is not None:
            raise own_steps(method)
        return planned(point, "auto", None, None, bounds), 0
    asked = 0
    if isinstance(eps, str) and eps == "noise":
        from fastgrad._noise.choice import step_by_noise

        eps, asked = step_by_noise(calls.alone(point), point, method, order, bounds, is_scalar=False)
    return planned(point, eps, method, order, bounds), asked


def _measure(calls: Calls, point: Point, plan: Plan, by: Compression, data: Array, vjp: Vjp | None) -> ColorReader:
    """Write differences into data, the calls of f being made by whoever makes them; return what read the values."""

    def loop(f: Any) -> ColorReader:
        reader = by.reader(point)
        by.measure(f, point, plan, by.work(point), data, reader)
        return reader

    reader: ColorReader = calls.run(loop, same_everywhere(np.float64(0.0), by.coloring.pattern.shape[0]), point)
    if vjp is not None:
        by.measure_rows(calls.alone(point), vjp, point, data, reader)
    return reader


def _in_form(found: Derivative, J: Any, by: Compression) -> Derivative:
    """Return a derivative of lines as one of sparse arrays."""
    made = by.form.made
    flags = {name: made(found.flags[name]) for name in FLAGS}
    return Derivative(J, made(found.error), found.calls, made(found.step), flags)
