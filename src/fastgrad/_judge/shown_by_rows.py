"""The same of an f whose forward goes by rows: no point is ever formed as a whole, and x is read once."""

from typing import Any

import numpy as np

from fastgrad import _backend
from fastgrad._judge.shown import KEYS, RELATIVE, Plain, Questions, Shown
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
        As `ForwardByRows` has it.
    x : ndarray
        The point; nobody can write into it.
    asked : Questions
    """

    def __init__(self, plain: Plain, forward: Forward, x: Array, asked: Questions) -> None:
        self._plain = plain
        self._make, self._value_of = forward
        self._x = x
        self._asked = asked
        self._width = x.size // len(x)
        self._points = _BOTH_SIDES if asked.both_sides else _ONWARD
        self._vector: Float64Array | None = getattr(self._make, "vector", None) if x.dtype.char == "d" else None
        self._products = np.empty((0 if self._vector is None else 1 + len(self._points), 1, len(x)))
        self._made: dict[int, list[Array]] = {}

    def see(self, first: int, last: int, room: Array) -> None:
        """Have rows first to last make what they make; `room`, of their size, may be overwritten."""
        rows, start = self._x[first:last], first * self._width
        if self._vector is not None:
            out, onward = self._products[:, 0, first:last], not self._asked.both_sides
            _backend.projection.products(rows, start, self._vector, *KEYS, self._asked.step, onward, out)
            return
        made, flat, shown = [self._make(rows)], room.reshape(-1), _read_only(room)
        for key, sign, goes_on in self._points:
            origin = flat if goes_on else rows.reshape(-1)
            _backend.projection.move(origin, start, key, sign * self._asked.step, flat)
            made.append(self._make(shown))
        self._made[first] = made

    def show(self, value: float) -> Shown | None:
        """Return what f shows, when all rows were seen; None if f(x) is not the value that the rows give.

        They may differ by as much as terms that are added up in another order do.
        """
        at_x, *beside = self._products if self._vector is not None else _joined(self._made)
        centre = self._value(at_x)
        if not abs(centre - value) <= RELATIVE[self._x.dtype.char] * abs(value):
            return None
        values = [self._value(point) for point in beside]
        if self._asked.both_sides:
            return Shown(self._entries(at_x), ((values[0], values[1]), (values[2], values[3])))
        return Shown(self._entries(at_x), ((values[0], centre), (values[1], values[0])))

    def _value(self, made: Array) -> float:
        self._plain.calls += 1
        return float(self._value_of(made))

    def _entries(self, at_x: Array) -> tuple[float, float, Float64Array]:
        """Return f with the entries moved, and moved back or not; only the rows that hold them are formed again."""
        row, column = np.divmod(self._asked.entries, self._width)
        few, place = np.unique(row, return_inverse=True)
        room = self._x[few]
        flat, at, made, shown = room.reshape(-1), place * self._width + column, at_x.copy(), _read_only(room)
        before = flat[at].astype(np.float64)

        def moved(by: Any) -> tuple[float, Float64Array]:
            flat[at] = before + by
            made[..., few] = self._make(shown)
            return self._value(made), flat[at] - before

        plus, up = moved(self._asked.moves)
        minus, down = moved(-self._asked.moves if self._asked.both_sides else 0.0)
        return plus, minus, up - down


def _joined(made: dict[int, list[Array]]) -> list[Array]:
    """Return what all rows make, point by point."""
    spans = [of_span for _, of_span in sorted(made.items())]
    return [np.concatenate(point, axis=-1) for point in zip(*spans, strict=True)]


def _read_only(a: Array) -> Array:
    view = a.view()
    view.flags.writeable = False
    return view
