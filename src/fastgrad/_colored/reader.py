"""Reading what f returns where all entries of a colour have moved at once."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastgrad._errors import ShapeError
from fastgrad._reading import Reader
from fastgrad._typing import Array, Float64Array

#: So many entries of a colour are named.
_NAMED = 3


class ColorReader(Reader):
    """A reader whose index is that of a colour's first entry, and which knows how many values f is to have.

    Parameters
    ----------
    name : callable
        The name of the entry with a given flat index.
    shape : pair of int
        Of the pattern.
    bounds, members : ndarray of int
        Where each colour starts, and the columns, colour by colour.
    """

    __slots__ = ("_groups", "_shape", "seen")
    #: The shape of f's values, once it has returned one.
    seen: tuple[int, ...] | None

    def __init__(self, name: Callable[[int], str], shape: tuple[int, int], bounds: Array, members: Array) -> None:
        super().__init__(name)
        self._shape, self._groups = shape, (bounds, members)
        self.seen = None

    def where(self, i: int, sign: int) -> str:
        """Return where f was called."""
        bounds, members = self._groups
        if sign == 0:
            return "x itself"
        color = int(np.searchsorted(bounds, int(np.argmax(members == i)), side="right")) - 1
        group = members[bounds[color] : bounds[color + 1]]
        if group.size == 1:
            return super().where(i, sign)
        names = ", ".join(self._name(int(j)) for j in group[:_NAMED])
        more = f" and {group.size - _NAMED} more" if group.size > _NAMED else ""
        return f"{names}{more} {'plus' if sign > 0 else 'minus'} their steps"

    def array(self, y: Any, i: int, sign: int, shape: tuple[int, ...] | None) -> Float64Array:
        """Return y as C-ordered doubles, as many as the pattern has rows."""
        values = super().array(y, i, sign, shape)
        if values.size != self._shape[0]:
            raise ShapeError(
                f"sparsity has the shape {self._shape}, and f {values.size} value{'' if values.size == 1 else 's'} at "
                f"{self.where(i, sign)}: expected a pattern with a row for each value, flat in C order."
            )
        self.seen = values.shape
        return values
