"""Rows as tables: Markdown for a page, aligned text for a terminal."""

from collections import Counter
from collections.abc import Sequence

from fastgrad._bench.rows import Figure, Row, duration, number

_LONG = 40  # characters of a note from which it is not said again in each row


def markdown(title: str, rows: Sequence[Row]) -> str:
    """Return a table with a column for each name that a figure has in some row; long notes of several rows below it."""
    count = Counter(note for row in rows for note in row.notes)
    below = [note for note in count if count[note] > 1 and len(note) > _LONG]
    names = _names(rows)
    lines = [f"### {title}", "", "| work | time | " + " | ".join(names) + " | |", "|---" * (len(names) + 3) + "|"]
    for row in rows:
        cells = {figure.name: markdown_figure(figure) for figure in row.figures}
        told = " | ".join(cells.get(name, "") for name in names)
        beside = "; ".join(note for note in row.notes if note not in below)
        lines.append(f"| {row.work} | {duration(row.seconds)} | {told} | {beside} |")
    return "\n".join([*lines, *(line for note in below for line in ("", f"({note})"))])


def markdown_figure(figure: Figure) -> str:
    """Return the ratio of the minima in bold, the median of the rounds in brackets, and whether that was the aim."""
    text = f"**{number(figure.value.of_minima)}**{figure.unit} ({number(figure.value.of_rounds)})"
    return text if figure.floor is None else f"{text} {figure.floor} {'✓' if figure.reached else '✗'}"


def text(title: str, rows: Sequence[Row]) -> str:
    """Return the same with aligned columns, and the notes below."""
    names = _names(rows)
    lines = [["", "time", *names]]
    for row in rows:
        cells = {figure.name: _plain(figure) for figure in row.figures}
        lines.append([row.work.replace("`", ""), duration(row.seconds), *(cells.get(name, "") for name in names)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  " + "   ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    ]
    notes = dict.fromkeys(note for row in rows for note in row.notes)
    return "\n".join([title, *aligned, *(f"  ({note.replace('`', '')})" for note in notes)])


def _plain(figure: Figure) -> str:
    return f"{number(figure.value.of_minima)}{figure.unit} ({number(figure.value.of_rounds)})"


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(figure.name for row in rows for figure in row.figures))
