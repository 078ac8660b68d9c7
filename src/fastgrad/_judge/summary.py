"""What one pass over claimed and measured entries tells of them."""

from collections.abc import Iterable
from math import isnan
from typing import NamedTuple

from fastgrad import _backend
from fastgrad._typing import Array


class Summary(NamedTuple):
    """How what is claimed compares with what was measured."""

    max_error: float
    """NaN where an error is."""
    max_relative_error: float
    at: int
    """Where the largest error is; -1 where nothing was compared."""
    beyond: int
    """How many entries are beyond tolerance."""
    largest: float
    """The largest magnitude of what is claimed."""
    squares: float
    """The sum of the squares of what is claimed; not finite where an entry is not."""
    value: float
    """What was measured where the largest error is."""


def summarise(claimed: Array, measured: Array, atol: float, rtol: float) -> Summary:
    """Return the summary of two lines of one size and dtype."""
    seen = _backend.compare.compare(claimed, measured, atol, rtol)
    return Summary(*seen, float(measured[seen[2]]) if seen[2] >= 0 else float("nan"))


def put_together(parts: Iterable[tuple[int, Summary]]) -> Summary:
    """Return the summary of a line from those of its parts, each with where it starts, in their order."""
    error, relative, at, beyond, largest, squares, value = 0.0, 0.0, -1, 0, 0.0, 0.0, float("nan")
    for start, part in parts:
        beyond, largest, squares = beyond + part.beyond, max(largest, part.largest), squares + part.squares
        if part.at >= 0 and not isnan(error) and (at < 0 or isnan(part.max_error) or part.max_error > error):
            error, at, value = part.max_error, start + part.at, part.value
        relative = max(relative, part.max_relative_error)
    return Summary(error, error if isnan(error) else relative, at, beyond, largest, squares, value)
