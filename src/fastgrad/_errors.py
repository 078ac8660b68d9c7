"""What can go wrong, as classes, and the sentences that both twins must say alike."""

from typing import Any

import numpy as np


class ShapeError(ValueError):
    """An array, or a value that f returned, has a shape that does not fit."""


class StepError(ValueError):
    """A step that is no positive real number, or that rounding eats at some entry of x."""


class GradientMismatch(AssertionError):  # noqa: N818 - an AssertionError is named for what did not hold
    """A claimed derivative differs from the measured one beyond tolerance and error bound."""


class InconclusiveError(AssertionError):
    """A check could not resolve the tolerance: the claim is neither confirmed nor refuted."""


class DivergenceWarning(RuntimeWarning):
    """An iteration left the finite numbers."""


def lost_step(entry: str, value: float, eps: float, realised: float) -> StepError:
    """Return the error for a step that rounding changes by more than one part in a hundred."""
    return StepError(
        f"the step eps = {eps:.6g} is lost to rounding at {entry} = {value:.17g}: the step really taken would be "
        f'{realised:.6g}. Give a larger eps, one step an entry, or eps="auto".'
    )


def bad_step(eps: object) -> StepError:
    """Return the error for an eps that no difference can be taken with."""
    return StepError(
        f'eps must be None, "auto", a positive finite real number, or an array of them shaped like x; got {eps!r}.'
    )


def masked_point(label: str) -> TypeError:
    """Return the error for a masked array as the place to differentiate at."""
    return TypeError(f"{label} is a masked array, and a masked entry has no derivative. Pass {label}.compressed().")


def ragged_point(label: str, x: object, reason: object) -> ShapeError:
    """Return the error for an x that no array can be made of."""
    return ShapeError(f"{label} must be a regular array of real numbers; got {type(x).__name__}: {reason}")


def unfit_dtype(label: str, dtype: np.dtype[Any]) -> TypeError:
    """Return the error for an x that does not hold real numbers of single or double precision."""
    if dtype.kind == "c":
        why = f"{dtype} is complex. Differentiate by the real and the imaginary part."
    elif dtype == np.float16:
        why = "float16 leaves no digits to a difference. Pass it as float32 or float64."
    elif dtype.kind == "f":
        why = f"{dtype} would lose digits on the way. Pass it as float64."
    else:
        why = f"got an array of dtype {dtype}."
    return TypeError(f"{label} must hold real numbers of single or double precision; {why}")


def not_callable(f: object) -> TypeError:
    """Return the error for an f that cannot be called."""
    return TypeError(f"f must be callable, got {type(f).__name__}.")
