"""Reading what f returns: the one body of rules that both twins follow, and the names of the entries in its errors."""

import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from fastgrad._arrays import is_masked_array
from fastgrad._errors import ShapeError
from fastgrad._typing import Float64Array, Pace

_REAL = "biuf"
#: What a pair may be meant as.
_PAIR = " A check of an f that returns (value, gradient) takes grad_f=True; all else takes the value alone."


def entry_name(i: int, shape: tuple[int, ...], label: str = "x") -> str:
    """Return the name of the entry with flat index i of an array of this shape, as ``x[3, 17]``."""
    if not shape:
        return label
    return f"{label}[{', '.join(str(k) for k in np.unravel_index(i, shape))}]"


class Reader:
    """Turn what f returned at one perturbed entry into doubles, or say in a sentence why that cannot be done.

    Parameters
    ----------
    name : callable
        The name of the entry with a given flat index, as ``"x[3, 17]"``.
    pace : callable, optional
        Told by the loop that so many entries are done; returns how many shall be when it is to be told again.
    """

    __slots__ = ("_name", "pace")

    def __init__(self, name: Callable[[int], str], pace: Pace | None = None) -> None:
        self._name = name
        self.pace = pace or _never

    def where(self, i: int, sign: int) -> str:
        """Return where f was called: at x itself (sign 0), or with entry i perturbed upwards (1) or downwards (-1)."""
        if sign == 0:
            return "x itself"
        return f"{self._name(i)} {'plus' if sign > 0 else 'minus'} its step"

    def note(self, error: BaseException, i: int, sign: int) -> None:
        """Tell an exception of f where it happened, if it takes notes: one that does not must arrive all the same."""
        with suppress(Exception):
            error.add_note(f"fastgrad: f raised this when called at {self.where(i, sign)}.")

    def scalar(self, y: Any, i: int, sign: int) -> float:
        """Return the real number y as a double."""
        if isinstance(y, np.ndarray | list | tuple):
            y = self._only_element(y, i, sign)
        is_number = (
            y.dtype.kind in _REAL
            if isinstance(y, np.generic)
            else hasattr(type(y), "__float__") and not isinstance(y, complex | str | bytes)
        )
        if is_number:
            try:
                return float(y)
            except (TypeError, ValueError, RuntimeError) as error:
                raise TypeError(self._not_a_scalar(y, i, sign)) from error
            except OverflowError as error:
                raise OverflowError(
                    f"f must return numbers that fit a double, but at {self.where(i, sign)} it returned {describe(y)}."
                ) from error
        raise TypeError(self._not_a_scalar(y, i, sign))

    def _only_element(self, y: Any, i: int, sign: int) -> Any:
        values = self._plain_array(y, i, sign)
        if values.size != 1:
            raise ShapeError(
                f"f must return a real scalar, but at {self.where(i, sign)} it returned an array of shape "
                f"{values.shape}. The derivative of an array-valued f is numerical_jacobian's."
            )
        element = values.reshape(1)[0]
        if isinstance(element, np.ndarray | list | tuple):
            raise TypeError(self._not_a_scalar(y, i, sign))
        return element

    def _not_a_scalar(self, y: Any, i: int, sign: int) -> str:
        return f"f must return a real scalar, but at {self.where(i, sign)} it returned {describe(y)}."

    def array(self, y: Any, i: int, sign: int, shape: tuple[int, ...] | None) -> Float64Array:
        """Return y as aligned C-ordered doubles, perhaps sharing its memory; `shape` is what earlier calls returned."""
        values = self._plain_array(y, i, sign)
        if values.dtype.kind == "O" and (values.ndim or hasattr(type(y), "__float__")):
            flat = [self.scalar(value, i, sign) for value in values.reshape(-1)]
            values = np.array(flat, dtype=np.float64).reshape(values.shape)
        if values.dtype.kind not in _REAL or isinstance(y, bytearray):  # whose bytes NumPy takes for numbers
            raise TypeError(
                f"f must return real numbers or an array of them, but at {self.where(i, sign)} it returned "
                f"{describe(y)}."
            )
        if shape is not None and values.shape != shape:
            raise ShapeError(
                f"f must return arrays of one shape: it returned {shape} at first and {values.shape} "
                f"at {self.where(i, sign)}."
            )
        line = np.ascontiguousarray(values, dtype=np.float64).reshape(values.shape)
        return line if line.flags.aligned else line.copy()

    def asked(self, f: Callable[[Any], Any], x: Any, i: int, sign: int) -> Any:
        """Return f(x); what it raises arrives, with a note of where that was."""
        try:
            return f(x)
        except BaseException as error:
            self.note(error, i, sign)
            raise

    def at_x(self, f: Callable[[Any], Any], x: Any) -> Float64Array:
        """Return f at x itself as doubles; what it raises there arrives, with a note."""
        return self.array(self.asked(f, x, 0, 0), 0, 0, None)

    def _plain_array(self, y: Any, i: int, sign: int) -> np.ndarray[Any, Any]:
        if is_masked_array(y) and np.ma.is_masked(y):
            raise TypeError(
                f"f must return real numbers, but at {self.where(i, sign)} it returned a masked value, which is none."
            )
        try:
            return np.asarray(y)
        except ValueError as error:
            raise ShapeError(
                f"f must return real numbers or a regular array of them, but at {self.where(i, sign)} it returned "
                f"{describe(y)}, which is no array.{_PAIR if isinstance(y, tuple) and len(y) == 2 else ''}"
            ) from error


def _never(done: int) -> int:
    return sys.maxsize


class PairReader(Reader):
    """The same where two entries move at once: the index that stands for entries i and j of n is i * n + j."""

    __slots__ = ("_n",)

    def __init__(self, name: Callable[[int], str], n: int) -> None:
        super().__init__(name)
        self._n = n

    def where(self, i: int, sign: int) -> str:
        """Return where f was called."""
        first, second = divmod(i, self._n)
        if sign == 0 or first == second:
            return super().where(first, sign)
        return f"x with {self._name(first)} and {self._name(second)} moved by their steps"


def describe(y: Any) -> str:
    """Return what f returned, in a few words."""
    if y is None:
        return "None"
    if isinstance(y, np.ndarray):
        return f"an array of dtype {y.dtype} and shape {y.shape}"
    try:
        text = repr(y)
    except Exception:
        text = "something that has no repr"
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(y).__name__})"
