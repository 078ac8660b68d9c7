"""How the pictures of `plot` look: axes, levels, marks and frames. They know no problem, only numbers to be drawn."""

from typing import Any

import numpy as np

from fastgrad._errors import missing_extra
from fastgrad._typing import Array, Float64Array

Axes = Any
Span = tuple[float, float]

#: Colours that stay apart for colour-blind readers and in print (after Okabe and Ito), the marker's last.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D31")
MARKER = "#D55E00"
FAINT = "#8A949E"


def axes(ax: Axes) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise missing_extra("a plot", "matplotlib", "plot") from error
    return plt.subplots(layout="constrained")[1]


def coordinates_around(minimum: Array, x1: Span | None, x2: Span | None, n: int) -> list[Float64Array]:
    spans = [(m - 2.5, m + 2.5) if span is None else span for m, span in zip(minimum, (x1, x2), strict=True)]
    return [np.linspace(low, high, n) for low, high in spans]


def inside(coordinates: Float64Array, n: int) -> Float64Array:
    """Return n coordinates in the middle of n equal cells, so that no arrow starts on the frame."""
    low, high = coordinates[0], coordinates[-1]
    return np.asarray(low + (np.arange(n) + 0.5) * (high - low) / n)


def levels(losses: Float64Array, n: int) -> Float64Array:
    """Return n + 1 losses from the least to the largest, even in their roots."""
    low, high = np.sqrt(losses.min()), np.sqrt(losses.max())
    bounds = np.linspace(low, high if high > low else low + 1.0, n + 1) ** 2
    bounds[[0, -1]] *= 1 - 1e-9, 1 + 1e-9  # rounding must not leave the extremes out
    return np.asarray(bounds)


def even_in_root(bounds: Float64Array) -> Any:
    from matplotlib.colors import PowerNorm

    return PowerNorm(0.5, bounds[0], bounds[-1])


def round_ticks(bounds: Float64Array) -> list[float]:
    """Return about six numbers of one digit, as even in the root as the contours are."""
    wanted = np.linspace(np.sqrt(bounds[0]), np.sqrt(bounds[-1]), 7)[:-1] ** 2
    scale = 10.0 ** np.floor(np.log10(np.maximum(wanted, bounds[-1] / 100)))
    ticks = np.unique(np.round(wanted / scale) * scale)
    return [float(tick) for tick in ticks if bounds[0] <= tick <= bounds[-1]]


def mark_minimum(ax: Axes, minimum: Array) -> None:
    label = f"minimum ({minimum[0]:.3g}, {minimum[1]:.3g})"
    style: dict[str, Any] = {"markersize": 17, "color": MARKER, "markeredgecolor": "white", "markeredgewidth": 1.2}
    ax.plot(*minimum, "*", label=label, linestyle="none", zorder=5, **style)
    ax.legend(loc="upper right", framealpha=0.9, edgecolor="none")


def dress_plane(ax: Axes, title: str, across: Float64Array, up: Float64Array) -> Axes:
    ax.set_xlim(across[0], across[-1])
    ax.set_ylim(up[0], up[-1])
    ax.set_ylabel("$x_2$", rotation=0, labelpad=10)
    ax.set_title(title, loc="left", fontweight="bold")
    ax.set_xlabel("$x_1$")
    return ax


def logarithmic(ax: Axes, values: list[float]) -> None:
    """Scale the losses by their logarithm, over these positive values if there are any, with plain numbers as ticks."""
    if not values:
        return
    ax.set_yscale("log")
    low, high = np.log10(min(values)), np.log10(max(values))
    room = max(0.08 * (high - low), 0.02)
    ax.set_ylim(10 ** (low - room), 10 ** (high + room))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.yaxis.set_minor_formatter("{x:g}" if high - low < 1.3 else "")


def dress(ax: Axes, title: str, xlabel: str) -> Axes:
    ax.set_title(title, loc="left", fontweight="bold")
    ax.set_xlabel(xlabel)
    ax.grid(axis="y", color="#D9DEE3", linewidth=0.7)
    ax.set_axisbelow(True)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    return ax


def colours(n: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(n)]


def dress_map(ax: Axes, values: Float64Array, span: Span, shape: tuple[int, ...], title: str) -> Axes:
    """Draw blocks of rows and columns in colours of their logarithm, with a bar that explains them."""
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
    colours_of_errors = colormaps["viridis_r"].with_extremes(over=MARKER)
    image = ax.imshow(values, norm=LogNorm(*span), cmap=colours_of_errors, extent=extent, aspect="auto")
    image.set_interpolation("none")
    ax.figure.colorbar(image, ax=ax, label="largest error of a block", extend="both")
    ax.set_title(title, loc="left", fontweight="bold")
    ax.set_xlabel("column")
    ax.set_ylabel("row")
    return ax
