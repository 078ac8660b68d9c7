"""What an f shows whose forward goes by rows: no point beside x is ever formed as a whole, and x is read once."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._arrays import read_only, real_array
from fastgrad._errors import ShapeError
from fastgrad._judge.shown import KEYS, RELATIVE, Plain, Questions, Shown, number
from fastgrad._reading import describe
from fastgrad._typing import Array, Float64Array, Forward

#: The points beside x whose rows are formed: along which direction, which way, and whether from the point before.
_ONWARD = ((KEYS[0], 1.0, False), (KEYS[1], 1.0, True))
_BOTH_SIDES = ((KEYS[0], 1.0, False), (KEYS[0], -1.0, False), (KEYS[1], 1.0, False), (KEYS[1], -1.0, False))


class ShownByRows:
    """What the rows make at x and at points beside it, gathered span by span, by any threads.

    Parameters
    ----------
    plain : Plain
        Has the values counted that are formed here.
    forward : pair of callables
        As `ForwardByRows` has it. What they return is copied, so that they may use its memory again, or give a view of
        what they were shown; and each is given arrays of its own, or such that cannot be written into.
    x : ndarray
        The point; nobody can write into it.
    asked : Questions

    Raises
    ------
    TypeError, ShapeError
        If `forward` is no such pair, or has a vector that does not fit the rows.
    """

    def __init__(self, plain: Plain, forward: Forward, x: Array, asked: Questions) -> None:
        self._plain = plain
        self._make, self._value_of = _pair(forward)
        self._x = x
        self._asked = asked
        self._width = x.size // len(x)
        self._points = _BOTH_SIDES if asked.both_sides else _ONWARD
        self._vector = _vector_of(self._make, x) if x.dtype.char == "d" else None
        self._products = np.empty((0 if self._vector is None else 1 + len(self._points), 1, len(x)))
        self._made: dict[int, list[Array]] = {}

    def see(self, first: int, last: int, room: Array) -> None:
        """Have rows first to last make what they make; `room`, of their size, may be overwritten."""
        rows, start = self._x[first:last], first * self._width
        if self._vector is not None:
            out, onward = self._products[:, 0, first:last], not self._asked.both_sides
            _backend.projection.products(rows, start, self._vector, *KEYS, self._asked.step, onward, out)
            return
        made, flat, shown = [self._made_of(rows)], room.reshape(-1), read_only(room)
        for key, sign, goes_on in self._points:
            origin = flat if goes_on else rows.reshape(-1)
            _backend.projection.move(origin, start, key, sign * self._asked.step, flat)
            made.append(self._made_of(shown))
        self._made[first] = made

    def show(self, value: float) -> Shown | None:
        """Return what f shows, when all rows were seen; None if f(x) is not the value that the rows give.

        They may differ by as much as terms that are added up in another order do.
        """
        at_x = self._at(0)
        centre = self._value(at_x.copy())
        if not abs(centre - value) <= RELATIVE[self._x.dtype.char] * abs(value):
            return None
        values = [self._value(self._at(1 + k)) for k in range(len(self._points))]
        if self._asked.both_sides:
            return Shown(self._entries(at_x), ((values[0], values[1]), (values[2], values[3])))
        return Shown(self._entries(at_x), ((values[0], centre), (values[1], values[0])))

    def _made_of(self, rows: Array) -> Array:
        """Return a copy of what rows make."""
        made = np.array(self._make(rows))
        if made.ndim == 0 or made.shape[-1] != len(rows):
            raise ShapeError(
                f"made, of __fastgrad_forward__, returned an array of shape {made.shape} for {len(rows)} rows; "
                "its last axis must go along the rows."
            )
        return made

    def _at(self, point: int) -> Array:
        """Return what all rows make at a point, x being the first; each is to be asked for once, in order."""
        if self._vector is None:
            return np.concatenate([of_span.pop(0) for _, of_span in sorted(self._made.items())], axis=-1)
        products: Array = self._products[point]
        return products

    def _value(self, made: Array) -> float:
        self._plain.calls += 1
        return number(self._value_of(made), "value, of __fastgrad_forward__,")

    def _entries(self, made: Array) -> tuple[float, float, Float64Array]:
        """Return f with the entries moved, and moved back or not; only the rows that hold them are formed again."""
        row, column = np.divmod(self._asked.entries, self._width)
        few, place = np.unique(row, return_inverse=True)
        room = self._x[few]
        flat, at, shown = room.reshape(-1), place * self._width + column, read_only(room)
        before = flat[at].astype(np.float64)

        def moved(by: Any) -> tuple[float, Float64Array]:
            flat[at] = before + by
            made[..., few] = self._made_of(shown)
            return self._value(made.copy()), flat[at] - before

        plus, up = moved(self._asked.moves)
        minus, down = moved(-self._asked.moves if self._asked.both_sides else 0.0)
        return plus, minus, up - down


def _pair(forward: Any) -> Forward:
    if not isinstance(forward, tuple | list) or len(forward) != 2 or not all(map(callable, forward)):
        raise TypeError(f"__fastgrad_forward__ must return two functions, made and value; got {describe(forward)}.")
    made, value = forward
    return made, value


def _vector_of(made: Any, x: Array) -> Float64Array | None:
    """Return the vector that the rows of x are multiplied by, if `made` has one."""
    given = getattr(made, "vector", None)
    if given is None:
        return None
    vector = real_array(given, "the vector of __fastgrad_forward__")
    if x.ndim != 2 or vector.shape != x.shape[1:]:
        raise ShapeError(
            f"the vector of __fastgrad_forward__ has shape {vector.shape}; it is for x of shape (m, n), and is (n,): "
            f"x has shape {x.shape}."
        )
    return np.ascontiguousarray(vector, dtype=np.float64)
