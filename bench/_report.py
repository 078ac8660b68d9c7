"""The rows of the benchmark as data, and as a Markdown table."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from bench._harness import Ratio


@dataclass(frozen=True)
class Floor:
    """What a figure has to reach."""

    kind: Literal["at least", "at most"]
    bound: float

    def holds(self, value: float) -> bool:
        """Tell whether the value reaches it."""
        return value >= self.bound if self.kind == "at least" else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.kind == 'at least' else '≤'} {_number(self.bound)}"


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

    def __str__(self) -> str:
        text = f"**{_number(self.value.of_minima)}**{self.unit} ({_number(self.value.of_rounds)})"
        return text if self.floor is None else f"{text} {self.floor} {'✓' if self.reached else '✗'}"


@dataclass(frozen=True)
class Row:
    """A piece of work, the least time that fastgrad took for it, its figures, and what a reader has to know of them."""

    work: str
    seconds: float
    figures: Sequence[Figure]
    notes: Sequence[str] = field(default=())

    def as_data(self) -> dict[str, Any]:
        """Return the row as plain data."""
        return {
            "work": self.work,
            "seconds": self.seconds,
            "notes": list(self.notes),
            "figures": [
                {
                    "name": figure.name,
                    "of_minima": figure.value.of_minima,
                    "of_rounds": figure.value.of_rounds,
                    "floor": None if figure.floor is None else str(figure.floor),
                    "reached": figure.reached,
                }
                for figure in self.figures
            ],
        }


def markdown(title: str, rows: Sequence[Row]) -> str:
    """Return a table with a column for each name that a figure has in some row."""
    names = list(dict.fromkeys(figure.name for row in rows for figure in row.figures))
    lines = [f"### {title}", "", "| work | time | " + " | ".join(names) + " | |", "|---" * (len(names) + 3) + "|"]
    for row in rows:
        cells = {figure.name: str(figure) for figure in row.figures}
        lines.append(
            f"| {row.work} | {_time(row.seconds)} | "
            + " | ".join(cells.get(name, "") for name in names)
            + f" | {'; '.join(row.notes)} |"
        )
    return "\n".join(lines)


def _number(value: float) -> str:
    if abs(value) >= 1e4:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}·10^{int(exponent)}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _time(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
