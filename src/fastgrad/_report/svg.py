"""Pictures of a check as inline SVG, without any library: an error map, and slopes over steps."""

from html import escape

import numpy as np

from fastgrad._report.pictured import ErrorMap, Sweep
from fastgrad._typing import Float64Array

#: From no error to the largest, in steps that the eye takes for even (after the map "viridis", turned around).
COLOURS = ("#f4f6d8", "#a0da39", "#4ac16d", "#1fa187", "#277f8e", "#365c8d", "#46327e", "#440154")
UNKNOWN, LOST = "#d5dadd", "#d55e00"
SIDE, MARGIN = 448, 60
#: More blocks than this have no titles.
TITLED = 1024
#: Decades of error that the colours span.
DECADES = 8.0


def heat_map(errors: ErrorMap) -> str:
    """Return the largest error in each block as a picture, in colours of its logarithm; few blocks are named, too."""
    p, q = errors.largest.shape
    cell = int(max(4, min(28, SIDE // max(p, q))))
    top = float(np.max(errors.largest, initial=0.0, where=np.isfinite(errors.largest)))
    width, height = MARGIN + q * cell + 10, 20 + p * cell + 24
    labels = (
        f'<text x="{MARGIN}" y="14">column 0 … {errors.shape[1] - 1}</text>'
        f'<text x="{MARGIN - 6}" y="32" text-anchor="end">row 0</text>'
    )
    if p > 1:
        last = errors.shape[0] - 1
        labels += f'<text x="{MARGIN - 6}" y="{20 + p * cell - 2}" text-anchor="end">{last}</text>'
    least = f"{top * 10**-DECADES:.0e}"
    legend = f'<text x="{MARGIN}" y="{height - 6}">dark: {top:.2g}; lightest: {least} and less</text>' if top else ""
    label = f"largest errors in {escape(errors.path)} by row and column"
    return _svg(max(width, 320), height, label, _blocks(errors, cell, top) + labels + legend)


def _blocks(errors: ErrorMap, cell: int, top: float) -> str:
    """Return the blocks as squares with titles where they are few, and else as one path for each colour."""
    p, q = errors.largest.shape
    paths: dict[str, str] = {}
    squares = ""
    for r in range(p):
        for c in range(q):
            value = float(errors.largest[r, c])
            colour, x, y = _colour(value, top), MARGIN + c * cell, 20 + r * cell
            if p * q > TITLED:
                paths[colour] = paths.get(colour, "") + f"M{x} {y}h{cell}v{cell}h-{cell}z"
                continue
            where = f"{_span(r, p, errors.shape[0], 'row')}, {_span(c, q, errors.shape[1], 'column')}"
            squares += (
                f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{colour}">'
                f"<title>{where}: {value:.3g}</title></rect>"
            )
    return squares + "".join(f'<path fill="{colour}" d="{path}"/>' for colour, path in paths.items())


def _span(k: int, blocks: int, n: int, name: str) -> str:
    edges = np.linspace(0, n, blocks + 1).astype(np.intp)
    first, last = int(edges[k]), int(edges[k + 1]) - 1
    return f"{name} {first}" if first == last else f"{name}s {first} to {last}"


def _colour(value: float, top: float) -> str:
    if np.isnan(value):
        return UNKNOWN
    if np.isinf(value):
        return LOST
    if value <= 0.0 or top == 0.0:
        return COLOURS[0]
    share = 1.0 + np.log10(value / top) / DECADES
    return COLOURS[round(max(0.0, share) * (len(COLOURS) - 1))]


def sweep(data: Sweep, name: str) -> str:
    """Return the measured slopes of an entry over its steps, with what rounding may add, and the claim as a line."""
    width, height = 520, 220
    low, high = sweep_span(data)
    x = _scaled(np.log10(data.steps), MARGIN + 20, width - 20)
    shown = np.clip(data.slopes, low, high)
    y = _between(shown, low, high, height - 40, 20)
    parts = []
    if np.isfinite(data.claimed) and low <= data.claimed <= high:
        at = float(_between(np.array([data.claimed]), low, high, height - 40, 20)[0])
        parts.append(
            f'<line x1="{MARGIN}" x2="{width - 10}" y1="{at:.1f}" y2="{at:.1f}" stroke="{LOST}" '
            'stroke-dasharray="6 4"/>'
            f'<text x="{width - 10}" y="{at - 4:.1f}" text-anchor="end" fill="{LOST}">claimed {data.claimed:.6g}</text>'
        )
    bars = np.clip(np.stack([data.slopes - data.rounding, data.slopes + data.rounding]), low, high)
    ends = _between(bars, low, high, height - 40, 20)
    parts += [
        f'<line x1="{x[k]:.1f}" x2="{x[k]:.1f}" y1="{ends[0, k]:.1f}" y2="{ends[1, k]:.1f}" stroke="#8a949e"/>'
        f'<circle cx="{x[k]:.1f}" cy="{y[k]:.1f}" r="4" fill="#0072b2"><title>step {data.steps[k]:.3g}: '
        f"{data.slopes[k]:.9g} ± {data.rounding[k]:.1g}</title></circle>"
        for k in range(data.steps.size)
    ]
    parts.append(
        f'<text x="{MARGIN - 6}" y="26" text-anchor="end">{high:.3g}</text>'
        f'<text x="{MARGIN - 6}" y="{height - 36}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{x[0]:.1f}" y="{height - 18}">step {data.steps[0]:.1g}</text>'
        f'<text x="{x[-1]:.1f}" y="{height - 18}" text-anchor="end">{data.steps[-1]:.1g}</text>'
    )
    return _svg(width, height, f"central differences at {escape(name)} over the step", "".join(parts))


def sweep_span(data: Sweep) -> tuple[float, float]:
    """Return the least and the largest value to draw: those that rounding has left, and the claim."""
    values = data.slopes[data.rounding <= np.quantile(data.rounding, 0.75)]
    around = np.append(values, data.claimed if np.isfinite(data.claimed) else values)
    low, high = float(np.min(around)), float(np.max(around))
    room = 0.08 * high - 0.08 * low or 0.1 * abs(high) or 1.0
    most = float(np.finfo(np.float64).max)
    return max(low - room, -most), min(high + room, most)


def _scaled(values: Float64Array, start: float, stop: float) -> Float64Array:
    return _between(values, float(np.min(values)), float(np.max(values)), start, stop)


def _between(values: Float64Array, low: float, high: float, start: float, stop: float) -> Float64Array:
    # of halves, for the span itself may be no number
    share = (values / 2 - low / 2) / (high / 2 - low / 2) if high > low else np.full_like(values, 0.5)
    return np.asarray(start + (stop - start) * share)


def _svg(width: float, height: float, label: str, inner: str) -> str:
    return (
        f'<figure style="margin:1em 0"><figcaption>{label}</figcaption>'
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-size="11" font-family="sans-serif" fill="#37474f">'
        f"<title>{label}</title>{inner}</svg></figure>"
    )
