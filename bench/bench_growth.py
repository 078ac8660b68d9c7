"""Time against n: the families of the installed `python -m fastgrad bench` that a plot is made of."""

from collections.abc import Iterator

from bench._harness import Effort
from bench._limits import Limits
from bench._report import Row
from fastgrad._bench import layers, opaque, outer

TITLE = "Time against n, as `python -m fastgrad bench` measures it"


def rows(limits: Limits, effort: Effort) -> Iterator[Row]:
    """Yield the rows of gradients, layers and outer products."""
    del limits
    for family in (opaque, layers, outer):
        yield from family.rows(effort)
