"""A derivative in parts: some of the entries of x at a time, here or on workers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from fastgrad import _workers
from fastgrad._arrays import given_steps, number_array
from fastgrad._bounds import limits
from fastgrad._errors import ShapeError
from fastgrad._estimates import FLAGS, Derivative
from fastgrad._point import Point, as_point, bound
from fastgrad._stacks import Stacked
from fastgrad._stencils import guarded as _guarded
from fastgrad._typing import Array, Float64Array, IndexArray, Pace


class Part(Point):
    """Some entries of a point, as a line that can be differentiated at, under the names that they have there.

    Attributes
    ----------
    changed : list of int
        The entries of the whole point that took another side than asked for.
    """

    __slots__ = ("_indices", "_whole", "changed")

    def __init__(self, whole: Point, indices: IndexArray) -> None:
        super().__init__(whole.array.reshape(-1)[indices], label=whole.label)
        self._whole, self._indices = whole, indices
        self.changed: list[int] = []

    @property
    def width(self) -> int:
        """How many numbers f is given for one point: all of x's."""
        return self._whole.width

    def name(self, i: int) -> str:
        """Return the name of entry i, as it is in the whole point."""
        return self._whole.name(int(self._indices[i]))

    def keeps(self, changed: list[int]) -> bool:
        """Keep which entries have changed sides, for whoever puts the parts together."""
        self.changed += self._indices[changed].tolist()
        return True

    def of_part(self, f: Callable[[Array], Any]) -> Callable[[Array], Any]:
        """Return a function of an array like the whole point's as one of these entries alone."""
        x, indices = self._whole.array, self._indices

        def f_of_part(values: Array) -> Any:
            moved = x.astype(values.dtype)
            moved.reshape(-1)[indices] = values
            return f(moved)

        return f_of_part

    def of_stacks(self, f: Callable[[Array], Any]) -> Callable[[Array], Any]:
        """Return a function of stacks of such arrays as one of stacks of these entries alone."""
        x, indices = self._whole.array, self._indices
        if np.array_equal(indices, np.arange(x.size)):
            return lambda values: f(values.reshape((len(values), *x.shape)))

        def f_of_part(values: Array) -> Any:
            stack = np.repeat(x[None].astype(values.dtype, copy=False), len(values), axis=0)
            stack.reshape(len(values), -1)[:, indices] = values
            return f(stack)

        return f_of_part


class FirstOf:
    """f that returns several things, as the function that returns the first; it can be sent to where f can be."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self._f = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return the first of what f returns."""
        return self._f(*args, **kwargs)[0]


class Task:
    """A verb at some of the entries of x: what workers are sent, once, to be called with a span."""

    def __init__(
        self,
        verb: Callable[..., Any],
        f: Callable[..., Any],
        point: Point,
        args: Any,
        kwargs: Any,
        options: Any,
        indices: IndexArray | None,
    ) -> None:
        self._verb, self._f, self._args, self._kwargs = verb, f, args, kwargs
        self._x = point.shown(point.array)
        self._options, self._indices = options, indices

    def __call__(self, span: tuple[int, int]) -> tuple[Any, list[int]]:
        """Return the derivative by the entries of a span, and those that changed sides."""
        whole = as_point(self._x, read=number_array)
        some = np.arange(*span) if self._indices is None else self._indices[slice(*span)]
        part = Part(whole, some)
        f = bound(self._f, self._args, self._kwargs)
        options = dict(self._options)
        is_stacked = options.get("vectorized")
        g = part.of_stacks(Stacked(f, whole)) if is_stacked else part.of_part(whole.of_array(f))
        eps, bounds = options.pop("eps"), options.pop("bounds")
        if isinstance(eps, np.ndarray):
            eps = float(eps[0]) if eps.size == 1 else eps[some]
        if bounds is not None:
            bounds = tuple(side[some] for side in bounds)
        return self._verb(g, part, eps, bounds=bounds, **options), part.changed


def in_parts(
    verb: Callable[..., Any],
    f: Callable[..., Any],
    point: Point,
    workers: Any,
    eps: Any,
    bounds: Any,
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    indices: IndexArray | None = None,
    pace: Pace | None = None,
    **options: Any,
) -> Derivative:
    """Return what a verb finds at the point, each worker at some of the entries.

    The entries do not depend on each other, so that the values are those that one would find alone, bit for bit.
    Without `details`, only the value is more than empty. With `indices`, these entries alone are measured, and the last
    axis of the result is theirs; else its last axes are x's. No workers do it all at once, here.
    """
    eps = point.in_line(eps, "eps")
    if eps is not None and not isinstance(eps, str):
        eps = given_steps(eps, point.array.shape)
    if bounds is not None:
        bounds = limits(bounds, point)
    task = Task(verb, f, point, args, kwargs, {**options, "eps": eps, "bounds": bounds}, indices)
    shape = point.array.shape if indices is None else indices.shape
    spans = _workers.spans(prod(shape), workers)
    found, changed = [], []
    for (_, stop), (piece, sides) in zip(spans, _workers.in_order(task, spans, workers), strict=True):
        found.append(piece)
        changed += sides
        if pace is not None:
            pace(stop)
    if changed:
        _guarded.warn_of(point, changed, stacklevel=4)
    return joined_parts(found, shape, options.get("details", False))


def at_steps(h: Float64Array, point: Point) -> Any:
    """Return resolved steps as a verb takes them."""
    return float(h[0]) if h.size == 1 else h.reshape(point.array.shape)


def joined_parts(found: list[Any], shape: tuple[int, ...], is_detailed: bool) -> Derivative:
    """Return derivatives by some of the entries, in order, as that by all of them."""

    def joined(pieces: Iterator[Any]) -> Any:
        whole = np.concatenate(list(pieces), axis=-1)
        return whole.reshape(whole.shape[:-1] + shape)

    if not is_detailed:
        _same_shapes(found)
        return Derivative(joined(iter(found)), None, None, None, {})
    _same_shapes([piece.value for piece in found])
    value, error, calls, step = (
        joined(getattr(piece, name) for piece in found) for name in ("value", "error", "calls", "step")
    )
    flags = {name: joined(piece.flags[name] for piece in found) for name in FLAGS if name in found[0].flags}
    return Derivative(value, error, calls, step, flags)


def _same_shapes(found: list[Any]) -> None:
    for piece in found:
        if piece.shape[:-1] != found[0].shape[:-1]:
            raise ShapeError(
                f"f must return arrays of one shape: it returned {found[0].shape[:-1]} at some entries of x and "
                f"{piece.shape[:-1]} at others."
            )
