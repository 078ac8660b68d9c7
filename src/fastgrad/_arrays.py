"""Reading the caller's arrays: the one body of rules that both twins follow, and its sentences."""

import operator
import sys
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError, bad_step
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


def given_tolerance(given: Any, name: str) -> float:
    """Return a tolerance as a float, or refuse what is no number or negative."""
    if isinstance(given, str | bytes) or np.ndim(given) or not hasattr(given, "__float__"):
        raise TypeError(f"{name} must be a number that is not negative; got {given!r}.")
    if not given >= 0:
        raise ValueError(f"{name} must be a number that is not negative; got {given!r}.")
    return float(given)


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """Return dtype as float32 or float64, or refuse it."""
    result: np.dtype[Any] = np.dtype(dtype)
    if result not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float64 or float32, got {result}.")
    return result


def layer_shape(m: Any, n: Any) -> tuple[int, int]:
    """Return the shape of a weight matrix, from anything that counts as an integer."""
    shape = operator.index(m), operator.index(n)
    if min(shape) < 0:
        raise ValueError(f"the sizes of a layer must not be negative; its weights would have the shape {shape}.")
    return shape


def samples(value: Any, features: int, name: str) -> Array:
    """Return one sample (features,) or a batch of them (B, features) as `real_array` does."""
    a = real_array(value, name)
    if a.ndim not in (1, 2) or a.shape[-1] != features:
        raise ShapeError(
            f"{name} has shape {a.shape}; expected ({features},) for a sample or (B, {features}) for a batch of B rows."
        )
    return a


def cotangent(value: Any, shape: tuple[int, ...], name: str) -> Array:
    """Return the gradient that arrives from above, which has the shape of what forward returned."""
    a = real_array(value, name)
    if a.shape != shape:
        raise ShapeError(f"{name} has shape {a.shape}; expected {shape}, the shape of what forward returned last.")
    return a


def not_forward_yet(layer: object) -> RuntimeError:
    """Return the error for a backward that has nothing to go back from."""
    return RuntimeError(f"{type(layer).__name__}.backward needs what forward keeps: call forward(x) first.")


def outer_pair(grad_output: Any, x: Any) -> tuple[Array, Array]:
    """Return both factors of a weight gradient in one dtype: (m,) and (n,), or (B, m) and (B, n)."""
    g, x = real_array(grad_output, "grad_output"), real_array(x, "x")
    if g.ndim != x.ndim or g.ndim not in (1, 2) or (g.ndim == 2 and len(g) != len(x)):
        raise ShapeError(
            f"grad_output has shape {g.shape} and x has shape {x.shape}; expected (m,) and (n,) for one sample, or "
            "(B, m) and (B, n) for a batch of B rows. Reshape further axes into rows, as in x.reshape(-1, n)."
        )
    dtype = np.result_type(g, x)
    return g.astype(dtype, copy=False), x.astype(dtype, copy=False)


def check_out(out: Any, shape: tuple[int, int], dtype: np.dtype[Any], inputs: tuple[Any, ...]) -> None:
    """Refuse an out that cannot take an array of this shape and dtype, or that overlaps one of the inputs."""
    if not isinstance(out, np.ndarray) or is_masked_array(out):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}.")
    if out.dtype != dtype:
        raise TypeError(f"out has dtype {out.dtype}; the result of these arguments has dtype {dtype}.")
    if out.shape != shape:
        raise ShapeError(f"out has shape {out.shape}; the result has shape {shape}.")
    if not out.flags.writeable:
        raise ValueError("out is read-only; give an array that can be written.")
    if any(isinstance(v, np.ndarray) and np.shares_memory(out, v) for v in inputs):
        raise ValueError(
            "out overlaps grad_output or x, which would change while it is read; give an array of its own."
        )


def missing_out() -> ValueError:
    """Return the error for adding to nothing."""
    return ValueError("accumulate=True adds to out, but out was not given; pass the array to add to as out.")


def class_targets(y: Any, shape: tuple[int, ...]) -> Float64Array:
    """Return the targets of a cross-entropy over scores of this shape: weights as given, or ones at integer labels."""
    given = np.asarray(y)
    if given.shape == shape:
        return real_array(y, "y").astype(np.float64, copy=False)
    if given.shape != shape[:-1]:
        raise ShapeError(
            f"y has shape {given.shape}; expected weights of shape {shape} or integer labels of shape {shape[:-1]}."
        )
    if given.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got y of dtype {given.dtype}; weights must have the scores' shape.")
    wrong = given[(given < 0) | (given >= shape[-1])]
    if wrong.size:
        raise ValueError(
            f"y holds the label {wrong[0]}; expected 0 to {shape[-1] - 1}, for {shape[-1]} scores a sample."
        )
    targets = np.zeros(shape)
    np.put_along_axis(targets, given.astype(np.intp)[..., None], 1.0, axis=-1)
    return targets
