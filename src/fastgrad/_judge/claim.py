"""A claimed gradient, in whatever form it arrives, beside the point that it is claimed for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._arrays import is_masked_array
from fastgrad._errors import ShapeError, no_claim, unsummed
from fastgrad._point import Point
from fastgrad._typing import Array, IndexArray, ScalarFunction


@dataclass(frozen=True)
class Claim:
    """The claimed gradient, shaped like the point's array, and the precision to judge it by ("d" or "f")."""

    values: Array
    precision: str


def claim_at(
    f: ScalarFunction, grad_f: Any, point: Point, args: Sequence[Any], kwargs: Mapping[str, Any] | None
) -> tuple[ScalarFunction, Claim]:
    """Return f as a function of x alone to a scalar, and the claim that grad_f makes at the point."""
    x = point.array
    if grad_f is True:
        both = f(x.copy())
        if not isinstance(both, tuple | list) or len(both) != 2:
            raise TypeError(
                f"f must return (value, gradient) where no gradient is given; it returned {type(both).__name__}."
            )
        return (lambda x: f(x)[0]), _claim(both[1], point)
    if callable(grad_f):
        return f, _claim(grad_f(point.shown(x.copy()), *args, **(kwargs or {})), point)
    return f, _claim(grad_f, point)


def _claim(given: Any, point: Point) -> Claim:
    x = point.array
    parts = [_whole(given, x)] if point.tree is None else point.tree.arrays(given, "the claimed gradient")
    for part in parts:
        if part.dtype.kind not in "biuf":
            raise TypeError(f"the claimed gradient must hold real numbers; got dtype {part.dtype}.")
    single = x.dtype.char == "f" or any(part.dtype.kind == "f" and part.dtype.itemsize <= 4 for part in parts)
    is_float32 = x.dtype == np.float32 and all(part.dtype == np.float32 for part in parts)
    dtype = np.float32 if is_float32 else np.float64
    values = parts[0] if point.tree is None else np.concatenate([np.empty(0, dtype), *(p.reshape(-1) for p in parts)])
    values = np.asarray(values, dtype=dtype, order="C").reshape(x.shape)
    return Claim(values, "f" if single else "d")


def _whole(given: Any, x: Array) -> Array:
    """Return the claim for a single array, checked for its shape."""
    if given is None:
        raise no_claim()
    if is_masked_array(given):
        raise TypeError("the claimed gradient is a masked array: fill it first.")
    try:
        values = np.asarray(given)
    except ValueError as error:
        raise ShapeError(f"the claimed gradient must be an array shaped like x, {x.shape}: {error}") from error
    if values.dtype.kind in "biuf" and values.shape != x.shape and values.shape != (x.size,):
        raise ShapeError(
            f"the claimed gradient has shape {values.shape}, and x has {x.shape}: it must have x's shape, "
            f"or be flat with {x.size} entries.{unsummed(values.shape, x.shape)}"
        )
    return values


def selected(indices: Any, shape: tuple[int, ...]) -> IndexArray:
    """Return the flat indices that `indices` means: flat ones, a boolean mask, or a tuple of index arrays."""
    size = int(np.prod(shape))
    if isinstance(indices, tuple):
        return np.ravel_multi_index(tuple(np.asarray(k) for k in indices), shape).astype(np.intp).reshape(-1)
    given = np.asarray(indices)
    if given.dtype == bool:
        if given.shape != shape:
            raise ShapeError(f"a mask of entries must be shaped like x, {shape}; got {given.shape}.")
        return np.flatnonzero(given)
    if given.size == 0:
        return np.empty(0, np.intp)
    if given.dtype.kind not in "iu":
        raise TypeError(f"indices must be flat integers, a boolean mask or a tuple of index arrays; got {given.dtype}.")
    flat = given.astype(np.intp).reshape(-1)
    if flat.min() < -size or flat.max() >= size:
        raise IndexError(
            f"an index lies outside x, which has {size} entries: the indices run from {flat.min()} to {flat.max()}."
        )
    return np.where(flat < 0, flat + size, flat)
