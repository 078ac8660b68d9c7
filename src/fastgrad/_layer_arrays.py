"""Reading what layers and their gradients are given: the rules that both twins follow, and their sentences."""

from typing import Any

import numpy as np

from fastgrad._arrays import is_masked_array, real_array, whole_number
from fastgrad._errors import ShapeError
from fastgrad._typing import Array, Float64Array


def float_dtype(dtype: Any) -> np.dtype[Any]:
    """Return dtype as float32 or float64, or refuse it."""
    try:
        result: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype must be float64 or float32, got {dtype!r}.") from None
    if result not in (np.float32, np.float64):
        raise TypeError(f"dtype must be float64 or float32, got {result}.")
    return result


def layer_shape(m: Any, n: Any) -> tuple[int, int]:
    """Return the shape of a weight matrix, from anything that counts as an integer."""
    shape = whole_number(m, "the size of a layer"), whole_number(n, "the size of a layer")
    if min(shape) < 0:
        raise ValueError(f"the sizes of a layer must not be negative; its weights would have the shape {shape}.")
    return shape


def generator(rng: Any) -> np.random.Generator:
    """Return the generator that rng is, or that it is the seed of, or refuse it."""
    try:
        if not isinstance(rng, bool | np.timedelta64):
            return np.random.default_rng(rng)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"rng must be None, a seed (integers, not negative) or a numpy.random.Generator; got {rng!r}.")


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
