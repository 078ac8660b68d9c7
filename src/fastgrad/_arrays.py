"""Reading the caller's arrays: the one body of rules that both twins follow, and its sentences."""

import math
import operator
import sys
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError, bad_step, no_claim, shape_hint
from fastgrad._typing import Array, Float64Array

DOUBLE = np.dtype(np.float64)
#: Bytes from which a new array had better be written piece by piece and through the cache: the system clears its pages
#: as they are first touched, and what is written right behind that finds them there.
LARGE = 16 << 20
_REASONS = {
    "c": "the derivatives here are real, so differentiate by its real and its imaginary part",
    "e": "half precision leaves a difference no digits",
    "G": "extended precision has no compiled loop and would be rounded",
    "g": "extended precision has no compiled loop and would be rounded",
    "O": "Python objects are no array of numbers",
}


def same_everywhere(value: np.generic, size: int) -> Array:
    """Return an array that holds one value everywhere, in the room of one; read-only."""
    return np.ndarray(size, value.dtype, value.tobytes(), strides=(0,))


def is_masked_array(value: Any) -> bool:
    """Tell whether value is a masked array. Whoever holds one has loaded numpy.ma: loading it to ask costs 10 ms."""
    masked = getattr(sys.modules.get("numpy.ma"), "MaskedArray", None)  # nor while another thread loads it
    return masked is not None and isinstance(value, masked)


def real_array(value: Any, name: str) -> Array:
    """Return value as a plain array of float32 or float64; integers and booleans become float64.

    Memory is shared where nothing had to be converted. Anything else is a TypeError or ShapeError that says `name`.
    """
    if type(value) is np.ndarray and value.dtype is DOUBLE and value.flags.aligned:
        return value  # what nearly always comes, in a quarter of the time
    if is_masked_array(value):
        raise TypeError(f"{name} is a masked array, and its mask would be lost: give {name}.filled(...) instead.")
    try:
        a = np.asarray(value)
    except ValueError as error:
        raise ShapeError(f"{name} must be a regular array of real numbers; its rows differ in length.") from error
    if a.dtype.kind in "biu":
        return a.astype(np.float64)
    if a.dtype.char == "O" and a.ndim == 0 and callable(a[()]):
        raise TypeError(f"{name} must be real numbers, and is a {type(a[()]).__name__}, which can be called.")
    if a.dtype.char not in "fd":
        reason = _REASONS.get(a.dtype.char) or _REASONS.get(a.dtype.kind) or "they are no real numbers"
        raise TypeError(
            f"{name} has dtype {a.dtype}: {reason}. Give float64 or float32; integers and booleans become float64."
        )
    if a.flags.aligned and a.dtype.isnative:
        return a
    return np.require(a, dtype=a.dtype.newbyteorder("="), requirements=["ALIGNED"])


def number_array(value: Any, name: str) -> Array:
    """Return value as `real_array` does, but let complex64 and complex128 pass."""
    if is_masked_array(value):
        return real_array(value, name)
    try:
        a = np.asarray(value)
    except ValueError:
        return real_array(value, name)
    if a.dtype.char not in "FD":
        return real_array(a, name)
    return np.require(a, dtype=a.dtype.newbyteorder("="), requirements=["ALIGNED"])


def claimed_array(claim: Any, shape: tuple[int, ...], size: int) -> Array:
    """Return the claim for an x of this shape as an array of that shape, or flat and of its size, or refuse it."""
    if claim is None:
        raise no_claim()
    if is_masked_array(claim):
        raise TypeError("the claimed gradient is a masked array: fill it first.")
    try:
        values = np.asarray(claim)
    except ValueError as error:
        raise ShapeError(f"the claimed gradient must be an array shaped like x, {shape}: {error}") from error
    if values.dtype.kind in "biuf" and values.shape not in (shape, (size,)):
        raise ShapeError(
            f"the claimed gradient has shape {values.shape}, and x has {shape}: it must have x's shape, "
            f"or be flat with {size} entries.{shape_hint(values.shape, shape)}"
        )
    refuse_other_than_numbers(values)
    return values


def refuse_other_than_numbers(claim: Array) -> None:
    """Refuse a claim that does not hold real numbers."""
    if claim.dtype.kind not in "biuf":
        raise TypeError(f"the claimed gradient must hold real numbers; got dtype {claim.dtype}.")


def claimed_beside_value(both: Any) -> Any:
    """Return the gradient from what an f returned that should return ``(value, gradient)``, or refuse it."""
    if not isinstance(both, tuple | list) or len(both) != 2:
        raise TypeError(
            f"f must return (value, gradient) where no gradient is given; it returned {type(both).__name__}."
        )
    return both[1]


def in_dtype(values: Array, dtype: np.dtype[Any]) -> Array:
    """Return values in the working dtype; what is beyond its numbers is infinite there, and nobody is warned."""
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def given_steps(eps: Any, shape: tuple[int, ...]) -> Float64Array:
    """Return steps given as a number or as an array of x's shape as one line of doubles, or refuse them."""
    try:
        given = np.asarray(eps)
    except ValueError as error:
        raise bad_step(eps) from error
    if given.dtype.kind not in "iuf":
        raise bad_step(eps)
    if given.ndim and given.shape != shape:
        raise ShapeError(f"an array of steps must be shaped like x, {shape}; got {given.shape}.")
    with np.errstate(over="ignore", under="ignore"):
        h = np.array(given, dtype=np.float64).reshape(-1)
    if not np.all((h > 0) & (h < np.inf)):
        raise bad_step(eps)
    return h


def step_of(h: Float64Array, i: int) -> float:
    """Return the step of entry i, where one stands for all, shape ``(1,)``, or each has its own."""
    return float(h[i if h.size > 1 else 0])


def whole_number(value: Any, name: str) -> int:
    """Return what counts as an integer as one, or refuse it; a truth value does not count."""
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise TypeError(f"{name} must be an integer; got {value!r}.")


def real_number(value: Any) -> float | None:
    """Return what counts as a real number as a float, None for all else; a truth value does not count."""
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray | np.generic) and (value.ndim or value.dtype.kind not in "iuf"):
        return None
    if isinstance(value, bool | str | bytes):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    except (TypeError, ValueError):
        return None


def given_tolerance(given: Any, name: str) -> float:
    """Return a tolerance as a float, or refuse what is no finite number or negative."""
    number = real_number(given)
    if number is None:
        raise TypeError(f"{name} must be a number that is not negative; got {given!r}.")
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{name} must be a number that is not negative, and finite; got {given!r}.")
    return number


def read_only(a: Array) -> Array:
    """Return a view that cannot be written into."""
    view = a.view()
    view.flags.writeable = False
    return view
