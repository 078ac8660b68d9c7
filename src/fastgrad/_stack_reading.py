"""Reading what f returns for a stack of points: the one body of rules that both twins follow."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastgrad._errors import ShapeError, not_so_long, not_stacked
from fastgrad._reading import Reader, describe
from fastgrad._typing import Float64Array, Pace


class StackReader(Reader):
    """Turn the values at a stack of points into doubles, or say in a sentence why that cannot be done.

    A stack goes from entry i at one offset to entry j at another, in the order in which the points stand in it.
    """

    __slots__ = ("_span",)

    def __init__(self, name: Callable[[int], str], pace: Pace | None = None) -> None:
        super().__init__(name, pace)
        self._span: tuple[int, int, int, int, int] | None = None

    def where(self, i: int, sign: int) -> str:
        """Return where the points of the stack lie that f was called with."""
        return super().where(i, sign) if self._span is None else self._of_stack(*self._span)

    def values(
        self, y: Any, i: int, offset: int, j: int, last: int, count: int, shape: tuple[int, ...] | None, is_scalar: bool
    ) -> Float64Array:
        """Return y as C-ordered doubles of shape (count, *shape), possibly sharing memory with it.

        `shape` is what one value had in earlier calls. Where f's values are scalars, (count, 1) will do as well.
        """
        self._span = i, offset, j, last, count
        values = self.array(y, i, offset, None)
        if is_scalar and values.size == count and (count == 1 or values.shape[0] == count):
            return values.reshape(count)
        if values.ndim == 0 or values.shape[0] != count or is_scalar:
            is_long = values.ndim > 0 and values.shape[0] == count
            hint = ". The derivative of an array-valued f is numerical_jacobian's." if is_long else not_so_long(count)
            raise not_stacked(self.where(i, offset), describe(y), hint, "a number" if is_scalar else "a value")
        if shape is not None and values.shape[1:] != shape:
            raise ShapeError(
                f"f must return values of one shape: it returned {shape} a point at first and {values.shape[1:]} "
                f"at {self.where(i, offset)}."
            )
        return values

    def note_stack(self, error: BaseException, i: int, offset: int, j: int, last: int, count: int) -> None:
        """Tell an exception of f at which points it happened, if it takes notes."""
        with suppress(Exception):
            where = self._of_stack(i, offset, j, last, count)
            error.add_note(f"fastgrad: f raised this when called with {where}.")

    def _of_stack(self, i: int, offset: int, j: int, last: int, count: int) -> str:
        first = super().where(i, offset)
        if count == 1:
            return f"a stack of one point, {first}"
        return f"the stack of {count} points from {first} to {super().where(j, last)}"
