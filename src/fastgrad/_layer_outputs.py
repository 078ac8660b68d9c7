"""Which outputs a wrong gradient goes wrong for: their differences are known, and only backward has to be asked."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fastgrad._layer_calls import Calls, Target
from fastgrad._typing import Array, Float64Array

#: Slices of the outputs that backward is asked about, and how many of those to blame are named.
SLICES, NAMED = 64, 4
#: What a slice must be off by, beside the one that is off by most, and beside what its differences are uncertain by.
_SHARE, _TIMES = 1e-4, 8.0


def outputs_to_blame(
    calls: Calls,
    r: Float64Array,
    directions: Mapping[str, tuple[Target, Float64Array, float]],
    claims: Callable[[Float64Array], Mapping[str, Any]],
) -> dict[str, str]:
    """Return for each name a sentence that says for which outputs its gradient is wrong, if not for all.

    A cotangent that is zero but on one slice of the outputs asks backward for its part in the gradient, and the
    difference of the outputs along a direction holds the true part already.

    Parameters
    ----------
    calls : Calls
    r : ndarray
        A cotangent without zeros, in one line.
    directions : mapping
        For each name what is moved, along which direction, and by which step.
    claims : callable
        From a cotangent to the claimed gradients, by name, in one line each.
    """
    shape = calls.y.array.shape
    if calls.y.tree is not None:
        return {}
    slices = [(axis, k) for axis, size in enumerate(shape) if size > 1 for k in range(size)]
    if not 0 < len(slices) <= SLICES:
        return {}
    slopes = {name: _slopes(*direction) for name, direction in directions.items()}
    off: dict[str, dict[tuple[int, int], float]] = {name: {} for name in directions}
    for axis, k in slices:
        cotangent = _on_slice(r, shape, axis, k)
        claimed = claims(cotangent)
        for name, (_, v, _) in directions.items():
            slope, bound = slopes[name]
            error = abs(float(cotangent @ slope) - float(claimed[name] @ v))
            is_seen = error > _TIMES * float(np.abs(cotangent) @ bound)
            off[name][axis, k] = error if is_seen else 0.0
    sentences = ((name, _sentence(errors, shape)) for name, errors in off.items())
    return {name: sentence for name, sentence in sentences if sentence}


def _slopes(target: Target, v: Float64Array, h: float) -> tuple[Float64Array, Float64Array]:
    """Return the slopes of all outputs along a direction, and how far they may be off."""
    coarse, fine = _difference(target, v, h), _difference(target, v, h / 4)
    y = target.calls.y.array.reshape(-1)
    rounding = np.abs(y.astype(np.float64)) * float(np.finfo(y.dtype).eps) / h
    return fine, np.abs(coarse - fine) + 16 * rounding


def _difference(target: Target, v: Float64Array, h: float) -> Float64Array:
    x = target.point.array
    step = (h * v).reshape(x.shape)
    plus, minus = (_moved(target, (x + sign * step).astype(x.dtype)) for sign in (1, -1))
    difference: Float64Array = (plus - minus) / (2 * h)
    return difference


def _moved(target: Target, p: Array) -> Float64Array:
    return target.outputs(target.point.shown(p)).astype(np.float64)


def _on_slice(r: Float64Array, shape: tuple[int, ...], axis: int, k: int) -> Float64Array:
    cotangent = np.zeros(shape)
    np.moveaxis(cotangent, axis, 0)[k] = np.moveaxis(r.reshape(shape), axis, 0)[k]
    return cotangent.reshape(-1)


def _sentence(errors: Mapping[tuple[int, int], float], shape: tuple[int, ...]) -> str:
    """Return what the axis on which the fewest slices are to blame says; nothing, where all of them are on all axes."""
    least = _SHARE * max(errors.values())
    best: list[str] = []
    for axis, size in enumerate(shape):
        names = [_name(shape, axis, k) for k in range(size) if size > 1 and errors[axis, k] > least]
        if 0 < len(names) < size and (not best or len(names) < len(best)):
            best, total = names, size
    if not best:
        return ""
    more = f" and {len(best) - NAMED} more" if len(best) > NAMED else ""
    return f"backward is wrong for the outputs {', '.join(best[:NAMED])}{more} alone, {len(best)} of {total} slices."


def _name(shape: tuple[int, ...], axis: int, k: int) -> str:
    return f"y[{', '.join([*[':'] * axis, str(k), *[':'] * (len(shape) - axis - 1)])}]"
