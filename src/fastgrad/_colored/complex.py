"""The complex step for a sparse Jacobian: f at x + ih for all columns of a colour, one call for each.

An f that is not analytic is found out by a difference on the real line, along all of x.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from fastgrad import steps
from fastgrad._arrays import number_array
from fastgrad._bounds import limits
from fastgrad._calls import Calls
from fastgrad._colored.compression import Compression
from fastgrad._colored.forms import entries_of, places_by_columns, product
from fastgrad._colored.missing_entries import ROUNDINGS, SHARE
from fastgrad._complex.reading import complex_values
from fastgrad._complex.step import JITTER, bar_of, complex_steps
from fastgrad._errors import not_analytic
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point, as_point
from fastgrad._typing import Array, Float64Array, IndexArray

#: A row is no analytic function's if it is off both with the usual step and with one so many times smaller: what bends
#: in between is no reason.
FINER = 1 / 16


class _Upwards:
    """f as a function of how far x is moved: up, into the complex plane, and along the real line; shape (2, *shape)."""

    def __init__(self, f: Callable[..., Any], point: Point, vectorized: bool) -> None:
        self._f, self._x, self._vectorized = f, point.shown(point.array), vectorized

    def __call__(self, moves: Array, *args: Any, **kwargs: Any) -> Any:
        """Return f's value, or values, for complex x."""
        point = as_point(self._x, read=number_array)
        x = point.array.astype(np.float64)
        if not self._vectorized:
            return self._f(point.shown(x + moves[1] + 1j * moves[0]), *args, **kwargs)
        stack = x + moves[:, 1] + 1j * moves[:, 0]
        return self._f(stack if point.tree is None else point.tree.stacked(stack), *args, **kwargs)


def complex_by_colors(calls: Calls, point: Point, by: Compression, *, details: bool) -> Derivative:
    """Return the Jacobian in lines in the order of the form: a call for each colour with a complex argument.

    With details, there are four more calls a colour, for error bars; else these are NaN. The calls have the form of x.

    Raises
    ------
    AnalyticityError
        If f takes no complex argument.
    """
    made = _Slopes(point, by, details=details)
    assert calls.f is not None
    moving = replace(calls, f=_Upwards(calls.f, point, calls.vectorized))
    at = Point(np.zeros((2, *point.array.shape)), label="the move of x")
    moving.run(made.measure, np.zeros(by.coloring.pattern.shape[0]), at)
    return made.derivative()


class _Slopes:
    """Imaginary parts over the step, at the entries of a pattern by columns."""

    def __init__(self, point: Point, by: Compression, *, details: bool) -> None:
        self._point, self._by = point, by
        self._x = point.array.reshape(-1).astype(np.float64)
        self._h = complex_steps(self._x)
        self._starts, self._rows = by.coloring.pattern.csc
        self._cols = np.repeat(np.arange(self._x.size), np.diff(self._starts))
        self._shares = (0.0, -2.0, -1.0, 1.0, 2.0) if details else (0.0,)
        self._slopes = np.zeros((len(self._shares), self._rows.size))
        self._calls = np.zeros(self._x.size, np.intp)

    def measure(self, f: Callable[[Array], Any]) -> None:
        """Ask f with each colour moved up; for error bars also from real numbers nearby."""
        bounds, members = self._by.coloring.grouped_columns
        unit = JITTER * np.where(self._x == 0.0, 1.0, np.abs(self._x))
        self._calls[:] = 0
        for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            group = members[first:last]
            entries = entries_of(self._starts, group)
            for k, share in enumerate(self._shares):
                moves = np.zeros((2, *self._point.array.shape))
                up, along = moves.reshape(2, -1)
                up[group], along[group] = self._h[group], share * unit[group]
                values = self._asked(f, moves, group)
                with np.errstate(all="ignore"):
                    self._slopes[k, entries] = values[self._rows[entries]] / self._h[self._cols[entries]]
            self._calls[group[:1]] = len(self._shares)

    def derivative(self) -> Derivative:
        """Return the slopes in the order of the form."""
        kind, order = self._point.array.dtype, places_by_columns(self._by.form)
        lines = np.full((3, self._rows.size), np.nan)
        lines[0, order], lines[2, order] = self._slopes[0], self._h[self._cols]
        if len(self._shares) > 1:
            middle, *around = self._slopes
            lines[1, order] = bar_of([*around[:2], middle, *around[2:]])
        value, error, step = lines
        value[~np.isfinite(value)] = np.nan
        undefined = np.isnan(value)
        error[undefined] = np.inf
        if kind == np.float32:
            error += np.abs(value) * np.finfo(np.float32).eps / 2
        flags = {name: undefined if name == "undefined" else np.zeros(value.size, np.bool_) for name in FLAGS}
        calls = self._calls.reshape(self._point.array.shape)
        return Derivative(value.astype(kind), error.astype(kind), calls, step, flags)

    def _asked(self, f: Callable[[Array], Any], moves: Array, group: IndexArray) -> Float64Array:
        """Return the imaginary parts of f's values."""
        where = f"{self._point.name(int(group[0]))} and all of its colour plus ih"
        try:
            y = f(moves)
        except (TypeError, np.exceptions.ComplexWarning) as error:
            raise not_analytic(f"at {where} it raised {error!r}.") from error
        values, _ = complex_values(y, where, None)
        expected = self._by.coloring.pattern.shape[0]
        if values.size != expected:
            self._by.reader(self._point).array(values.real, int(group[0]), 1, None)  # says what is wrong
        return np.asarray(values.imag)


def refuse_others_than_analytic(
    f: Callable[[Array], Any], point: Point, by: Compression, data: Array, bounds: Any
) -> None:
    """Raise an error if f changes along the real line by other than its imaginary parts say.

    Raises
    ------
    AnalyticityError
    """
    if not point.array.size:
        return
    x = point.array.reshape(-1)
    pattern, reader = by.coloring.pattern, by.reader(point)
    direction = np.random.default_rng(0).uniform(0.5, 1.0, x.size) * steps.auto(x)
    lower, upper = (None, None) if bounds is None else limits(bounds, point)
    is_off = np.ones(pattern.shape[0], np.bool_)
    for share in (1.0, FINER):
        sides = [np.clip(x + sign * share * direction, lower, upper).astype(x.dtype) for sign in (1, -1)]
        after, before = (reader.array(f(side.reshape(point.array.shape)), 0, 1, None).reshape(-1) for side in sides)
        moves = np.subtract(*sides, dtype=np.float64)
        predicted, size = product(by.form, data, moves), product(by.form, np.abs(data), np.abs(moves))
        with np.errstate(all="ignore"):
            rounding = ROUNDINGS * np.finfo(x.dtype).eps * (4 + pattern.row_counts)
            allowed = SHARE * size + rounding * np.maximum(np.abs(after), np.abs(before))
            is_off &= np.abs(after - before - predicted) > allowed
    if is_off.any():
        raise not_analytic(
            f"on the real line value {int(np.argmax(is_off))} has another slope along x than in the plane."
        )
