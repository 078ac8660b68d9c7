"""Which outputs a wrong gradient goes wrong for: their differences are known, and only backward has to be asked."""

from collections.abc import Callable, Mapping

import numpy as np

from fastgrad._layer_check.calls import LayerCalls, Target
from fastgrad._typing import Array, Float64Array

#: Cotangents that backward is asked about on each axis, and how many of the slices to blame are named.
ASKED, NAMED = 64, 4
#: What a part must be off by, beside the whole, and beside what its differences are uncertain by.
_SHARE, _TIMES = 1e-4, 8.0

#: From a cotangent in one line to the claimed gradients by name, in one line each.
Claims = Callable[[Float64Array], Mapping[str, Float64Array]]


def outputs_to_blame(
    calls: LayerCalls, r: Float64Array, directions: Mapping[str, tuple[Target, Float64Array, float]], claims: Claims
) -> dict[str, str]:
    """Return for each name a sentence that says for which outputs its gradient is wrong, if not for all.

    A cotangent that is zero but on some slices of the outputs asks backward for their part in the gradient, and the
    difference of the outputs along a direction holds the true part already. Slices that are wrong together are asked
    about in halves.

    Parameters
    ----------
    calls : LayerCalls
    r : ndarray
        A cotangent without zeros, in one line.
    directions : mapping
        For each name what is moved, along which direction, and by which step.
    claims : callable
        From a cotangent to what backward claims.
    """
    shape = calls.y.array.shape
    if calls.y.tree is not None or calls.y.array.size < 2:
        return {}
    parts = _Parts(r, directions, claims)
    best: dict[str, tuple[int, list[int]]] = {}
    for axis, size in enumerate(shape):
        for name, found in parts.to_blame(shape, axis).items():
            if 0 < len(found) < size and (name not in best or len(found) < len(best[name][1])):
                best[name] = axis, found
    return {name: _sentence(found, shape, axis) for name, (axis, found) in best.items()}


class _Parts:
    """The differences of all outputs, and by how much what backward claims for some of them is off."""

    def __init__(
        self, r: Float64Array, directions: Mapping[str, tuple[Target, Float64Array, float]], claims: Claims
    ) -> None:
        self._r, self._claims = r, claims
        self._known = {name: (*_slopes(*direction), direction[1]) for name, direction in directions.items()}
        self._whole = self._errors(r)

    def to_blame(self, shape: tuple[int, ...], axis: int) -> dict[str, list[int]]:
        """Return for each name the slices across an axis that it is wrong for; nothing where too many are."""
        found: dict[str, list[int]] = {name: [] for name in self._known}
        waiting = [(0, shape[axis])]
        for _ in range(ASKED):
            if not waiting:
                return found
            start, stop = waiting.pop(0)
            errors = self._errors(_on_slices(self._r, shape, axis, slice(start, stop)))
            wrong = [name for name, error in errors.items() if error > _SHARE * self._whole[name]]
            if wrong and stop - start > 1:
                middle = (start + stop) // 2
                waiting += [(start, middle), (middle, stop)]
            elif wrong:
                for name in wrong:
                    found[name].append(start)
        return {}

    def _errors(self, cotangent: Float64Array) -> dict[str, float]:
        """Return by how much the claims for a cotangent are off along their directions; 0 where that may be noise."""
        claimed = self._claims(cotangent)
        errors = {}
        with np.errstate(all="ignore"):
            for name, (slopes, bounds, v) in self._known.items():
                error = abs(float(cotangent @ slopes) - float(claimed[name] @ v))
                errors[name] = error if error > _TIMES * float(np.abs(cotangent) @ bounds) else 0.0
        return errors


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


def _on_slices(r: Float64Array, shape: tuple[int, ...], axis: int, which: slice) -> Float64Array:
    cotangent = np.zeros(shape)
    np.moveaxis(cotangent, axis, 0)[which] = np.moveaxis(r.reshape(shape), axis, 0)[which]
    return cotangent.reshape(-1)


def _sentence(found: list[int], shape: tuple[int, ...], axis: int) -> str:
    names = ", ".join(_name(shape, axis, k) for k in sorted(found)[:NAMED])
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return f"backward is wrong for the outputs {names}{more} alone, {len(found)} of {shape[axis]} slices."


def _name(shape: tuple[int, ...], axis: int, k: int) -> str:
    return f"y[{', '.join([*[':'] * axis, str(k), *[':'] * (len(shape) - axis - 1)])}]"
