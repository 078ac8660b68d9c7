"""Time against n on logarithmic axes: fastgrad, what it stands beside, and the limits. Needs matplotlib."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from fastgrad._bench.rows import Row
from fastgrad._drawing import COLOURS, FAINT, MARKER, dress
from fastgrad._errors import missing_extra

#: What nothing can undercut, drawn as a dotted line.
LIMITS = {"bare calls", "the result", "one reading a step"}


class Curve(NamedTuple):
    """The least seconds of one contender at each n, in the order of n."""

    n: list[int]
    seconds: list[float]


def curves(rows: Iterable[Row]) -> dict[str, dict[str, Curve]]:
    """Return the times of each contender, by the work that is done at two sizes or more."""
    sized = [(row.size, row.times()) for row in rows if row.size is not None]
    found: dict[str, dict[str, Curve]] = {work: {} for (work, _), _ in sized}
    for (work, n), times in sorted(sized, key=lambda pair: pair[0][1]):
        for name, seconds in times.items():
            curve = found[work].setdefault(name, Curve([], []))
            curve.n.append(n)
            curve.seconds.append(seconds)
    return {work: lines for work, lines in found.items() if len(lines["fastgrad"].n) > 1}


def draw(rows: Sequence[Row], title: str) -> Any:
    """Return a matplotlib figure with a panel for each work that is done at two sizes or more.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    ValueError
        If no work is done at two sizes.
    """
    panels = curves(rows)
    if not panels:
        raise ValueError("there is nothing to draw: no work was measured at two sizes or more.")
    figure = _figure(len(panels))
    for ax, (work, lines) in zip(figure.axes, panels.items(), strict=False):
        for colour, (name, curve) in zip(_colours(lines), lines.items(), strict=True):
            style: dict[str, Any] = {"linestyle": ":"} if name in LIMITS else {"marker": "o", "markersize": 3.5}
            ax.plot(*curve, label=name, color=colour, linewidth=2.2 if name == "fastgrad" else 1.4, **style)
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.minorticks_off()
        dress(ax, work.replace("`", ""), "n")
        ax.set_ylabel("seconds")
        ax.legend(fontsize="small", frameon=False)
    for ax in figure.axes[len(panels) :]:
        ax.set_axis_off()
    figure.suptitle(title, x=0.01, ha="left", fontsize="medium")
    return figure


def _figure(panels: int) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("a plot", "matplotlib", "plot") from error
    columns = min(panels, 2 if panels <= 4 else 3)
    lines = math.ceil(panels / columns)
    figure = Figure(figsize=(4.4 * columns, 3.4 * lines + 0.3), layout="constrained")
    figure.subplots(lines, columns, squeeze=False)
    return figure


def _colours(names: Iterable[str]) -> list[str]:
    others = iter(COLOURS * 2)
    return [MARKER if name == "fastgrad" else FAINT if name in LIMITS else next(others) for name in names]
