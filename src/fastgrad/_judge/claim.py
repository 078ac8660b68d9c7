"""A claimed gradient, in whatever form it arrives, beside the point that it is claimed for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastgrad._arrays import claimed_array, claimed_beside_value, refuse_other_than_numbers
from fastgrad._containers import to_the_end
from fastgrad._errors import ShapeError
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
        return (lambda x: f(x)[0]), _claim(kept(claimed_beside_value(f(x.copy()))), point)
    if callable(grad_f):
        return f, _claim(kept(grad_f(point.shown(x.copy()), *args, **(kwargs or {}))), point)
    return f, _claim(grad_f, point)


def kept(returned: Any) -> Any:
    """Return what a function claimed, its arrays copied: it may use them again, and f may write into them."""
    return to_the_end(_copied, returned)


def _copied(returned: Any) -> Any:
    if isinstance(returned, np.ndarray) or hasattr(returned, "tocoo"):
        return returned.copy()
    if hasattr(type(returned), "__array__"):
        return np.asarray(returned).copy()
    if type(returned) in (list, tuple):
        return type(returned)(map(_copied, returned))
    return {key: _copied(value) for key, value in returned.items()} if type(returned) is dict else returned


def _claim(given: Any, point: Point) -> Claim:
    x = point.array
    if point.tree is None:
        parts = [claimed_array(given, x.shape, x.size)]
    else:
        parts = point.tree.arrays(given, "the claimed gradient")
        for part in parts:
            refuse_other_than_numbers(part)
    single = x.dtype.char == "f" or any(part.dtype.kind == "f" and part.dtype.itemsize <= 4 for part in parts)
    is_float32 = x.dtype == np.float32 and all(part.dtype == np.float32 for part in parts)
    dtype = np.float32 if is_float32 else np.float64
    values = parts[0] if point.tree is None else np.concatenate([np.empty(0, dtype), *(p.reshape(-1) for p in parts)])
    values = np.asarray(values, dtype=dtype, order="C").reshape(x.shape)
    return Claim(values, "f" if single else "d")


def selected(indices: Any, shape: tuple[int, ...]) -> IndexArray:
    """Return the flat indices that `indices` means, each once: flat ones, a boolean mask, or a tuple of index arrays.

    Raises
    ------
    ShapeError, TypeError, IndexError
        If it is none of these, or fits x not; the sentence says why.
    """
    if isinstance(indices, tuple):
        flat = _of_axes(indices, shape)
    else:
        given = _index_array(indices)
        if given.dtype == bool:
            if given.shape != shape:
                raise ShapeError(f"a mask of entries must be shaped like x, {shape}; got {given.shape}.")
            return np.flatnonzero(given)
        flat = _wrapped(given.reshape(-1), int(np.prod(shape)), f"x, which has {int(np.prod(shape))} entries")
    _, first = np.unique(flat, return_index=True)
    return flat[np.sort(first)]


def _of_axes(indices: tuple[Any, ...], shape: tuple[int, ...]) -> IndexArray:
    """Return flat indices from an index array for each axis."""
    if len(indices) != len(shape):
        raise ShapeError(
            f"a tuple of index arrays needs one for each of the {len(shape)} axes of x; got {len(indices)}. "
            "Flat indices are a list or an array."
        )
    given = [_index_array(k) for k in indices]
    if any(k.dtype == bool for k in given):
        raise TypeError("a tuple of index arrays must hold integers; a mask is given by itself.")
    try:
        along = np.broadcast_arrays(*given)
    except ValueError as error:
        raise ShapeError(f"the index arrays do not fit each other: {error}") from error
    flat = np.zeros(along[0].size if along else 1, np.intp)
    for axis, (k, length) in enumerate(zip(along, shape, strict=True)):
        flat = flat * length + _wrapped(k.reshape(-1), length, f"axis {axis} of x, which has the length {length}")
    return flat


def _index_array(given: Any) -> Array:
    try:
        k = np.asarray(given)
    except ValueError as error:
        raise ShapeError(f"indices must be a regular array: {error}") from error
    if k.size == 0 and k.dtype != bool:
        return k.astype(np.intp)
    if k.dtype.kind not in "iub":
        raise TypeError(f"indices must be flat integers, a boolean mask or a tuple of index arrays; got {k.dtype}.")
    return k


def _wrapped(given: Array, length: int, where: str) -> IndexArray:
    """Return indices into something of a length, negative ones counted from its end."""
    if given.size and (given.min() < -length or given.max() >= length):  # as given: no intp may hold them
        raise IndexError(f"an index lies outside {where}: the indices run from {given.min()} to {given.max()}.")
    k = given.astype(np.intp)
    return np.where(k < 0, k + length, k)
