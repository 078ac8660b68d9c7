"""The rows of a benchmark as data: a piece of work, the time it took, and how many times that of something else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fastgrad._bench.timing import Ratio

#: What a figure is named for where another thing's time follows from it, and where n stands in the name of a work.
_OVER, _UNDER = re.compile(r"(.+) / fastgrad"), re.compile(r"fastgrad / (.+)")
_SIZE = re.compile(r"(.+), n = (\d+)")


@dataclass(frozen=True)
class Floor:
    """What a figure has to reach."""

    kind: Literal["at least", "at most"]
    bound: float

    def holds(self, value: float) -> bool:
        """Tell whether the value reaches it."""
        return value >= self.bound if self.kind == "at least" else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.kind == 'at least' else '≤'} {number(self.bound)}"


def at_least(bound: float) -> Floor:
    """Return the floor of a gain."""
    return Floor("at least", bound)


def at_most(bound: float) -> Floor:
    """Return the ceiling of a cost."""
    return Floor("at most", bound)


@dataclass(frozen=True)
class Figure:
    """One figure of a row: what it is, its value by minima and by rounds, and what it has to reach, if anything.

    Attributes
    ----------
    name : str
        "this / fastgrad" and "fastgrad / that" are ratios of times, from which the other's time follows.
    unit : str
        Empty for a ratio.
    """

    name: str
    value: Ratio
    floor: Floor | None = None
    unit: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the floor is reached by the minima; None where there is no floor."""
        return None if self.floor is None else self.floor.holds(self.value.of_minima)

    def as_data(self) -> dict[str, Any]:
        """Return the figure as plain data."""
        return {
            "name": self.name,
            "of_minima": self.value.of_minima,
            "of_rounds": self.value.of_rounds,
            "unit": self.unit,
            "floor": None if self.floor is None else {"kind": self.floor.kind, "bound": self.floor.bound},
            "reached": self.reached,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Figure":
        """Return the figure that `as_data` made this of."""
        floor = None if data["floor"] is None else Floor(**data["floor"])
        return cls(data["name"], Ratio(data["of_minima"], data["of_rounds"]), floor, data["unit"])


@dataclass(frozen=True)
class Row:
    """A piece of work, the least time that fastgrad took for it, its figures, and what a reader has to know of them."""

    work: str
    seconds: float
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default=())

    @property
    def size(self) -> tuple[str, int] | None:
        """The work without its n, and n; None where the work tells no n."""
        found = _SIZE.fullmatch(self.work)
        return None if found is None else (found[1], int(found[2]))

    def times(self) -> dict[str, float]:
        """Return the least seconds of fastgrad, and of all whose ratio to it is told."""
        times = {"fastgrad": self.seconds}
        for figure in self.figures:
            if over := _OVER.fullmatch(figure.name):
                times[over[1]] = self.seconds * figure.value.of_minima
            elif under := _UNDER.fullmatch(figure.name):
                times[under[1]] = self.seconds / figure.value.of_minima
        return times

    def without_floors(self) -> "Row":
        """Return the row for conditions that nothing was promised for."""
        return replace(self, figures=[replace(figure, floor=None) for figure in self.figures])

    def as_data(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "work": self.work,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "figures": [figure.as_data() for figure in self.figures],
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Row":
        """Return the row that `as_data` made this of."""
        figures = [Figure.from_data(figure) for figure in data["figures"]]
        return cls(data["work"], data["seconds"], figures, data["notes"])


def number(value: float) -> str:
    """Return a figure to three digits.

    Examples
    --------
    >>> number(0.98765), number(123.456), number(123456.0)
    ('0.988', '123', '1.2·10^5')
    """
    if abs(value) >= 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}·10^{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def duration(seconds: float) -> str:
    """Return a time to three digits.

    Examples
    --------
    >>> duration(0.0123456), duration(1.1e-7)
    ('12.3 ms', '110 ns')
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
