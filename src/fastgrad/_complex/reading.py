"""Reading what f returns for a complex argument: numbers and arrays, as complex doubles."""

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastgrad._arrays import is_masked_array
from fastgrad._errors import ShapeError

#: A line of complex doubles.
Complex128Array = NDArray[np.complex128]


def complex_values(y: Any, where: str, shape: tuple[int, ...] | None) -> tuple[Complex128Array, tuple[int, ...]]:
    """Return what f returned as a new line of complex doubles, and its shape.

    Parameters
    ----------
    y : object
        A number, real or complex, or an array or list of them.
    where : str
        Where f was called, for the error.
    shape : tuple of int, or None
        What earlier calls returned. For a scalar function it is (), which any single number fits.

    Raises
    ------
    TypeError
        If y is not made of numbers.
    ShapeError
        If y has another shape than before.
    """
    if is_masked_array(y) and np.ma.is_masked(y):
        raise TypeError(f"f must return numbers, but at {where} it returned a masked value, which is none.")
    try:
        array = np.asarray(y)
    except ValueError as error:
        raise ShapeError(f"f must return a regular array, but at {where} its rows differ in length.") from error
    if array.dtype.kind == "O":
        with suppress(TypeError, ValueError):
            array = np.array([_number(value) for value in array.reshape(-1)]).reshape(array.shape)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"f must return numbers, but at {where} it returned {type(y).__name__} of dtype {array.dtype}.")
    if shape == () and array.size == 1:
        array = array.reshape(())
    if shape is not None and array.shape != shape:
        raise ShapeError(_misfit(array.shape, shape, where))
    return array.astype(np.complex128).reshape(-1), array.shape


def is_real(y: Any) -> bool:
    """Tell whether y is a real number or holds only such: it has no imaginary part, not even zero."""
    return bool(np.asarray(y).dtype.kind in "biuf")


def _number(value: Any) -> complex:
    if isinstance(value, str | bytes) or value is None:
        raise TypeError
    return complex(value)


def _misfit(found: tuple[int, ...], shape: tuple[int, ...], where: str) -> str:
    if shape == ():
        return (
            f"f must return a scalar, but at {where} it returned an array of shape {found}. "
            "The derivative of an array-valued f is numerical_jacobian's."
        )
    return f"f must return arrays of one shape: it returned {shape} at first and {found} at {where}."
